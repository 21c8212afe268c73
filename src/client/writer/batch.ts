/** One batch of one partition, from its first record to its outcome, and whose records are in it.
 * Not here: the order of batches and their sequences (partition-queue.ts).
 * Invariants: the bytes are not touched between a send and its outcome, and never used for another batch (B6);
 * `settle` tells every owner exactly once.
 */
import type { Codec } from '../../compression/codec.ts';
import type { KafkaError } from '../../errors.ts';
import { BatchBuilder, compressedBatch } from '../../protocol/records/batch-builder.ts';
import { batchHeaderBytes, type OutgoingMessage } from './message.ts';
import type { ProducerIdentity } from './producer-id.ts';

/** Who waits for records of a batch. */
export interface SegmentOwner {
  /** `count` of its records have their outcome. */
  recordsSettled(count: number, failed: boolean): void;
  /** The record just appended began a segment. */
  add(segment: Segment): void;
}

/** Neighbouring records of one owner in one batch. */
export interface Segment {
  readonly owner: SegmentOwner;
  readonly batch: Batch;
  /** Index of the first record in the batch. */
  first: number;
  count: number;
  /** Set when the owner gave the records up before their batch had its outcome. */
  error: KafkaError | null;
  /** Which of the owner's partitions this is. */
  readonly slot: number;
  /** The owner's next segment. */
  next: Segment | undefined;
}

/** What is known of a batch when it is opened. */
export interface BatchOptions {
  readonly topic: string;
  readonly partition: number;
  /** On `platform.monotonicNow()`, as every time in this room but those of records. */
  readonly openedMs: number;
  readonly deadlineMs: number;
  /** `writeMessages` began it: it waits for company only while its partition is busy (W2). */
  readonly eager: boolean;
  readonly initialBytes: number;
  /** Whether the messages are kept for a completion. */
  readonly keepMessages: boolean;
}

/** A batch. Plain fields: each record passes here. */
export class Batch {
  readonly topic: string;
  readonly partition: number;
  readonly openedMs: number;
  readonly deadlineMs: number;
  readonly eager: boolean;
  messages: OutgoingMessage[] | undefined;
  segments: Segment[] = [];
  recordCount = 0;
  byteLength = batchHeaderBytes;
  /** Undefined once the batch was first sent. */
  builder: BatchBuilder | undefined;
  /** Full or taken for sending: nothing is added any more. */
  sealed = false;
  /** May go out before its time, because of a flush, a close or a full buffer. */
  due = false;
  /** The codec is at work on it. */
  encoding = false;
  /** The codec is done, if there is one; `#payload` is what it made, when that is smaller. */
  encoded = false;
  #payload: Uint8Array | undefined;
  /** What is sent; complete but for the producer fields. Undefined before the first send and after the outcome. */
  bytes: Uint8Array | undefined;
  inFlight = false;
  sends = 0;
  /** An earlier send may have put it into the log. */
  maybeStored = false;
  identity: ProducerIdentity | undefined;
  /** -1 while the batch has no sequence. */
  baseSequence = -1;
  /** Why it was sent in vain the last time. */
  lastError: KafkaError | undefined;
  /** The outcome is known; it is told when that of all older batches is (P4). */
  resolved = false;
  settled = false;
  error: KafkaError | null = null;
  /** -1 if unknown. */
  baseOffset = -1;
  /** Milliseconds since 1970 where the log gives its own timestamps, else -1. */
  appendTimeMs = -1;
  /** Flushes that wait for the outcome. */
  waiters: (() => void)[] | undefined;

  constructor(options: BatchOptions) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.openedMs = options.openedMs;
    this.deadlineMs = options.deadlineMs;
    this.eager = options.eager;
    this.builder = new BatchBuilder(options.initialBytes);
    this.messages = options.keepMessages ? [] : undefined;
  }

  /** Notes that the record just appended is the owner's. */
  own(owner: SegmentOwner, slot: number): void {
    const last = this.segments[this.segments.length - 1];
    if (last !== undefined && last.owner === owner && last.first + last.count === this.recordCount - 1) {
      last.count++;
      return;
    }
    const first = this.recordCount - 1;
    const segment: Segment = { owner, batch: this, first, count: 1, error: null, slot, next: undefined };
    this.segments.push(segment);
    owner.add(segment);
  }

  /** Takes a segment's records out of a batch that was never sent; false if it was. */
  withdraw(segment: Segment): boolean {
    const { builder } = this;
    if (builder === undefined) return false;
    const { first, count } = segment;
    builder.removeRange(first, first + count);
    this.messages?.splice(first, count);
    this.recordCount -= count;
    this.byteLength = builder.byteLength;
    this.encoded = false;
    this.#payload = undefined;
    this.forget(segment);
    for (const other of this.segments) if (other.first > first) other.first -= count;
    return true;
  }

  /** The owner no longer waits for a segment. */
  forget(segment: Segment): void {
    this.segments = this.segments.filter((each) => each !== segment);
  }

  /** Compresses the records (W11), if that is wanted; a promise when the codec takes its time. */
  encode(codec: Codec | undefined): void | Promise<void> {
    this.sealed = true;
    const records = this.builder?.payload;
    if (codec === undefined || records === undefined) {
      this.encoded = true;
      return undefined;
    }
    const { recordCount } = this;
    const finished = (payload: Uint8Array): void => {
      this.encoding = false;
      // Records that were withdrawn meanwhile are in the payload still.
      if (this.recordCount !== recordCount) return;
      this.encoded = true;
      if (payload.length < records.length) this.#payload = payload;
    };
    const compressed = codec.compress(records);
    if (compressed instanceof Uint8Array) return finished(compressed);
    this.encoding = true;
    return compressed.then(finished, (error: unknown) => {
      this.encoding = false;
      throw error;
    });
  }

  /** The bytes to send, made at the first send. */
  finish(codec: Codec | undefined): Uint8Array {
    if (this.bytes === undefined) {
      const batch = this.builder?.finish() ?? new Uint8Array(0);
      const payload = this.#payload;
      this.bytes =
        payload === undefined || codec === undefined ? batch : compressedBatch(batch, codec.id, payload);
      this.builder = undefined;
      this.#payload = undefined;
    }
    return this.bytes;
  }

  /** Tells the outcome. */
  settle(): void {
    this.settled = true;
    const { segments, waiters } = this;
    this.segments = [];
    this.waiters = undefined;
    this.messages = undefined;
    const failed = this.error !== null;
    for (const { owner, count } of segments) owner.recordsSettled(count, failed);
    if (waiters !== undefined) for (const waiter of waiters) waiter();
  }

  /** Lets go of the memory; receipts may keep the rest for long. */
  release(): void {
    this.builder = undefined;
    this.bytes = undefined;
    this.#payload = undefined;
  }
}
