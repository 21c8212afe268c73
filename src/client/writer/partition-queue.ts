/** The batches of one partition in their order, what may go out next, and their sequences.
 * Not here: appending (accumulator.ts), requests and error codes (sender.ts).
 * Invariants: batches get their outcome in the order they were begun (P4); sequences are counted without a gap under
 * one identity, and change only while nothing is unanswered (W6); never two nodes at once (P8).
 * Source: KIP-98, KIP-360.
 */
import type { KafkaError, Stored } from '../../errors.ts';
import type { Platform } from '../../platform.ts';
import { BatchBuilder, compressInPlace, stampProducer } from '../../protocol/records/batch-builder.ts';
import { TRANSACTIONAL } from '../../protocol/records/batch.ts';
import type { Codec } from '../../compression/codec.ts';
import { Backoff, zeroTopicId } from '../cluster/index.ts';
import { batchHeaderBytes, type OutgoingMessage } from './message.ts';
import type { Producer, ProducerIdentity } from './producer-id.ts';

/** Who waits for records of a batch. */
export interface SegmentOwner {
  /** `count` of its records have their outcome. */
  recordsSettled(count: number, failed: boolean): void;
}

/** Neighbouring records of one owner in one batch. */
export interface Segment {
  readonly owner: SegmentOwner;
  batch: Batch;
  /** Index of the first record in the batch. */
  first: number;
  count: number;
  /** The records that went into the other half when the batch was halved. */
  rest: Segment | undefined;
  /** Set when the owner gave the records up before their batch had its outcome. */
  error: KafkaError | null;
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
  /** When that was; 0 before. */
  sealedMs = 0;
  /** May go out before its time, because of a flush, a close or a full buffer. */
  due = false;
  /** The codec is at work on it. */
  encoding = false;
  /** What the codec made of the records; not yet checked for being smaller. */
  payload: Uint8Array | undefined;
  /** What is sent; complete but for the producer fields. Undefined before the first send and after the outcome. */
  bytes: Uint8Array | undefined;
  isCompressed = false;
  inFlight = false;
  /** By which it was sent. */
  topicId: string = zeroTopicId;
  /** It is part of a batch that was sent. */
  isHalf = false;
  /** An earlier send may have put it into the log. */
  maybeStored = false;
  /** -1 while the batch has no sequence. */
  baseSequence = -1;
  /** Why it was sent in vain the last time. */
  lastError: KafkaError | undefined;
  /** The outcome is known; it is told when that of all older batches is (P4). */
  resolved = false;
  settled = false;
  /** Of the records that are not in `recordErrors`. */
  error: KafkaError | null = null;
  /** By index in the batch: the records for which the broker refused it. */
  recordErrors: ReadonlyMap<number, KafkaError> | undefined;
  /** -1 if unknown. */
  baseOffset = -1;
  /** Milliseconds since 1970 where the log gives its own timestamps, else -1. */
  appendTimeMs = -1;
  /** For flushes that wait for the outcome. */
  #told: Promise<void> | undefined;
  #tell: (() => void) | undefined;

  constructor(
    queue: PartitionQueue,
    openedMs: number,
    deadlineMs: number,
    eager: boolean,
    memory: number | Uint8Array,
  ) {
    this.queue = queue;
    this.openedMs = openedMs;
    this.deadlineMs = deadlineMs;
    this.eager = eager;
    this.builder = new BatchBuilder(memory);
  }

  /** Nothing is added from now on. */
  seal(nowMs: number): void {
    if (!this.sealed) this.sealedMs = nowMs;
    this.sealed = true;
  }

  /** What is known of its records if it is given up now. */
  get stored(): Stored {
    return this.inFlight || this.maybeStored ? 'maybe' : 'no';
  }

  /** Notes that the record just appended is the owner's, in a segment of its own or the last one. */
  own(owner: SegmentOwner): Segment {
    const first = this.recordCount - 1;
    const last = this.segments.at(-1);
    if (last?.owner === owner && last.first + last.count === first) {
      last.count++;
      return last;
    }
    const segment: Segment = { owner, batch: this, first, count: 1, rest: undefined, error: null };
    this.segments.push(segment);
    return segment;
  }

