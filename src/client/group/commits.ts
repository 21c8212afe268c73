/** Commits offsets: what is asked meanwhile joins the next request, one request at a time, highest offset per partition.
 * Invariants: an entry whose ownership is no longer current is never sent, it is dropped and reported (R3); within one
 * ownership the committed offset never goes back, however late a call comes.
 * Source: Kafka's OffsetCommit up to v9 (by topic name).
 */
import { KafkaError, ProtocolError, TimeoutError } from '../../errors.ts';
import { offsetCommitApi, type OffsetCommitRequest } from '../../protocol/api/08-offset-commit.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { byTopic, withDeadline, type Patience } from '../cluster/index.ts';
import type { GroupCoordinator } from './coordinator.ts';
import { endingOf, type EndGeneration, type Generation } from './generation.ts';
import { partitionKey, type OwnedPartition, type Ownership } from './ownership.ts';

/** An offset to commit, fenced by the ownership under which its records were handed out. */
export interface OffsetToCommit extends OwnedPartition {
  /** Of the next record to read. */
  readonly offset: number;
  /** Of the last record that was read, -1 if unknown (KIP-320). */
  readonly leaderEpoch: number;
  /** Kept with the offset by the broker. Default: empty. */
  readonly metadata?: string | undefined;
}

/** What became of a commit that did not fail. */
export interface CommitOutcome {
  /** Entries that were not committed because their partitions were revoked or lost in the meantime (R3). */
  readonly dropped: readonly OffsetToCommit[];
}

/** What commits need of the session. */
export interface CommitContext {
  readonly coordinator: GroupCoordinator;
  readonly ownership: Ownership;
  /** Undefined while nothing is owned. */
  generation(): Generation | undefined;
  readonly end: EndGeneration;
}

/** One partition of a request; calls that wait for the same partition share it. */
interface Entry {
  newest: OffsetToCommit;
  outcome: 'waiting' | 'committed' | 'dropped' | KafkaError;
}

interface Batch {
  readonly entries: Map<string, Entry>;
  deadlineMs: number;
  readonly done: Promise<void>;
  readonly settle: () => void;
}

/** The commits of one member. */
export class Commits {
  readonly #context: CommitContext;
  #next: Batch | undefined;
  #sending = false;

  constructor(context: CommitContext) {
    this.#context = context;
  }

