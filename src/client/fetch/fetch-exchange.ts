/** One Fetch request for many partitions and the answer that belongs to it, matched by name or by topic id.
 * Full fetches: no session (KIP-227) is kept. Not here: when to fetch, what an answer means (fetcher.ts).
 * Invariant: an answer about a partition that was not asked for is dropped.
 * Source: Fetch; KIP-74 (the first batch comes whole), KIP-516 (topic ids from v13 on).
 */
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
  type PartitionData,
} from '../../protocol/api/01-fetch.ts';
import type { Input } from '../../protocol/schema.ts';
import { zeroTopicId, type Cluster, type Duty } from '../cluster/index.ts';
import type { IsolationLevel } from './list-offsets.ts';
import type { PartitionQueue } from './partition-queue.ts';

/** What bounds a fetch. */
export interface FetchLimits {
  readonly isolationLevel: IsolationLevel;
  /** The broker waits for so many bytes, at most `maxWaitMs`. */
  readonly minBytes: number;
  readonly maxWaitMs: number;
  /** Of the answer, and of each partition in it; one batch that is larger comes all the same. */
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
}

/** A partition as it was when it was asked for. */
export interface FetchTarget {
  readonly queue: PartitionQueue;
  readonly fetchOffset: number;
  /** Of the partition then: an answer for another version is stale. */
  readonly version: number;
}

/** What the broker said of one target. */
export interface FetchResult extends FetchTarget {
  readonly data: PartitionData;
}

/** An answer, taken apart. */
export interface FetchAnswer {
  readonly throttleTimeMs: number;
  /** Of the whole request; 0 if good. */
  readonly errorCode: number;
  readonly results: readonly FetchResult[];
}

/** Last version that names topics; the next one needs ids. */
const lastVersionByName = 12;

/** Asks a broker for the targets, in their order: it fills the answer from the first one on. Rejects as `cluster.send`. */
export async function exchangeFetch(
  cluster: Cluster,
  nodeId: number,
  duty: Duty,
  queues: readonly PartitionQueue[],
  limits: FetchLimits,
  signal: AbortSignal,
): Promise<FetchAnswer> {
  const byTopic = new Map<string, Map<number, FetchTarget>>();
  for (const queue of queues) {
    const { topic, partition, fetchOffset, version } = queue.owner;
    const targets = byTopic.get(topic) ?? new Map<number, FetchTarget>();
    byTopic.set(topic, targets.set(partition, { queue, fetchOffset, version }));
  }
  const idOf = (topic: string): string => cluster.snapshot.topics.get(topic)?.topicId ?? zeroTopicId;
  const byId = new Map(Array.from(byTopic, ([topic, targets]) => [idOf(topic), targets]));
  const response: FetchResponse = await cluster.send(
    nodeId,
    duty,
    fetchApi,
    () => requestOf(byTopic, idOf, limits),
    {
      timeoutMs: limits.maxWaitMs + cluster.requestTimeoutMs,
      maxVersion: byId.has(zeroTopicId) ? lastVersionByName : undefined,
      signal,
    },
  );
  const results: FetchResult[] = [];
  for (const { topic, topicId, partitions } of response.responses) {
    const targets = topic === '' ? byId.get(topicId) : byTopic.get(topic);
    for (const data of partitions) {
      const target = targets?.get(data.partitionIndex);
      if (target !== undefined) results.push({ ...target, data });
    }
  }
  return { throttleTimeMs: response.throttleTimeMs, errorCode: response.errorCode, results };
}

function requestOf(
  byTopic: ReadonlyMap<string, ReadonlyMap<number, FetchTarget>>,
  idOf: (topic: string) => string,
  { isolationLevel, minBytes, maxWaitMs, maxBytes, maxPartitionBytes }: FetchLimits,
): Input<FetchRequest> {
  const topics = Array.from(byTopic, ([topic, targets]) => ({
    topic,
    topicId: idOf(topic),
    partitions: Array.from(targets.values(), ({ queue, fetchOffset }) => ({
      partition: queue.owner.partition,
      currentLeaderEpoch: queue.leaderEpoch,
      fetchOffset,
      partitionMaxBytes: maxPartitionBytes,
    })),
  }));
  return { isolationLevel, minBytes, maxWaitMs, maxBytes, topics };
}
