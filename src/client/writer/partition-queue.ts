/** The batches of one partition in their order, what may go out next, and their sequences.
 * Not here: appending (accumulator.ts), requests and error codes (sender.ts).
 * Invariants: batches get their outcome in the order they were begun (P4); sequences are counted without a gap under
 * one identity, and change only while nothing is unanswered (W6); never two nodes at once (P8).
 * Source: KIP-98, KIP-360.
 */
import type { KafkaError, Stored } from '../../errors.ts';
import { BatchBuilder, compressedBatch, stampProducer } from '../../protocol/records/batch-builder.ts';
import type { Codec } from '../../compression/codec.ts';
import { zeroTopicId, type Backoff, type TopicPartition } from '../cluster/index.ts';
import { batchHeaderBytes, type OutgoingMessage } from './message.ts';
import type { ProducerId, ProducerIdentity } from './producer-id.ts';

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

/** A batch. Plain fields: each record passes here. */
export class Batch {
  readonly queue: PartitionQueue;
  /** On `platform.monotonicNow()`, as every time in this room but those of records. */
  readonly openedMs: number;
  readonly deadlineMs: number;
  /** `writeMessages` began it: it waits for company only while its partition is busy (W2). */
  readonly eager: boolean;
  /** With a completion only. */
  messages: OutgoingMessage[] | undefined;
  segments: Segment[] = [];
  recordCount = 0;
  byteLength: number = batchHeaderBytes;
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

  constructor(
    queue: PartitionQueue,
    openedMs: number,
    deadlineMs: number,
    eager: boolean,
    initialBytes: number,
  ) {
    this.queue = queue;
    this.openedMs = openedMs;
    this.deadlineMs = deadlineMs;
    this.eager = eager;
    this.builder = new BatchBuilder(initialBytes);
  }

