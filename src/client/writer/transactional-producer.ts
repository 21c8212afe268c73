/** The identity of a transactional Writer, and what its coordinator has been told of the transaction that is open.
 * Not here: the writes of a transaction and how it ends for the application (transaction.ts), requests
 * (transaction-coordinator.ts).
 * Invariants: an identity that some late request could still touch is not used for another transaction (B8); outside
 * a transaction, and once it can only be aborted, no batch goes out.
 * Source: KIP-98, KIP-360, KIP-890.
 */
import { BrokerError, KafkaError } from '../../errors.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { GroupMetadata, TopicPartition } from '../cluster/index.ts';
import type { Producer, ProducerIdentity, TransactionGate } from './producer-id.ts';
import {
  TransactionCoordinator,
  type OffsetToSend,
  type TransactionCluster,
} from './transaction-coordinator.ts';
import { isFatal } from './transaction-errors.ts';

/** Told when the open transaction can only be aborted. */
export type OnDoomed = (cause: KafkaError) => void;

/** The level of `transaction.version` from which brokers add to a transaction what is written in it. */
const implicitLevel = 2;

/** Highest version of Produce that adds nothing to a transaction. */
const explicitProduceVersion = 11;

/** What has to be done before the next transaction: nothing, a new epoch, or first the end of the last one. */
type Debt = 'none' | 'epoch' | 'end';

/** What a transaction has told its coordinator. */
interface Open {
  readonly identity: ProducerIdentity;
  /** Whether brokers add by themselves (TV2). Fixed for the transaction. */
  readonly implicit: boolean;
  readonly onDoomed: OnDoomed;
  /** Aborts when no more is to be added. */
  readonly stop: AbortController;
  /** The coordinator may know of it. */
  started: boolean;
  readonly added: Set<TopicPartition>;
  readonly wanted: Set<TopicPartition>;
  adding: Promise<void> | undefined;
  readonly groups: Set<string>;
}

/** Identity and coordinator of one transactional id. */
export class TransactionalProducer implements Producer {
  readonly gate: TransactionGate;
  readonly #cluster: TransactionCluster;
  readonly #coordinator: TransactionCoordinator;
  readonly #life = new AbortController();
  readonly #onReady: () => void;
  #identity: ProducerIdentity | undefined;
  /** The commit that was asked for last may have come through although no answer says so. */
  mayBeCommitted = false;
  #debt: Debt = 'epoch';
  #open: Open | undefined;
  #fatal: KafkaError | undefined;

  /** `onReady` is told when a partition that had to wait may be sent to. */
  constructor(cluster: TransactionCluster, transactionalId: string, timeoutMs: number, onReady: () => void) {
    this.#cluster = cluster;
    this.#onReady = onReady;
    this.#coordinator = new TransactionCoordinator(cluster, transactionalId, timeoutMs, this.#life.signal);
    this.gate = {
      transactionalId,
      maxProduceVersion: () => (this.#open?.implicit === true ? undefined : explicitProduceVersion),
      ready: (partition) => this.#ready(partition),
      failed: (cause) => this.#doom(cause),
    };
  }

  /** Undefined outside a transaction. */
  get current(): ProducerIdentity | undefined {
    return this.#open?.stop.signal.aborted === false ? this.#open.identity : undefined;
  }

  /** Whether a transaction is open. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Whether the coordinator has answered for the last transaction. */
  get isDecided(): boolean {
    return this.#debt !== 'end';
  }

  /** Why the Writer is of no use any more; undefined while it is. */
  get fatal(): KafkaError | undefined {
    return this.#fatal;
  }

  /** A transaction brings its identity; none is asked for in between. */
  request(): void {
    // `begin` has done it.
  }

  /** A partition's sequences were lost under this identity: never mended inside a transaction (B4). */
  leave(): void {
    this.#doom(
      new KafkaError('A batch of the transaction lost its place in the sequence', { code: 'BROKER' }),
    );
  }

