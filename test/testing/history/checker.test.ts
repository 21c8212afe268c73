/** The checker proved: a clean history has no anomaly, and each anomaly, injected into one, is found by its name. */
import { describe, expect, it } from 'vitest';
import {
  checkHistory,
  History,
  type AnomalyName,
  type HistoryEvent,
  type PollEvent,
  type SendEvent,
  type SettledEvent,
} from '../../../src/testing/index.ts';
import { randomFrom } from '../../integration/support/random.ts';
import { cleanHistory, copyOf, topic } from './generated.ts';

const seeds = Array.from({ length: 25 }, (_, index) => index + 1);
const batch = {
  kind: 'batch',
  actor: 'p',
  producerId: '1',
  producerEpoch: 0,
  topic,
  partition: 0,
} as const;

type Of<Kind extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: Kind }>;
type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** A history under the knife. */
class Patient {
  readonly events: HistoryEvent[];
  readonly random: () => number;

  constructor(seed: number) {
    this.events = copyOf(cleanHistory(seed));
    this.random = randomFrom(-seed);
  }

  /** Some event of a kind that fits. */
  some<Kind extends HistoryEvent['kind']>(
    kind: Kind,
    fits: (event: Of<Kind>) => boolean = () => true,
  ): Mutable<Of<Kind>> {
    const all = this.events.filter((event) => event.kind === kind) as Of<Kind>[];
    const fitting = all.filter(fits);
    const event = fitting[Math.floor(this.random() * fitting.length)];
    if (event === undefined) throw new Error(`no ${kind} fits`);
    return event;
  }

  remove(...gone: readonly HistoryEvent[]): void {
    for (const event of gone) this.events.splice(this.events.indexOf(event), 1);
  }

  insertAfter(event: HistoryEvent, added: HistoryEvent): void {
    this.events.splice(this.events.indexOf(event) + 1, 0, added);
  }

  /** An acknowledged call without a transaction, and all its values with known offsets. */
  acknowledged(): { send: Mutable<SendEvent>; settled: Mutable<SettledEvent> } {
    const sends = new Map(
      this.events.flatMap((event) => (event.kind === 'send' ? [[event.call, event]] : [])),
    );
    const settled = this.some(
      'settled',
      ({ call, results }) =>
        sends.get(call)?.transaction === undefined &&
        results.every(({ stored, offset }) => stored === 'yes' && offset !== undefined),
    );
    return { send: this.some('send', ({ call }) => call === settled.call), settled };
  }

  /** Takes values out of what was read. */
  forget(values: readonly string[]): void {
    for (const event of this.events) {
      if (event.kind !== 'poll') continue;
      const records = event.records.filter(([, value]) => !values.includes(value));
      Object.assign(event, { records });
    }
  }

  last(kind: HistoryEvent['kind']): HistoryEvent {
    return this.events.findLast((event) => event.kind === kind) ?? this.some(kind);
  }
}

const poll = (records: PollEvent['records'], more: Partial<PollEvent> = {}): PollEvent => ({
  kind: 'poll',
  actor: 'late',
  atMs: 1e6,
  topic,
  partition: 0,
  records,
  ...more,
});

