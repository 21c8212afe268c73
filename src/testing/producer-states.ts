/** What a partition remembers of its producers: the last batches of each, and the transactions they have open.
 * Not here: the records (partition-log.ts), ids and epochs (transaction.ts).
 * Invariant: `check` looks and changes nothing; `append` is told of every batch that went into the log, in order.
 * Source: KIP-98, KIP-360, KIP-890; Kafka's ProducerStateManager decides the cases.
 */
import { ErrorCodes } from '../protocol/error-codes.ts';
import type { RecordBatch } from '../protocol/records/batch.ts';
import { controlType } from '../protocol/records/control.ts';

const retainedBatches = 5;
const sequences = 2 ** 31;

/** A batch that a producer appended. */
export interface AppendedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** When the broker stamped it; -1 where it keeps the producers' times. */
  readonly logAppendTimeMs: number;
}

/** A transaction that was aborted: its records begin at `firstOffset`, its marker lies at `lastOffset`. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

interface ProducerState {
  epoch: number;
  /** Oldest first, all of this epoch. */
  batches: AppendedBatch[];
  openTransaction: number | undefined;
}

/** The first batch of a transaction, while its coordinator is asked: the lowest sequence that came meanwhile. */
interface Verification {
  epoch: number;
  lowestSequence: number;
  /** Whether the producer has an epoch for every transaction. */
  readonly bumps: boolean;
}

/** Sequence of a batch's last record; sequences wrap from 2^31-1 to 0. */
function lastSequence(batch: RecordBatch): number {
  return (batch.baseSequence + (batch.lastOffset - batch.baseOffset)) % sequences;
}

/** The producers of one partition. */
export class ProducerStates {
  readonly #producers = new Map<bigint, ProducerState>();
  readonly #aborted: AbortedTransaction[] = [];
  readonly #verifications = new Map<bigint, Verification>();

  /** Whether the batch goes on a transaction that has records here. */
  isInOpenTransaction({ producerId, producerEpoch }: RecordBatch): boolean {
    const state = this.#producers.get(producerId);
    return state?.openTransaction !== undefined && state.epoch === producerEpoch;
  }

  /** Takes note of a batch that may open a transaction here, before its coordinator is asked. */
  startVerification({ producerId, producerEpoch: epoch, baseSequence }: RecordBatch, bumps: boolean): void {
    const known = this.#verifications.get(producerId);
    if (known === undefined || epoch > known.epoch) {
      this.#verifications.set(producerId, {
        epoch,
        lowestSequence: baseSequence,
        bumps: known?.bumps ?? bumps,
      });
    } else if (epoch === known.epoch) {
      known.lowestSequence = Math.min(known.lowestSequence, baseSequence);
    }
  }

  /** What must become of a batch from a producer: the batch it repeats, or an error code, 0 to append it. */
  check(batch: RecordBatch): AppendedBatch | number {
    const { producerId, producerEpoch, baseSequence } = batch;
    const state = this.#producers.get(producerId);
    const batches = producerEpoch === state?.epoch ? state.batches : [];
    const last = lastSequence(batch);
    const repeated = batches.find((b) => b.firstSequence === baseSequence && b.lastSequence === last);
    if (repeated !== undefined) return repeated;
    if (state !== undefined && producerEpoch < state.epoch) return ErrorCodes.INVALID_PRODUCER_EPOCH;
    const verification = batch.isTransactional ? this.#verifications.get(producerId) : undefined;
    if (verification !== undefined) {
      const isFirst = verification.bumps && (state?.batches.length ?? 0) === 0;
      const isBehind = baseSequence > verification.lowestSequence;
      if (isBehind || (isFirst && baseSequence !== 0)) return ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    if (state === undefined) return 0;
    // A new epoch begins at 0, as does one that has only seen markers.
    const newest = batches.at(-1)?.lastSequence ?? -1;
    if (baseSequence !== (newest + 1) % sequences) return ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER;
    if (state.openTransaction !== undefined && !batch.isTransactional) return ErrorCodes.INVALID_TXN_STATE;
    return 0;
  }

  /** Takes note of a batch as it lies in the log. */
  append(batch: RecordBatch): void {
    if (batch.producerId < 0n) return;
    const state = this.#state(batch.producerId, batch.producerEpoch);
    if (batch.isTransactional) this.#verifications.delete(batch.producerId);
    if (batch.isControl) {
      this.#endTransaction(state, batch);
      return;
    }
    if (batch.isTransactional) state.openTransaction ??= batch.baseOffset;
    if (batch.baseSequence < 0) return;
    if (state.batches.length === retainedBatches) state.batches.shift();
    state.batches.push({
      firstSequence: batch.baseSequence,
      lastSequence: lastSequence(batch),
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      logAppendTimeMs: batch.isLogAppendTime ? Number(batch.maxTimestampBigInt) : -1,
    });
  }

  /** Where the oldest open transaction begins: nothing from there on is stable. undefined without one. */
  get firstUnstableOffset(): number | undefined {
    let first: number | undefined;
    for (const { openTransaction } of this.#producers.values()) {
      if (openTransaction !== undefined && !(openTransaction >= (first ?? Infinity))) first = openTransaction;
    }
    return first;
  }

  /** Aborted transactions that may have records in [`fromOffset`, `upToOffset`), in the order of their markers. */
  abortedBetween(fromOffset: number, upToOffset: number): AbortedTransaction[] {
    return this.#aborted.filter((t) => t.lastOffset >= fromOffset && t.firstOffset < upToOffset);
  }

  #state(producerId: bigint, epoch: number): ProducerState {
    let state = this.#producers.get(producerId);
    if (state === undefined) {
      state = { epoch, batches: [], openTransaction: undefined };
      this.#producers.set(producerId, state);
    } else if (state.epoch !== epoch) {
      state.epoch = epoch;
      state.batches = [];
    }
    return state;
  }

  #endTransaction(state: ProducerState, batch: RecordBatch): void {
    const type = controlType(batch);
    const firstOffset = state.openTransaction;
    if (type === undefined) return;
    state.openTransaction = undefined;
    if (type === 'commit' || firstOffset === undefined) return;
    this.#aborted.push({ producerId: batch.producerId, firstOffset, lastOffset: batch.lastOffset });
  }
}
