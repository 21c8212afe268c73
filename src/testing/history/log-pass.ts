/** The log against what producers were told: lost, doubled, never sent, aborted, torn.
 * Not here: order (producer-pass.ts, poll-pass.ts).
 */
import type { Found } from './anomaly.ts';
import type { Ledger } from './ledger.ts';

/** Looks at every value and every place. */
export function logPass(ledger: Ledger, found: Found): void {
  for (const { topic, partition, byOffset } of ledger.partitions.values()) {
    for (const [offset, values] of byOffset) {
      if (values.size > 1)
        found('inconsistent-offsets', `${topic}[${partition}] holds at ${offset}: ${[...values].join(', ')}`);
      for (const value of values)
        if (ledger.value(topic, value) === undefined)
          found('unknown-value', `${topic}[${partition}] holds at ${offset} what nobody sent: ${value}`);
    }
  }
  for (const sent of ledger.values.values()) {
    const { value, send, partition, offset, places, isRead } = sent;
    const what = `${value} of ${send.actor} to ${send.topic}[${partition}]`;
    if (places.size > 1) found('duplicate', `${what} is at ${[...places].join(', ')}`);
    if (isRead || ledger.fate(sent) !== 'yes') continue;
    const { lastRead } = ledger.partition(send.topic, partition);
    if (offset !== undefined && offset < lastRead)
      found('lost-write', `${what} was acknowledged at ${offset}; read was up to ${lastRead}`);
    else found('unseen', `${what} was acknowledged at ${offset} and never read`);
  }
  for (const [id, { state, values }] of ledger.transactions) {
    // Of a committed one, a missing value is a lost one; of an aborted one, a read value is an aborted read.
    if (state === 'committed' || state === 'aborted') continue;
    const stored = values.filter((sent) => sent.stored === 'yes');
    const missing = stored.find(({ isRead }) => !isRead);
    const read = stored.find(({ isRead }) => isRead);
    if (missing !== undefined && read !== undefined)
      found('torn-transaction', `${id}: ${read.value} was read, ${missing.value} was not`);
  }
}
