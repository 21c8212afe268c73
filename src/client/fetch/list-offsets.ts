/** Asks leaders for offsets: the first, the last, or that of a time.
 * Not here: what to do with a refusal while reading (position.ts); `listOffsets` retries for a caller that waits.
 * Source: ListOffsets; KIP-79 (timestamps), KIP-207 (an offset that is not known yet is refused).
 */
import { KafkaError, TimeoutError } from '../../errors.ts';
import { listOffsetsApi, type ListOffsetsRequest } from '../../protocol/api/02-list-offsets.ts';
import type { Input } from '../../protocol/schema.ts';
import {
  Backoff,
  brokerError,
  retryAction,
  sleep,
  type Cluster,
  type RequestOptions,
  type TopicPartition,
} from '../cluster/index.ts';

/** Timestamp that stands for the offset of the next record. */
export const latestTimestamp = -1;
/** Timestamp that stands for the offset of the first record. */
export const earliestTimestamp = -2;

/** 0 read_uncommitted, 1 read_committed. */
export type IsolationLevel = 0 | 1;

/** What to look up. */
export interface OffsetQuery extends TopicPartition {
  /** Milliseconds since 1970, `latestTimestamp` or `earliestTimestamp`. */
  readonly timestamp: number;
  /** -1 unknown: then the broker does not check it. */
  readonly leaderEpoch: number;
}

/** A broker's answer. */
export interface OffsetAnswer {
  readonly errorCode: number;
  /** -1 when no record has the timestamp or a later one. */
  readonly offset: number;
  readonly leaderEpoch: number;
}

/** Asks one broker, once. The map lacks what the broker did not answer. Rejects as `cluster.send` does.
 * `latestTimestamp` is the last stable offset under read_committed, else the high watermark.
 */
export async function askOffsets<Query extends OffsetQuery>(
  cluster: Cluster,
  nodeId: number,
  queries: Iterable<Query>,
  isolationLevel: IsolationLevel,
  options?: RequestOptions,
): Promise<Map<Query, OffsetAnswer>> {
  const byTopic = new Map<string, Map<number, Query>>();
  for (const query of queries) {
    const byPartition = byTopic.get(query.topic) ?? new Map<number, Query>();
    byTopic.set(query.topic, byPartition.set(query.partition, query));
  }
  const topics = Array.from(byTopic, ([name, byPartition]) => ({
    name,
    partitions: Array.from(byPartition.values(), ({ partition, timestamp, leaderEpoch }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: leaderEpoch,
      timestamp,
    })),
  }));
  const body = (version: number): Input<ListOffsetsRequest> =>
    version < 2 ? { replicaId: -1, topics } : { replicaId: -1, isolationLevel, topics };
  const response = await cluster.send(nodeId, 'control', listOffsetsApi, body, options);
  const answers = new Map<Query, OffsetAnswer>();
  for (const { name, partitions } of response.topics) {
    for (const { partitionIndex, errorCode, offset, leaderEpoch } of partitions) {
      const query = byTopic.get(name)?.get(partitionIndex);
      if (query !== undefined) answers.set(query, { errorCode, offset, leaderEpoch });
    }
  }
  return answers;
}

/** Asks every leader, retrying until the deadline (on `platform.monotonicNow()`); answers in the order of the queries.
 * Rejects with the first BrokerError that does not heal, a TimeoutError, or the signal's reason.
 */
export async function listOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  isolationLevel: IsolationLevel,
  options: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
): Promise<number[]> {
  const { platform } = cluster;
  const backoff = new Backoff(platform);
  const offsets = new Map<OffsetQuery, number>();
  let failure: unknown;
  const ask = async (nodeId: number, asked: readonly OffsetQuery[]): Promise<void> => {
    const timeoutMs = Math.max(
      1,
      Math.min(cluster.requestTimeoutMs, options.deadlineMs - platform.monotonicNow()),
    );
    const answers = await askOffsets(cluster, nodeId, asked, isolationLevel, {
      timeoutMs,
      signal: options.signal,
    });
    for (const [query, { errorCode, offset }] of answers) {
      const action = retryAction(errorCode);
      if (action === 'none') offsets.set(query, offset);
      else failure = brokerError(errorCode, 'ListOffsets', query);
      if (action === 'fail') throw failure;
    }
  };
  for (;;) {
    const open = queries.filter((query) => !offsets.has(query));
    if (open.length === 0) return queries.map((query) => offsets.get(query) ?? -1);
    const leaders = new Map<number, OffsetQuery[]>();
    for (const query of open) {
      const { topic, partition } = query;
      const { partitions } = await cluster.topic(topic, options);
      const leader = partitions[partition]?.leader ?? -1;
      leaders.set(leader, [...(leaders.get(leader) ?? []), query]);
    }
    leaders.delete(-1);
    const attempts = await Promise.allSettled(Array.from(leaders, ([nodeId, asked]) => ask(nodeId, asked)));
    for (const attempt of attempts) {
      if (attempt.status === 'fulfilled') continue;
      failure = attempt.reason;
      if (!(failure instanceof KafkaError) || !failure.retriable) throw failure;
    }
    if (offsets.size === queries.length) continue;
    const waitMs = backoff.next();
    if (platform.monotonicNow() + waitMs >= options.deadlineMs) {
      throw new TimeoutError('ListOffsets was not answered in time by every leader', {
        limitMs: waitMs,
        cause: failure,
      });
    }
    await sleep(platform, waitMs, options.signal);
    await cluster.refresh('ListOffsets').catch((error: unknown) => (failure = error));
  }
}
