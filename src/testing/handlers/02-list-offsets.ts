/** 02 ListOffsets: the ends of logs, and offsets by time.
 * Not here: finding a record by its time (../offset-lookup.ts). There is no tiered storage, so nothing lies there.
 */
import type { Platform } from '../../platform.ts';
import { listOffsetsApi, type ListOffsetsPartitionResponse } from '../../protocol/api/02-list-offsets.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { firstAtOrAfter, firstWithMaxTimestamp, type FoundOffset } from '../offset-lookup.ts';
import type { Partition } from '../topic.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

type Answer = Input<ListOffsetsPartitionResponse>;
type Wanted = {
  readonly partitionIndex: number;
  readonly currentLeaderEpoch: number;
  readonly timestamp: number;
};

/** Kafka's special times, and the first version that knows each, by its negative: -5 and -6 ask for tiered storage. */
const special = { latest: -1, earliest: -2, maxTimestamp: -3, earliestLocal: -4 };
const firstVersions: readonly number[] = [0, 1, 1, 7, 8, 9, 11];
const readCommitted = 1;

/** Finds offsets by time. */
export const listOffsetsHandler: Handler = /* @__PURE__ */ handler(
  listOffsetsApi,
  async (request, context) => {
    const topics = [];
    for (const { name, partitions: wanted } of request.topics) {
      const partitions: Answer[] = [];
      for (const partition of wanted) {
        const { partitionIndex } = partition;
        const refuse = (errorCode: number): Answer => ({ partitionIndex, errorCode });
        const effect = (): Promise<Answer> => lookUp(name, partition, request.isolationLevel, context);
        partitions.push(await context.attempt(effect, refuse, name, partitionIndex));
      }
      topics.push({ name, partitions });
    }
    return { topics };
  },
);

async function lookUp(
  name: string,
  wanted: Wanted,
  isolationLevel: number,
  context: RequestContext,
): Promise<Answer> {
  const { partitionIndex, timestamp, currentLeaderEpoch } = wanted;
  const refuse = (errorCode: number): Answer => ({ partitionIndex, errorCode });
  const topic = context.cluster.topics.get(name);
  if (topic === undefined) return refuse(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
  const partition = context.partition(topic, partitionIndex, currentLeaderEpoch, false);
  if (typeof partition === 'number') return refuse(partition);
  const isKnown = timestamp >= 0 || context.apiVersion >= (firstVersions[-timestamp] ?? Infinity);
  if (!isKnown) return refuse(ErrorCodes.UNSUPPORTED_VERSION);
  const found = await find(
    context.cluster.settings.platform,
    partition,
    timestamp,
    isolationLevel === readCommitted,
  );
  if (found === undefined) return { partitionIndex };
  return { partitionIndex, ...found, leaderEpoch: context.apiVersion >= 4 ? found.leaderEpoch : -1 };
}

async function find(
  platform: Platform,
  { log, leaderEpoch }: Partition,
  timestamp: number,
  committedOnly: boolean,
): Promise<FoundOffset | undefined> {
  const endOffset = committedOnly ? log.lastStableOffset : log.endOffset;
  if (timestamp === special.latest) return { offset: endOffset, timestamp: -1, leaderEpoch };
  if (timestamp === special.earliest || timestamp === special.earliestLocal) {
    return { offset: log.startOffset, timestamp: -1, leaderEpoch: log.batches[0]?.leaderEpoch ?? -1 };
  }
  if (timestamp < special.maxTimestamp) return undefined;
  const search = timestamp === special.maxTimestamp ? firstWithMaxTimestamp(platform, log) : undefined;
  const found = await (search ?? firstAtOrAfter(platform, log, timestamp));
  return found === undefined || found.offset >= endOffset ? undefined : found;
}
