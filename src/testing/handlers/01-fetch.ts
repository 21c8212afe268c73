/** 01 Fetch: takes views on the logs, and holds the answer until there is enough or the time is up.
 * Not here: fetch sessions; every answer is a full one and says so with session 0 (KIP-227 allows that).
 * Invariant: from reading the logs to waiting for a change nothing is awaited, so no change goes unseen.
 */
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
  type PartitionData,
} from '../../protocol/api/01-fetch.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import type { Partition, Topic } from '../topic.ts';
import { handler, LeaderHints, type Handler, type RequestContext } from './handler.ts';

/** `fetch.max.bytes` of a broker. */
const mostBytes = 57_671_680;
const readCommitted = 1;

/** Reads logs, waiting for `minBytes` up to `maxWaitMs`. */
export const fetchHandler: Handler = /* @__PURE__ */ handler(fetchApi, async (request, context) => {
  // No session was ever given out.
  if (request.sessionEpoch > 0) return { errorCode: ErrorCodes.FETCH_SESSION_ID_NOT_FOUND };
  const { platform } = context.cluster.settings;
  const deadlineMs = platform.monotonicNow() + request.maxWaitMs;
  for (;;) {
    const pass = new Pass(request, context);
    const answer = pass.answer();
    const remainingMs = deadlineMs - platform.monotonicNow();
    const isEnough = pass.failed || pass.byteLength >= Math.min(request.minBytes, mostBytes);
    if (isEnough || pass.read.length === 0 || remainingMs <= 0 || context.signal.aborted) return answer;
    await context.wait(remainingMs, pass.read);
  }
});

type Wanted = FetchRequest['topics'][number]['partitions'][number];

/** One pass over the partitions of a request. */
class Pass {
  /** The partitions that could be read. */
  readonly read: Partition[] = [];
  byteLength = 0;
  /** Whether one of them is answered with an error. */
  failed = false;
  readonly #request: FetchRequest;
  readonly #context: RequestContext;
  readonly #hints: LeaderHints;

  constructor(request: FetchRequest, context: RequestContext) {
    this.#request = request;
    this.#context = context;
    this.#hints = new LeaderHints(context.cluster);
  }

  answer(): Input<FetchResponse> {
    const responses = this.#request.topics.map(({ topic: name, topicId, partitions }) => {
      const topic = this.#context.topic(name, topicId, 13);
      return {
        topic: name,
        topicId,
        partitions: partitions.map((wanted) => this.#attempt(topic, name, wanted)),
      };
    });
    return { responses, nodeEndpoints: this.#hints.endpoints };
  }

  #attempt(topic: Topic | number, name: string, wanted: Wanted): Input<PartitionData> {
    const refuse = (errorCode: number): Input<PartitionData> => {
      this.failed ||= errorCode !== 0;
      const refused = {
        partitionIndex: wanted.partition,
        errorCode,
        highWatermark: -1,
        records: new Uint8Array(0),
      };
      const moved =
        errorCode === ErrorCodes.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCodes.FENCED_LEADER_EPOCH;
      if (!moved || this.#context.apiVersion < 16 || typeof topic === 'number') return refused;
      return { ...refused, currentLeader: this.#hints.of(topic.partitions[wanted.partition]) };
    };
    const effect = (): Input<PartitionData> => {
      const partition = typeof topic === 'number' ? topic : this.#find(topic, wanted);
      return typeof partition === 'number' ? refuse(partition) : this.#slice(partition, wanted);
    };
    const topicName = typeof topic === 'number' ? name : topic.name;
    return this.#context.attempt(effect, refuse, topicName, wanted.partition);
  }

  /** The partition, if it can be read from where the request wants; else the error code. */
  #find(topic: Topic, { partition: index, currentLeaderEpoch, fetchOffset }: Wanted): Partition | number {
    const followerToo = this.#context.apiVersion >= 11;
    const partition = this.#context.partition(topic, index, currentLeaderEpoch, followerToo);
    if (typeof partition === 'number') return partition;
    const { startOffset, endOffset } = partition.log;
    return fetchOffset >= startOffset && fetchOffset <= endOffset
      ? partition
      : ErrorCodes.OFFSET_OUT_OF_RANGE;
  }

  #slice(partition: Partition, wanted: Wanted): Input<PartitionData> {
    const { log } = partition;
    const committedOnly = this.#request.isolationLevel === readCommitted;
    const upToOffset = committedOnly ? log.lastStableOffset : log.endOffset;
    const leftBytes = Math.max(Math.min(this.#request.maxBytes, mostBytes) - this.byteLength, 0);
    const maxBytes = Math.min(wanted.partitionMaxBytes, leftBytes);
    // The first batch of an answer comes whole, however large, so that a reader can always go on (KIP-74).
    const slice = log.read(wanted.fetchOffset, upToOffset, maxBytes, this.byteLength === 0);
    this.byteLength += slice.records.length;
    this.read.push(partition);
    const aborted = log.producers.abortedBetween(wanted.fetchOffset, slice.endOffset);
    return {
      partitionIndex: wanted.partition,
      highWatermark: log.endOffset,
      lastStableOffset: log.lastStableOffset,
      logStartOffset: log.startOffset,
      abortedTransactions: committedOnly ? aborted : null,
      records: slice.records,
    };
  }
}
