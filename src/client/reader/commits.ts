/** When a group's reader commits what: done messages by interval or at once, and positions over gaps (R1, R2, R6).
 * Not here: retries, coalescing and the ownership fence (the group session has them).
 * Invariant: nothing beyond what was declared done is committed, except gaps when nothing is outstanding.
 */
import { UsageError } from '../../errors.ts';
import type { Platform, Timer } from '../../platform.ts';
import type { Logger, TopicPartition } from '../cluster/index.ts';
import { Message, MessageBatch, nameOf } from '../fetch/index.ts';
import type { AssignedPartition } from '../fetch/index.ts';
import type { CommitOutcome, OffsetToCommit } from '../group/index.ts';

/** What may be committed: everything up to and including it. */
export type Committable = Message | MessageBatch | Iterable<Message>;

/** What became of a commit that did not fail. */
export interface ReaderCommitOutcome {
  /** Offsets that were not committed, because their partitions had been revoked since their records were handed out.
   * The next owner reads from the last committed offset. */
  readonly dropped: readonly (TopicPartition & { readonly offset: number })[];
}

/** How long a commit may take. */
export interface CommitOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What commits need to know. */
export interface CommitContext {
  readonly platform: Platform;
  readonly logger: Logger;
  /** Milliseconds; undefined: `for await` does not commit. */
  readonly loopIntervalMs: number | undefined;
  readonly callIntervalMs: number;
  /** What is assigned now. */
  partitions(): Iterable<AssignedPartition>;
  send(offsets: readonly OffsetToCommit[], options: CommitOptions): Promise<CommitOutcome>;
}

/** Milliseconds after which gaps and starts are committed where no interval is set. */
const gapIntervalMs = 1000;

/** The commits of one reader. */
export class Commits {
  /** The reader is the source of transactions: they commit, and nothing is committed here any more (R1). */
  isSource = false;
  /** Commits that the broker took. */
  sent = 0;
  readonly #context: CommitContext;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(context: CommitContext) {
    this.#context = context;
  }

  /** `for await` asks for the next message, so this one is done. A promise when it is to be committed first. */
  loopDone(message: Message): Promise<unknown> | undefined {
    const { loopIntervalMs } = this.#context;
    if (loopIntervalMs === undefined || this.isSource) return undefined;
    const { owner, leaderEpoch } = message.source;
    if (!owner.assigned) {
      this.#dropped(owner, message.offset + 1);
      return undefined;
    }
    markDone(owner, message.offset, leaderEpoch);
    if (loopIntervalMs === 0) return this.flush([owner]);
    this.#schedule(loopIntervalMs);
    return undefined;
  }

  /** Declares everything up to the messages done, per partition, and commits it now or within the interval. */
  async commit(committable: Committable, options: CommitOptions = {}): Promise<ReaderCommitOutcome> {
    if (this.isSource)
      throw new UsageError('The reader is the source of transactions: commit with Transaction.sendOffsets');
    const last = lastOf(committable);
    const current = new Set(this.#context.partitions());
    const isForeign = (owner: AssignedPartition): boolean => owner.assigned && !current.has(owner);
    const stranger = [...last.keys()].find(isForeign);
    if (stranger !== undefined)
      throw new UsageError(`A message of ${nameOf(stranger)} came from another reader`);
    const dropped: (TopicPartition & { offset: number })[] = [];
    for (const [owner, { offset, leaderEpoch }] of last) {
      const { topic, partition, assigned } = owner;
      if (assigned) markDone(owner, offset, leaderEpoch);
      else dropped.push({ topic, partition, offset: offset + 1 });
    }
    const { callIntervalMs } = this.#context;
    if (callIntervalMs === 0) dropped.push(...(await this.flush(last.keys(), options)).dropped);
    else this.#schedule(callIntervalMs);
    return { dropped };
  }

  /** Commits soon what may be committed without anyone declaring it done: gaps, and a start at the end of the log. */
  touch(): void {
    for (const owner of this.#context.partitions()) {
      if (owner.committable > owner.committed)
        return this.#schedule(this.#context.loopIntervalMs ?? gapIntervalMs);
    }
  }

  /** Commits what may be committed and is not yet. Rejects as the group session does. */
  async flush(owners: Iterable<AssignedPartition>, options: CommitOptions = {}): Promise<CommitOutcome> {
    const offsets = new Map<AssignedPartition, OffsetToCommit>();
    for (const owner of this.isSource ? [] : owners) {
      const { topic, partition, ownership, committable: offset } = owner;
      const leaderEpoch = offset === owner.done ? owner.doneEpoch : owner.epoch;
      if (offset > owner.committed) offsets.set(owner, { topic, partition, ownership, offset, leaderEpoch });
    }
    if (offsets.size === 0) return { dropped: [] };
    const outcome = await this.#context.send([...offsets.values()], options);
    this.sent++;
    for (const [owner, entry] of offsets) {
      if (outcome.dropped.includes(entry)) this.#dropped(owner, entry.offset);
      else owner.committed = Math.max(owner.committed, entry.offset);
    }
    return outcome;
  }

  /** No timer fires from now on. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #dropped(owner: AssignedPartition, offset: number): void {
    const fields = { partition: nameOf(owner), offset };
    this.#context.logger.warn?.('an offset is not committed: its partition was revoked meanwhile', fields);
  }

  #schedule(delayMs: number): void {
    if (!this.#stopped) this.#timer ??= this.#context.platform.setTimer(delayMs, () => void this.#tick());
  }

  async #tick(): Promise<void> {
    this.#timer = undefined;
    try {
      await this.flush(this.#context.partitions());
    } catch (error) {
      this.#context.logger.warn?.('commit failed, it is tried again', { reason: String(error) });
    }
    this.touch();
  }
}

function markDone(owner: AssignedPartition, offset: number, leaderEpoch: number): void {
  if (offset < owner.done) return;
  owner.done = offset + 1;
  owner.doneEpoch = leaderEpoch;
}

/** The last offset of each partition. Throws a UsageError for what is no message of a Reader. */
function lastOf(committable: Committable): Map<AssignedPartition, { offset: number; leaderEpoch: number }> {
  const last = new Map<AssignedPartition, { offset: number; leaderEpoch: number }>();
  const note = (owner: AssignedPartition, offset: number, leaderEpoch: number): void => {
    if (offset >= (last.get(owner)?.offset ?? 0)) last.set(owner, { offset, leaderEpoch });
  };
  if (committable instanceof MessageBatch) {
    for (const { source, lastOffset } of committable.slices)
      note(source.owner, lastOffset, source.leaderEpoch);
    return last;
  }
  const messages = committable instanceof Message ? [committable] : committable;
  if (typeof messages?.[Symbol.iterator] !== 'function') throw foreign(messages);
  for (const message of messages) {
    if (!(message instanceof Message)) throw foreign(message);
    const { owner, leaderEpoch } = message.source;
    note(owner, message.offset, leaderEpoch);
  }
  return last;
}

function foreign(value: unknown): UsageError {
  return new UsageError(`commitMessages takes messages or a batch of this reader; got ${typeof value}`);
}
