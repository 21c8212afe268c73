/** A transaction as the application sees it: what is written and committed in it, all of it or nothing (KIP-98).
 * Not here: identities and coordinators (transactional-producer.ts).
 * Invariants: once anything of it has failed it can only be aborted; it is ended once, with nothing of it on its way;
 * after an abort its source stands at the group's committed offsets, or the next transaction does not begin.
 */
import { KafkaError, UsageError } from '../../errors.ts';
import type { TransactionSource } from '../cluster/index.ts';
import { withStored } from './errors.ts';
import type { OutgoingMessage } from './message.ts';
import type { WriteReceipt } from './receipt.ts';
import type { OffsetToSend } from './transaction-coordinator.ts';
import { abortOnlyError } from './transaction-errors.ts';
import type { TransactionalProducer } from './transactional-producer.ts';

/** What a transaction needs of its Writer. */
export interface TransactionHost {
  readonly producer: TransactionalProducer;
  write(messages: OutgoingMessage | readonly OutgoingMessage[]): Promise<WriteReceipt>;
  /** Sends what is buffered; resolves when everything has its outcome. */
  delivered(): Promise<void>;
  /** Has everything fail that is not written yet. */
  giveUp(cause: KafkaError): void;
  /** Resolves when nothing is buffered or on its way. */
  idle(): Promise<void>;
  /** Keeps the process alive until the returned function is called. */
  holdOpen(): () => void;
  /** The transaction is over. `behind`: its source could not be brought back to its committed offsets. */
  ended(behind: TransactionSource | undefined): void;
}

/** One transaction of a Writer, from `beginTransaction` to `commit` or `abort`. */
export class Transaction implements AsyncDisposable {
  readonly #host: TransactionHost;
  readonly #source: TransactionSource | undefined;
  /** Writes and offsets without an outcome. */
  readonly #pending = new Set<Promise<unknown>>();
  #state: 'open' | 'committing' | 'ended' = 'open';
  /** Why it can only be aborted. */
  #doom: KafkaError | undefined;
  #offsets: Promise<unknown> = Promise.resolve();
  #committing: Promise<void> | undefined;
  #aborting: Promise<void> | undefined;

  /** `source`: what it reads from. */
  constructor(host: TransactionHost, source: TransactionSource | undefined) {
    this.#host = host;
    this.#source = source;
  }

  /** Whether `commit` or `abort` is over. */
  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** As `Writer.writeMessages`, in this transaction. The promise need not be awaited: `commit` waits for every write,
   * and after one that failed the transaction can only be aborted. */
  writeMessages(messages: OutgoingMessage | readonly OutgoingMessage[]): Promise<WriteReceipt> {
    return this.#follow(() => this.#host.write(messages));
  }

