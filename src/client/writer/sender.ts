/** From ready batches to Produce requests, and from answers to outcomes: one request at a time takes all ready
 * partitions of a broker, up to five are on their way.
 * Not here: what is ready in which order (partition-queue.ts).
 * Invariants: a request holds at most one batch of a partition; a retry sends the same bytes (W6); partitions take
 * turns when a request is full.
 */
import { KafkaError, ProtocolError, type Stored } from '../../errors.ts';
import { produceApi, type ProduceResponse } from '../../protocol/api/00-produce.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { Backoff, brokerError, retryAction, zeroTopicId } from '../cluster/index.ts';
import type { Accumulator, WriterContext } from './accumulator.ts';
import type { Batch } from './batch.ts';
import { withStored } from './errors.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProducerId } from './producer-id.ts';

/** Requests on their way to one broker (W4). */
const maxRequests = 5;

/** Bytes of batches in one request, except that a single batch is never too large. */
const maxRequestBytes = 4 * 2 ** 20;

/** A broker as the sender sees it. */
interface Node {
  readonly nodeId: number;
  /** Queues with a batch to send, in the order of their turns. */
  readonly ready: Set<PartitionQueue>;
  requests: number;
}

/** A batch in a request. */
interface Entry {
  readonly queue: PartitionQueue;
  readonly batch: Batch;
}

/** The batches of one topic in a request. */
interface TopicEntries {
  readonly topic: string;
  readonly topicId: string;
  readonly entries: Entry[];
}

/** Codes that say for certain that a batch was not appended, by this attempt. All others leave it open: a leader that
 * lost its office while it waited for followers answers NOT_LEADER_OR_FOLLOWER after the append. */
