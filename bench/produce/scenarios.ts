/** What is compared with what, and by which factors.
 * Invariant: a factor compares turns of one round with each other, so both have the same neighbours on the machine.
 */
import { median } from '../figures.ts';
import type { Cost, Shape, Work } from './contestant.ts';

/** Somebody, and how they write. */
export interface Entrant {
  readonly name: string;
  readonly shape: Shape;
  /** Records of a turn: as many as take a tenth of a second or so. */
  readonly records: number;
}

/** A table: everybody writes the same records. */
export interface Scenario {
  readonly title: string;
  readonly valueBytes: Work['valueBytes'];
  readonly compression: Work['compression'];
  readonly rounds: number;
  readonly entrants: readonly Entrant[];
  readonly factors: readonly Factor[];
}

/** A factor to hold, between two of a scenario. */
export interface Factor {
  readonly title: string;
  readonly atMost: number;
  readonly ours: string;
  /** The best of them, by the median of all rounds, is the one to compare with. */
  readonly peers: readonly string[];
  readonly of: (cost: Cost) => number;
}

/** By the label of an entrant, a cost for each round. */
export type Costs = ReadonlyMap<string, readonly Cost[]>;

/** What an entrant is called in the table. */
export function labelOf({ name, shape }: Entrant): string {
  return shape === 'queued' ? `${name}, queued` : name;
}

/** CPU microseconds of a record. */
export function cpuUs({ cpuUs: all, records }: Cost): number {
  return all / records;
}

/** Milliseconds that half of the single writes took at most. */
export function p50Ms({ p50Ms: found }: Cost): number {
  return found;
}

/** Milliseconds that all but one in a hundred took at most. */
export function p99Ms({ p99Ms: found }: Cost): number {
  return found;
}

/** The best peer, and the factor of each round. */
export function factorOf(
  { ours: label, peers, of }: Factor,
  costs: Costs,
): { peer: string; values: number[] } {
  const figures = (name: string): number[] => (costs.get(name) ?? []).map(of);
  const [peer = ''] = peers.toSorted((a, b) => median(figures(a)) - median(figures(b)));
  const theirs = figures(peer);
  return { peer, values: figures(label).map((figure, round) => figure / (theirs[round] ?? Number.NaN)) };
}

const js = ['kafkajs', '@platformatic/kafka'];
const ours = 'kafka-wire';

function entrants(shape: Shape, quick: number, slow: number, names: readonly string[]): Entrant[] {
  return names.map((name) => ({ name, shape, records: js.includes(name) ? slow : quick }));
}

const factor = (
  title: string,
  atMost: number,
  peers: readonly string[],
  of: Factor['of'] = cpuUs,
  who = ours,
): Factor => ({ title, atMost, ours: who, peers, of });

/** All tables. */
export const scenarios: readonly Scenario[] = [
  {
    title: '100 B, calls of 1,000',
    valueBytes: 100,
    compression: 'none',
    rounds: 12,
    entrants: entrants('batches', 200_000, 40_000, ['floor', ours, ...js, 'kafka-go', 'franz-go']),
    factors: [
      factor('100 B', 2.5, ['floor']),
      factor('100 B, JavaScript', 1 / 3, js),
      factor('100 B, Go', 1, ['kafka-go']),
    ],
  },
  {
    title: '1 KiB, calls of 1,000',
    valueBytes: 1024,
    compression: 'none',
    rounds: 12,
    entrants: entrants('batches', 40_000, 20_000, ['floor', ours, ...js, 'kafka-go', 'franz-go']),
    factors: [factor('1 KiB', 2.5, ['floor']), factor('1 KiB, JavaScript', 1 / 2, js)],
  },
  {
    title: '100 B with lz4, calls of 1,000',
    valueBytes: 100,
    compression: 'lz4',
    rounds: 12,
    entrants: entrants('batches', 100_000, 40_000, [
      'floor',
      ours,
      '@platformatic/kafka',
      'kafka-go',
      'franz-go',
    ]),
    factors: [
      factor('100 B with lz4', 1.5, ['floor']),
      factor('100 B with lz4, JavaScript', 1, ['@platformatic/kafka']),
    ],
  },
  {
    title: '100 B, one record a call, 10,000 outstanding',
    valueBytes: 100,
    compression: 'none',
    rounds: 6,
    entrants: [
      ...entrants('each', 100_000, 10_000, [ours, ...js]),
      ...entrants('queued', 200_000, 40_000, [ours, '@platformatic/kafka', 'kafka-go', 'franz-go']),
    ],
    factors: [
      factor('a promise each, JavaScript', 1 / 10, js),
      factor('queued, Go', 1.6, ['kafka-go, queued'], cpuUs, `${ours}, queued`),
    ],
  },
  {
    title: '100 B, each awaited before the next',
    valueBytes: 100,
    compression: 'none',
    rounds: 10,
    entrants: entrants('single', 2000, 2000, [ours, ...js, 'kafka-go', 'franz-go']),
    factors: [
      factor('awaited, p50, JavaScript', 1.1, js, p50Ms),
      factor('awaited, p99, JavaScript', 1.5, js, p99Ms),
    ],
  },
];
