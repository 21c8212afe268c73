/** From ready batches to Produce requests, and from answers to outcomes: one request at a time takes all ready
 * partitions of a broker, up to five are on their way.
 * Not here: what is ready in which order (partition-queue.ts).
 * Invariants: a request holds at most one batch of a partition; a retry sends the same bytes (W6); partitions take
 * turns when a request is full; what counts as sent is on the wire, so no batch can overtake one that gave up waiting
 * for the connection.
 */
import { BrokerError, KafkaError, ProtocolError, type Stored } from '../../errors.ts';
import {
  produceApi,
  type PartitionProduceResponse,
  type ProduceResponse,
} from '../../protocol/api/00-produce.ts';
import { ErrorCodes, errorCode } from '../../protocol/error-codes.ts';
import { brokerError, retryAction, zeroTopicId, type Broker } from '../cluster/index.ts';
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

/** Whether a code says that a batch has too many bytes for the topic. */
function refusedSize(code: number): boolean {
  return code === ErrorCodes.MESSAGE_TOO_LARGE || code === ErrorCodes.RECORD_LIST_TOO_LARGE;
}

/** What can be said beyond a code: the broker's words, and the limit that a single record is over. */
function detailOf(batch: Batch, { errorCode: code, errorMessage }: PartitionProduceResponse): string | null {
  if (!refusedSize(code) || batch.recordCount > 1) return errorMessage;
  const limit = code === ErrorCodes.MESSAGE_TOO_LARGE ? 'max.message.bytes' : 'segment.bytes';
  const text = `one message makes a batch of ${batch.bytes?.length} bytes; raise the topic's ${limit}, or split the message`;
  return errorMessage === null ? text : `${text} (${errorMessage})`;
}

/** The error of a batch. Where the broker names the records that are at fault, each of them gets its own, and the error
 * is that of the others (KIP-467). */
function refusal(batch: Batch, answer: PartitionProduceResponse, stored: Stored): BrokerError {
  const { errorCode: code, errorMessage, recordErrors } = answer;
  const { topic, partition } = batch.queue;
  const error = (detail: string | null): BrokerError =>
    brokerError(code, 'Produce', { topic, partition, stored, detail });
  const faults = new Map<number, KafkaError>();
  for (const { batchIndex, batchIndexErrorMessage } of recordErrors) {
    const isThere = batchIndex >= 0 && batchIndex < batch.recordCount;
    if (isThere) faults.set(batchIndex, error(batchIndexErrorMessage ?? errorMessage));
  }
  const [first] = faults.values();
  if (first === undefined) return error(detailOf(batch, answer));
  batch.recordErrors = faults;
  const text = `Not written with ${faults.size} of the ${batch.recordCount} messages of its batch, which are at fault; the first: ${first.message}`;
  const { errorName } = first as BrokerError;
  return new BrokerError(text, { errorCode: code, errorName, topic, partition, stored, retriable: true });
}

