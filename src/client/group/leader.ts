/** What the group's leader does for all: read the subscriptions, look up the topics, assign, and watch for changes.
 * Does not send. Invariant: the partition counts that an assignment was made from are watched from that moment on.
 */
import { ProtocolError } from '../../errors.ts';
import type { JoinGroupResponse, JoinGroupResponseMember } from '../../protocol/api/11-join-group.ts';
import { encodeAssignment } from '../../protocol/embedded/assignment.ts';
import { decodeSubscription } from '../../protocol/embedded/subscription.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { brokerError, sleep, type MetadataSnapshot } from '../cluster/index.ts';
import type { Assignor, AssignorMember, AssignorTopic, TopicPartitions } from './assignor/assignor.ts';
import type { GroupCluster } from './coordinator.ts';
import type { EndGeneration, Generation } from './generation.ts';

/** An assignment for all members, and what it rests on. */
export interface LeaderPlan {
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
  /** All members' topics. */
  readonly topics: readonly string[];
  /** Partition count of each of the topics, 0 where there is no such topic. */
  readonly counts: readonly number[];
}

const lookIntervalMs = 1000;

function countsOf(topics: readonly string[], snapshot: MetadataSnapshot): number[] {
  return topics.map((topic) => snapshot.topics.get(topic)?.partitions.length ?? 0);
}

function memberOf(
  cluster: GroupCluster,
  { memberId, groupInstanceId, metadata }: JoinGroupResponseMember,
): AssignorMember {
  const member = {
    memberId,
    instanceId: groupInstanceId,
    rack: null,
    topics: [],
    generation: -1,
    userData: null,
  };
  try {
    const { topics, ownedPartitions, generationId, rackId, userData } = decodeSubscription(metadata);
    const owned = new Map(ownedPartitions.map(({ topic, partitions }) => [topic, partitions]));
    return { ...member, topics, owned, generation: generationId, rack: rackId, userData };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    // One member that writes nonsense must not stop the group: it gets nothing.
    cluster.logger.warn?.('a member has an unreadable subscription', { memberId, reason: error.message });
    return { ...member, owned: new Map() };
  }
}

function topicOf(name: string, snapshot: MetadataSnapshot): AssignorTopic {
  const partitions = snapshot.topics.get(name)?.partitions ?? [];
  const partitionRacks = partitions.map(({ replicas }) =>
    replicas.flatMap((nodeId) => snapshot.brokers.get(nodeId)?.rack ?? []),
  );
  return { name, partitionRacks };
}

function assignmentBytes(owned: TopicPartitions | undefined): Uint8Array {
  return encodeAssignment({
    assignedPartitions: Array.from(owned ?? [], ([topic, partitions]) => ({ topic, partitions })),
  });
}

/** Assigns for all members, and ends the generation when the counts it rests on change. Rejects when there is no
 * metadata, and with a `BrokerError` when the group chose an assignor that this member did not offer.
 */
export async function lead(
  cluster: GroupCluster,
  joined: JoinGroupResponse,
  assignors: readonly Assignor[],
  generation: Generation,
  end: EndGeneration,
): Promise<LeaderPlan> {
  const assignor = assignors.find(({ name }) => name === joined.protocolName);
  if (assignor === undefined) throw brokerError(ErrorCodes.INCONSISTENT_GROUP_PROTOCOL, 'JoinGroup');
  const members = joined.members.map((member) => memberOf(cluster, member));
  const topics = [...new Set(members.flatMap((member) => member.topics))].sort();
  const release = cluster.useTopics(topics);
  generation.over.addEventListener('abort', release, { once: true });
  if (countsOf(topics, cluster.snapshot).includes(0)) await cluster.refresh('topics of the group');
  const { snapshot } = cluster;
  const counts = countsOf(topics, snapshot);
  const existing = topics.filter((_, index) => counts[index] !== 0);
  const assigned = assignor.assign(members, new Map(existing.map((name) => [name, topicOf(name, snapshot)])));
  const assignments = members.map(({ memberId }) => ({
    memberId,
    assignment: assignmentBytes(assigned.get(memberId)),
  }));
  const plan = { assignments, topics, counts };
  watch(cluster, plan, generation, end);
  return plan;
}

/** Ends the generation when a partition count changes; looks for topics that do not exist yet. */
function watch(cluster: GroupCluster, plan: LeaderPlan, generation: Generation, end: EndGeneration): void {
  const unwatch = cluster.onSnapshot((snapshot) => {
    if (countsOf(plan.topics, snapshot).every((count, index) => count === plan.counts[index])) return;
    end(generation, { kind: 'rebalance', reason: 'partition counts changed' });
  });
  generation.over.addEventListener('abort', unwatch, { once: true });
  const missing = plan.topics.filter((_, index) => plan.counts[index] === 0);
  if (missing.length > 0) void lookFor(cluster, missing, generation.over);
}

/** Asks for metadata again and again until the signal aborts, as it does once a topic has been found. Never rejects. */
async function lookFor(cluster: GroupCluster, topics: readonly string[], signal: AbortSignal): Promise<void> {
  cluster.logger.warn?.('topics of the group do not exist', { topics });
  while (!signal.aborted) {
    try {
      await sleep(cluster.platform, lookIntervalMs, signal);
      await cluster.refresh('missing topics of the group');
    } catch (error) {
      if (!signal.aborted) cluster.logger.debug?.('metadata refresh failed', { reason: String(error) });
    }
  }
}
