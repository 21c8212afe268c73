/** Records on their way into batches and out of them: appending, memory, time, outcomes.
 * Not here: which call comes next (admission.ts), requests (sender.ts).
 * Invariants: a record is encoded once, straight into its batch; no timer, promise or closure per record; whatever was
 * counted as buffered or pending is given back exactly once.
 */
import { TimeoutError, type KafkaError } from '../../errors.ts';
import { type Cluster, closedError } from '../cluster/index.ts';
import type { Alarm } from './alarm.ts';
import { headersOf, messageByteBound, messageByteLength, type OutgoingMessage } from './message.ts';
import type { BatchOutcome, ResolvedSettings } from './options.ts';
import { Batch, type PartitionQueue, type Segment, type SegmentOwner } from './partition-queue.ts';
import type { StatsCounter } from './stats.ts';

/** The parts of the cluster that a Writer uses. */
export type WriterCluster = Pick<
  Cluster,
  | 'platform'
  | 'logger'
  | 'requestTimeoutMs'
  | 'snapshot'
  | 'useTopics'
  | 'topic'
  | 'refresh'
  | 'onSnapshot'
  | 'send'
  | 'holdOpen'
>;

/** What the parts of a Writer share. */
export interface WriterContext {
  readonly cluster: WriterCluster;
  readonly settings: ResolvedSettings;
  readonly stats: StatsCounter;
  readonly alarm: Alarm;
}

/** Part of the delivery timeout after which a batch that could not go out takes no more records, so that each record
 * has most of its time although a batch expires as one. */
const collectingPart = 1 / 8;

/** Bytes by which a batch's buffer may exceed its hint: the next batch is seldom exactly as large. */
const hintSlackBytes = 256;

/** All batches of a Writer. */
export class Accumulator {
  /** Queues that have a batch. */
  readonly active: Set<PartitionQueue> = new Set();
  bufferedBytes = 0;
  /** Messages without an outcome, in batches or not. */
  pending = 0;
  /** Calls wait for room: batches go out without waiting for company. */
  pressed = false;
  /** Told about a queue whose next batch may be ready. */
  onWake: (queue: PartitionQueue) => void = () => undefined;
  /** Told when room was given back. */
  onRoom: () => void = () => undefined;
  readonly #context: WriterContext;
  #letGo: (() => void) | undefined;

  constructor(context: WriterContext) {
    this.#context = context;
  }

  /** Counts messages that are to have an outcome; while there are any the process stays (C4). */
  expect(count: number): void {
    if (count > 0) this.#letGo ??= this.#context.cluster.holdOpen();
    this.pending += count;
  }

  /** The messages had their outcome. */
  done(count: number): void {
    this.pending -= count;
    if (this.pending > 0) return;
    this.#letGo?.();
    this.#letGo = undefined;
  }

  /** Whether `bytes` more fit; a single piece that is larger than everything is let in when nothing else is there. */
  hasRoom(bytes: number): boolean {
    return this.bufferedBytes === 0 || this.bufferedBytes + bytes <= this.#context.settings.maxBufferedBytes;
  }

  /** Encodes a message into its partition's open batch. `deadlineMs` counts from now if it is undefined; `slot` is the
   * owner's name for the partition. */
  append(
    queue: PartitionQueue,
    message: OutgoingMessage,
    timestampMs: number,
    deadlineMs: number | undefined,
    owner: SegmentOwner | undefined,
    slot: number,
  ): void {
    const { settings } = this.#context;
    const batch = this.#openFor(queue, message, deadlineMs, owner !== undefined);
    const { builder } = batch;
    if (builder === undefined) return;
    try {
      builder.append(timestampMs, message.key ?? null, message.value, headersOf(message.headers));
    } catch (error) {
      if (batch.recordCount === 0) queue.drop(batch);
      throw error;
    }
    const grown = builder.byteLength - batch.byteLength;
    batch.byteLength += grown;
    batch.recordCount++;
    queue.bufferedBytes += grown;
    this.bufferedBytes += grown;
    if (batch.messages !== undefined) batch.messages.push(message);
    if (owner !== undefined) batch.own(owner, slot);
    if (batch.recordCount >= settings.batchSize || batch.byteLength >= settings.batchBytes) {
      batch.sealed = true;
      this.onWake(queue);
    }
  }

  /** Takes a call's records out of a batch that was not sent; false if that is too late. */
  withdraw(segment: Segment): boolean {
    const { batch } = segment;
    const before = batch.byteLength;
    // A batch that certainly never arrived can still be dropped as a whole.
    const whole = batch.segments.length === 1 && segment.count === batch.recordCount;
    const unsent = !batch.inFlight && !batch.maybeStored && batch.baseSequence < 0 && !batch.resolved;
    if (batch.withdraw(segment)) this.returnRoom(before - batch.byteLength, batch.queue);
    else if (whole && unsent) {
      batch.forget(segment);
      batch.messages = undefined;
      batch.recordCount = 0;
    } else return false;
    this.done(segment.count);
    if (batch.recordCount === 0) batch.queue.drop(batch);
    return true;
  }