/** Sends batches. */
export class Sender {
  readonly #context: WriterContext;
  readonly #accumulator: Accumulator;
  /** How many requests are on their way to each node. */
  readonly #requests = new Map<number, number>();
  /** The nodes to which a connection is being opened. */
  readonly #opening = new Set<number>();
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
      else if (producer?.gate?.ready(queue) === false) continue;
      else if ((this.#requests.get(leader) ?? 0) < maxRequests) {
        let request = requests.get(leader);
        if (request === undefined && !this.#isReady(leader)) continue;
        request ??= { batches: [], bytes: 0 };
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

  /** Whether requests to a node go out at once; if not, that is seen to. */
  #isReady(nodeId: number): boolean {
    const { cluster } = this.#context;
    if (cluster.isReady(nodeId, 'produce')) return true;
    if (this.#opening.has(nodeId)) return false;
    this.#opening.add(nodeId);
    void cluster
      .open(nodeId, 'produce')
      .catch((error: unknown) => this.#unreachable(nodeId, withStored(error, 'no')))
      .then(() => {
        this.#opening.delete(nodeId);
        this.wake();
      });
    return false;
  }

  /** Has the batches that would go to a node wait, or fails them if that does not help. */
  #unreachable(nodeId: number, error: KafkaError): void {
    const { platform, logger } = this.#context.cluster;
    const nowMs = platform.monotonicNow();
    logger.debug?.('broker is not reached', { nodeId, reason: error.message });
    for (const queue of this.#accumulator.active) {
      const { leader, candidate: batch } = queue;
      if (leader !== nodeId || batch === undefined || queue.dueAtMs(batch) > nowMs) continue;
      if (error.retriable) {
        batch.lastError = error;
        queue.delay(platform, nodeId);
      } else queue.fail(batch, withStored(error, batch.stored));
    }
    if (error.retriable) this.#refresh(error.message);
  }

  /** True when the batch can be sent now; else the codec is at work, and what it made goes out later. */
  #encode(batch: Batch): boolean {
    const { compression } = this.#context.settings;
    if (compression === undefined || batch.builder === undefined || batch.payload !== undefined) return true;
    const { queue } = batch;
    batch.seal(this.#context.cluster.platform.monotonicNow());
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
    const sentMs = platform.monotonicNow();
    for (const batch of batches) {
      const { queue } = batch;
      const { topic: name, topicId, partition: index } = queue;
      if (batch.builder === undefined) stats.count('retries', 1);
      else if (!batch.isHalf) {
        batch.seal(sentMs);
        stats.add('batchMs', batch.sealedMs - batch.openedMs);
        stats.add('queueMs', sentMs - batch.sealedMs);
      }
      const part = topics.get(name) ?? { name, topicId, partitionData: [] };
      part.partitionData.push({ index, records: queue.send(batch, nodeId, settings.compression) });
      topics.set(name, part);
      // Its next turn comes after those that had none in this request.
      active.delete(queue);
      active.add(queue);
    }
    const topicData = [...topics.values()];
    const acks = settings.requiredAcks === 'all' ? -1 : settings.requiredAcks;
    const { gate } = this.#accumulator.producer ?? {};
    const named = topicData.some(({ topicId }) => topicId === zeroTopicId);
    const maxVersion = gate?.maxProduceVersion() ?? (named ? 12 : undefined);
    const options = { maxVersion, expectResponse: acks !== 0 };
    const transactionalId = gate?.transactionalId ?? null;
    this.#count(nodeId, 1);
    // A batch that expires leaves its request alone: others are in it, and its answer tells of the sequence.
    const answer = await cluster
      .send(nodeId, 'produce', produceApi, { transactionalId, acks, timeoutMs, topicData }, options)
      .catch((error: KafkaError) => error);
    this.#count(nodeId, -1);
    if (answer instanceof KafkaError) {
      for (const batch of batches) {
        batch.maybeStored ||= answer.stored !== 'no';
        this.#failed(batch, withStored(answer, batch.maybeStored ? 'maybe' : 'no'), answer.retriable);
      }
      if (answer.retriable) this.#refresh(answer.message);
    } else {
      stats.add('produceMs', platform.monotonicNow() - sentMs);
      if (answer?.throttleTimeMs > 0) stats.add('throttleMs', answer.throttleTimeMs);
      if (acks === 0) for (const batch of batches) batch.queue.deliver(batch);
      else this.#answered(batches, answer);
    }
    this.wake();
  }

  #count(nodeId: number, change: number): void {
    this.#requests.set(nodeId, (this.#requests.get(nodeId) ?? 0) + change);
  }

  /** Gives every batch of a request its answer. */
  #answered(batches: readonly Batch[], { responses, nodeEndpoints }: ProduceResponse): void {
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
      } else if (answer.errorCode !== 0) this.#refused(batch, answer, nodeEndpoints);
      else queue.deliver(batch, answer.baseOffset, answer.logAppendTimeMs);
    }
  }

  /** The broker answered a batch with an error; `nodes` are those whose addresses it told. */
  #refused(batch: Batch, answer: PartitionProduceResponse, nodes: readonly Broker[]): void {
    const { queue, topicId } = batch;
    const { cluster, stats } = this.#context;
    const { errorCode: code, currentLeader } = answer;
    if (code === ErrorCodes.DUPLICATE_SEQUENCE_NUMBER && batch.maybeStored) return queue.deliver(batch);
    batch.maybeStored ||= !refusedBeforeAppend(code);
    const error = refusal(batch, answer, batch.maybeStored ? 'maybe' : 'no');
    // What may be stored keeps its bytes: by them the broker would know it again.
    if (refusedSize(code) && batch.recordCount > 1 && !batch.maybeStored && !batch.settled) {
      stats.count('splits', 1);
      batch.lastError = error;
      cluster.logger.debug?.('batch is sent again in halves', { reason: error.message });
      return void this.#accumulator.halve(batch);
    }
    // First, so that the batch goes there at once.
    const { topic, partition } = queue;
    cluster.learnLeader({ topic, topicId, partition, ...currentLeader }, nodes);
    if (retryAction(code) === 'refresh-metadata') this.#refresh(error.message);
    const lostPlace = this.#accumulator.producer !== undefined && refusedSequence(code);
    this.#failed(batch, error, lostPlace || errorCode(code).retriable, lostPlace);
  }

  /** An attempt failed: the batch is sent again after a while (see `PartitionQueue.retry`), or has its outcome. */
  #failed(batch: Batch, error: KafkaError, passes: boolean, lostPlace = false): void {
    const { queue } = batch;
    const { topic, partition } = queue;
    const { platform, logger } = this.#context.cluster;
    if (batch.settled || !passes) return queue.fail(batch, error);
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
