/** The offsets that one group has committed, and those of transactions that are open. Not here: whether it may commit
 * (group.ts), which producers may (transactional-offsets.ts).
 * Invariant: an offset is kept as it was committed, the last commit wins whichever way it came; none expires, and
 * deleting a topic deletes its offsets.
 */

/** A committed offset. */
export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the next record to read. */
  readonly offset: number;
  /** Leader epoch of the last record read, -1 unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

/** With its place in the order of all commits of the group. */
interface Placed {
  readonly committed: CommittedOffset;
  readonly place: number;
}

/** Offsets by topic and partition, in the order they came. */
export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, Placed>>();
  /** By producer id. */
  readonly #pending = new Map<bigint, Placed[]>();
  #commits = 0;

  get all(): CommittedOffset[] {
    return [...this.#topics.values()].flatMap((partitions) =>
      Array.from(partitions.values(), ({ committed }) => committed),
    );
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)?.committed;
  }

  commit(committed: CommittedOffset): void {
    this.#keep({ committed, place: this.#commits++ });
  }

  /** Keeps an offset until the producer's transaction ends. */
  commitLater(producerId: bigint, committed: CommittedOffset): void {
    const pending = this.#pending.get(producerId) ?? [];
    pending.push({ committed, place: this.#commits++ });
    this.#pending.set(producerId, pending);
  }

  /** Whether an open transaction may change what is committed for the partition. */
  isPending(topic: string, partition: number): boolean {
    return [...this.#pending.values()].some((pending) =>
      pending.some(({ committed }) => committed.topic === topic && committed.partition === partition),
    );
  }

  /** The producer's transaction ended. */
  endTransaction(producerId: bigint, isCommit: boolean): void {
    const pending = this.#pending.get(producerId) ?? [];
    this.#pending.delete(producerId);
    if (isCommit) for (const placed of pending) this.#keep(placed);
  }

  forgetTopic(topic: string): void {
    this.#topics.delete(topic);
    for (const [producerId, pending] of this.#pending) {
      this.#pending.set(
        producerId,
        pending.filter(({ committed }) => committed.topic !== topic),
      );
    }
  }

  #keep(placed: Placed): void {
    const { topic, partition } = placed.committed;
    const partitions = this.#topics.get(topic) ?? new Map<number, Placed>();
    const known = partitions.get(partition);
    if (known === undefined || known.place < placed.place) partitions.set(partition, placed);
    this.#topics.set(topic, partitions);
  }
}