  /** Resolves when every entry is committed or dropped. Rejects with the first entry's error, at the deadline with a
   * `TimeoutError`, or with the signal's reason; what was already sent may be committed then.
   */
  async commit(offsets: readonly OffsetToCommit[], { deadlineMs, signal }: Patience): Promise<CommitOutcome> {
    signal?.throwIfAborted();
    const { platform } = this.#context.coordinator.cluster;
    const entries = offsets.map((offset) => this.#enter(offset, deadlineMs));
    const done = this.#next?.done;
    if (done === undefined || entries.every(({ outcome }) => outcome !== 'waiting'))
      return outcomeOf(offsets, entries);
    if (!this.#sending) void this.#sendAll();
    const limitMs = Math.max(0, Math.round(deadlineMs - platform.monotonicNow()));
    const timeout = (): Error =>
      new TimeoutError(`The commit was not answered within ${limitMs} ms`, { limitMs });
    await withDeadline(platform, done, limitMs, timeout, signal);
    return outcomeOf(offsets, entries);
  }

  /** The entry that stands for an offset in the next request; already settled when it needs no request. */
  #enter(offset: OffsetToCommit, deadlineMs: number): Entry {
    const held = this.#context.ownership.held(offset);
    if (held === undefined) return { newest: offset, outcome: 'dropped' };
    if (offset.offset < held.committedOffset) return { newest: offset, outcome: 'committed' };
    const batch = (this.#next ??= newBatch());
    batch.deadlineMs = Math.max(batch.deadlineMs, deadlineMs);
    const key = partitionKey(offset);
    const known = batch.entries.get(key);
    if (known !== undefined && known.newest.ownership === offset.ownership) {
      if (offset.offset >= known.newest.offset) known.newest = offset;
      return known;
    }
    // An entry of an older ownership gives way: its calls learn that it was dropped.
    if (known !== undefined) known.outcome = 'dropped';
    const entry: Entry = { newest: offset, outcome: 'waiting' };
    batch.entries.set(key, entry);
    return entry;
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    for (let batch = this.#next; batch !== undefined; batch = this.#next) {
      this.#next = undefined;
      await this.#send(batch);
      batch.settle();
    }
    this.#sending = false;
  }

  /** Sends until no entry waits any more. Never rejects. */
  async #send({ entries, deadlineMs }: Batch): Promise<void> {
    const { coordinator } = this.#context;
    try {
      await coordinator.repeat('OffsetCommit', { deadlineMs }, () => this.#attempt(entries));
    } catch (error) {
      const failure = error instanceof KafkaError ? error : new KafkaError(String(error), { cause: error });
      for (const entry of entries.values()) if (entry.outcome === 'waiting') entry.outcome = failure;
    }
  }

  /** One request with all that still waits and is still owned. Rejects when some of it must be sent again. */
  async #attempt(entries: ReadonlyMap<string, Entry>): Promise<void> {
    const { coordinator, ownership } = this.#context;
    const generation = this.#context.generation();
    const waiting: Entry[] = [];
    for (const entry of entries.values()) {
      if (entry.outcome !== 'waiting') continue;
      const held = generation === undefined ? undefined : ownership.held(entry.newest);
      if (held === undefined) entry.outcome = 'dropped';
      else if (entry.newest.offset < held.committedOffset) entry.outcome = 'committed';
      else waiting.push(entry);
    }
    if (generation === undefined || waiting.length === 0) return;
    const body = commitRequest(coordinator.groupId, generation, waiting);
    const answer = await coordinator.ask('control', offsetCommitApi, body, { maxVersion: 9 });
    const codes = new Map<string, number>();
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        codes.set(partitionKey({ topic: name, partition: partitionIndex }), errorCode);
      }
    }
    let again: KafkaError | undefined;
    for (const entry of waiting) {
      const errorCode = codes.get(partitionKey(entry.newest));
      try {
        this.#settle(entry, errorCode, generation);
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        if (error.retriable) again = error;
        else entry.outcome = error;
      }
    }
    if (again !== undefined) throw again;
  }

  /** Marks an entry as committed, or as dropped when its partition went with the answer. Throws what a code means. */
  #settle(entry: Entry, errorCode: number | undefined, generation: Generation): void {
    const { coordinator, ownership, end } = this.#context;
    const { topic, partition, offset } = entry.newest;
    if (errorCode === undefined) {
      throw new ProtocolError(`The answer lacks ${topic}[${partition}]`, { api: 'OffsetCommitResponse' });
    }
    const ending = endingOf(errorCode, 'OffsetCommit');
    if (ending !== undefined) end(generation, ending);
    const held = ownership.held(entry.newest);
    if (errorCode !== ErrorCodes.NONE && held === undefined) {
      entry.outcome = 'dropped';
      return;
    }
    coordinator.check(errorCode, 'OffsetCommit', topic, partition);
    entry.outcome = 'committed';
    if (held !== undefined) held.committedOffset = Math.max(held.committedOffset, offset);
  }
}

function newBatch(): Batch {
  let settle = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { entries: new Map(), deadlineMs: 0, done, settle: () => settle() };
}

function commitRequest(
  groupId: string,
  generation: Generation,
  entries: readonly Entry[],
): Input<OffsetCommitRequest> {
  const newest = entries.map((entry) => entry.newest);
  return {
    groupId,
    generationIdOrMemberEpoch: generation.id,
    memberId: generation.memberId,
    topics: byTopic(newest, ({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata ?? '',
    })),
  };
}

function outcomeOf(offsets: readonly OffsetToCommit[], entries: readonly Entry[]): CommitOutcome {
  for (const { outcome } of entries) if (outcome instanceof KafkaError) throw outcome;
  return { dropped: offsets.filter((_, index) => entries[index]?.outcome === 'dropped') };
}
