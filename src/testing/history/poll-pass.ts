/** What a consumer promises: each record of a partition once and in order from its position on, none before its commit,
 * none of a failed write. Not here: groups (group-pass.ts).
 */
import type { Found } from './anomaly.ts';
import type { AssignEvent, PollEvent } from './history.ts';
import type { Ledger, PartitionLedger } from './ledger.ts';

/** Looks at every poll, in the order of events. */
export function pollPass(ledger: Ledger, found: Found): void {
  const begun = new Set<string>();
  const positions = new Map<string, number>();
  const keyOf = ({ actor, topic, partition }: PollEvent | AssignEvent): string =>
    `${actor}\0${topic}\0${partition}`;
  for (const event of ledger.events) {
    if (event.kind === 'transaction') begun.add(event.transaction);
    else if (event.kind === 'assign') positions.delete(keyOf(event));
    else if (event.kind === 'poll') {
      if (event.isolation !== 'read_uncommitted') checkCommitted(ledger, event, begun, found);
      const key = keyOf(event);
      const last = checkOrder(ledger, event, positions.get(key), found);
      if (last !== undefined) positions.set(key, last);
    }
  }
}

function checkCommitted(ledger: Ledger, event: PollEvent, begun: ReadonlySet<string>, found: Found): void {
  const { actor, topic, partition, records } = event;
  for (const [offset, value] of records) {
    const sent = ledger.value(topic, value);
    if (sent === undefined) continue;
    const { transaction } = sent.send;
    const what = `${actor} read ${value} at ${topic}[${partition}] ${offset}`;
    if (ledger.fate(sent) === 'no') found('G1a', `${what}, which was not written or was aborted`);
    else if (transaction !== undefined && !begun.has(transaction))
      found('precommitted-read', `${what} before ${transaction} was to be committed`);
  }
}

/** Returns the offset of the last record. */
function checkOrder(
  ledger: Ledger,
  { actor, topic, partition, records, isolation }: PollEvent,
  position: number | undefined,
  found: Found,
): number | undefined {
  const log = ledger.partition(topic, partition);
  let before = position;
  let inside = '';
  for (const [offset] of records) {
    const where = `${actor} in ${topic}[${partition}]: ${offset} after ${before}`;
    if (before !== undefined && offset <= before)
      found(inside === '' ? 'nonmonotonic-poll' : 'int-nonmonotonic-poll', where);
    else if (before !== undefined && isSkip(ledger, log, before, offset, isolation))
      found(inside === '' ? 'poll-skip' : 'int-poll-skip', where);
    before = offset;
    inside = 'int-';
  }
  return before;
}

/** Whether somebody read something between two offsets that this reader had to see too. */
function isSkip(
  ledger: Ledger,
  log: PartitionLedger,
  from: number,
  to: number,
  isolation: PollEvent['isolation'],
): boolean {
  for (let index = log.indexOf(from + 1); index < log.indexOf(to); index++) {
    if (isolation === 'read_uncommitted') return true;
    for (const value of log.byOffset.get(log.offsets[index] ?? -1) ?? []) {
      const sent = ledger.value(log.topic, value);
      if (sent === undefined || ledger.fate(sent) !== 'no') return true;
    }
  }
  return false;
}
