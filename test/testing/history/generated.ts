/** Histories made up from a seed: what producers, a transaction, readers and a group would do if nothing went wrong.
 * Invariant: the same seed gives the same history.
 */
import { randomFrom } from '../../integration/support/random.ts';
import { History, type HistoryEvent, type NewEvent } from '../../../src/testing/index.ts';

export const topic = 't';
const partitions = 2;

class Generator {
  readonly history: History;
  readonly random: () => number;
  /** Values by offset; undefined is a marker of a transaction. */
  readonly log = Array.from({ length: partitions }, (): (string | undefined)[] => []);
  readonly aborted = new Set<string>();
  readonly #sequences = new Map<string, number>();
  #nowMs = 0;
  #values = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
    this.history = new History({ now: () => (this.#nowMs += Math.floor(this.random() * 5)), seed });
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  add(event: NewEvent): void {
    this.history.add(event);
  }

  /** One call to one partition: sent, seen on the wire (perhaps twice), stored, called back and settled. */
  call(actor: string, transaction?: string): void {
    const partition = this.below(partitions);
    const values = Array.from({ length: 2 + this.below(4) }, () => `v${this.#values++}`);
    const call = this.history.nextCall();
    this.add({
      kind: 'send',
      actor,
      call,
      topic,
      values,
      ...(transaction !== undefined && { transaction }),
    });
    const key = `${actor} ${partition}`;
    const baseSequence = this.#sequences.get(key) ?? 0;
    const batch: NewEvent = {
      kind: 'batch',
      actor: 'proxy',
      producerId: actor,
      producerEpoch: 0,
      topic,
      partition,
      baseSequence,
      count: values.length,
    };
    this.add(batch);
    if (this.random() < 0.2) this.add(batch);
    this.#sequences.set(key, baseSequence + values.length);
    const outcome = this.random();
    const log = this.log[partition] ?? [];
    // One call in ten is stored without an answer, or failed without being stored.
    if (outcome < 0.9 || transaction !== undefined) {
      const results = values.map((value, index) => {
        log.push(value);
        const isKnown = index > 0 || outcome > 0.05;
        return { stored: 'yes', partition, ...(isKnown && { offset: log.length - 1 }) } as const;
      });
      this.add({ kind: 'callback', actor, topic, partition, values });
      this.add({ kind: 'settled', actor, call, results });
    } else {
      const stored = outcome < 0.95 ? 'maybe' : 'no';
      if (stored === 'maybe') log.push(...values);
      this.add({ kind: 'settled', actor, call, results: values.map(() => ({ stored, partition })) });
    }
  }

  transaction(id: string, end: 'committed' | 'aborted'): void {
    const actor = 'transactional';
    const firsts = this.log.map(({ length }) => length);
    for (let calls = 1 + this.below(3); calls > 0; calls--) this.call(actor, id);
    if (end === 'committed') this.add({ kind: 'transaction', actor, transaction: id, state: 'committing' });
    for (const [partition, log] of this.log.entries()) {
      if (end === 'aborted') for (const value of log.slice(firsts[partition])) this.aborted.add(value ?? '');
      if (log.length > (firsts[partition] ?? 0)) log.push(undefined);
    }
    this.add({ kind: 'transaction', actor, transaction: id, state: end });
  }

  /** Somebody reads a partition from an offset to its end. */
  read(actor: string, partition: number, from: number, isInGroup: boolean): number {
    const log = this.log[partition] ?? [];
    const seen = log.flatMap((value, offset) =>
      value === undefined || offset < from || this.aborted.has(value) ? [] : [[offset, value] as const],
    );
    for (let at = 0; at < seen.length;) {
      const records = seen.slice(at, (at += 2 + this.below(5)));
      this.add({ kind: 'poll', actor, topic, partition, records });
      if (!isInGroup) continue;
      for (const [offset] of records) this.add({ kind: 'processed', actor, topic, partition, offset });
      const last = records.at(-1)?.[0] ?? 0;
      this.add({ kind: 'commit', actor, topic, partition, offset: last + 1 });
    }
    return log.length;
  }
}

/** A history in which nothing is wrong. */
export function cleanHistory(seed: number): History {
  const generator = new Generator(seed);
  const group = { positions: [0, 0], epoch: 0 };
  for (let round = 0; round < 4; round++) {
    for (let calls = 20; calls > 0; calls--) generator.call(`producer-${generator.below(3)}`);
    generator.transaction(`committed-${round}`, 'committed');
    generator.transaction(`aborted-${round}`, 'aborted');
    group.epoch++;
    for (let partition = 0; partition < partitions; partition++) {
      const actor = `member-${generator.below(2)}`;
      generator.add({ kind: 'assign', actor, topic, partition, epoch: group.epoch });
      const from = group.positions[partition] ?? 0;
      group.positions[partition] = generator.read(actor, partition, from, true);
      generator.add({ kind: 'revoke', actor, topic, partition });
    }
  }
  for (let partition = 0; partition < partitions; partition++) {
    generator.add({ kind: 'assign', actor: 'reader', topic, partition });
    generator.read('reader', partition, 0, false);
  }
  return generator.history;
}

/** A copy that may be changed. */
export function copyOf({ events }: History): HistoryEvent[] {
  return structuredClone(events);
}