/** One way to make each anomaly. */
const injections: Readonly<Record<AnomalyName, (patient: Patient) => void>> = {
  'lost-write': (patient) => {
    // One that is not the last of the log: something behind it is read.
    const { send, settled } = patient.acknowledged();
    const [value = ''] = send.values;
    patient.forget([value]);
    const { partition = 0, offset = 0 } = settled.results[0] ?? {};
    patient.events.push(poll([[offset + 10_000, 'behind']], { partition }));
  },
  unseen: (patient) => {
    const { send, settled } = patient.acknowledged();
    const at = settled.results[0]?.offset ?? 0;
    const values = patient.events.flatMap((event) =>
      event.kind === 'poll' && event.partition === settled.results[0]?.partition
        ? event.records.filter(([offset]) => offset >= at).map(([, value]) => value)
        : [],
    );
    patient.forget([...send.values, ...values]);
  },
  duplicate: (patient) => {
    const { records, partition } = patient.some('poll');
    const value = records[0]?.[1] ?? '';
    patient.events.push(poll([[50_000, value]], { partition }));
  },
  'inconsistent-offsets': (patient) => {
    const { records, partition } = patient.some('poll');
    patient.events.push(poll([[records[0]?.[0] ?? 0, 'another']], { partition }));
  },
  'unknown-value': (patient) => void patient.events.push(poll([[60_000, 'from nowhere']])),
  G1a: (patient) => {
    const { transaction } = patient.some('transaction', ({ state }) => state === 'aborted');
    const { values } = patient.some('send', (send) => send.transaction === transaction);
    patient.events.push(poll([[70_000, values[0] ?? '']]));
  },
  'precommitted-read': (patient) => {
    const committing = patient.some('transaction', ({ state }) => state === 'committing');
    const { call, values } = patient.some('send', (send) => send.transaction === committing.transaction);
    const { partition = 0, offset = 0 } =
      patient.some('settled', (settled) => settled.call === call).results[1] ?? {};
    const early = poll([[offset, values[1] ?? '']], { partition });
    patient.events.splice(patient.events.indexOf(committing), 0, early);
  },
  'torn-transaction': (patient) => {
    const committed = patient.some('transaction', ({ state }) => state === 'committed');
    committed.state = 'unknown';
    const { values } = patient.some('send', (send) => send.transaction === committed.transaction);
    patient.forget(values.slice(0, 1));
  },
  'nonmonotonic-send': (patient) => {
    const { send } = patient.acknowledged();
    // Its producer's calls, as if they had been made the other way round.
    const others = patient.events.filter(
      (event) => event.kind === 'send' && event.actor === send.actor && event.transaction === undefined,
    );
    patient.remove(...others);
    for (const event of others) patient.events.unshift(event);
  },
  'int-nonmonotonic-send': (patient) => {
    const { send } = patient.acknowledged();
    send.values = send.values.toReversed();
  },
  'poll-skip': (patient) => {
    const polls = patient.events.filter((event) => event.kind === 'poll' && event.actor === 'reader');
    patient.remove(polls[1] ?? poll([]));
  },
  'int-poll-skip': (patient) => {
    const event = patient.some('poll', ({ records, actor }) => actor === 'reader' && records.length > 2);
    event.records = event.records.toSpliced(1, 1);
  },
  'nonmonotonic-poll': (patient) => {
    const event = patient.some('poll', ({ actor }) => actor === 'reader');
    patient.insertAfter(event, { ...event });
  },
  'int-nonmonotonic-poll': (patient) => {
    const event = patient.some('poll', ({ records }) => records.length > 1);
    event.records = event.records.toReversed();
  },
  'never-settled': (patient) => patient.remove(patient.some('settled')),
  'settled-twice': (patient) => {
    const event = patient.some('settled');
    patient.insertAfter(event, { ...event });
  },
  'late-settle': (patient) => {
    const event = patient.some('settled');
    event.atMs += 11_001;
  },
  'order-of-callbacks': (patient) => {
    const event = patient.some('callback');
    event.values = event.values.toReversed();
  },
  'sequence-gap': (patient) => {
    const event = patient.some('batch');
    event.baseSequence += 1_000;
  },
  'dual-owner': (patient) => {
    const event = patient.some('assign', ({ epoch }) => epoch !== undefined);
    const at = patient.events.indexOf(event);
    const stranger = { ...event, actor: 'stranger' };
    const first = patient.events.find(
      (other, index) => index > at && other.kind === 'poll' && other.partition === event.partition,
    ) as PollEvent;
    patient.insertAfter(first, { ...first, actor: 'stranger' });
    patient.insertAfter(first, stranger);
  },
  'commit-after-revoke': (patient) => {
    const commit = patient.last('commit');
    patient.events.push({ ...commit });
  },
  'commit-beyond-processed': (patient) => {
    const commit = patient.last('commit') as Of<'commit'>;
    const processed = patient.events.findLast((event) => event.kind === 'processed') as Of<'processed'>;
    expect(processed.offset).toBe(commit.offset - 1);
    patient.remove(processed);
  },
  'commit-regress': (patient) => {
    const commit = patient.some('commit', ({ offset }) => offset > 5);
    patient.insertAfter(commit, { ...commit, offset: commit.offset - 5 });
  },
};

