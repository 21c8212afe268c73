/** What a consumer group promises: one reader of a partition in an epoch, and committed offsets that never go back, never
 * run ahead of what was processed, and never come from a consumer that lost the partition.
 * A history holds one group for a partition. Not here: what is read (poll-pass.ts).
 */
import type { Found } from './anomaly.ts';
import type { CommitEvent, HistoryEvent, PollEvent } from './history.ts';
import type { Ledger, PartitionLedger } from './ledger.ts';

/** Looks at assignments, polls, processed records and commits, in the order of events. */
export function groupPass(ledger: Ledger, found: Found): void {
  const groups = new Map<PartitionLedger, GroupPartition>();
  for (const event of ledger.events) {
    if (!isOfGroup(event)) continue;
    const log = ledger.partition(event.topic, event.partition);
    let group = groups.get(log);
    if (group === undefined) groups.set(log, (group = new GroupPartition(ledger, log, found)));
    if (event.kind === 'assign') group.assigned(event.actor, event.epoch);
    else if (event.kind === 'revoke') group.owners.delete(event.actor);
    else if (event.kind === 'poll') group.polled(event);
    else if (event.kind === 'processed') group.processed(event.offset);
    else group.committed(event);
  }
}

function isOfGroup(
  event: HistoryEvent,
): event is Extract<HistoryEvent, { kind: 'assign' | 'revoke' | 'poll' | 'processed' | 'commit' }> {
  return /^(assign|revoke|poll|processed|commit)$/.test(event.kind);
}

class GroupPartition {
  /** Epoch by actor. */
  readonly owners = new Map<string, number | undefined>();
  readonly #ledger: Ledger;
  readonly #log: PartitionLedger;
  readonly #found: Found;
  readonly #readers = new Map<number, string>();
  readonly #processed = new Set<number>();
  /** The lowest offset that was processed: nothing below it is the group's. */
  #first = Infinity;
  /** Everything of the log from #first to here is processed. */
  #processedTo = 0;
  #committed = -1;
  #hasGroup = false;

  constructor(ledger: Ledger, log: PartitionLedger, found: Found) {
    this.#ledger = ledger;
    this.#log = log;
    this.#found = found;
  }

  assigned(actor: string, epoch: number | undefined): void {
    this.#hasGroup ||= epoch !== undefined;
    this.owners.set(actor, epoch);
  }

  polled({ actor }: PollEvent): void {
    const epoch = this.owners.get(actor);
    if (epoch === undefined) return;
    const reader = this.#readers.get(epoch) ?? actor;
    this.#readers.set(epoch, reader);
    if (reader !== actor)
      this.#found('dual-owner', `${this.#where()}: ${reader} and ${actor} read in epoch ${epoch}`);
  }

  processed(offset: number): void {
    this.#processed.add(offset);
    if (offset >= this.#first) return;
    this.#first = offset;
    this.#processedTo = this.#log.indexOf(offset);
  }

  committed({ actor, offset }: CommitEvent): void {
    const what = `${this.#where()}: ${actor} committed ${offset}`;
    if (this.#hasGroup && !this.owners.has(actor))
      this.#found('commit-after-revoke', `${what} without owning the partition`);
    if (offset < this.#committed) this.#found('commit-regress', `${what} after ${this.#committed}`);
    this.#committed = Math.max(this.#committed, offset);
    const { offsets } = this.#log;
    let open = offsets[this.#processedTo];
    while (open !== undefined && open < offset && this.#isDone(open)) open = offsets[++this.#processedTo];
    if (open !== undefined && open < offset)
      this.#found('commit-beyond-processed', `${what}; not processed is ${open}`);
  }

  /** Whether nobody needs to process the record any more; what was aborted is nobody's. */
  #isDone(offset: number): boolean {
    if (this.#processed.has(offset)) return true;
    const values = [...(this.#log.byOffset.get(offset) ?? [])];
    return values.every((value) => {
      const sent = this.#ledger.value(this.#log.topic, value);
      return sent !== undefined && this.#ledger.fate(sent) === 'no';
    });
  }

  #where(): string {
    return `${this.#log.topic}[${this.#log.partition}]`;
  }
}
