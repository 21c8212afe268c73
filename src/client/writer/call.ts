/** Messages on their way to their partitions, and what became of them: a call of `writeMessages`, or messages of
 * `enqueue` that wait for metadata or room.
 * Not here: when they go on (admission.ts). Thousands of calls of one message may be outstanding.
 * Invariants: the messages from `next` on are in no batch; before `targets` is set none is. Each message of
 * `writeMessages` has its outcome once: refused, given up, or that of its batch; then the call settles.
 */
import { UsageError, type KafkaError } from '../../errors.ts';
import { WriteErrors } from './errors.ts';
import { isCount, type OutgoingMessage } from './message.ts';
import type { PartitionQueue, Segment, SegmentOwner } from './partition-queue.ts';
import type { WriteReceipt, WrittenMessage } from './receipt.ts';

/** One empty list for all: a call must be small. */
export const none: readonly never[] = [];

/** A call. `Topic` is what admission knows of a topic, which in turn knows the calls in its line. */
export class Call<Topic> implements SegmentOwner {
  /** Emptied when they are in batches. */
  messages: readonly OutgoingMessage[];
  /** Timestamp of messages that bring none, milliseconds since 1970. */
  readonly timestampMs: number;
  /** On `platform.monotonicNow()`. */
  readonly deadlineMs: number;
  topics: readonly Topic[] = none;
  /** Where each message goes; empty until that is known of all. */
  targets: readonly PartitionQueue[] = none;
  /** Milliseconds since 1970, of the messages that bring their own; undefined when none does. */
  timestamps: (number | undefined)[] | undefined;
  next = 0;
  /** Why the messages from `next` on will not get into a batch. */
  refusal: KafkaError | null = null;
  /** Bytes by which waiting messages of `enqueue` count as buffered. */
  stagedBytes = 0;
  /** Where each record is that is in a batch; one entry per message, if anybody waits for them. */
  segments: readonly Segment[] = none;
  /** Called once, when the last message is in a batch or refused. */
  onLeave: (() => void) | undefined;
  readonly #topic: string | undefined;
  /** Which record of its segment each is; undefined while each is the first. */
  #ranks: Uint32Array | undefined;
  #left: Promise<void> | undefined;
  #unsettled: number;
  #failed = false;
  #resolve: ((receipt: WriteReceipt | Promise<never>) => void) | undefined;
  /** The messages that are at fault themselves, when all are refused (W1). */
  #faults: ReadonlyMap<number, KafkaError> | undefined;

  /** `topic`: the Writer's, if it has one. */
  constructor(
    topic: string | undefined,
    messages: readonly OutgoingMessage[],
    timestampMs: number,
    deadlineMs: number,
  ) {
    this.#topic = topic;
    this.messages = messages;
    this.timestampMs = timestampMs;
    this.deadlineMs = deadlineMs;
    this.#unsettled = messages.length;
  }

  /** Settles with the outcome of all messages. */
  outcome(): Promise<WriteReceipt> {
    this.segments = Array<Segment>(this.messages.length);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Who waits for the records: nobody for those of `enqueue`. */
  get owner(): SegmentOwner | undefined {
    return this.#resolve === undefined ? undefined : this;
  }

  /** One more message for an `enqueue` that waits. */
  push(message: OutgoingMessage): void {
    (this.messages as OutgoingMessage[]).push(message);
  }

  /** Resolves when the last message is in a batch; rejects when the rest was refused. */
  left(): Promise<void> {
    return (this.#left ??= new Promise((resolve, reject) => {
      this.onLeave = () => (this.refusal === null ? resolve() : reject(this.refusal));
    }));
  }

  /** The next message is in a batch; `segment` unless nobody waits for it. */
  entered(segment: Segment | undefined): void {
    const index = this.next++;
    if (segment === undefined) return;
    (this.segments as Segment[])[index] = segment;
    if (segment.count > 1) (this.#ranks ??= new Uint32Array(this.segments.length))[index] = segment.count - 1;
  }

  recordsSettled(count: number, failed: boolean): void {
    this.#failed ||= failed;
    this.#unsettled -= count;
    if (this.#unsettled === 0) this.#settle();
  }

  /** The messages from `next` on will not get into a batch; those among `faults` for a reason of their own. */
  refuse(error: KafkaError, faults?: ReadonlyMap<number, KafkaError>): void {
    this.refusal = error;
    this.#faults = faults;
    this.recordsSettled(this.messages.length - this.next, true);
  }

  /** Where a message went. */
  at(index: number): WrittenMessage {
    if (!isCount(index) || index >= this.segments.length) {
      throw new UsageError(`A receipt of ${this.segments.length} messages has no message ${index}`);
    }
    const { segment, rank } = this.#placeOf(index);
    const { topic, partition } = segment?.batch.queue ??
      this.targets[index] ?? { topic: this.#topic ?? this.messages[index]?.topic ?? '', partition: -1 };
    let offset: number | undefined;
    let timestamp: number | undefined;
    if (segment !== undefined && this.#errorOf(index) === null) {
      const { baseOffset, appendTimeMs } = segment.batch;
      if (baseOffset >= 0) offset = baseOffset + segment.first + rank;
      timestamp = appendTimeMs < 0 ? (this.timestamps?.[index] ?? this.timestampMs) : appendTimeMs;
    }
    return { topic, partition, offset, timestamp };
  }

  /** Where a message's record is: which of its segment, and the segment; undefined if it is in no batch. */
  #placeOf(index: number): { readonly segment: Segment | undefined; readonly rank: number } {
    let segment = this.segments[index];
    let rank = this.#ranks?.[index] ?? 0;
    for (; segment?.rest !== undefined && rank >= segment.count; segment = segment.rest)
      rank -= segment.count;
    return { segment, rank };
  }

  /** Why a message was not written, or null. */
  #errorOf(index: number): KafkaError | null {
    const { segment, rank } = this.#placeOf(index);
    if (segment === undefined) return this.#faults?.get(index) ?? this.refusal;
    const { error, recordErrors } = segment.batch;
    return segment.error ?? (error && (recordErrors?.get(segment.first + rank) ?? error));
  }

  #settle(): void {
    const receipt = { length: this.segments.length, at: (index: number) => this.at(index) };
    if (!this.#failed) return this.#resolve?.(receipt);
    const errors = Array.from({ length: this.segments.length }, (_, index) => this.#errorOf(index));
    // What the caller has to change is named before what passes.
    const [offender = errors.find((error) => error?.retriable === false)] = this.#faults?.values() ?? [];
    this.#resolve?.(Promise.reject(new WriteErrors(errors, receipt, offender ?? undefined)));
  }
}