  /** The batches that are open may go out, for a flush or for want of room. */
  press(): void {
    for (const queue of this.active) {
      const { open } = queue;
      if (open !== undefined) open.due = true;
      this.onWake(queue);
    }
  }

  /** Gives bytes back. */
  returnRoom(bytes: number, queue?: PartitionQueue): void {
    if (queue !== undefined) queue.bufferedBytes -= bytes;
    this.bufferedBytes -= bytes;
    this.onRoom();
  }

  /** Expires and wakes what is due; the moment at which the next may be. */
  tick(nowMs: number): number {
    const collectingMs = this.#context.settings.deliveryTimeoutMs * collectingPart;
    let nextMs = Infinity;
    for (const queue of this.active) {
      for (let batch = queue.oldest; batch !== undefined; batch = queue.oldest) {
        if (batch.deadlineMs > nowMs) {
          nextMs = Math.min(nextMs, batch.deadlineMs);
          break;
        }
        queue.expire(batch, this.#expired(batch));
      }
      const dueMs = queue.dueAtMs(queue.candidate);
      if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs);
      else this.onWake(queue);
      const { open } = queue;
      if (open === undefined) continue;
      const closingMs = open.openedMs + Math.max(collectingMs, this.#context.settings.batchTimeoutMs);
      if (closingMs > nowMs) nextMs = Math.min(nextMs, closingMs);
      else open.sealed = true;
    }
    return nextMs;
  }

  /** The outcome of a batch: statistics, completion, then the calls that wait. */
  settle(batch: Batch): void {
    const { stats, settings } = this.#context;
    const { window } = stats;
    if (batch.recordCount > 0 && batch.error === null) {
      window.batchSize.add(batch.recordCount);
      window.batchBytes.add(batch.byteLength);
    } else window.errors += batch.recordCount;
    if (settings.completion !== undefined && batch.messages !== undefined) {
      const { queue, messages, error } = batch;
      const baseOffset = batch.baseOffset < 0 ? undefined : batch.baseOffset;
      this.complete({ ...queue.place, messages, error, baseOffset });
    } else if (batch.error !== null) this.#logUnheard(batch, batch.error);
    this.done(batch.recordCount);
    batch.settle();
  }

  /** Lets go of a settled batch. */
  release(batch: Batch): void {
    const { queue } = batch;
    batch.release();
    if (queue.batches.length === 0) this.active.delete(queue);
    this.returnRoom(batch.byteLength, queue);
  }

  /** Calls the completion; what it throws is its own fault and stays out of the way of delivery. */
  complete(outcome: BatchOutcome): void {
    if (outcome.messages.length === 0) return;
    try {
      this.#context.settings.completion?.(outcome);
    } catch (error) {
      this.#context.cluster.logger.error?.('completion threw', {
        topic: outcome.topic,
        reason: String(error),
      });
    }
  }

  /** Settles everything that is left, at the end of a close. */
  abandon(): void {
    for (const queue of this.active) {
      for (let batch = queue.oldest; batch !== undefined; batch = queue.oldest) {
        queue.expire(batch, closedError('The writer', batch.stored));
      }
    }
  }

  #openFor(
    queue: PartitionQueue,
    message: OutgoingMessage,
    deadlineMs: number | undefined,
    eager: boolean,
  ): Batch {
    const { settings, cluster } = this.#context;
    const { batchBytes } = settings;
    const open = queue.open;
    const bound = messageByteBound(message);
    if (open !== undefined) {
      const left = batchBytes - open.byteLength;
      if (bound <= left || messageByteLength(message) <= left) return open;
      open.sealed = true;
    }
    const openedMs = cluster.platform.monotonicNow();
    const batch = new Batch(
      queue,
      openedMs,
      deadlineMs ?? openedMs + settings.deliveryTimeoutMs,
      eager,
      Math.min(queue.hintBytes + hintSlackBytes, batchBytes),
    );
    if (settings.completion !== undefined) batch.messages = [];
    batch.due = this.pressed;
    queue.batches.push(batch);
    queue.bufferedBytes += batch.byteLength;
    this.bufferedBytes += batch.byteLength;
    this.active.add(queue);
    this.#context.alarm.arm(openedMs + settings.deliveryTimeoutMs * collectingPart);
    this.onWake(queue);
    return batch;
  }

  /** Failures that neither a call nor a completion hears of. */
  #logUnheard({ queue, recordCount, segments }: Batch, error: KafkaError): void {
    const messages = segments.reduce((left, { count }) => left - count, recordCount);
    if (messages === 0) return;
    const fields = { ...queue.place, messages, reason: error.message };
    this.#context.cluster.logger.warn?.('messages were not written', fields);
  }

  #expired(batch: Batch): KafkaError {
    const limitMs = this.#context.settings.deliveryTimeoutMs;
    const { queue, stored } = batch;
    const what = batch.lastError === undefined ? '' : `; the last attempt: ${batch.lastError.message}`;
    return new TimeoutError(
      `${queue.topic}[${queue.partition}] was not written within deliveryTimeoutMs, ${limitMs} ms${what}`,
      { limitMs, stored, cause: batch.lastError },
    );
  }
}