function refusedBeforeAppend(code: number): boolean {
  switch (code) {
    case ErrorCodes.CORRUPT_MESSAGE:
    case ErrorCodes.MESSAGE_TOO_LARGE:
    case ErrorCodes.INVALID_TOPIC_EXCEPTION:
    case ErrorCodes.RECORD_LIST_TOO_LARGE:
    case ErrorCodes.NOT_ENOUGH_REPLICAS:
    case ErrorCodes.INVALID_REQUIRED_ACKS:
    case ErrorCodes.TOPIC_AUTHORIZATION_FAILED:
    case ErrorCodes.CLUSTER_AUTHORIZATION_FAILED:
    case ErrorCodes.INVALID_TIMESTAMP:
    case ErrorCodes.UNSUPPORTED_VERSION:
    case ErrorCodes.INVALID_REQUEST:
    case ErrorCodes.UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case ErrorCodes.POLICY_VIOLATION:
    case ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER:
    case ErrorCodes.INVALID_PRODUCER_EPOCH:
    case ErrorCodes.UNKNOWN_PRODUCER_ID:
    case ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE:
    case ErrorCodes.INVALID_RECORD:
    case ErrorCodes.UNKNOWN_TOPIC_ID:
      return true;
    default:
      return false;
  }
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
  readonly #producer: ProducerId | undefined;
  readonly #nodes = new Map<number, Node>();
  readonly #woken = new Set<PartitionQueue>();
  #scheduled = false;
  #closed = false;

  constructor(context: WriterContext, accumulator: Accumulator, producer: ProducerId | undefined) {
    this.#context = context;
    this.#producer = producer;
    accumulator.onWake = (queue) => this.wake(queue);
  }

  /** Looks at a queue at the end of this turn of the event loop, so that all calls of a turn share a batch (W2). */
  wake(queue: PartitionQueue): void {
    this.#woken.add(queue);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#context.cluster.platform.defer(() => this.#pump());
  }

  /** Sends nothing more; answers that still come are of no interest. */
  close(): void {
    this.#closed = true;
    this.#woken.clear();
    this.#nodes.clear();
  }

  #pump(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    const nowMs = this.#context.cluster.platform.monotonicNow();
    for (const queue of this.#woken) this.#route(queue, nowMs);
    this.#woken.clear();
    for (const node of this.#nodes.values()) {
      while (node.requests < maxRequests && node.ready.size > 0) this.#produce(node, nowMs);
    }
  }

  /** Puts a queue with a ready batch at the end of its leader's turns, or sees to what is missing. */
  #route(queue: PartitionQueue, nowMs: number): void {
    const dueMs = queue.dueAtMs(queue.candidate);
    if (dueMs > nowMs) return this.#context.alarm.arm(dueMs);
    if (queue.leader < 0) {
      this.#delay(queue, nowMs, -1);
      this.#refresh(`${queue.topic}[${queue.partition}] has no leader`);
      return this.#context.alarm.arm(queue.retryAtMs);
    }
    if (!queue.identified) return this.#producer?.request();
    let node = this.#nodes.get(queue.leader);
    if (node === undefined) {
      node = { nodeId: queue.leader, ready: new Set(), requests: 0 };
      this.#nodes.set(queue.leader, node);
    }
    node.ready.add(queue);
  }

  /** Takes what is ready for a node, up to the request limit, and sends it. */
  #produce(node: Node, nowMs: number): void {
    const topics = new Map<string, TopicEntries>();
    const entries: Entry[] = [];
    let bytes = 0;
    for (const queue of node.ready) {
      const batch = queue.leader === node.nodeId && queue.identified ? queue.candidate : undefined;
      if (batch === undefined || queue.dueAtMs(batch) > nowMs) {
        node.ready.delete(queue);
        if (batch === undefined && queue.leader !== node.nodeId) this.wake(queue);
        continue;
      }
      if (bytes > 0 && bytes + batch.byteLength > maxRequestBytes) break;
      node.ready.delete(queue);
      if (!this.#encode(queue, batch)) continue;
      const { topic, topicId } = queue;
      let group = topics.get(topic);
      if (group === undefined) topics.set(topic, (group = { topic, topicId, entries: [] }));
      const entry = { queue, batch };
      group.entries.push(entry);
      entries.push(entry);
      bytes += batch.byteLength;
      if (batch.sends > 0) this.#context.stats.window.retries++;
      queue.send(batch, batch.finish(this.#context.settings.compression), node.nodeId);
    }
    if (entries.length === 0) return;
    // Behind the queues that had no turn in this request.
    for (const { queue } of entries) if (queue.dueAtMs(queue.candidate) <= nowMs) node.ready.add(queue);
    node.requests++;
    void this.#exchange(node, [...topics.values()], entries, nowMs);
  }

  /** True when the batch can be sent now; else the codec is at work, and wakes the queue when it is done. */
  #encode(queue: PartitionQueue, batch: Batch): boolean {
    if (batch.encoded) return true;
    const failed = (error: unknown): void => {
      if (!batch.resolved) queue.fail(batch, withStored(error, 'no'));
    };
    try {
      const work = batch.encode(this.#context.settings.compression);
      if (work === undefined) return true;
      void work.catch(failed).then(() => this.wake(queue));
    } catch (error) {
      failed(error);
    }
    return false;
  }

  async #exchange(
    node: Node,
    topics: readonly TopicEntries[],
    entries: readonly Entry[],
    sentMs: number,
  ): Promise<void> {
    const { cluster, settings, stats } = this.#context;
    const { acks } = settings;
    const named = topics.some(({ topicId }) => topicId === '' || topicId === zeroTopicId);
    const timeoutMs = Math.min(cluster.requestTimeoutMs, settings.deliveryTimeoutMs);
    const body = {
      acks,
      timeoutMs,
      topicData: topics.map(({ topic, topicId, entries }) => ({
        name: topic,
        topicId,
        partitionData: entries.map(({ queue, batch }) => ({
          index: queue.partition,
          records: batch.bytes ?? null,
        })),
      })),
    };
    try {
      const options = { timeoutMs, maxVersion: named ? 12 : undefined, expectResponse: acks !== 0 };
      const response = await cluster.send(node.nodeId, 'produce', produceApi, body, options);
      node.requests--;
      const nowMs = cluster.platform.monotonicNow();
      stats.window.produceMs.add(nowMs - sentMs);
      if (acks === 0) for (const { queue, batch } of entries) queue.deliver(batch, -1, -1);
      else this.#answered(topics, response, node.nodeId, nowMs);
    } catch (error) {
      node.requests--;
      this.#unanswered(entries, error, node.nodeId);
    }
    for (const { queue } of entries) this.wake(queue);
  }

  /** Gives every batch of a request its answer. */
  #answered(topics: readonly TopicEntries[], response: ProduceResponse, nodeId: number, nowMs: number): void {
    const { responses } = response;
    for (const [at, { topic, topicId, entries }] of topics.entries()) {
      const isSame = (answer: ProduceResponse['responses'][number] | undefined): boolean =>
        answer !== undefined && (answer.name === topic || (answer.name === '' && answer.topicId === topicId));
      const { partitionResponses } = (isSame(responses[at]) ? responses[at] : responses.find(isSame)) ?? {
        partitionResponses: [],
      };
      for (const [place, { queue, batch }] of entries.entries()) {
        const likely = partitionResponses[place];
        const answer =
          likely?.index === queue.partition
            ? likely
            : partitionResponses.find(({ index }) => index === queue.partition);
        if (answer === undefined) {
          batch.maybeStored = true;
          queue.fail(
            batch,
            new ProtocolError(`Produce answer leaves out ${topic}[${queue.partition}]`, { stored: 'maybe' }),
          );
        } else if (answer.errorCode === ErrorCodes.NONE) {
          queue.deliver(batch, answer.baseOffset, answer.logAppendTimeMs);
        } else this.#refused({ queue, batch }, answer.errorCode, nodeId, nowMs);
      }
    }
  }

  /** The broker answered a batch with an error. */
  #refused({ queue, batch }: Entry, code: number, nodeId: number, nowMs: number): void {
    if (code === ErrorCodes.DUPLICATE_SEQUENCE_NUMBER && batch.maybeStored)
      return queue.deliver(batch, -1, -1);
    if (!refusedBeforeAppend(code)) batch.maybeStored = true;
    const { topic, partition } = queue;
    const error = brokerError(code, 'Produce', {
      topic,
      partition,
      stored: batch.maybeStored ? 'maybe' : 'no',
    });
    const lostPlace = this.#producer !== undefined && refusedSequence(code);
    const action = retryAction(code);
    if (action === 'fail' && !lostPlace) return queue.fail(batch, error);
    batch.lastError = error;
    this.#context.cluster.logger.debug?.('batch is sent again', { topic, partition, reason: error.message });
    if (action === 'refresh-metadata') this.#refresh(error.message);
    // Only the oldest tells of a gap: a younger one may just have come too early.
    this.#delay(queue, nowMs, nodeId);
    queue.retry(batch, lostPlace && queue.batches.find((each) => !each.resolved) === batch);
  }

  /** A request had no answer. */
  #unanswered(entries: readonly Entry[], error: unknown, nodeId: number): void {
    const { cluster } = this.#context;
    const stored: Stored = error instanceof KafkaError && error.stored === 'no' ? 'no' : 'maybe';
    const again = error instanceof KafkaError && error.retriable && !this.#closed;
    const nowMs = cluster.platform.monotonicNow();
    cluster.logger.debug?.('produce request failed', { nodeId, reason: String(error), again });
    for (const { queue, batch } of entries) {
      if (stored === 'maybe') batch.maybeStored = true;
      batch.lastError = withStored(error, batch.maybeStored ? 'maybe' : 'no');
      if (again) {
        this.#delay(queue, nowMs, nodeId);
        queue.retry(batch, false);
      } else queue.fail(batch, batch.lastError);
    }
    if (again) this.#refresh(`produce to broker ${nodeId} failed`);
  }

  /** Holds a queue back; one round of failures counts once, however many batches were on their way. */
  #delay(queue: PartitionQueue, nowMs: number, nodeId: number): void {
    if (queue.retryAtMs > nowMs) return;
    // The leader has moved in the meantime: the new one is asked at once.
    if (queue.leader >= 0 && queue.leader !== nodeId) return;
    queue.backoff ??= new Backoff(this.#context.cluster.platform);
    queue.retryAtMs = nowMs + queue.backoff.next();
  }

  #refresh(reason: string): void {
    const { cluster } = this.#context;
    cluster.refresh(reason).catch((error: unknown) => {
      cluster.logger.debug?.('metadata refresh failed', { reason: String(error) });
    });
  }
}