  /** Has the source's group go on at these offsets if the transaction is committed: per partition that of the next
   * record to read. Those of a partition that was revoked since its records were handed out are refused, and the
   * transaction can then only be aborted, as after any other failure.
   */
  sendOffsets(offsets: readonly OffsetToSend[]): Promise<void> {
    return this.#follow(async () => {
      const source = this.#source;
      if (source === undefined)
        throw new UsageError('sendOffsets needs a transaction that was begun with its source');
      if (offsets.length === 0) return;
      const owned = source.assertOwned(checked(offsets));
      const group = source.groupMetadata();
      // One after another: a repeated request must not bring older offsets back.
      const sent = this.#offsets.then(() => this.#host.producer.sendOffsets(group, owned));
      this.#offsets = sent.catch(() => undefined);
      await sent;
    });
  }

  /** Waits for every write and for the offsets, and makes all of it visible. Rejects when something failed, and the
   * transaction must then be aborted; or, with `stored` `'maybe'`, when nobody knows whether it was committed, or with
   * what ended the Writer, and it is over then.
   */
  async commit(): Promise<void> {
    this.#assertOpen();
    this.#state = 'committing';
    this.#committing = this.#commit();
    await this.#committing;
  }

  /** Gives up what was written, and brings the source back to the group's committed offsets. Rejects when the
   * coordinator did not answer in time, which the next transaction makes good, when the source could not be brought
   * back, or with what ended the Writer. Does nothing when the transaction is over.
   */
  abort(): Promise<void> {
    if (this.ended) return Promise.resolve();
    if (this.#state === 'committing')
      return Promise.reject(new UsageError('The transaction is being committed'));
    return (this.#aborting ??= this.#abort());
  }

  /** Waits for a commit that is under way, and aborts what was not ended. */
  async finish(): Promise<void> {
    // Whoever called commit hears of it.
    await this.#committing?.catch(() => undefined);
    await this.abort();
  }

  /** Aborts what was not ended. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }

  /** From now on it can only be aborted; what is not written yet fails. */
  doom(cause: KafkaError): void {
    if (this.#doom !== undefined) return;
    this.#doom = cause;
    this.#host.producer.stop(cause);
    this.#host.giveUp(cause);
  }

  async #commit(): Promise<void> {
    const { producer, delivered, ended, holdOpen } = this.#host;
    const release = holdOpen();
    try {
      await delivered();
      await Promise.allSettled(this.#pending);
      if (this.#doom !== undefined) throw abortOnlyError(this.#doom);
      await producer.end(true);
      this.#state = 'ended';
      ended(undefined);
    } catch (error) {
      const failure = withStored(error, producer.mayBeCommitted ? 'maybe' : 'no');
      this.doom(failure);
      if (producer.isOpen) this.#state = 'open';
      // What the group has committed tells what became of it.
      else await this.#rewind();
      throw failure;
    } finally {
      release();
    }
  }

  async #abort(): Promise<void> {
    const { producer, idle, holdOpen } = this.#host;
    const release = holdOpen();
    this.doom(new KafkaError('The transaction was aborted', { code: 'ABORTED' }));
    await Promise.allSettled(this.#pending);
    await idle();
    try {
      await producer.end(false);
    } finally {
      await this.#rewind().finally(release);
    }
  }

  /** The end of a transaction that was not committed for certain. */
  async #rewind(): Promise<void> {
    const { producer, ended } = this.#host;
    this.#state = 'ended';
    let behind = this.#source;
    try {
      const rewinding = behind?.rewindToCommitted();
      // Undecided offsets would keep it from its end: until the next transaction has seen to them, nothing is read.
      if (!producer.isDecided) return void rewinding?.catch(() => undefined);
      await rewinding;
      behind = undefined;
    } finally {
      ended(behind);
    }
  }

  #assertOpen(): void {
    if (this.#state !== 'open' || this.#aborting !== undefined)
      throw new UsageError(`The transaction ${this.ended ? 'is over' : 'is being ended'}`, { stored: 'no' });
  }

  /** Does a part of the transaction, which fails as a whole when the part does. Nobody need wait for the part. */
  #follow<T>(work: () => Promise<T>): Promise<T> {
    const release = this.#host.holdOpen();
    const part = this.#part(work);
    this.#pending.add(part);
    const done = (): void => {
      this.#pending.delete(part);
      release();
    };
    part.then(done, (error: unknown) => {
      done();
      this.doom(error instanceof KafkaError ? error : new KafkaError(String(error), { cause: error }));
    });
    return part;
  }

  async #part<T>(work: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    if (this.#doom !== undefined) throw abortOnlyError(this.#doom);
    return work();
  }
}

/** Throws a UsageError for what is no offset. */
function checked(offsets: readonly OffsetToSend[]): readonly OffsetToSend[] {
  for (const each of offsets) {
    const { topic, partition, offset }: Partial<OffsetToSend> = each ?? {};
    const isGood = typeof topic === 'string' && Number.isInteger(partition);
    if (isGood && Number.isSafeInteger(offset) && (offset ?? -1) >= 0) continue;
    throw new UsageError('sendOffsets takes { topic, partition, offset }, offset from 0 to 2^53-1');
  }
  return offsets;
}
