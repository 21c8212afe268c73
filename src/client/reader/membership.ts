/** Turns what a group assigns into partitions that are read, from the committed offsets on, and gives them up in order.
 * Not here: the group protocol (client/group), when to commit (commits.ts).
 * Invariants: nothing is read before the committed offset is known (no fallback when the question fails), and nothing of
 * a partition comes out once it is revoked.
 */
import { KafkaError } from '../../errors.ts';
import {
  Backoff,
  closedError,
  Coordinators,
  sleep,
  type Cluster,
  type TopicPartition,
} from '../cluster/index.ts';
import { AssignedPartition, timestampOf, type FetchSet, type StartOffset } from '../fetch/index.ts';
import { GroupSession, type GroupListener } from '../group/index.ts';
import type { OwnedPartition } from '../group/index.ts';
import type { Commits } from './commits.ts';
import type { Handout } from './handout.ts';
import type { GroupOptions } from './options.ts';

/** What membership needs of its reader. */
export interface MembershipContext {
  readonly cluster: Cluster;
  readonly options: GroupOptions;
  readonly startOffset: StartOffset;
  readonly fetches: FetchSet;
  readonly handout: Handout;
  readonly commits: Commits;
}

/** Key of a partition within one reader. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}

/** Where a partition without a known offset begins. */
export function startAt(owner: AssignedPartition, start: StartOffset): void {
  const timestamp = timestampOf(start);
  if (timestamp === undefined) owner.fetchFrom(start as number);
  else owner.fetchFromTimestamp(timestamp);
}

/** A reader's part in its group. */
export class Membership implements GroupListener {
  /** Assignments so far. */
  rebalances = 0;
  /** Told which partitions are no longer this member's. */
  onGivenUp: (owners: readonly AssignedPartition[]) => void = () => undefined;
  /** Why the membership ended for good; undefined while it lives. */
  failure: KafkaError | undefined;
  readonly session: GroupSession;
  readonly #context: MembershipContext;
  readonly #owned = new Map<string, AssignedPartition>();
  readonly #life = new AbortController();

  constructor(context: MembershipContext) {
    this.#context = context;
    this.session = new GroupSession(context.cluster, new Coordinators(context.cluster), {
      ...context.options,
      listener: this,
    });
  }

  /** What is assigned now. */
  get owned(): Iterable<AssignedPartition> {
    return this.#owned.values();
  }

  /** The partition, if it is assigned now. */
  owner(partition: TopicPartition): AssignedPartition | undefined {
    return this.#owned.get(partitionKey(partition));
  }

  /** Aborts when the reader closes. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  /** Resolves when the committed offsets of all are known, or no longer wanted. */
  async onAssigned(added: readonly OwnedPartition[]): Promise<void> {
    this.rebalances++;
    const owners = added.map(
      ({ topic, partition, ownership }) => new AssignedPartition(topic, partition, ownership),
    );
    for (const owner of owners) this.#owned.set(partitionKey(owner), owner);
    this.#context.fetches.add(owners);
    const backoff = new Backoff(this.#context.cluster.platform);
    while (owners.some(({ assigned }) => assigned) && !this.#life.signal.aborted) {
      try {
        const committed = await this.session.committed(owners, { signal: this.#life.signal });
        owners.forEach((owner, index) => this.#begin(owner, committed[index]?.offset ?? -1));
        this.#context.fetches.begin(owners.filter(({ assigned }) => assigned));
        return;
      } catch (error) {
        if (this.#life.signal.aborted || (error instanceof KafkaError && error.code === 'FENCED')) return;
        this.#refuse(owners, error);
        await sleep(this.#context.cluster.platform, backoff.next(), this.#life.signal).catch(() => undefined);
      }
    }
  }

  /** Resolves when what was done is committed. */
  async onRevoked(partitions: readonly OwnedPartition[]): Promise<void> {
    const owners = this.#giveUp(partitions);
    const { commits, cluster } = this.#context;
    try {
      await commits.flush(owners);
    } catch (error) {
      cluster.logger.warn?.('the commit before a rebalance failed', { reason: String(error) });
    }
  }

  onLost(partitions: readonly OwnedPartition[]): void {
    this.#giveUp(partitions);
  }

  onError(error: KafkaError): void {
    if (error.retriable) this.#context.cluster.logger.warn?.('group trouble', { reason: error.message });
    else {
      this.failure = error;
      this.#context.handout.wake();
    }
  }

  /** Commits what was done and leaves the group. Never rejects, never takes longer. */
  async close(timeoutMs: number): Promise<void> {
    this.#life.abort(closedError('The reader'));
    await this.session.close({ timeoutMs });
  }

  #begin(owner: AssignedPartition, committed: number): void {
    owner.refusal = undefined;
    owner.committed = committed;
    if (committed >= 0) owner.fetchFrom(committed);
    else startAt(owner, this.#context.startOffset);
  }

  #refuse(owners: readonly AssignedPartition[], error: unknown): void {
    this.#context.cluster.logger.warn?.('committed offsets are not known yet', { reason: String(error) });
    if (!(error instanceof KafkaError) || error.retriable) return;
    for (const owner of owners) owner.refusal = error;
    this.#context.handout.wake();
  }

  #giveUp(partitions: readonly OwnedPartition[]): AssignedPartition[] {
    const owners: AssignedPartition[] = [];
    for (const partition of partitions) {
      const owner = this.#owned.get(partitionKey(partition));
      if (owner === undefined) continue;
      this.#owned.delete(partitionKey(partition));
      owners.push(owner);
    }
    this.onGivenUp(owners);
    this.#context.fetches.remove(owners);
    this.#context.handout.drop();
    this.#context.handout.wake();
    return owners;
  }
}
