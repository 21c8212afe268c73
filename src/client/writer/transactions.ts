/** The transactions of a Writer, one at a time, and the Writer's end for them.
 * Not here: what is in one (transaction.ts).
 * Invariant: the next one begins when the last is over and its source stands where the group has committed.
 */
import { KafkaError, UsageError } from '../../errors.ts';
import { closedError, withDeadline, type TransactionSource } from '../cluster/index.ts';
import type { Accumulator, WriterContext } from './accumulator.ts';
import type { Admission } from './admission.ts';
import { withStored } from './errors.ts';
import { Transaction, type TransactionHost } from './transaction.ts';
import type { TransactionalProducer } from './transactional-producer.ts';

/** How to begin a transaction. */
export interface BeginTransactionOptions {
  /** What the transaction reads from: a Reader in a group. Required for `sendOffsets`. After anything but a commit it
   * goes back to the group's committed offsets. Once it is a source it commits nothing by itself. */
  readonly source?: TransactionSource | undefined;
}

/** How to run a transaction. */
export interface TransactionOptions extends BeginTransactionOptions {
  /** From then on the transaction can only be aborted, unless its commit was already asked for. */
  readonly signal?: AbortSignal | undefined;
}

/** What transactions need of their Writer. */
export interface TransactionsContext extends WriterContext {
  readonly admission: Admission;
  readonly accumulator: Accumulator;
  readonly write: TransactionHost['write'];
}

/** Begins and runs transactions. */
export class Transactions {
  readonly #context: TransactionsContext;
  readonly #producer: TransactionalProducer;
  #current: Transaction | undefined;
  /** Sources that could not be brought back to their committed offsets. */
  readonly #behind = new Set<TransactionSource>();

  constructor(context: TransactionsContext, producer: TransactionalProducer) {
    this.#context = context;
    this.#producer = producer;
  }

  /** Rejects with a `UsageError` while another one is open. */
  async begin({ source }: BeginTransactionOptions = {}): Promise<Transaction> {
    if (this.#current !== undefined)
      throw new UsageError('A writer has one transaction at a time: end the other one first');
    const transaction = new Transaction(this.#host(), source);
    this.#current = transaction;
    const release = this.#context.cluster.holdOpen();
    try {
      source?.assertOwned([]);
      await this.#producer.begin((cause) => transaction.doom(cause));
      // Now that the transaction before is decided.
      for (const behind of this.#behind) {
        await behind.rewindToCommitted();
        this.#behind.delete(behind);
      }
    } catch (error) {
      await this.#producer.end(false).catch(() => undefined); // nothing is in it
      this.#current = undefined;
      throw error;
    } finally {
      release();
    }
    return transaction;
  }

  /** Commits when `work` resolves, aborts when it rejects. */
  async run<T>(work: (transaction: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { signal } = options;
    const aborted = (): KafkaError =>
      new KafkaError('The transaction was aborted by its signal', { code: 'ABORTED', cause: signal?.reason });
    if (signal?.aborted) throw aborted();
    const transaction = await this.begin(options);
    const giveUp = (): void => transaction.doom(aborted());
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
    try {
      const result = await work(transaction);
      if (!transaction.ended) await transaction.commit();
      return result;
    } catch (error) {
      await this.#abort(transaction);
      const { fatal } = this.#producer;
      if (fatal === undefined || (error instanceof KafkaError && error.code === fatal.code)) throw error;
      throw new KafkaError(fatal.message, { code: fatal.code, stored: 'no', cause: error });
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Aborts what is open, within the limit, and lets no other begin. Never rejects. */
  async close(limitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { platform, logger } = this.#context.cluster;
    const late = (): Error => closedError('The writer');
    try {
      if (this.#current !== undefined)
        await withDeadline(platform, this.#current.finish(), limitMs, late, signal);
    } catch (error) {
      logger.warn?.('closed with a transaction that the coordinator has to end', { reason: String(error) });
    }
    this.#producer.close(closedError('The writer'));
  }

  /** What is not undone here, the next transaction undoes before it begins. */
  async #abort(transaction: Transaction): Promise<void> {
    try {
      await transaction.abort();
    } catch (error) {
      this.#context.cluster.logger.warn?.('a transaction was not aborted in order', {
        reason: String(error),
      });
    }
  }

  #host(): TransactionHost {
    const { admission, accumulator, cluster, write } = this.#context;
    return {
      producer: this.#producer,
      write,
      delivered: () => admission.delivered(),
      idle: () => accumulator.idle(),
      holdOpen: () => cluster.holdOpen(),
      giveUp: (cause) => {
        admission.refuseAll(withStored(cause, 'no'));
        accumulator.expire(({ lastError, stored }) => withStored(lastError ?? cause, stored));
      },
      ended: (behind) => {
        this.#current = undefined;
        if (behind !== undefined) this.#behind.add(behind);
      },
    };
  }
}