describe('the checker', () => {
  it.each(seeds)('finds nothing in a clean history (seed %i)', (seed) => {
    const report = checkHistory(cleanHistory(seed), { deliveryTimeoutMs: 10_000 });
    expect(report.anomalies).toEqual([]);
    expect(report.counts).toEqual({});
    expect(report.sent).toBe(report.acknowledged + report.failed + report.maybe);
    expect(report.acknowledged).toBeGreaterThan(200);
    expect(report.maybe + report.failed).toBeGreaterThan(0);
  });

  it.each(Object.entries(injections))('finds %s where it was injected', (name, inject) => {
    for (const seed of seeds) {
      const patient = new Patient(seed);
      inject(patient);
      const { counts, anomalies } = checkHistory(patient, { deliveryTimeoutMs: 10_000 });
      expect(Object.keys(counts), `seed ${seed}`).toContain(name);
      expect(anomalies.find((anomaly) => anomaly.name === name)?.what).toMatch(/\w/);
    }
  });

  it('counts all and shows the first 20 of a name', () => {
    const history = new History({ now: () => 0 });
    for (let call = 0; call < 30; call++)
      history.add({ kind: 'send', actor: 'p', call: history.nextCall(), topic, values: [`v${call}`] });
    const { counts, anomalies } = checkHistory(history);
    expect(counts).toEqual({ 'never-settled': 30 });
    expect(anomalies).toHaveLength(20);
  });

  it('takes a sequence that wraps for what it is', () => {
    const history = new History({ now: () => 0 });
    // Far ahead is behind: the numbers are a circle.
    history.add({ ...batch, baseSequence: 2 ** 31 - 10, count: 10 });
    history.add({ ...batch, baseSequence: 0, count: 5 });
    history.add({ ...batch, baseSequence: 5, count: 1 });
    expect(checkHistory(history).counts).toEqual({});
    history.add({ ...batch, baseSequence: 9, count: 1 });
    expect(checkHistory(history).counts).toEqual({ 'sequence-gap': 1 });
  });

  it('takes a batch that was overtaken for no gap, and each that never comes for one', () => {
    const history = new History({ now: () => 0 });
    history.add({ ...batch, baseSequence: 6, count: 2 });
    history.add({ ...batch, baseSequence: 2, count: 2 });
    expect(checkHistory(history).counts).toEqual({ 'sequence-gap': 2 });
    history.add({ ...batch, baseSequence: 0, count: 2 });
    expect(checkHistory(history).anomalies.map(({ what }) => what)).toEqual([
      'producer 1 epoch 0, t[0]: 4 to 5 were never sent',
    ]);
    history.add({ ...batch, baseSequence: 4, count: 2 });
    expect(checkHistory(history).counts).toEqual({});
  });

  it('lets read_uncommitted see what was aborted', () => {
    const clean = cleanHistory(3);
    const events = copyOf(clean);
    const aborted = events.find(
      (event) => event.kind === 'send' && event.transaction?.startsWith('aborted'),
    ) as SendEvent;
    const settled = events.find(
      (event) => event.kind === 'settled' && event.call === aborted.call,
    ) as SettledEvent;
    const { partition = 0, offset = 0 } = settled.results[1] ?? {};
    events.push(poll([[offset, aborted.values[1] ?? '']], { partition, isolation: 'read_uncommitted' }));
    expect(checkHistory({ events }).counts).toEqual({});
  });
});

describe('a history', () => {
  it('comes back from its text as it was, seed included', () => {
    const history = cleanHistory(7);
    const read = History.fromText(history.toText());
    expect(read.seed).toBe(7);
    expect(read.events).toEqual(history.events);
    expect(checkHistory(read)).toEqual(checkHistory(history));
  });

  it('is the same for the same seed', () => {
    expect(cleanHistory(5).toText()).toBe(cleanHistory(5).toText());
    expect(cleanHistory(5).toText()).not.toBe(cleanHistory(6).toText());
  });

  it('refuses a text that is none', () => {
    expect(() => History.fromText('hello')).toThrow('This is no history');
    expect(() => History.fromText('')).toThrow('This is no history');
  });
});
