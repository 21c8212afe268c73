/** From ready batches to Produce requests, and from answers to outcomes: one request at a time takes all ready
 * partitions of a broker, up to five are on their way.
 * Not here: what is ready in which order (partition-queue.ts).
 * Invariants: a request holds at most one batch of a partition; a retry sends the same bytes (W6); partitions take
 * turns when a request is full.
 */
import { KafkaError, ProtocolError } from '../../errors.ts';
import { produceApi, type ProduceResponse } from '../../protocol/api/00-produce.ts';
import { ErrorCodes, errorCode } from '../../protocol/error-codes.ts';
import { brokerError, retryAction, zeroTopicId } from '../cluster/index.ts';
import type { Accumulator, WriterContext } from './accumulator.ts';
import { withStored } from './errors.ts';
import type { Batch } from './partition-queue.ts';

/** Requests on their way to one broker (W4). */
const maxRequests = 5;

/** Bytes of batches in one request, except that a single batch is never too large. */
const maxRequestBytes = 4 * 2 ** 20;

/** The part of a request that is about one topic. */
interface TopicPart {
  readonly name: string;
  readonly topicId: string;
  readonly partitionData: { readonly index: number; readonly records: Uint8Array }[];
}

/** Whether a code says for certain that this attempt did not append the batch. Most that pass leave it open: a leader
 * that lost its office while it waited for followers answers NOT_LEADER_OR_FOLLOWER after the append. */
function refusedBeforeAppend(code: number): boolean {
  const { name, retriable } = errorCode(code);
  if (retriable) return code === ErrorCodes.CORRUPT_MESSAGE || code === ErrorCodes.NOT_ENOUGH_REPLICAS;
  return code > 0 && code !== ErrorCodes.DUPLICATE_SEQUENCE_NUMBER && name in ErrorCodes;
}

/** Whether a code refuses the batch's place in the sequence. */
function refusedSequence(code: number): boolean {
  return (
    code === ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER ||
    code === ErrorCodes.UNKNOWN_PRODUCER_ID ||
    code === ErrorCodes.INVALID_PRODUCER_EPOCH
  );
}

/** Sends batches. */
export class Sender {
  readonly #context: WriterContext;
  readonly #accumulator: Accumulator;
  /** How many requests are on their way to each node. */
  readonly #requests = new Map<number, number>();
  #woken = false;

  constructor(context: WriterContext, accumulator: Accumulator) {
    this.#context = context;
    this.#accumulator = accumulator;
  }