  /** The owners no longer wait for these segments. True when their records are taken out: those of a batch that was
   * never sent and has no sequence from before it was halved, or a whole batch that certainly never arrived. */
  withdraw(gone: ReadonlySet<Segment>): boolean {
    const { builder, recordCount } = this;
    const isGone = new Uint8Array(recordCount);
    let count = 0;
    for (const segment of gone) {
      count += segment.count;
      isGone.fill(1, segment.first, segment.first + segment.count);
    }
    this.segments = this.segments.filter((segment) => !gone.has(segment));
    if (builder !== undefined && this.baseSequence < 0) {
      builder.retain((index) => isGone[index] === 0);
      this.byteLength = builder.byteLength;
      this.payload = undefined;
    } else {
      const isUnsent = !this.resolved && this.stored === 'no' && this.baseSequence < 0;
      if (!isUnsent || count < recordCount) return false;
    }
    this.messages = this.messages?.filter((_, index) => isGone[index] === 0);
    this.recordCount -= count;
    let index = 0;
    let goneBefore = 0;
    for (const segment of this.segments) {
      while (index < segment.first) goneBefore += isGone[index++] as number;
      segment.first -= goneBefore;
    }
    return true;
  }

  /** Compresses the records; what comes of it counts if none was withdrawn meanwhile. Rejects as the codec does. */
  async encode(codec: Codec): Promise<void> {
    const { builder, recordCount } = this;
    if (builder === undefined) return;
    this.sealed = true;
    this.encoding = true;
    try {
      const payload = await codec.compress(builder.payload);
      if (this.builder === builder && this.recordCount === recordCount) this.payload = payload;
    } finally {
      this.encoding = false;
    }
  }

  /** The bytes to send, made at the first send; compressed where that makes them fewer (W11). A batch that is stamped
   * next needs no checksum before.
   */
  finish(codec: Codec | undefined, isStamped: boolean): Uint8Array {
    const { builder, payload } = this;
    if (builder !== undefined) {
      const isSmaller = payload !== undefined && payload.length < builder.byteLength - batchHeaderBytes;
      this.isCompressed = codec !== undefined && isSmaller;
      this.bytes = builder.finish(!isStamped && !this.isCompressed);
      if (codec !== undefined && isSmaller)
        this.bytes = compressInPlace(this.bytes, codec.id, payload, !isStamped);
      this.sealed = true;
      this.builder = undefined;
      this.payload = undefined;
    }
    return this.bytes as Uint8Array;
  }

  /** Resolves when the outcome was told. */
  told(): Promise<void> | undefined {
    if (this.settled) return undefined;
    return (this.#told ??= new Promise((resolve) => {
      this.#tell = resolve;
    }));
  }

  /** Tells the outcome. */
  settle(): void {
    const { segments } = this;
    this.settled = true;
    this.segments = [];
    this.messages = undefined;
    for (const { owner, count } of segments) owner.recordsSettled(count, this.error !== null);
    this.#tell?.();
  }

  /** Lets go of the memory; receipts may keep the rest for long. */
  release(): void {
    this.builder = undefined;
    this.bytes = undefined;
    this.payload = undefined;
  }
}

/** What all queues of a Writer share: their options, and who hears of their batches. */
export interface QueueOwner {
  /** Undefined: not idempotent. */
  readonly producer: Pick<Producer, 'current' | 'leave' | 'gate'> | undefined;
  readonly batchTimeoutMs: number;
  /** Shortest and longest wait before a batch is sent again. Default: those of `Backoff`. */
  readonly retryBackoffMs?: readonly [minMs: number, maxMs: number];
  /** Where a producer's sequence begins, in tests. Default 0. */
  readonly firstSequence?: number;
  /** Tells the outcome of a batch. */
  settle(batch: Batch): void;
  /** Lets go of a batch that was settled. */
  release(batch: Batch): void;
}

/** As many batches of a producer and partition as a broker remembers, so that it can recognise each retry. */
const maxInFlight = 5;

