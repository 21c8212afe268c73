/** From ready batches to Produce requests, and from answers to outcomes: one request at a time takes all ready
 * partitions of a broker, up to five are on their way.
 * Not here: what is ready in which order (partition-queue.ts).
 * Invariants: a request holds at most one batch of a partition; a retry sends the same bytes (W6); partitions take
 * turns when a request is full.
 */
import { KafkaError, ProtocolError } from '../../errors.ts';
import { produceApi, type ProduceResponse } from '../../protocol/api/00-produce.ts';
import { ErrorCodes, errorCode } from '../../protocol/error-codes.ts';
import { Backoff, brokerError, retryAction, zeroTopicId } from '../cluster/index.ts';
import type { Accumulator, WriterContext } from './accumulator.ts';
import { withStored } from './errors.ts';
import type { Batch, PartitionQueue } from './partition-queue.ts';
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

/** The part of a request that is about one topic, with its batches once more as they are here. */
interface TopicPart {
  readonly name: string;
  readonly topicId: string;
  readonly partitionData: { readonly index: number; readonly records: Uint8Array }[];
  readonly batches: Batch[];
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
    const { nodeId, ready } = node;
    const topics = new Map<string, TopicPart>();
    let bytes = 0;
    for (const queue of ready) {
      const batch = queue.leader === nodeId && queue.identified ? queue.candidate : undefined;
      if (batch === undefined || queue.dueAtMs(batch) > nowMs) {
        ready.delete(queue);
        if (queue.leader !== nodeId) this.wake(queue);
        continue;
      }
      if (bytes > 0 && bytes + batch.byteLength > maxRequestBytes) break;
      ready.delete(queue);
      if (!this.#encode(batch)) continue;
      const { topic: name, topicId } = queue;
      let part = topics.get(name);
      if (part === undefined) topics.set(name, (part = { name, topicId, partitionData: [], batches: [] }));
      if (batch.sends > 0) this.#context.stats.window.retries++;
      const records = batch.finish(this.#context.settings.compression);
      queue.send(batch, records, nodeId);
      part.partitionData.push({ index: queue.partition, records });
      part.batches.push(batch);
      bytes += batch.byteLength;
    }
    if (bytes === 0) return;
    const parts = [...topics.values()];
    for (const { batches } of parts) {
      // Behind the queues that had no turn in this request.
      for (const { queue } of batches) if (queue.dueAtMs(queue.candidate) <= nowMs) ready.add(queue);
    }
    void this.#exchange(node, parts, nowMs);
  }

  /** True when the batch can be sent now; else the codec is at work, and wakes the queue when it is done. */
  #encode(batch: Batch): boolean {
    if (batch.encoded) return true;
    const { queue } = batch;
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

  async #exchange(node: Node, topicData: readonly TopicPart[], sentMs: number): Promise<void> {
    const { cluster, settings, stats } = this.#context;
    const { acks } = settings;
    const { nodeId } = node;
    const named = topicData.some(({ topicId }) => topicId === zeroTopicId);
    const body = { acks, timeoutMs: cluster.requestTimeoutMs, topicData: [...topicData] };
    const options = { maxVersion: named ? 12 : undefined, expectResponse: acks !== 0 };
    node.requests++;
    // A batch that expires leaves its request alone: others are in it, and its answer tells of the sequence.
    const outcome = await cluster.send(nodeId, 'produce', produceApi, body, options).then(
      (response) => ({ response }),
      (error: unknown) => ({ error }),
    );
    node.requests--;
    const nowMs = cluster.platform.monotonicNow();
    const batches = topicData.flatMap((part) => part.batches);
    if ('error' in outcome) this.#unanswered(batches, outcome.error, nodeId, nowMs);
    else {
      stats.window.produceMs.add(nowMs - sentMs);
      if (acks === 0) for (const batch of batches) batch.queue.deliver(batch, -1, -1);
      else this.#answered(topicData, outcome.response, nodeId, nowMs);
    }
    for (const { queue } of batches) this.wake(queue);
  }

  /** Gives every batch of a request its answer. */
  #answered(
    parts: readonly TopicPart[],
    { responses }: ProduceResponse,
    nodeId: number,
    nowMs: number,
  ): void {
    // Answers name the topic, or its id from v13 on; no name begins with the mark.
    const topics = new Map(responses.map((topic) => [topic.name || `#${topic.topicId}`, topic]));
    for (const { name, topicId, batches } of parts) {
      const { partitionResponses = [] } = topics.get(name) ?? topics.get(`#${topicId}`) ?? {};
      const answers = new Map(partitionResponses.map((answer) => [answer.index, answer]));
      for (const batch of batches) {
        const { queue } = batch;
        const answer = answers.get(queue.partition);
        if (answer === undefined) {
          batch.maybeStored = true;
          const text = `Produce answer leaves out ${name}[${queue.partition}]`;
          queue.fail(batch, new ProtocolError(text, { stored: 'maybe' }));
        } else if (answer.errorCode === 0) queue.deliver(batch, answer.baseOffset, answer.logAppendTimeMs);
        else this.#refused(batch, answer.errorCode, nodeId, nowMs);
      }
    }
  }

  /** The broker answered a batch with an error. */
  #refused(batch: Batch, code: number, nodeId: number, nowMs: number): void {
    const { queue } = batch;
    if (code === ErrorCodes.DUPLICATE_SEQUENCE_NUMBER && batch.maybeStored)
      return queue.deliver(batch, -1, -1);
    batch.maybeStored ||= !refusedBeforeAppend(code);
    const error = brokerError(code, 'Produce', {
      ...queue.place,
      stored: batch.maybeStored ? 'maybe' : 'no',
    });
    const lostPlace = this.#producer !== undefined && refusedSequence(code);
    const action = retryAction(code);
    if (action === 'fail' && !lostPlace) return queue.fail(batch, error);
    if (action === 'refresh-metadata') this.#refresh(error.message);
    // Only the oldest tells of a gap: a younger one may just have come too early.
    const isOldest = queue.batches.find((each) => !each.resolved) === batch;
    this.#again(batch, error, lostPlace && isOldest, nodeId, nowMs);
  }

  /** A request had no answer. */
  #unanswered(batches: readonly Batch[], error: unknown, nodeId: number, nowMs: number): void {
    const reached = !(error instanceof KafkaError && error.stored === 'no');
    const again = error instanceof KafkaError && error.retriable && !this.#closed;
    for (const batch of batches) {
      batch.maybeStored ||= reached;
      const failure = withStored(error, batch.maybeStored ? 'maybe' : 'no');
      if (again) this.#again(batch, failure, false, nodeId, nowMs);
      else batch.queue.fail(batch, failure);
    }
    if (again) this.#refresh(error.message);
  }

  /** Has a batch sent again, after a while; see `PartitionQueue.retry`. */
  #again(batch: Batch, error: KafkaError, restart: boolean, nodeId: number, nowMs: number): void {
    const { queue } = batch;
    batch.lastError = error;
    this.#context.cluster.logger.debug?.('batch is sent again', { ...queue.place, reason: error.message });
    this.#delay(queue, nowMs, nodeId);
    queue.retry(batch, restart);
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
