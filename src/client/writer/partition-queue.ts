/** The batches of one partition in their order, what may go out next, and their sequences.
 * Not here: appending (accumulator.ts), requests and error codes (sender.ts).
 * Invariants: batches get their outcome in the order they were begun (P4); sequences are counted without a gap under
 * one identity, and change only while nothing is unanswered (W6); never two nodes at once (P8).
 * Source: KIP-98, KIP-360; SEQUENCES below says what happens to them.
 *
 * SEQUENCES. A batch gets its sequence when it is first sent. It keeps it through retries, until an answer proves it
 * useless. When a batch with a sequence leaves without being stored for certain, a gap may lie before the younger
 * ones that were sent: they are sent again as they are, since they may be stored. If one is taken, there was no gap;
 * if the oldest is refused as out of order, or none is left, the partition goes over to the next epoch at 0.
 */
import type { KafkaError } from '../../errors.ts';
import { stampProducer } from '../../protocol/records/batch-builder.ts';
import type { Backoff } from '../cluster/index.ts';
import type { Batch } from './batch.ts';
import type { ProducerId, ProducerIdentity } from './producer-id.ts';

/** What all queues of a Writer share. */
export interface QueueOptions {
  /** Undefined: not idempotent. */
  readonly producer: ProducerId | undefined;
  readonly batchTimeoutMs: number;
  /** Where a producer's sequence begins; other than 0 only in tests. */
  readonly firstSequence: number;
  /** Tells the outcome of a batch. */
  readonly settle: (queue: PartitionQueue, batch: Batch) => void;
  /** Lets go of a batch that was settled. */
  readonly release: (queue: PartitionQueue, batch: Batch) => void;
}

/** As many batches of a producer and partition as a broker remembers, so that it can recognise each retry. */
const maxInFlight = 5;

/** The sequence `count` records later; past 2^31-1 comes 0. */
export function sequenceAfter(sequence: number, count: number): number {
  const next = sequence + count;
  return next > 2_147_483_647 ? next - 2_147_483_648 : next;
}

/** One partition's batches, oldest first. Plain fields where every record passes. */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  topicId = '';
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
      batch.identity = this.#identity;
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
    if (batch.inFlight) this.#options.settle(this, batch);
    else this.fail(batch, error);
  }

  /** The batch lost its last record before it was sent. */
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
    for (let each = this.#finished(); each !== undefined; each = this.#finished()) {
      this.batches.splice(this.batches.indexOf(each), 1);
      if (!each.settled) this.#options.settle(this, each);
      this.#options.release(this, each);
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
    const sequenced = this.batches.filter((batch) => batch.baseSequence >= 0 && !batch.resolved);
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