  /** Looks for what is due at the end of this turn of the event loop, so that all calls of a turn share a batch (W2). */
  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#context.cluster.platform.defer(() => {
      this.#woken = false;
      this.#pump();
    });
  }

  /** Sends what is due, one batch of a partition in a request, and sees to what is missing. */
  #pump(): void {
    const { alarm, cluster } = this.#context;
    const { active, producer } = this.#accumulator;
    const nowMs = cluster.platform.monotonicNow();
    const requests = new Map<number, { readonly batches: Batch[]; bytes: number }>();
    for (const queue of active) {
      const { leader, candidate: batch } = queue;
      const dueMs = queue.dueAtMs(batch);
      if (batch === undefined || dueMs > nowMs) alarm.arm(dueMs);
      else if (leader < 0) {
        queue.delay(cluster.platform);
        alarm.arm(queue.retryAtMs);
        this.#refresh(`${queue.topic}[${queue.partition}] has no leader`);
      } else if (!queue.identified) producer?.request();
      else if ((this.#requests.get(leader) ?? 0) < maxRequests) {
        const request = requests.get(leader) ?? { batches: [], bytes: 0 };
        const isFull = request.bytes > 0 && request.bytes + batch.byteLength > maxRequestBytes;
        if (isFull || !this.#encode(batch)) continue;
        request.batches.push(batch);
        request.bytes += batch.byteLength;
        requests.set(leader, request);
      }
    }
    for (const [leader, { batches }] of requests) void this.#produce(leader, batches);
    // For what found no place.
    if (requests.size > 0) this.#pump();
  }

  /** True when the batch can be sent now; else the codec is at work, and what it made goes out later. */
  #encode(batch: Batch): boolean {
    const { compression } = this.#context.settings;
    if (compression === undefined || batch.builder === undefined || batch.payload !== undefined) return true;
    const { queue } = batch;
    void batch
      .encode(compression)
      .catch((error: unknown) => {
        if (!batch.resolved) queue.fail(batch, withStored(error, 'no'));
      })
      .then(() => this.wake());
    return false;
  }

  /** Sends a request with these batches, and has each take its answer. */
  async #produce(nodeId: number, batches: readonly Batch[]): Promise<void> {
    const { cluster, settings, stats } = this.#context;
    const { requestTimeoutMs: timeoutMs, platform } = cluster;
    const { active } = this.#accumulator;
    const topics = new Map<string, TopicPart>();
    for (const batch of batches) {
      const { queue } = batch;
      const { topic: name, topicId, partition: index } = queue;
      if (batch.builder === undefined) stats.add('retries', 1);
      const part = topics.get(name) ?? { name, topicId, partitionData: [] };
      part.partitionData.push({ index, records: queue.send(batch, nodeId, settings.compression) });
      topics.set(name, part);
      // Its next turn comes after those that had none in this request.
      active.delete(queue);
      active.add(queue);
    }
    const topicData = [...topics.values()];
    const acks = settings.requiredAcks === 'all' ? -1 : settings.requiredAcks;
    const named = topicData.some(({ topicId }) => topicId === zeroTopicId);
    const options = { maxVersion: named ? 12 : undefined, expectResponse: acks !== 0 };
    const sentMs = platform.monotonicNow();
    this.#count(nodeId, 1);
    // A batch that expires leaves its request alone: others are in it, and its answer tells of the sequence.
    const answer = await cluster
      .send(nodeId, 'produce', produceApi, { acks, timeoutMs, topicData }, options)
      .catch((error: KafkaError) => error);
    this.#count(nodeId, -1);
    if (answer instanceof KafkaError) {
      for (const batch of batches) {
        batch.maybeStored ||= answer.stored !== 'no';
        this.#failed(batch, withStored(answer, batch.maybeStored ? 'maybe' : 'no'));
      }
      if (answer.retriable) this.#refresh(answer.message);
    } else {
      stats.add('produceMs', platform.monotonicNow() - sentMs);
      if (acks === 0) for (const batch of batches) batch.queue.deliver(batch);
      else this.#answered(batches, answer);
    }
    this.wake();
  }

  #count(nodeId: number, change: number): void {
    this.#requests.set(nodeId, (this.#requests.get(nodeId) ?? 0) + change);
  }

  /** Gives every batch of a request its answer. */
  #answered(batches: readonly Batch[], { responses }: ProduceResponse): void {
    // Answers name the topic, or its id from v13 on; no name begins with the mark.
    const answers = new Map(
      responses.flatMap(({ name, topicId, partitionResponses }) =>
        partitionResponses.map((each) => [`${name || `#${topicId}`}/${each.index}`, each]),
      ),
    );
    for (const batch of batches) {
      const { queue, topicId } = batch;
      const { topic, partition } = queue;
      const answer = answers.get(`${topic}/${partition}`) ?? answers.get(`#${topicId}/${partition}`);
      if (answer === undefined) {
        const text = `Produce answer leaves out ${topic}[${partition}]`;
        queue.fail(batch, new ProtocolError(text, { stored: 'maybe' }));
      } else if (answer.errorCode !== 0) this.#refused(batch, answer.errorCode);
      else queue.deliver(batch, answer.baseOffset, answer.logAppendTimeMs);
    }
  }

  /** The broker answered a batch with an error. */
  #refused(batch: Batch, code: number): void {
    const { queue } = batch;
    if (code === ErrorCodes.DUPLICATE_SEQUENCE_NUMBER && batch.maybeStored) return queue.deliver(batch);
    batch.maybeStored ||= !refusedBeforeAppend(code);
    const stored = batch.maybeStored ? 'maybe' : 'no';
    const { topic, partition } = queue;
    const error = brokerError(code, 'Produce', { topic, partition, stored });
    if (retryAction(code) === 'refresh-metadata') this.#refresh(error.message);
    this.#failed(batch, error, this.#accumulator.producer !== undefined && refusedSequence(code));
  }

  /** An attempt failed: the batch is sent again after a while (see `PartitionQueue.retry`), or has its outcome. */
  #failed(batch: Batch, error: KafkaError, lostPlace = false): void {
    const { queue } = batch;
    const { topic, partition } = queue;
    const { platform, logger } = this.#context.cluster;
    if (batch.settled || !(error.retriable || lostPlace)) return queue.fail(batch, error);
    batch.lastError = error;
    logger.debug?.('batch is sent again', { topic, partition, reason: error.message });
    queue.delay(platform);
    // Only the oldest tells of a gap: a younger one may just have come too early.
    queue.retry(batch, lostPlace && queue.batches.find(({ resolved }) => !resolved) === batch);
  }

  #refresh(reason: string): void {
    const { cluster } = this.#context;
    cluster.refresh(reason).catch((error: unknown) => {
      cluster.logger.debug?.('metadata refresh failed', { reason: String(error) });
    });
  }
}
