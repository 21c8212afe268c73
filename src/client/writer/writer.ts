/** The producer: the calls of the application, from validation to the receipt, and the end of it all.
 * Not here: batches (accumulator.ts), order (admission.ts, partition-queue.ts), requests (sender.ts).
 * Invariants: a call is validated as a whole before anything of it is encoded (W1); after `close` every call rejects
 * with `CLOSED`, and nothing of the Writer keeps the process alive.
 */
import { KafkaError, UsageError } from '../../errors.ts';
import {
  acquireCluster,
  closedError,
  integerOption,
  maxTimerMs,
  withDeadline,
  type ClusterLease,
} from '../cluster/index.ts';
import { Accumulator, type WriterContext } from './accumulator.ts';
import { Admission } from './admission.ts';
import { Alarm } from './alarm.ts';
import { withStored } from './errors.ts';
import { checkMessage, type OutgoingMessage } from './message.ts';
import { resolveSettings, type WriterOptions } from './options.ts';
import { ProducerId, type Producer } from './producer-id.ts';
import type { WriteReceipt } from './receipt.ts';
import { Sender } from './sender.ts';
import type { Transaction } from './transaction.ts';
import { TransactionalProducer } from './transactional-producer.ts';
import { Transactions, type BeginTransactionOptions, type TransactionOptions } from './transactions.ts';
import { StatsCounter, type WriterStats } from './stats.ts';

/** How to wait for a call. */
export interface WriteOptions {
  /** Gives up waiting: what was not sent yet is taken back and never sent, the rest is `stored: 'maybe'`. */
  readonly signal?: AbortSignal | undefined;
}

/** How to close. */
export interface CloseOptions {
  /** Milliseconds for what is not delivered yet, 0 to 2147483647, default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Ends the waiting at once. */
  readonly signal?: AbortSignal | undefined;
}

/** Writes messages to topics. Does nothing until the first call. */
export class Writer {
  readonly #lease: ClusterLease;
  readonly #context: WriterContext;
  readonly #accumulator: Accumulator;
  readonly #admission: Admission;
  readonly #producer: Producer | undefined;
  readonly #transactions: Transactions | undefined;
  #closing: Promise<void> | undefined;

