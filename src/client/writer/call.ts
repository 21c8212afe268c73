/** The outcome of one call of `writeMessages`, collected from the batches that its messages went into.
 * Not here: how its messages get there (plan.ts, admission.ts). A call of one message is this object, one segment and
 * the promise; thousands of them may be outstanding.
 * Invariant: every message has its outcome once: refused, given up, or that of its batch; then the call settles.
 */
import { UsageError, type KafkaError } from '../../errors.ts';
import type { Segment, SegmentOwner } from './partition-queue.ts';
import { WriteErrors } from './errors.ts';
import type { WriteReceipt, WrittenMessage } from './receipt.ts';

/** How the messages of a call are spread over partitions; see `Plan`. */
export interface Spread {
  /** First message that is in no batch. */
  readonly next: number;
  /** Which of the call's partitions each message goes to; undefined while that is open, and for a single message. */
  readonly slots: Int32Array | undefined;
  /** Milliseconds since 1970, `NaN` for messages that bring none; undefined when none does. */
  readonly timestamps: Float64Array | undefined;
  /** Where a message that is in no batch was to go. */
  destination(index: number): { readonly topic: string; readonly partition: number };
}

/** A call. */
export class WriteCall implements SegmentOwner {
  readonly length: number;
  /** Timestamp of messages that bring none, milliseconds since 1970. */
  readonly timestampMs: number;
  /** Undefined for a single message that went straight into its batch. */
  spread: Spread | undefined;
  settled = false;
  /** Called when the call settles. */
  onSettled: (() => void) | undefined;
  /** The call's records, in the order in which they were appended. */
  first: Segment | undefined;
  #last: Segment | undefined;
  /** Why a message that is in no batch will not get into one. */
  #refusalOf: ((index: number) => KafkaError) | undefined;
  #offender: KafkaError | undefined;
  #resolve: ((receipt: WriteReceipt | Promise<never>) => void) | undefined;
  #unsettled: number;
  #failed = false;

  constructor(length: number, timestampMs: number) {
    this.length = length;
    this.timestampMs = timestampMs;
    this.#unsettled = length;
  }

  /** Settles with the outcome of all messages. */
  outcome(): Promise<WriteReceipt> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Takes up the records that an append began a segment for. */
  add(segment: Segment): void {
    if (this.#last === undefined) this.first = segment;
    else this.#last.next = segment;
    this.#last = segment;
  }

  recordsSettled(count: number, failed: boolean): void {
    this.#failed ||= failed;
    this.#unsettled -= count;
    if (this.#unsettled === 0) this.#settle();
  }

  /** `count` messages will not get into a batch; `offender` is the error to name before others. */
  refuse(count: number, errorOf: (index: number) => KafkaError, offender?: KafkaError): void {
    this.#refusalOf = errorOf;
    this.#offender = offender;
    this.recordsSettled(count, true);
  }

  /** Where a message went. */
  at(index: number): WrittenMessage {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new UsageError(`A receipt of ${this.length} messages has no message ${index}`);
    }
    const [segment, record] = this.#find(index);
    if (segment === undefined) {
      const { topic, partition } = this.spread?.destination(index) ?? { topic: '', partition: -1 };
      return { topic, partition, offset: undefined, timestamp: undefined };
    }
    const { queue, baseOffset, appendTimeMs, error } = segment.batch;
    const { topic, partition } = queue;
    if (error !== null || segment.error !== null)
      return { topic, partition, offset: undefined, timestamp: undefined };
    const own = this.spread?.timestamps?.[index] ?? Number.NaN;
    const timestamp = Number.isNaN(own) ? this.timestampMs : own;
    return {
      topic,
      partition,
      offset: baseOffset < 0 ? undefined : baseOffset + record,
      timestamp: appendTimeMs < 0 ? timestamp : appendTimeMs,
    };
  }

  /** Why a message was not written, or null. */
  #errorOf(index: number): KafkaError | null {
    const [segment] = this.#find(index);
    return segment === undefined
      ? (this.#refusalOf?.(index) ?? null)
      : (segment.error ?? segment.batch.error);
  }

  /** The segment of a message, and the index of its record in the batch. */
  #find(index: number): readonly [Segment | undefined, number] {
    const { spread } = this;
    if (spread !== undefined && index >= spread.next) return [undefined, 0];
    const slot = spread?.slots?.[index] ?? 0;
    let rank = spread?.slots === undefined ? index : this.#rankOf(spread.slots, index);
    for (let segment = this.first; segment !== undefined; segment = segment.next) {
      if (segment.slot !== slot) continue;
      if (rank < segment.count) return [segment, segment.first + rank];
      rank -= segment.count;
    }
    return [undefined, 0];
  }

  #ranks: Uint32Array | undefined;

  /** How many earlier messages of the call went to the same partition. */
  #rankOf(slots: Int32Array, index: number): number {
    if (this.#ranks === undefined) {
      const seen = new Map<number, number>();
      this.#ranks = Uint32Array.from(slots, (slot) => {
        const rank = seen.get(slot) ?? 0;
        seen.set(slot, rank + 1);
        return rank;
      });
    }
    return this.#ranks[index] ?? 0;
  }

  #settle(): void {
    if (this.settled) return;
    this.settled = true;
    this.onSettled?.();
    const receipt = { length: this.length, at: (index: number) => this.at(index) };
    if (!this.#failed) return this.#resolve?.(receipt);
    const errors = Array.from({ length: this.length }, (_, index) => this.#errorOf(index));
    this.#resolve?.(Promise.reject(new WriteErrors(errors, receipt, this.#offender)));
  }
}
