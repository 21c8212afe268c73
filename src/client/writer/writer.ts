/** The producer: the calls of the application, from validation to the receipt, and the end of it all.
 * Not here: batches (accumulator.ts), order (admission.ts, partition-queue.ts), requests (sender.ts).
 * Invariants: a call is validated as a whole before anything of it is encoded (W1); after `close` every call rejects
 * with `CLOSED`, and nothing of the Writer keeps the process alive.
 */
import { KafkaError, TimeoutError, UsageError } from '../../errors.ts';
import {
  acquireCluster,
  closedError,
  integerOption,
  maxTimerMs,
  withDeadline,
  type ClusterLease,
} from '../cluster/index.ts';
import { Accumulator, type WriterCluster } from './accumulator.ts';
import { Admission, type TopicPlan } from './admission.ts';
import { Alarm } from './alarm.ts';
import { WriteCall } from './call.ts';
import { checkMessage, type OutgoingMessage } from './message.ts';
import { resolveSettings, type ResolvedSettings, type WriterOptions } from './options.ts';
import type { PartitionQueue, QueueOptions } from './partition-queue.ts';
import { Plan } from './plan.ts';
import { ProducerId } from './producer-id.ts';
import type { WriteReceipt } from './receipt.ts';
import { Sender } from './sender.ts';
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
  readonly #cluster: WriterCluster;
  readonly #settings: ResolvedSettings;
  readonly #stats = new StatsCounter();
  readonly #alarm: Alarm;
  readonly #accumulator: Accumulator;
  readonly #admission: Admission;
  readonly #sender: Sender;
  readonly #producer: ProducerId | undefined;
  readonly #unsubscribe: () => void;
  #closed = false;
  #closing: Promise<void> | undefined;

  /** Does no I/O. Throws a `UsageError` that names a wrong option. */
  constructor(options: WriterOptions) {
    const settings = resolveSettings(options);
    this.#settings = settings;
    this.#lease = acquireCluster(options);
    const { cluster } = this.#lease;
    this.#cluster = cluster;
    this.#alarm = new Alarm(cluster.platform, () => this.#tick());
    const context = { cluster, settings, stats: this.#stats, alarm: this.#alarm };
    const accumulator = new Accumulator(context);
    this.#accumulator = accumulator;
    this.#producer = settings.idempotent
      ? new ProducerId(cluster, this.#alarm, {
          identityReady: () => this.#wakeAll(),
          identityRefused: (error) => this.#failUnsent(error),
        })
      : undefined;
    const queueOptions: QueueOptions = {
      producer: this.#producer,
      batchTimeoutMs: settings.batchTimeoutMs,
      firstSequence: 0,
      settle: (batch) => accumulator.settle(batch),
      release: (batch) => accumulator.release(batch),
    };
    this.#admission = new Admission(context, accumulator, queueOptions);
    this.#sender = new Sender(context, accumulator, this.#producer);
    this.#unsubscribe = cluster.onSnapshot((snapshot) => {
      for (const topic of this.#admission.topics) {
        const news = snapshot.topics.get(topic.topic);
        if (news === undefined) continue;
        topic.update(news, (queue) => {
          queue.retryAtMs = 0;
          this.#sender.wake(queue);
        });
      }
    });
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
    if (this.#closed) return Promise.reject(closedError('The writer', 'no'));
    const list = Array.isArray(messages)
      ? (messages as readonly OutgoingMessage[])
      : [messages as OutgoingMessage];
    const call = new WriteCall(list.length, this.#nowMs());
    const outcome = call.outcome();
    let bound = 0;
    let faulty = false;
    for (let index = 0; index < list.length; index++) {
      const each = this.#check(list, index);
      if (typeof each === 'number') bound += each;
      else faulty = true;
    }
    const { topic } = this.#settings;
    const plan: TopicPlan = new Plan(call, topic, list, bound, call.timestampMs, this.#deadlineMs());
    if (faulty) this.#refuse(call, list);
    else if (list.length === 0) call.recordsSettled(0, false);
    else {
      this.#begin();
      if (signal !== undefined) this.#giveUpAt(signal, call, plan);
      if (!call.settled) this.#admission.enterPlan(plan);
    }
    return outcome;
  }

  /** Takes a message without waiting for its outcome, which `completion`, the logger and `stats` tell.
   * Returns a promise only when the message has to wait for room: await it before the next one, and keep the
   * message's bytes as they are until then. Throws, or rejects, with a typed error for a message that is refused.
   */
  enqueue(message: OutgoingMessage): undefined | Promise<void> {
    if (this.#closed) throw closedError('The writer', 'no');
    const bound = this.#check([message], 0);
    if (typeof bound !== 'number') throw bound;
    const { topic } = this.#settings;
    const admission = this.#admission;
    this.#begin();
    if (admission.enter(message, bound)) return undefined;
    let plan = admission.join(message, bound);
    if (plan === undefined) {
      plan = new Plan(undefined, topic, [message], bound, this.#nowMs(), this.#deadlineMs());
      admission.enterPlan(plan);
    }
    const { refusal } = plan;
    if (refusal !== null) throw refusal;
    if (!admission.waiting.has(plan) || admission.stage(plan, bound)) return undefined;
    return new Promise<void>((resolve, reject) => {
      (plan.listeners ??= []).push((refusal) => (refusal === null ? resolve() : reject(refusal)));
    });
  }

  /** Sends what is buffered without waiting for company, and resolves when every message taken so far has its outcome;
   * which one, the calls themselves or `completion` tell. Rejects when the signal ends the waiting, or with `CLOSED`.
   */
  flush({ signal }: WriteOptions = {}): Promise<void> {
    if (this.#closed) return Promise.reject(closedError('The writer'));
    const flushed = this.#flush();
    if (signal === undefined) return flushed;
    return withDeadline(this.#cluster.platform, flushed, maxTimerMs, outOfTime, signal).catch(
      (cause: unknown) => {
        throw new KafkaError('The flush was aborted by its signal', { code: 'ABORTED', cause });
      },
    );
  }

  /** What was written and what waits, since the Writer was made and since the last look. */
  stats(): WriterStats {
    const { topic, idempotent, acks } = this.#settings;
    const { bufferedBytes, pending } = this.#accumulator;
    const requiredAcks = acks === -1 ? 'all' : acks;
    return {
      topic,
      idempotent,
      requiredAcks,
      bufferedBytes,
      pendingMessages: pending,
      ...this.#stats.take(),
    };
  }

  /** Delivers what was taken, then ends the Writer, and its connections unless a client is shared.
   * What is not delivered in time fails with `CLOSED` and says whether it may be stored. Idempotent. Rejects only with a
   * `UsageError` for a wrong `timeoutMs`.
   */
  async close({ timeoutMs, signal }: CloseOptions = {}): Promise<void> {
    const limitMs = integerOption('timeoutMs', timeoutMs, 5000, 0, maxTimerMs);
    this.#closed = true;
    await (this.#closing ??= this.#close(limitMs, signal));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(limitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { platform, logger } = this.#cluster;
    try {
      if (this.#accumulator.pending > 0)
        await withDeadline(platform, this.#flush(), limitMs, outOfTime, signal);
    } catch {
      logger.warn?.('closed with messages undelivered', { messages: this.#accumulator.pending });
    }
    this.#unsubscribe();
    this.#sender.close();
    this.#admission.close();
    this.#accumulator.abandon();
    this.#alarm.stop();
    this.#lease.release();
  }

  #giveUpAt(signal: AbortSignal, call: WriteCall, plan: TopicPlan): void {
    const giveUp = (): void => this.#admission.giveUp(call, plan, signal.reason);
    if (signal.aborted) {
      this.#accumulator.expect(call.length);
      return giveUp();
    }
    signal.addEventListener('abort', giveUp);
    call.onSettled = () => signal.removeEventListener('abort', giveUp);
  }

  /** A call was let in: counts it, and sees to it that there will be a producer id. */
  #begin(): void {
    this.#stats.window.writes++;
    this.#producer?.request();
  }

  #nowMs(): number {
    return Math.floor(this.#cluster.platform.now());
  }

  #deadlineMs(): number {
    return this.#cluster.platform.monotonicNow() + this.#settings.deliveryTimeoutMs;
  }

  /** Most bytes that a message takes in its batch, or what is wrong with it. */
  #check(messages: readonly OutgoingMessage[], index: number): number | KafkaError {
    const { topic, batchBytes } = this.#settings;
    return checkMessage(messages[index] as OutgoingMessage, index, topic, batchBytes);
  }

  /** One message of a call is at fault: none is sent, and each has an error (W1). */
  #refuse(call: WriteCall, messages: readonly OutgoingMessage[]): void {
    this.#stats.window.errors += messages.length;
    const spared = new UsageError('Not sent: another message of the call was refused', { stored: 'no' });
    const errors = Array.from(messages, (_, index) => {
      const each = this.#check(messages, index);
      return typeof each === 'number' ? spared : each;
    });
    const offender = errors.find((error) => error !== spared);
    call.refuse(messages.length, (index) => errors[index] ?? spared, offender);
  }

  #flush(): Promise<void> {
    return new Promise<void>((resolve) => {
      let left = 1;
      const one = (): void => {
        if (--left === 0) resolve();
      };
      const wait = (queues: Iterable<PartitionQueue>): void => {
        for (const { batches } of queues) {
          const last = batches[batches.length - 1];
          if (last === undefined || last.settled) continue;
          left++;
          (last.waiters ??= []).push(one);
        }
        this.#accumulator.press();
      };
      for (const plan of this.#admission.waiting) {
        left++;
        (plan.listeners ??= []).push(() => {
          wait(plan.queues);
          one();
        });
      }
      wait(this.#accumulator.active);
      one();
    });
  }

  #tick(): void {
    const nowMs = this.#cluster.platform.monotonicNow();
    this.#alarm.arm(Math.min(this.#accumulator.tick(nowMs), this.#admission.tick(nowMs)));
  }

  #wakeAll(): void {
    for (const queue of this.#accumulator.active) this.#sender.wake(queue);
  }

  /** No producer id will come: what needs one fails. */
  #failUnsent(error: KafkaError): void {
    for (const queue of this.#accumulator.active) {
      while (!queue.identified && queue.oldest !== undefined && !queue.oldest.inFlight)
        queue.expire(queue.oldest, error);
    }
  }
}

function outOfTime(): TimeoutError {
  return new TimeoutError('The deadline passed', { limitMs: 0 });
}