  /** Does no I/O. Throws a `UsageError` that names a wrong option. */
  constructor(options: WriterOptions) {
    const settings = resolveSettings(options);
    this.#lease = acquireCluster(options);
    const { cluster } = this.#lease;
    const alarm = new Alarm(cluster.platform, () => this.#tick());
    this.#context = { cluster, settings, stats: new StatsCounter(), alarm };
    const { transactionalId, transactionTimeoutMs: limitMs } = settings;
    const transactional =
      transactionalId === undefined
        ? undefined
        : new TransactionalProducer(cluster, transactionalId, limitMs, () => this.#accumulator.onWake());
    this.#producer =
      transactional ??
      (settings.idempotent
        ? new ProducerId(cluster, alarm, (refusal) => this.#identified(refusal))
        : undefined);
    const accumulator = new Accumulator(this.#context, this.#producer);
    const admission = new Admission(this.#context, accumulator);
    this.#accumulator = accumulator;
    this.#admission = admission;
    if (transactional !== undefined) {
      const write = (messages: OutgoingMessage | readonly OutgoingMessage[]): Promise<WriteReceipt> =>
        this.#write(messages, undefined);
      const context = { ...this.#context, admission, accumulator, write };
      this.#transactions = new Transactions(context, transactional);
    }
    const sender = new Sender(this.#context, this.#accumulator);
    this.#accumulator.onWake = () => sender.wake();
  }

  /** Writes one message or several, and resolves when all have been written as `requiredAcks` asks.
   * Messages, with their bytes, must not change until then. A call larger than `maxBufferedBytes` is let in piece by
   * piece. Rejects with `WriteErrors`, whose entries say for each message what went wrong and whether it may be
   * stored, or with a `UsageError` of code `CLOSED`.
   */
  writeMessages(
    messages: OutgoingMessage | readonly OutgoingMessage[],
    { signal }: WriteOptions = {},
  ): Promise<WriteReceipt> {
    const transactional = this.#outside();
    return transactional === undefined ? this.#write(messages, signal) : Promise.reject(transactional);
  }

  /** Runs `work` in a transaction: commits when it resolves, aborts when it rejects, and returns or throws what it did.
   * See `Transaction` for what a commit may come to. Rejects with code `FENCED` when another Writer has taken the
   * transactional id over: this one is of no use any more.
   */
  transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.#inTransactions((transactions) => transactions.run(work, options));
  }

  /** Begins a transaction that the caller ends. Rejects as `transaction`, and with a `UsageError` while another one is
   * open: a Writer has one at a time. */
  beginTransaction(options: BeginTransactionOptions = {}): Promise<Transaction> {
    return this.#inTransactions((transactions) => transactions.begin(options));
  }

  #inTransactions<T>(work: (transactions: Transactions) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closedError('The writer'));
    const transactions = this.#transactions;
    return transactions === undefined
      ? Promise.reject(new UsageError('A transaction needs a Writer with a transactionalId'))
      : work(transactions);
  }

  /** Why a message cannot be written outside a transaction. */
  #outside(): UsageError | undefined {
    if (this.#transactions === undefined) return undefined;
    const text =
      'A Writer with a transactionalId writes in transactions: transaction() or beginTransaction()';
    return new UsageError(text, { stored: 'no' });
  }

  #write(
    messages: OutgoingMessage | readonly OutgoingMessage[],
    signal: AbortSignal | undefined,
  ): Promise<WriteReceipt> {
    if (this.#closing !== undefined) return Promise.reject(closedError('The writer', 'no'));
    const list = Array.isArray(messages)
      ? (messages as readonly OutgoingMessage[])
      : [messages as OutgoingMessage];
    const { settings } = this.#context;
    let faults: Map<number, KafkaError> | undefined;
    for (let index = 0; index < list.length; index++) {
      const fault = checkMessage(list[index] as OutgoingMessage, index, settings);
      if (fault !== undefined) (faults ??= new Map()).set(index, fault);
    }
    const call = this.#admission.call(list);
    const outcome = call.outcome();
    if (list.length === 0) call.recordsSettled(0, false);
    else if (faults !== undefined) {
      const spared = new UsageError('Not sent: another message of the call was refused', { stored: 'no' });
      this.#admission.refuse(call, spared, faults);
    } else if (signal?.aborted) this.#admission.giveUp(call, signal.reason);
    else {
      this.#begin();
      if (signal !== undefined) {
        const giveUp = (): void => this.#admission.giveUp(call, signal.reason);
        const done = (): void => signal.removeEventListener('abort', giveUp);
        signal.addEventListener('abort', giveUp);
        outcome.then(done, done);
      }
      this.#admission.enter(call);
    }
    return outcome;
  }

  /** Takes a message without waiting for its outcome, which `completion`, the logger and `stats` tell.
   * Returns a promise only when the message has to wait for room: await it before the next one, and keep the
   * message's bytes as they are until then. Throws, or rejects, with a typed error for a message that is refused; with
   * `BUFFER_FULL` for want of room where `whenFull` is `'fail'`.
   */
  enqueue(message: OutgoingMessage): undefined | Promise<void> {
    if (this.#closing !== undefined) throw closedError('The writer', 'no');
    const transactional = this.#outside();
    if (transactional !== undefined) throw transactional;
    const fault = checkMessage(message, 0, this.#context.settings);
    if (fault !== undefined) throw fault;
    this.#begin();
    return this.#admission.enqueue(message);
  }

  /** Sends what is buffered without waiting for company, and resolves when every message taken so far has its outcome;
   * which one, the calls themselves or `completion` tell. Rejects when the signal ends the waiting, or with `CLOSED`.
   */
  async flush({ signal }: WriteOptions = {}): Promise<void> {
    if (this.#closing !== undefined) throw closedError('The writer');
    try {
      await this.#flush(maxTimerMs, signal);
    } catch (cause) {
      throw new KafkaError('The flush was aborted by its signal', { code: 'ABORTED', cause });
    }
  }

  /** What was written and what waits, since the Writer was made and since the last look. */
  stats(): WriterStats {
    const { settings, stats } = this.#context;
    const { topic, idempotent, requiredAcks } = settings;
    const { bufferedBytes, pending: pendingMessages } = this.#accumulator;
    return { topic, idempotent, requiredAcks, bufferedBytes, pendingMessages, ...stats.take() };
  }

  /** Delivers what was taken, then ends the Writer, and its connections unless a client is shared.
   * What is not delivered in time fails with `CLOSED` and says whether it may be stored. Idempotent. Rejects only with a
   * `UsageError` for a wrong `timeoutMs`.
   */
  async close({ timeoutMs, signal }: CloseOptions = {}): Promise<void> {
    const limitMs = integerOption('timeoutMs', timeoutMs, 5000, 0, maxTimerMs);
    await (this.#closing ??= this.#close(limitMs, signal));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(limitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { cluster, alarm } = this.#context;
    const endMs = cluster.platform.monotonicNow() + limitMs;
    await this.#transactions?.close(limitMs, signal);
    limitMs = Math.max(0, endMs - cluster.platform.monotonicNow());
    try {
      await this.#flush(limitMs, signal);
    } catch {
      cluster.logger.warn?.('closed with messages undelivered', { messages: this.#accumulator.pending });
    }
    this.#admission.close();
    this.#accumulator.expire(({ stored }) => closedError('The writer', stored));
    alarm.stop();
    this.#lease.release();
  }

  /** A call was let in: counts it, and sees to it that there will be a producer id. */
  #begin(): void {
    this.#context.stats.count('writes', 1);
    this.#producer?.request();
  }

  #flush(limitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { platform } = this.#context.cluster;
    const late = (): Error => closedError('The writer');
    return withDeadline(platform, this.#admission.delivered(), limitMs, late, signal);
  }

  #tick(): void {
    const { cluster, alarm } = this.#context;
    const nowMs = cluster.platform.monotonicNow();
    alarm.arm(Math.min(this.#accumulator.tick(nowMs), this.#admission.tick(nowMs)));
  }

  /** There is a producer id, or there will be none: then what needs one fails. */
  #identified(refusal: KafkaError | undefined): void {
    if (refusal === undefined) this.#accumulator.onWake();
    else
      this.#accumulator.expire(({ queue, inFlight, stored }) =>
        queue.identified || inFlight ? undefined : withStored(refusal, stored),
      );
  }
}