/** The sequence `count` records later; past 2^31-1 comes 0. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % 2 ** 31;
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
  /** Node id as metadata has it; -1 while there is none. */
  leader = -1;
  #topicId: string = zeroTopicId;
  readonly batches: Batch[] = [];
  /** Bytes that the call being balanced will add. */
  callBytes = 0;
  /** Size of the last batch, for the next one's buffer. */
  hintBytes = 1024;
  /** No send before; set after failures. */
  retryAtMs = 0;
  inFlight = 0;
  readonly #owner: QueueOwner;
  #backoff: Backoff | undefined;
  /** Where the last batch went. */
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

  constructor(topic: string, partition: number, owner: QueueOwner) {
    this.topic = topic;
    this.partition = partition;
    this.#owner = owner;
    this.#nextSequence = owner.firstSequence ?? 0;
  }

  get topicId(): string {
    return this.#topicId;
  }

  /** A topic that was created anew has another id, and a log that knows no producer: sequences go on in it as they
   * would have in the old one, and it may take any first one. */
  set topicId(topicId: string) {
    if (topicId !== this.#topicId) this.#established = false;
    this.#topicId = topicId;
  }

  /** The batch that takes records. */
  get open(): Batch | undefined {
    const last = this.batches.at(-1);
    return last?.sealed === false ? last : undefined;
  }

  /** The oldest batch without an outcome. */
  get oldest(): Batch | undefined {
    return this.batches.find((batch) => !batch.settled);
  }

  /** Whether a new sequence can be given: there is an identity, or none is needed. */
  get identified(): boolean {
    const { producer } = this.#owner;
    return producer === undefined || (producer.current ?? this.#identity) !== undefined;
  }

  /** The next batch to send, as far as order allows; `dueAtMs` says when. */
  get candidate(): Batch | undefined {
    const { batches, inFlight } = this;
    if (inFlight > 0) {
      const limit = this.#established && this.#owner.producer !== undefined ? maxInFlight : 1;
      const held = this.#resending || this.#gap || this.#restart || this.leader !== this.#node;
      if (inFlight >= limit || held) return undefined;
    }
    let index = 0;
    while (index < batches.length && (batches[index]?.inFlight || batches[index]?.resolved)) index++;
    const batch = batches[index];
    if (batch === undefined || batch.encoding) return undefined;
    // While others are on their way only the next new batch may follow: a failed one waits until all are back.
    if (inFlight > 0 && (index !== inFlight || batch.builder === undefined)) return undefined;
    return batch;
  }

  /** When the candidate may go out, on the monotonic clock; Infinity if something must happen first. */
  dueAtMs(batch: Batch | undefined): number {
    if (batch === undefined) return Infinity;
    const ready = batch.sealed || batch.due || (batch.eager && this.inFlight === 0);
    return Math.max(this.retryAtMs, ready ? 0 : batch.openedMs + this.#owner.batchTimeoutMs);
  }

  /** Holds the queue back after a failure at `node`, the one of its last batch if it is left out; one round of failures
   * counts once, however many batches were on their way. */
  delay(platform: Platform, node: number = this.#node): void {
    const nowMs = platform.monotonicNow();
    // A leader that has moved in the meantime is asked at once.
    const hasMoved = this.leader >= 0 && this.leader !== node;
    if (hasMoved || this.retryAtMs > nowMs) return;
    this.#backoff ??= new Backoff(platform, ...(this.#owner.retryBackoffMs ?? []));
    this.retryAtMs = nowMs + this.#backoff.next();
  }

  /** The bytes of a batch that goes to `node` now; gives it its sequence if it has none (W5). */
  send(batch: Batch, node: number, codec: Codec | undefined): Uint8Array {
    const { producer } = this.#owner;
    if (batch.builder === undefined) this.#resending = true;
    else this.hintBytes = batch.byteLength;
    // A half of a batch has a sequence, but not yet on it.
    const isStamped = producer !== undefined && (batch.builder !== undefined || batch.baseSequence < 0);
    const bytes = batch.finish(codec, isStamped);
    if (isStamped && batch.baseSequence < 0) {
      const target = producer.current ?? this.#identity;
      if (target !== this.#identity && this.inFlight === 0) {
        if (this.#identity !== undefined) this.#nextSequence = 0;
        this.#identity = target;
        this.#established = false;
      }
      batch.baseSequence = this.#nextSequence;
      this.#nextSequence = sequenceAfter(this.#nextSequence, batch.recordCount);
    }
    if (isStamped) {
      const { producerId, epoch } = this.#identity as ProducerIdentity;
      const attributes = producer?.gate === undefined ? 0 : TRANSACTIONAL;
      stampProducer(bytes, {
        producerId,
        producerEpoch: epoch,
        baseSequence: batch.baseSequence,
        attributes,
      });
    }
    batch.topicId = this.topicId;
    batch.inFlight = true;
    this.inFlight++;
    this.#node = node;
    return bytes;
  }

  /** The broker has the batch; -1 stands for what it did not say. */
  deliver(batch: Batch, baseOffset: number = -1, appendTimeMs: number = -1): void {
    batch.baseOffset = baseOffset;
    batch.appendTimeMs = appendTimeMs;
    this.#backoff?.reset();
    this.#established ||= batch.topicId === this.#topicId;
    // A failed batch is still here if it is younger than this one: then its gap remains.
    if (this.#gap) this.#gap = this.batches.some((each) => each.resolved && each.baseSequence >= 0);
    this.resolve(batch);
  }

  /** The batch will not be sent again. */
  fail(batch: Batch, error: KafkaError): void {
    batch.error ??= error;
    if (batch.baseSequence >= 0) this.#gap = true;
    this.resolve(batch);
  }

  /** The batch, without an outcome, is to be sent again. `restart`: its sequence was refused although it is the oldest. */
  retry(batch: Batch, restart: boolean): void {
    this.#restart ||= restart;
    this.#back(batch);
    this.#quiesce();
  }

  /** Puts the first half of a batch that was halved ahead of the second. */
  insert(half: Batch, second: Batch): void {
    this.batches.splice(this.batches.indexOf(second), 0, half);
  }

  /** The deadline of a batch has passed. On its way, it stays until the answer; what that says of its sequence counts. */
  expire(batch: Batch, error: KafkaError): void {
    batch.error = error;
    if (!batch.inFlight) return this.fail(batch, error);
    this.#owner.settle(batch);
    this.#tell();
  }

  /** The outcome of the batch is known; of one that lost its last record, that there is none. It is told, and the batch
   * let go, when nothing older is left to tell. */
  resolve(batch: Batch): void {
    this.#back(batch);
    batch.resolved = true;
    batch.sealed = true;
    this.#tell();
    this.#quiesce();
  }

  /** Tells the outcomes that are known, up to the first that is not. */
  #tell(): void {
    for (;;) {
      const first = this.batches.find((each) => each.resolved || !each.settled);
      if (first?.resolved !== true) break;
      this.batches.splice(this.batches.indexOf(first), 1);
      if (!first.settled) this.#owner.settle(first);
      this.#owner.release(first);
    }
  }

  #back(batch: Batch): void {
    if (!batch.inFlight) return;
    batch.inFlight = false;
    this.inFlight--;
  }

  /** Nothing is unanswered any more: the moment at which sequences may change (W6). */
  #quiesce(): void {
    if (this.inFlight > 0) return;
    this.#resending = false;
    const { producer } = this.#owner;
    if (producer === undefined) return;
    const sequenced = this.batches.filter(({ resolved, baseSequence }) => !resolved && baseSequence >= 0);
    if (!this.#restart) {
      // The youngest that certainly never arrived give their sequences back.
      for (let last = sequenced.at(-1); last?.maybeStored === false; last = sequenced.at(-1)) {
        this.#nextSequence = last.baseSequence;
        last.baseSequence = -1;
        sequenced.pop();
      }
      if (!this.#gap || sequenced.length > 0) return;
    }
    for (const batch of sequenced) batch.baseSequence = -1;
    producer.leave(this.#identity);
    this.#identity = undefined;
    this.#nextSequence = 0;
    this.#restart = false;
    this.#gap = false;
  }
}
