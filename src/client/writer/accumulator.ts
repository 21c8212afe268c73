/** Records on their way into batches and out of them: appending, memory, time, outcomes.
 * Not here: which call comes next (admission.ts), requests (sender.ts).
 * Invariants: a record is encoded once, straight into its batch; no timer, promise or closure per record; whatever was
 * counted as buffered or pending is given back exactly once.
 */
import type { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/index.ts';
import type { Alarm } from './alarm.ts';
import { BatchMemory } from './batch-memory.ts';
import { lateError, withStored } from './errors.ts';
import { halve, plainRecords } from './halving.ts';
import { headersOf, messageBytes, type OutgoingMessage } from './message.ts';
import type { BatchOutcome, ResolvedSettings } from './options.ts';
import {
  Batch,
  type PartitionQueue,
  type QueueOwner,
  type Segment,
  type SegmentOwner,
} from './partition-queue.ts';
import type { Producer } from './producer-id.ts';
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
  | 'learnLeader'
  | 'isReady'
  | 'open'
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

/** Part of `maxBufferedBytes` that is kept for batches to come. */
const sparePart = 1 / 4;

/** Bytes by which a batch's buffer may exceed its hint: the next batch is seldom exactly as large. */
const hintSlackBytes = 256;

/** All batches of a Writer. */
export class Accumulator implements QueueOwner {
  /** Queues that have a batch, in the order of their turns. */
  readonly active: Set<PartitionQueue> = new Set();
  bufferedBytes = 0;
  /** Messages without an outcome, in batches or not. */
  pending = 0;
  /** Calls wait for room: batches go out without waiting for company. */
  pressed = false;
  /** Told when a batch may be due. */
  onWake: () => void = () => undefined;
  /** Told when room was given back for which calls wait. */
  onRoom: () => void = () => undefined;
  readonly producer: Producer | undefined;
  readonly batchTimeoutMs: number;
  readonly retryBackoffMs: readonly [minMs: number, maxMs: number];
  readonly #context: WriterContext;
  /** How long a batch that could not go out takes records. */
  readonly #collectingMs: number;
  readonly #memory: BatchMemory;
  #letGo: (() => void) | undefined;
  #onIdle: (() => void) | undefined;

  constructor(context: WriterContext, producer: Producer | undefined) {
    this.#context = context;
    this.producer = producer;
    const { batchTimeoutMs, deliveryTimeoutMs, retryBackoffMs, retryBackoffMaxMs } = context.settings;
    this.batchTimeoutMs = batchTimeoutMs;
    this.retryBackoffMs = [retryBackoffMs, retryBackoffMaxMs];
    this.#memory = new BatchMemory(context.settings.maxBufferedBytes * sparePart);
    this.#collectingMs = Math.max(batchTimeoutMs, deliveryTimeoutMs * collectingPart);
  }

  /** Counts messages that are to have an outcome; while there are any the process stays (C4). */
  expect(count: number): void {
    this.pending += count;
    if (this.pending > 0) this.#letGo ??= this.#context.cluster.holdOpen();
  }

  /** The messages had their outcome. */
  done(count: number): void {
    this.pending -= count;
    if (this.pending > 0) return;
    this.#letGo?.();
    this.#letGo = undefined;
  }

  /** Whether a message fits; a single one that is larger than everything is let in when no batch is there. */
  hasRoomFor(message: OutgoingMessage): boolean {
    const { batchBytes, maxBufferedBytes } = this.#context.settings;
    const left = maxBufferedBytes - this.bufferedBytes;
    // No message is larger than a batch: mostly its size does not matter.
    return this.active.size === 0 || batchBytes <= left || messageBytes(message, left) <= left;
  }

  /** Encodes a message into its partition's open batch. `deadlineMs` counts from now if it is undefined. */
  append(
    queue: PartitionQueue,
    message: OutgoingMessage,
    timestampMs: number,
    deadlineMs: number | undefined,
    owner: SegmentOwner | undefined,
  ): Segment | undefined {
    const { settings } = this.#context;
    const batch = this.#openFor(queue, message, deadlineMs, owner !== undefined);
    const { builder } = batch;
    if (builder === undefined) return undefined;
    try {
      builder.timestamp = timestampMs;
      builder.append(message.key ?? null, message.value, headersOf(message.headers));
    } catch (error) {
      if (batch.recordCount === 0) queue.resolve(batch);
      throw error;
    }
    const grown = builder.byteLength - batch.byteLength;
    batch.byteLength += grown;
    batch.recordCount++;
    this.bufferedBytes += grown;
    if (batch.messages !== undefined) batch.messages.push(message);
    if (batch.recordCount >= settings.batchSize || batch.byteLength >= settings.batchBytes) {
      batch.seal(this.#context.cluster.platform.monotonicNow());
      this.onWake();
    }
    return owner === undefined ? undefined : batch.own(owner);
  }

  /** Has a batch sent again in two halves, for it was refused for its size (MESSAGE_TOO_LARGE). */
  async halve(batch: Batch): Promise<void> {
    const { queue } = batch;
    queue.retry(batch, false);
    batch.encoding = true;
    try {
      const plain = plainRecords(batch, this.#context.settings.compression);
      const records = plain instanceof Promise ? await plain : plain;
      // Its time may have come meanwhile.
      if (batch.resolved || records === undefined) return;
      const before = batch.byteLength;
      const half = halve(batch, records);
      queue.insert(half, batch);
      this.bufferedBytes += half.byteLength + batch.byteLength - before;
    } catch (error) {
      if (!batch.resolved) queue.fail(batch, withStored(error, 'no'));
    } finally {
      batch.encoding = false;
      this.onWake();
    }
  }

  /** Nobody waits for some records of a batch any more; true if they are not sent any more either. */
  withdraw(batch: Batch, gone: ReadonlySet<Segment>): boolean {
    const { byteLength: before, recordCount } = batch;
    if (!batch.withdraw(gone)) return false;
    this.done(recordCount - batch.recordCount);
    if (batch.recordCount === 0) batch.queue.resolve(batch);
    this.#returnRoom(before - batch.byteLength);
    return true;
  }

  /** Whether calls wait for room. */
  press(pressed: boolean): void {
    if (pressed && !this.pressed) this.hurry();
    this.pressed = pressed;
  }

  /** The batches that are open may go out, for a flush or for want of room. */
  hurry(): void {
    for (const { open } of this.active) if (open !== undefined) open.due = true;
    this.onWake();
  }

  /** Gives up the oldest batches of each partition, as long as there is an error for them. */
  expire(errorOf: (batch: Batch) => KafkaError | undefined): void {
    for (const queue of this.active) {
      for (let batch = queue.oldest; batch !== undefined; batch = queue.oldest) {
        const error = errorOf(batch);
        if (error === undefined) break;
        queue.expire(batch, error);
      }
    }
  }

  /** Expires what is late, and has sent what is due; the moment at which the next may expire. */
  tick(nowMs: number): number {
    const { deliveryTimeoutMs } = this.#context.settings;
    this.expire(({ queue, stored, lastError, deadlineMs }) => {
      if (deadlineMs > nowMs) return undefined;
      const what = `${queue.topic}[${queue.partition}] was not written`;
      return lateError(what, deliveryTimeoutMs, lastError, stored);
    });
    let nextMs = Infinity;
    if (this.active.size === 0) this.#memory.clear();
    for (const { oldest, open } of this.active) {
      const closingMs = (open?.openedMs ?? Infinity) + this.#collectingMs;
      if (open !== undefined && closingMs <= nowMs) open.seal(nowMs);
      else nextMs = Math.min(nextMs, closingMs);
      nextMs = Math.min(nextMs, oldest?.deadlineMs ?? Infinity);
    }
    this.onWake();
    return nextMs;
  }

  /** Resolves when no batch is left, not even one that was given up on its way. For one caller at a time. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.active.size === 0) resolve();
      else this.#onIdle = resolve;
    });
  }

  /** The outcome of a batch: statistics, completion, then the calls that wait. */
  settle(batch: Batch): void {
    const { stats } = this.#context;
    const { queue, recordCount, messages = [], segments, error } = batch;
    const { topic, partition } = queue;
    const recordErrors = error === null ? undefined : batch.recordErrors;
    if (recordCount > 0 && error === null) {
      stats.add('batchSize', recordCount);
      stats.add('batchBytes', batch.byteLength);
    } else stats.count('errors', recordCount);
    const baseOffset = batch.baseOffset < 0 ? undefined : batch.baseOffset;
    const appendTimeMs = batch.appendTimeMs < 0 ? undefined : batch.appendTimeMs;
    const unheard = error === null ? 0 : segments.reduce((left, { count }) => left - count, recordCount);
    this.tell({ topic, partition, messages, baseOffset, appendTimeMs, error, recordErrors }, unheard);
    this.done(recordCount);
    batch.settle();
    if (error !== null) this.producer?.gate?.failed(error);
  }

  /** Lets go of a settled batch. */
  release(batch: Batch): void {
    const { queue, bytes, lastError } = batch;
    // Sent once and answered: no socket reads it any more.
    if (bytes !== undefined && lastError === undefined && batch.baseOffset >= 0) this.#memory.give(bytes);
    batch.release();
    if (queue.batches.length === 0) this.active.delete(queue);
    if (this.active.size === 0) this.#onIdle?.();
    this.#returnRoom(batch.byteLength);
  }

  /** Tells an outcome to the completion, whose throwing stays out of the way of delivery. Where there is none, the log
   * has a failure of messages that no call hears of. */
  tell(outcome: BatchOutcome, unheard: number): void {
    const { settings, cluster } = this.#context;
    const { topic, partition, messages, error } = outcome;
    if (settings.completion === undefined) {
      if (error === null || unheard === 0) return;
      const fields = { topic, partition, messages: unheard, reason: error.message };
      cluster.logger.warn?.('messages were not written', fields);
    } else if (messages.length > 0) {
      try {
        settings.completion(outcome);
      } catch (thrown) {
        cluster.logger.error?.('completion threw', { topic, reason: String(thrown) });
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
    const { open } = queue;
    if (open !== undefined) {
      const left = batchBytes - open.byteLength;
      if (messageBytes(message, left) <= left) return open;
    }
    const openedMs = cluster.platform.monotonicNow();
    open?.seal(openedMs);
    const batch = new Batch(
      queue,
      openedMs,
      deadlineMs ?? openedMs + settings.deliveryTimeoutMs,
      eager,
      this.#memory.take(Math.min(queue.hintBytes + hintSlackBytes, batchBytes)),
    );
    if (settings.completion !== undefined) batch.messages = [];
    batch.due = this.pressed;
    queue.batches.push(batch);
    this.bufferedBytes += batch.byteLength;
    this.active.add(queue);
    this.#context.alarm.arm(openedMs + this.#collectingMs);
    this.onWake();
    return batch;
  }

  #returnRoom(bytes: number): void {
    this.bufferedBytes -= bytes;
    if (this.pressed) this.onRoom();
  }
}
