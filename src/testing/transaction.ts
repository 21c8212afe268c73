/** One transactional id as its coordinator keeps it: the producer's id and epoch, and the transaction that it has open.
 * Not here: timers, markers and who may ask (transactions.ts).
 * Invariant: a method that answers an error code other than 0 has changed nothing.
 * Source: Kafka's TransactionMetadata and TransactionCoordinator of 4.3 (KIP-98, 360, 890) decide every transition.
 */
import { ErrorCodes } from '../protocol/error-codes.ts';

/** Kafka's names of the states. */
export type TransactionState =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort';

/** Who a producer says it is. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A partition by its topic's name. */
export type NamedPartition = readonly [topic: string, partition: number];

/** The epoch that only fencing gives: no producer works with it. */
const lastEpoch = 32_767;
const none = -1n;

/** A transactional id. `newProducerId` gives ids when one has used up its epochs. */
export class Transaction {
  readonly transactionalId: string;
  state: TransactionState = 'Empty';
  producerId: bigint;
  /** -1 until the first InitProducerId is through. */
  producerEpoch = -1;
  timeoutMs = 0;
  /** When the open transaction began, in milliseconds since 1970; -1 without one. */
  startMs = -1;
  /** How often its coordinator changed; markers tell it. */
  coordinatorEpoch = 0;
  /** Partitions by topic; while the transaction ends, those that wait for their marker. */
  readonly partitions: Map<string, Set<number>> = new Map();
  readonly #newProducerId: () => bigint;
  #nextProducerId = none;
  /** Id before the last transition, and epoch before the last that the producer asked for: a retry may name them. */
  #previousProducerId = none;
  #previousEpoch = -1;

  constructor(transactionalId: string, newProducerId: () => bigint) {
    this.transactionalId = transactionalId;
    this.producerId = newProducerId();
    this.#newProducerId = newProducerId;
  }

  /** Whether it was decided and its markers are not all written. */
  get isEnding(): boolean {
    return this.state === 'PrepareCommit' || this.state === 'PrepareAbort';
  }

