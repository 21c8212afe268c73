/** Judges a history: what was lost, doubled, reordered, seen too early, or promised and not kept.
 * Linear passes over the events; cycles between transactions (G0, G1c) are not looked for. Allowed by design, as in
 * Jepsen, is `int-send-skip`: other producers write in between.
 * Invariant: each name is found by an injected history in the tests, and a clean history has none.
 * Source: Jepsen's Kafka workload.
 */
import type { Anomaly, AnomalyName, Found } from './anomaly.ts';
import type { History } from './history.ts';
import { Ledger } from './ledger.ts';
import { groupPass } from './group-pass.ts';
import { logPass } from './log-pass.ts';
import { pollPass } from './poll-pass.ts';
import { producerPass } from './producer-pass.ts';

/** What to hold against a history. */
export interface CheckOptions {
  /** Milliseconds from a call until it must have settled, to which 1,000 are added. Default: no limit. */
  readonly deliveryTimeoutMs?: number;
}

/** What came out. */
export interface HistoryReport {
  /** The first 20 of each name. */
  readonly anomalies: readonly Anomaly[];
  /** How many of each name there are; a name that is not there was not found. */
  readonly counts: Partial<Record<AnomalyName, number>>;
  /** Values that were sent, were acknowledged, failed for certain, may be stored, and were read. */
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly maybe: number;
  readonly read: number;
}

const shownOfEach = 20;

/** Checks a history that has ended, with everything read that there is to read. */
export function checkHistory({ events }: Pick<History, 'events'>, options: CheckOptions = {}): HistoryReport {
  const ledger = new Ledger(events);
  const anomalies: Anomaly[] = [];
  const counts: Partial<Record<AnomalyName, number>> = {};
  const found: Found = (name, what) => {
    const count = (counts[name] ?? 0) + 1;
    counts[name] = count;
    if (count <= shownOfEach) anomalies.push({ name, what });
  };
  producerPass(ledger, options.deliveryTimeoutMs ?? Infinity, found);
  logPass(ledger, found);
  pollPass(ledger, found);
  groupPass(ledger, found);
  const values = [...ledger.values.values()];
  const count = (stored: string): number => values.filter((sent) => sent.stored === stored).length;
  return {
    anomalies,
    counts,
    sent: values.length,
    acknowledged: count('yes'),
    failed: count('no'),
    maybe: count('maybe'),
    read: values.filter(({ isRead }) => isRead).length,
  };
}
