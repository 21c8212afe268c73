/** 09 OffsetFetch: the offsets that groups have committed, of the partitions asked for or of all.
 * Invariant: who requires stable offsets gets none that an open transaction may change (KIP-447).
 * A fault without a topic refuses a group, one with a topic its partitions.
 */
import {
  offsetFetchApi,
  type OffsetFetchRequestGroup,
  type OffsetFetchRequestTopics,
  type OffsetFetchResponseGroup,
  type OffsetFetchResponsePartitions,
} from '../../protocol/api/09-offset-fetch.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/text.ts';
import type { CommittedOffset } from '../group-offsets.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

type PartitionAnswer = Input<OffsetFetchResponsePartitions>;

/** Tells committed offsets. */
export const offsetFetchHandler: Handler = /* @__PURE__ */ handler(offsetFetchApi, (request, context) => {
  const { apiVersion } = context;
  const { requireStable } = request;
  if (apiVersion >= 8) {
    const fetch = ({ groupId, topics }: OffsetFetchRequestGroup) =>
      fetchGroup(groupId, topics, requireStable, context);
    return { groups: request.groups.map(fetch) };
  }
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
  const { errorCode = 0, topics: found = [] } = fetchGroup(request.groupId, topics, requireStable, context);
  if (errorCode === 0) return { topics: found };
  if (apiVersion >= 2) return { errorCode };
  // Version 1 has errors only where the offsets are.
  const refused = (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => answer(index, undefined, errorCode, context)),
  }));
  return { topics: refused };
});

function fetchGroup(
  groupId: string,
  wanted: readonly OffsetFetchRequestTopics[] | null,
  requireStable: boolean,
  context: RequestContext,
): Input<OffsetFetchResponseGroup> {
  const refuse = (errorCode: number): Input<OffsetFetchResponseGroup> => ({ groupId, errorCode });
  return context.attempt(() => {
    const errorCode = context.coordinatorError(groupId);
    if (errorCode !== 0) return refuse(errorCode);
    return {
      groupId,
      topics: (wanted ?? allTopics(groupId, context)).map((topic) =>
        fetchTopic(groupId, topic, requireStable, context),
      ),
    };
  }, refuse);
}

function fetchTopic(
  groupId: string,
  { name, topicId, partitionIndexes }: OffsetFetchRequestTopics,
  requireStable: boolean,
  context: RequestContext,
): { name: string; topicId: string; partitions: PartitionAnswer[] } {
  const topic = context.apiVersion >= 10 ? context.topic(name, topicId, 10) : name;
  const topicName = typeof topic === 'object' ? topic.name : name;
  const partitions = partitionIndexes.map((index) => {
    const refuse = (errorCode: number): PartitionAnswer => answer(index, undefined, errorCode, context);
    const find = (): PartitionAnswer => {
      if (typeof topic === 'number') return refuse(topic);
      const offsets = context.group(groupId)?.offsets;
      if (requireStable && offsets?.isPending(topicName, index) === true)
        return refuse(ErrorCodes.UNSTABLE_OFFSET_COMMIT);
      return answer(index, offsets?.get(topicName, index), 0, context);
    };
    return context.attempt(find, refuse, topicName, index);
  });
  return { name, topicId, partitions };
}

/** Every topic that the group has offsets of, as if it had been asked for. */
function allTopics(groupId: string, context: RequestContext): OffsetFetchRequestTopics[] {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of context.group(groupId)?.offsets.all ?? []) {
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  }
  return Array.from(byTopic, ([name, partitionIndexes]) => ({
    name,
    topicId: context.cluster.topics.get(name)?.topicId ?? ZERO_UUID,
    partitionIndexes,
  }));
}

function answer(
  partitionIndex: number,
  committed: CommittedOffset | undefined,
  errorCode: number,
  { apiVersion }: RequestContext,
): PartitionAnswer {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: apiVersion >= 5 ? (committed?.leaderEpoch ?? -1) : -1,
    metadata: committed?.metadata ?? '',
    errorCode,
  };
}