  /** With what the producer goes on once this transaction has ended. */
  get next(): ProducerIdentity {
    const { producerId, producerEpoch } = this;
    return this.#nextProducerId === none
      ? { producerId, producerEpoch }
      : { producerId: this.#nextProducerId, producerEpoch: 0 };
  }

  /** Raises the epoch for a producer that begins, or that goes on as `expected` (KIP-360). An open transaction must
   * be fenced first: CONCURRENT_TRANSACTIONS.
   */
  init(timeoutMs: number, expected: ProducerIdentity | undefined): number {
    if (this.isEnding) return ErrorCodes.CONCURRENT_TRANSACTIONS;
    if (expected !== undefined && !this.#isOwn(expected)) return ErrorCodes.PRODUCER_FENCED;
    if (this.state === 'Ongoing') return ErrorCodes.CONCURRENT_TRANSACTIONS;
    const error = this.#raise(expected?.producerEpoch);
    if (error !== 0) return error;
    this.state = 'Empty';
    this.timeoutMs = timeoutMs;
    this.startMs = -1;
    this.partitions.clear();
    return 0;
  }

  /** Adds partitions, the first of which open the transaction. */
  add(producer: ProducerIdentity, partitions: readonly NamedPartition[], nowMs: number): number {
    if (this.isEnding) return ErrorCodes.CONCURRENT_TRANSACTIONS;
    const error = this.#identityError(producer);
    if (error !== 0) return error;
    if (this.state !== 'Ongoing') this.startMs = nowMs;
    this.state = 'Ongoing';
    this.#previousProducerId = this.producerId;
    for (const [topic, partition] of partitions) {
      const known = this.partitions.get(topic);
      if (known === undefined) this.partitions.set(topic, new Set([partition]));
      else known.add(partition);
    }
    return 0;
  }

  /** Whether a partition is in the open transaction: 0 or the error code. */
  verify(producer: ProducerIdentity, [topic, partition]: NamedPartition): number {
    const error = this.#identityError(producer);
    if (error !== 0) return error;
    if (this.isEnding) return ErrorCodes.CONCURRENT_TRANSACTIONS;
    return this.partitions.get(topic)?.has(partition) === true ? 0 : ErrorCodes.TRANSACTION_ABORTABLE;
  }

  /** Decides the open transaction. undefined: it ends now, and markers are to be written; 0: it had ended so already.
   * `bumps`: EndTxn v5 or later, which raises the epoch and knows a retry by it.
   */
  end(producer: ProducerIdentity, isCommit: boolean, bumps: boolean): number | undefined {
    const { state } = this;
    const isDone = state === 'CompleteCommit' || state === 'CompleteAbort';
    const wasCommit = state === 'CompleteCommit';
    if (!bumps) {
      const error = this.#identityError(producer);
      if (error !== 0) return error;
      if (this.isEnding) return ErrorCodes.CONCURRENT_TRANSACTIONS;
      if (state === 'Ongoing') return this.#decide(isCommit, false);
      return isDone && wasCommit === isCommit ? 0 : ErrorCodes.INVALID_TXN_STATE;
    }
    if (this.isEnding) return ErrorCodes.CONCURRENT_TRANSACTIONS;
    const { producerId, producerEpoch } = producer;
    const isOverflow =
      this.#previousProducerId === producerId && producerEpoch === lastEpoch - 1 && this.producerEpoch === 0;
    const isRetry = isDone && (isOverflow || this.producerEpoch === producerEpoch + 1);
    if (this.producerId !== producerId && !isOverflow) return ErrorCodes.INVALID_PRODUCER_ID_MAPPING;
    if (producerEpoch !== this.producerEpoch && !isRetry) return ErrorCodes.PRODUCER_FENCED;
    if (state === 'Ongoing') return this.#decide(isCommit, true);
    if (isRetry) return wasCommit === isCommit ? 0 : ErrorCodes.INVALID_TXN_STATE;
    // A producer may abort a transaction that has nothing in it, for the sake of the epoch.
    return isCommit ? ErrorCodes.INVALID_TXN_STATE : this.#decide(false, true);
  }

  /** Aborts the open transaction for a new producer or for its age, and shuts its producer out. */
  fence(bumps: boolean): void {
    this.#decide(false, bumps);
    if (bumps) return;
    this.producerEpoch = Math.min(this.producerEpoch + 1, lastEpoch);
    this.#previousEpoch = -1;
  }

  /** All markers are written. */
  complete(): void {
    const { producerId, producerEpoch } = this.next;
    this.#previousProducerId = this.producerId;
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.#nextProducerId = none;
    this.partitions.clear();
    this.state = this.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort';
  }

  #decide(isCommit: boolean, bumps: boolean): undefined {
    this.state = isCommit ? 'PrepareCommit' : 'PrepareAbort';
    this.#previousProducerId = this.producerId;
    if (!bumps) return;
    if (this.producerEpoch >= lastEpoch - 1) this.#nextProducerId = this.#newProducerId();
    this.#previousEpoch = this.producerEpoch;
    this.producerEpoch = Math.min(this.producerEpoch + 1, lastEpoch);
  }

  /** Whether `expected` may be this producer: the id just made, its own, or one before whose epochs are used up. */
  #isOwn({ producerId, producerEpoch }: ProducerIdentity): boolean {
    if (this.producerEpoch === -1 || producerId === this.producerId) return true;
    return producerId === this.#previousProducerId && producerEpoch >= lastEpoch - 1;
  }

  #raise(expectedEpoch: number | undefined): number {
    const current = this.producerEpoch;
    const isExhausted = current >= lastEpoch - 1;
    if (isExhausted && (expectedEpoch ?? current) === current) {
      this.#previousProducerId = this.producerId;
      this.#previousEpoch = expectedEpoch === undefined ? -1 : current;
      this.producerId = this.#newProducerId();
      this.producerEpoch = 0;
      return 0;
    }
    if (isExhausted) return ErrorCodes.UNKNOWN_SERVER_ERROR;
    const isCurrent = expectedEpoch === undefined || current === -1 || expectedEpoch === current;
    // The answer to a raise may be lost: who names the epoch before gets the same answer again.
    if (!isCurrent && expectedEpoch !== this.#previousEpoch) return ErrorCodes.PRODUCER_FENCED;
    this.#previousProducerId = this.producerId;
    if (!isCurrent) return 0;
    this.#previousEpoch = expectedEpoch === undefined ? -1 : current;
    this.producerEpoch = current + 1;
    return 0;
  }

  #identityError({ producerId, producerEpoch }: ProducerIdentity): number {
    if (producerId !== this.producerId) return ErrorCodes.INVALID_PRODUCER_ID_MAPPING;
    return producerEpoch === this.producerEpoch ? 0 : ErrorCodes.PRODUCER_FENCED;
  }
}