  /** What is known of its records if it is given up now. */
  get stored(): Stored {
    return this.inFlight || this.maybeStored ? 'maybe' : 'no';
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

/** What all queues of a Writer share. */
export interface QueueOptions {
  /** Undefined: not idempotent. */
  readonly producer: Pick<ProducerId, 'current' | 'leave'> | undefined;
  readonly batchTimeoutMs: number;
  /** Where a producer's sequence begins; other than 0 only in tests. */
  readonly firstSequence: number;
  /** Tells the outcome of a batch. */
  readonly settle: (batch: Batch) => void;
  /** Lets go of a batch that was settled. */
  readonly release: (batch: Batch) => void;
}

/** As many batches of a producer and partition as a broker remembers, so that it can recognise each retry. */
const maxInFlight = 5;

/** The sequence `count` records later; past 2^31-1 comes 0. */
export function sequenceAfter(sequence: number, count: number): number {
  const next = sequence + count;
  return next > 2_147_483_647 ? next - 2_147_483_648 : next;
}

/** One partition's batches, oldest first. Plain fields where every record passes.
 *
 * A batch gets its sequence when it is first sent, and keeps it through retries until it is certain that it is not
 * stored. When a batch with a sequence leaves without being stored for certain, a gap may lie before the younger ones
 * that were sent: they are sent again as they are, since they may be stored. If one is taken, there was no gap; if the
 * oldest is refused as out of order, or none is left, the partition goes over to the next epoch at 0.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  topicId: string = zeroTopicId;
  /** Node id as metadata has it; -1 while there is none. */
  leader = -1;
  readonly batches: Batch[] = [];
  bufferedBytes = 0;
  /** Bytes that the call being balanced will add. */
  callBytes = 0;
  /** Place among the queues of the call being balanced, else -1. */
  slot = -1;
  /** Size of the last batch, for the next one's buffer. */
  hintBytes = 1024;
  /** No send before; set after failures. */
  retryAtMs = 0;
  backoff: Backoff | undefined;
  inFlight = 0;
  readonly #options: QueueOptions;
  #node = -1;
  #identity: ProducerIdentity | undefined;
  #nextSequence: number;
  /** The broker has taken a batch under this identity. Until then one goes at a time: of a producer it does not know,
   * a broker takes any first sequence, so a second batch could overtake a failed first one. */
  #established = false;
  /** A batch is on its way for the second time, alone. */
  #resending = false;
  #gap = false;
  #restart = false;

  constructor(topic: string, partition: number, options: QueueOptions) {
    this.topic = topic;
    this.partition = partition;
    this.#options = options;
    this.#nextSequence = options.firstSequence;
  }

  /** Topic and partition, for errors and logs. */
  get place(): TopicPartition {
    const { topic, partition } = this;
    return { topic, partition };
  }

  /** The batch that takes records. */
  get open(): Batch | undefined {
    const last = this.batches[this.batches.length - 1];
    return last?.sealed === false ? last : undefined;
  }

  /** The oldest batch without an outcome. */
  get oldest(): Batch | undefined {
    return this.batches.find((batch) => !batch.settled);
  }

  /** Whether a new sequence can be given: there is an identity, or none is needed. */
  get identified(): boolean {
    const { producer } = this.#options;
    return producer === undefined || (producer.current ?? this.#identity) !== undefined;
  }

  /** The next batch to send, as far as order allows; `dueAtMs` says when. */
  get candidate(): Batch | undefined {
    const { batches, inFlight } = this;
    if (inFlight > 0) {
      const limit = this.#established && this.#options.producer !== undefined ? maxInFlight : 1;
      const held = this.#resending || this.#gap || this.#restart || this.leader !== this.#node;
      if (inFlight >= limit || held) return undefined;
    }
    let index = 0;
    while (index < batches.length && (batches[index]?.inFlight || batches[index]?.resolved)) index++;
    const batch = batches[index];
    if (batch === undefined || batch.encoding) return undefined;
    // While others are on their way only the next new batch may follow: a failed one waits until all are back.
    if (inFlight > 0 && (index !== inFlight || batch.baseSequence >= 0 || batch.sends > 0)) return undefined;
    return batch;
  }

  /** When the candidate may go out, on the monotonic clock; Infinity if something must happen first. */
  dueAtMs(batch: Batch | undefined): number {
    if (batch === undefined) return Infinity;
    const ready = batch.sealed || batch.due || (batch.eager && this.inFlight === 0);
    return Math.max(this.retryAtMs, ready ? 0 : batch.openedMs + this.#options.batchTimeoutMs);
  }

  /** Notes that the batch goes to `node` now, and gives it its sequence if it has none (W5). */
  send(batch: Batch, bytes: Uint8Array, node: number): void {
    const { producer } = this.#options;
    if (producer !== undefined && batch.baseSequence < 0) {
      const target = producer.current ?? this.#identity;
      if (target !== this.#identity && this.inFlight === 0) {
        if (this.#identity !== undefined) this.#nextSequence = 0;
        this.#identity = target;
        this.#established = false;
      }
      batch.baseSequence = this.#nextSequence;
      this.#nextSequence = sequenceAfter(this.#nextSequence, batch.recordCount);
      const { producerId, epoch } = this.#identity ?? { producerId: -1n, epoch: -1 };
      stampProducer(bytes, { producerId, producerEpoch: epoch, baseSequence: batch.baseSequence });
    }
    if (batch.sends++ > 0) this.#resending = true;
    else this.hintBytes = batch.byteLength;
    batch.inFlight = true;
    this.inFlight++;
    this.#node = node;
  }

  /** The broker has the batch; -1 stands for what it did not say. */
  deliver(batch: Batch, baseOffset: number, appendTimeMs: number): void {
    batch.baseOffset = baseOffset;
    batch.appendTimeMs = appendTimeMs;
    this.backoff?.reset();
    this.#established = true;
    // A failed batch is still here if it is younger than this one: then its gap remains.
    if (this.#gap) this.#gap = this.batches.some((each) => each.resolved && each.baseSequence >= 0);
    this.#resolve(batch);
  }

  /** The batch will not be sent again. */
  fail(batch: Batch, error: KafkaError): void {
    batch.error ??= error;
    if (batch.baseSequence >= 0) this.#gap = true;
    this.#resolve(batch);
  }

  /** The batch is to be sent again. `restart`: its sequence was refused although it is the oldest. */
  retry(batch: Batch, restart: boolean): void {
    if (batch.settled) return this.fail(batch, batch.error as KafkaError);
    this.#restart ||= restart;
    this.#back(batch);
    this.#quiesce();
  }

  /** The deadline of a batch has passed. On its way, it stays until the answer; what that says of its sequence counts. */
  expire(batch: Batch, error: KafkaError): void {
    batch.error = error;
    if (batch.inFlight) this.#options.settle(batch);
    else this.fail(batch, error);
  }

  /** The batch lost its last record before it was sent. It keeps its place, for the flushes that wait for it. */
  drop(batch: Batch): void {
    this.#resolve(batch);
  }

  #back(batch: Batch): void {
    if (!batch.inFlight) return;
    batch.inFlight = false;
    this.inFlight--;
  }

  #resolve(batch: Batch): void {
    this.#back(batch);
    batch.resolved = true;
    batch.sealed = true;
    for (let each = this.#finished(); each !== undefined; each = this.#finished()) {
      this.batches.splice(this.batches.indexOf(each), 1);
      if (!each.settled) this.#options.settle(each);
      this.#options.release(each);
    }
    this.#quiesce();
  }

  /** The oldest resolved batch with no unsettled one before it. */
  #finished(): Batch | undefined {
    for (const batch of this.batches) {
      if (batch.resolved) return batch;
      if (!batch.settled) return undefined;
    }
    return undefined;
  }

  /** Nothing is unanswered any more: the moment at which sequences may change (W6). */
  #quiesce(): void {
    if (this.inFlight > 0) return;
    this.#resending = false;
    const { producer } = this.#options;
    if (producer === undefined) return;
    const sequenced: Batch[] = [];
    for (const batch of this.batches) {
      if (batch.resolved) continue;
      if (batch.baseSequence < 0) break;
      sequenced.push(batch);
    }
    if (!this.#restart) {
      // The youngest that certainly never arrived give their sequences back.
      for (let last = sequenced.pop(); last !== undefined; last = sequenced.pop()) {
        if (last.maybeStored) {
          sequenced.push(last);
          break;
        }
        this.#nextSequence = last.baseSequence;
        last.baseSequence = -1;
      }
    }
    if (!this.#restart && !(this.#gap && sequenced.length === 0)) return;
    for (const batch of sequenced) batch.baseSequence = -1;
    producer.leave(this.#identity);
    this.#identity = undefined;
    this.#nextSequence = 0;
    this.#restart = false;
    this.#gap = false;
  }
}
