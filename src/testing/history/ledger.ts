/** What a history says about each value and each partition, put together for the passes of the checker.
 * Not here: what is an anomaly (passes).
 * Invariant: one pass over the events; the version order of a partition is the order of the offsets that were read.
 */
import type { HistoryEvent, PollEvent, SendEvent, StoredWord } from './history.ts';

/** One value that was sent. */
export interface SentValue {
  readonly value: string;
  readonly send: SendEvent;
  /** Undefined while its call has not settled. */
  stored: StoredWord | undefined;
  /** Every place where it was said or seen to be, as `partition@offset`. */
  readonly places: Set<string>;
  /** Where it is: as read, else as acknowledged. */
  partition: number;
  offset: number | undefined;
  isRead: boolean;
}

/** One partition of one topic. */
export class PartitionLedger {
  readonly topic: string;
  readonly partition: number;
  /** Values by offset, as read or acknowledged. */
  readonly byOffset: Map<number, Set<string>> = new Map();
  readonly #readOffsets = new Set<number>();
  #sorted: number[] | undefined;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  add(offset: number, value: string, isRead: boolean): void {
    const values = this.byOffset.get(offset);
    if (values === undefined) this.byOffset.set(offset, new Set([value]));
    else values.add(value);
    if (isRead) this.#readOffsets.add(offset);
    this.#sorted = undefined;
  }

  /** Offsets that were read, ascending. */
  get offsets(): readonly number[] {
    this.#sorted ??= [...this.#readOffsets].sort((a, b) => a - b);
    return this.#sorted;
  }

  /** How many offsets that were read are below `offset`. */
  indexOf(offset: number): number {
    const { offsets } = this;
    let low = 0;
    let high = offsets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((offsets[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get lastRead(): number {
    return this.offsets.at(-1) ?? -1;
  }
}

/** What became of a transaction. */
export interface TransactionLedger {
  state: 'open' | 'committing' | 'committed' | 'aborted' | 'unknown';
  readonly values: SentValue[];
}

/** The whole history, put together. */
export class Ledger {
  readonly events: readonly HistoryEvent[];
  readonly sends: Map<number, SendEvent> = new Map();
  readonly values: Map<string, SentValue> = new Map();
  readonly partitions: Map<string, PartitionLedger> = new Map();
  readonly transactions: Map<string, TransactionLedger> = new Map();

  constructor(events: readonly HistoryEvent[]) {
    this.events = events;
    for (const event of events) {
      if (event.kind === 'send') this.#send(event);
      else if (event.kind === 'settled') {
        const send = this.sends.get(event.call);
        for (const [index, result] of event.results.entries()) {
          const sent = this.value(send?.topic ?? '', send?.values[index] ?? '');
          if (sent === undefined) continue;
          // Of two answers the first counts here; that there are two is reported elsewhere.
          sent.stored ??= result.stored;
          const { partition, offset } = result;
          if (result.stored === 'yes' && offset !== undefined) this.#place(sent, partition, offset, false);
          else if (sent.partition < 0) sent.partition = partition;
        }
      } else if (event.kind === 'poll') this.#poll(event);
      else if (event.kind === 'transaction') this.transaction(event.transaction).state = event.state;
    }
  }

  value(topic: string, value: string): SentValue | undefined {
    return this.values.get(`${topic}\0${value}`);
  }

  partition(topic: string, partition: number): PartitionLedger {
    const key = `${topic}\0${partition}`;
    let found = this.partitions.get(key);
    if (found === undefined) this.partitions.set(key, (found = new PartitionLedger(topic, partition)));
    return found;
  }

  transaction(id: string): TransactionLedger {
    let found = this.transactions.get(id);
    if (found === undefined) this.transactions.set(id, (found = { state: 'open', values: [] }));
    return found;
  }

  /** Whether a value must be in the log: yes, no, or nobody knows. */
  fate({ stored, send }: SentValue): StoredWord {
    const state = send.transaction === undefined ? undefined : this.transaction(send.transaction).state;
    if (stored === 'no' || state === 'aborted') return 'no';
    if (stored !== 'yes' || (state !== undefined && state !== 'committed')) return 'maybe';
    return 'yes';
  }

  #send(send: SendEvent): void {
    this.sends.set(send.call, send);
    for (const value of send.values) {
      const sent: SentValue = {
        value,
        send,
        stored: undefined,
        places: new Set(),
        partition: -1,
        offset: undefined,
        isRead: false,
      };
      this.values.set(`${send.topic}\0${value}`, sent);
      if (send.transaction !== undefined) this.transaction(send.transaction).values.push(sent);
    }
  }

  #poll({ topic, partition, records }: PollEvent): void {
    for (const [offset, value] of records) {
      const sent = this.value(topic, value);
      if (sent === undefined) this.partition(topic, partition).add(offset, value, true);
      else this.#place(sent, partition, offset, true);
    }
  }

  #place(sent: SentValue, partition: number, offset: number, isRead: boolean): void {
    this.partition(sent.send.topic, partition).add(offset, sent.value, isRead);
    sent.places.add(`${partition}@${offset}`);
    if (isRead || !sent.isRead) {
      sent.partition = partition;
      sent.offset = offset;
    }
    sent.isRead ||= isRead;
  }
}