  /** Opens a transaction, under a new identity where the last one must not be used again. Rejects with what stands in
   * the way, as long as it does, or with what ended the Writer. */
  async begin(onDoomed: OnDoomed): Promise<void> {
    if (this.#fatal !== undefined) throw this.#fatal;
    try {
      if (this.#debt === 'end' && this.#identity !== undefined)
        await this.#end(this.#identity, false, this.#isImplicit());
      if (this.#debt === 'epoch' || this.#identity === undefined) {
        this.#identity = await this.#coordinator.init(this.#identity);
        this.#debt = 'none';
      }
    } catch (error) {
      // Nothing is open: but for a fenced one it may be tried again.
      throw error instanceof KafkaError && error.code === 'FENCED' ? this.#noted(error) : error;
    }
    this.#coordinator.forget();
    this.#open = {
      identity: this.#identity,
      implicit: this.#isImplicit(),
      onDoomed,
      stop: new AbortController(),
      started: false,
      added: new Set(),
      wanted: new Set(),
      adding: undefined,
      groups: new Set(),
    };
  }

  /** Nothing more is added to the transaction. */
  stop(cause: KafkaError): void {
    this.#open?.stop.abort(cause);
  }

  /** Has offsets committed with the transaction. */
  async sendOffsets(group: GroupMetadata, offsets: readonly OffsetToSend[]): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    const { identity, implicit, groups } = open;
    const { signal } = open.stop;
    open.started = true;
    try {
      if (!implicit && !groups.has(group.groupId)) {
        await this.#coordinator.addOffsets(identity, group.groupId, signal);
        groups.add(group.groupId);
      }
      await this.#coordinator.commitOffsets(identity, group, offsets, implicit, signal);
    } catch (error) {
      throw this.#noted(error);
    }
  }

  /** Ends the transaction, of which nothing is on its way any more. A commit that is refused leaves it open for an
   * abort; after any other failure it is over, and `stored` says whether it may have been committed. */
  async end(committed: boolean): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    await open.adding;
    this.mayBeCommitted = false;
    try {
      if (this.#fatal !== undefined) throw this.#fatal;
      if (open.started) await this.#end(open.identity, committed, open.implicit);
    } catch (error) {
      const failure = this.#noted(error);
      if (committed && failure instanceof BrokerError && this.#fatal === undefined) throw failure;
      this.#open = undefined;
      throw failure;
    }
    this.#open = undefined;
  }

  /** Ends every call at once. */
  close(reason: Error): void {
    this.#life.abort(reason);
  }

  #isImplicit(): boolean {
    return this.#cluster.featureLevel('transaction.version') >= implicitLevel;
  }

  /** EndTxn, and what follows from its answer for the next transaction. */
  async #end(identity: ProducerIdentity, committed: boolean, implicit: boolean): Promise<void> {
    const coordinator = this.#coordinator;
    const wasUnsure = coordinator.unsure;
    coordinator.forget();
    this.#debt = 'end';
    const next = await coordinator.end(identity, committed, implicit).catch((error: unknown) => {
      this.mayBeCommitted = committed && coordinator.unsure;
      // Nothing to abort: it was not begun, or its commit had come through.
      const isOver = error instanceof BrokerError && error.errorCode === ErrorCodes.INVALID_TXN_STATE;
      if (committed || !isOver) throw error;
      return undefined;
    });
    this.#identity = next ?? identity;
    // An epoch for each transaction comes with the answer (KIP-890). Without that, one that was aborted, or of which a
    // request may still arrive, is fenced off by a new one (W7, W10).
    const isTouched = implicit || !committed || wasUnsure || coordinator.unsure;
    this.#debt = next === undefined && isTouched ? 'epoch' : 'none';
  }

  /** Whether a batch of the partition may go out now; if not, sees to it that `onReady` says when. */
  #ready(partition: TopicPartition): boolean {
    const open = this.#open;
    if (open === undefined || open.stop.signal.aborted) return false;
    if (open.implicit || open.added.has(partition)) {
      open.started = true;
      return true;
    }
    open.wanted.add(partition);
    open.adding ??= this.#add(open).finally(() => {
      open.adding = undefined;
    });
    return false;
  }

  /** Adds what is wanted, and what comes to be wanted meanwhile. Never rejects. */
  async #add(open: Open): Promise<void> {
    const { identity, wanted, added, stop } = open;
    // All partitions that are asked for in one turn share a request.
    await Promise.resolve();
    while (wanted.size > 0 && !stop.signal.aborted) {
      const partitions = [...wanted];
      wanted.clear();
      open.started = true;
      try {
        await this.#coordinator.addPartitions(identity, partitions, stop.signal);
      } catch (error) {
        return this.#doom(this.#noted(error));
      }
      for (const partition of partitions) added.add(partition);
      this.#onReady();
    }
  }

  #doom(cause: KafkaError): void {
    const open = this.#open;
    if (open === undefined || open.stop.signal.aborted) return;
    open.stop.abort(cause);
    open.onDoomed(cause);
  }

  /** Remembers what ends the Writer. */
  #noted(error: unknown): KafkaError {
    const failure = error instanceof KafkaError ? error : new KafkaError(String(error), { cause: error });
    if (isFatal(failure)) {
      this.#fatal ??= failure;
      const { message } = failure;
      this.#cluster.logger.error?.('the transactional writer cannot go on', { reason: message });
    }
    return failure;
  }
}
