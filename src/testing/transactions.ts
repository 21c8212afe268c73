/** The transactions of a cluster: what their coordinators do, whichever broker coordinates which.
 * Not here: the states of one (transaction.ts), which broker answers (coordinators.ts), requests (handlers).
 * Invariant: a transaction that was decided ends: its markers are written as soon as each partition has a leader.
 * Source: Kafka's TransactionCoordinator and TransactionMarkerChannelManager.
 */
import type { Platform, Timer } from '../platform.ts';
import { ErrorCodes } from '../protocol/error-codes.ts';
import type { EndMarkerInput } from '../protocol/records/control.ts';
import { Transaction, type NamedPartition, type ProducerIdentity } from './transaction.ts';
import type { Watched } from './wait.ts';

/** What the coordinators need of their cluster. */
export interface TransactionHost {
  readonly platform: Platform;
  /** `transaction.max.timeout.ms`. */
  readonly maxTimeoutMs: number;
  /** How long after its decision a transaction's markers are written. */
  readonly markerDelayMs: number;
  /** Whether transaction.version is 2 or more: an epoch for every transaction. */
  readonly bumps: boolean;
  newProducerId(): bigint;
  /** Writes a marker to a partition. Without a leader: what to watch until there is one, and nothing is written. */
  writeMarker(partition: NamedPartition, marker: EndMarkerInput): Watched | undefined;
}

/** What InitProducerId comes to. */
export type InitResult = ProducerIdentity | number;

/** The transactional ids of a cluster, in the order they came. */
export class Transactions {
  readonly #host: TransactionHost;
  readonly #transactions = new Map<string, Transaction>();
  /** Until an open transaction is aborted for its age, or until markers are written. */
  readonly #timers = new Map<Transaction, Timer>();
  /** Stops waiting for partitions without a leader. */
  readonly #waits = new Map<Transaction, () => void>();

  constructor(host: TransactionHost) {
    this.#host = host;
  }

  get all(): Transaction[] {
    return [...this.#transactions.values()];
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#transactions.get(transactionalId);
  }

  /** Gives a producer its id and epoch and fences the one before, or an error code. */
  init(transactionalId: string, timeoutMs: number, expected: ProducerIdentity | undefined): InitResult {
    if (timeoutMs <= 0 || timeoutMs > this.#host.maxTimeoutMs) return ErrorCodes.INVALID_TRANSACTION_TIMEOUT;
    let transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined) {
      transaction = new Transaction(transactionalId, () => this.#host.newProducerId());
      this.#transactions.set(transactionalId, transaction);
    }
    const error = transaction.init(timeoutMs, expected);
    if (error === 0) return transaction.next;
    // The producer asks again until the transaction it found open is aborted.
    if (error === ErrorCodes.CONCURRENT_TRANSACTIONS && transaction.state === 'Ongoing')
      this.#fence(transaction);
    return error;
  }

  /** Adds partitions to the open transaction or opens one: 0 or the error code. */
  add(transactionalId: string, producer: ProducerIdentity, partitions: readonly NamedPartition[]): number {
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined) return ErrorCodes.INVALID_PRODUCER_ID_MAPPING;
    const wasOpen = transaction.state === 'Ongoing';
    const error = transaction.add(producer, partitions, Math.floor(this.#host.platform.now()));
    if (error === 0 && !wasOpen) {
      const fence = (): void => this.#fence(transaction);
      this.#timers.set(transaction, this.#host.platform.setTimer(transaction.timeoutMs, fence));
    }
    return error;
  }

  /** Whether a partition is in the open transaction: 0 or the error code. */
  verify(transactionalId: string, producer: ProducerIdentity, partition: NamedPartition): number {
    const transaction = this.#transactions.get(transactionalId);
    return transaction?.verify(producer, partition) ?? ErrorCodes.INVALID_PRODUCER_ID_MAPPING;
  }

  /** Commits or aborts: with what the producer goes on, or the error code. `bumps`: EndTxn v5 or later. */
  end(transactionalId: string, producer: ProducerIdentity, isCommit: boolean, bumps: boolean): InitResult {
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined) return ErrorCodes.INVALID_PRODUCER_ID_MAPPING;
    const result = transaction.end(producer, isCommit, bumps);
    if (result === undefined) this.#finish(transaction);
    return result === undefined || result === 0 ? transaction.next : result;
  }

  /** Stops every timer; nothing is written any more. */
  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    for (const stop of this.#waits.values()) stop();
  }

  #fence(transaction: Transaction): void {
    transaction.fence(this.#host.bumps);
    this.#finish(transaction);
  }

  #finish(transaction: Transaction): void {
    this.#timers.get(transaction)?.cancel();
    this.#timers.delete(transaction);
    const { markerDelayMs, platform } = this.#host;
    if (markerDelayMs === 0) this.#writeMarkers(transaction);
    else
      this.#timers.set(
        transaction,
        platform.setTimer(markerDelayMs, () => this.#writeMarkers(transaction)),
      );
  }

  #writeMarkers(transaction: Transaction): void {
    const { producerId, producerEpoch, coordinatorEpoch, partitions } = transaction;
    const marker: EndMarkerInput = {
      type: transaction.state === 'PrepareCommit' ? 'commit' : 'abort',
      coordinatorEpoch,
      producerId,
      producerEpoch,
      timestamp: Math.floor(this.#host.platform.now()),
    };
    const leaderless: Watched[] = [];
    for (const [topic, indexes] of partitions) {
      for (const index of indexes) {
        const watched = this.#host.writeMarker([topic, index], marker);
        if (watched === undefined) indexes.delete(index);
        else leaderless.push(watched);
      }
      if (indexes.size === 0) partitions.delete(topic);
    }
    if (leaderless.length === 0) transaction.complete();
    else this.#await(transaction, leaderless);
  }

  /** Writes the rest once one of the partitions has changed. */
  #await(transaction: Transaction, leaderless: readonly Watched[]): void {
    const stop = (): void => {
      for (const { watchers } of leaderless) watchers.delete(retry);
      this.#waits.delete(transaction);
    };
    const retry = (): void => {
      stop();
      this.#writeMarkers(transaction);
    };
    for (const { watchers } of leaderless) watchers.add(retry);
    this.#waits.set(transaction, stop);
  }
}
