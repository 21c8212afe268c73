/** Several Writers at a pace, each call and its outcome in a history.
 * Invariant: each value is unique, and an event stands in the history before what follows from it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Writer, WriteErrors, type BatchOutcome } from 'kafka-wire';
import type { History, SendResult } from 'kafka-wire/testing';

/** What to write. */
export interface LoadOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  readonly writers: number;
  /** All Writers together. */
  readonly recordsPerSecond: number;
  readonly requestTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  readonly random: () => number;
  readonly history: History;
  /** Told after each call how many records were sent. */
  readonly onSent: (records: number) => void;
}

const largestCall = 200;
/** Records that one Writer may have on their way. */
const mostUnderWay = 10_000;
const tickMs = 10;

/** Records on their way. */
export class Load {
  /** Records that were sent, and that have settled. */
  sent = 0;
  settled = 0;
  /** Batches that were sent again. */
  retries = 0;
  /** The first failures, in words. */
  readonly failures: string[] = [];
  readonly #options: LoadOptions;
  readonly #values: number[];
  /** Records that may be sent by now. */
  #allowed = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#values = Array.from({ length: options.writers }, () => 0);
  }

  /** Lets the Writers go on to a share of the records, 0 to 1. */
  allow(share: number): void {
    this.#allowed = Math.ceil(share * this.#options.records);
  }

  /** Resolves when a share of the records was sent. */
  async reached(share: number): Promise<void> {
    while (this.sent < share * this.#options.records) await delay(tickMs);
  }

  /** Resolves when there are records on their way; rejects when there will be none any more. */
  async underWay(): Promise<void> {
    while (this.sent === this.settled) {
      if (this.sent === this.#options.records) throw new Error('the load ended before its trouble did');
      await delay(1);
    }
  }

  /** Writes everything; resolves when all has settled. */
  async run(): Promise<void> {
    await Promise.all(this.#values.map((_, index) => this.#write(index)));
  }

  async #write(index: number): Promise<void> {
    const { brokers, topic, history, requestTimeoutMs, deliveryTimeoutMs, writers, recordsPerSecond } =
      this.#options;
    const actor = `writer-${index}`;
    const completion = ({ partition, messages }: BatchOutcome): void =>
      history.add({
        kind: 'callback',
        actor,
        topic,
        partition,
        values: messages.map(({ value }) => String(value)),
      });
    const writer = new Writer({
      brokers,
      topic,
      clientId: actor,
      balancer: ({ partition = 0 }) => partition,
      requestTimeoutMs,
      deliveryTimeoutMs,
      completion,
    });
    const calls = new Set<Promise<void>>();
    const underWay = { records: 0 };
    for (let size = this.#size(); size !== 0; size = this.#size()) {
      if (size < 0) {
        await delay(tickMs);
        continue;
      }
      underWay.records += size;
      const call = this.#call(writer, actor, index, size).finally(() => {
        underWay.records -= size;
        calls.delete(call);
      });
      calls.add(call);
      await delay((size * writers * 1_000) / recordsPerSecond);
      while (underWay.records >= mostUnderWay) await Promise.race(calls);
    }
    await Promise.all(calls);
    this.retries += writer.stats().total.retries;
    await writer.close();
  }

  /** Records of the next call: 0 when there are no more, below 0 when it has to wait. */
  #size(): number {
    const { records, random } = this.#options;
    const left = Math.min(this.#allowed, records) - this.sent;
    if (left <= 0) return this.sent >= records ? 0 : -1;
    return Math.min(left, 1 + Math.floor(random() * largestCall));
  }

  async #call(writer: Writer, actor: string, index: number, size: number): Promise<void> {
    const { topic, partitions, random, history, onSent } = this.#options;
    const messages = Array.from({ length: size }, () => ({
      partition: Math.floor(random() * partitions),
      value: `${index}-${(this.#values[index] = (this.#values[index] ?? 0) + 1)}`,
    }));
    const call = history.nextCall();
    history.add({ kind: 'send', actor, call, topic, values: messages.map(({ value }) => value) });
    this.sent += size;
    onSent(this.sent);
    const results = await this.#outcome(writer, messages);
    history.add({ kind: 'settled', actor, call, results });
    this.settled += size;
  }

  async #outcome(
    writer: Writer,
    messages: readonly { readonly partition: number; readonly value: string }[],
  ): Promise<SendResult[]> {
    try {
      const receipt = await writer.writeMessages(messages);
      return messages.map((_, at): SendResult => {
        const { partition, offset } = receipt.at(at);
        return { stored: 'yes', partition, offset };
      });
    } catch (error) {
      if (this.failures.length < 20) this.failures.push(String(error));
      if (!(error instanceof WriteErrors)) throw error;
      return error.errors.map((each, at): SendResult => {
        const { partition, offset } = error.receipt.at(at);
        if (each === null) return { stored: 'yes', partition, offset };
        return { stored: each.stored ?? 'maybe', partition };
      });
    }
  }
}
