/** The offsets that one group has committed. Not here: whether it may commit (group.ts).
 * Invariant: an offset is kept as it was committed; none expires, and deleting a topic deletes its offsets.
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

/** Offsets by topic and partition, in the order they came. */
export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>();

  get all(): CommittedOffset[] {
    return [...this.#topics.values()].flatMap((partitions) => Array.from(partitions.values()));
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  commit(committed: CommittedOffset): void {
    const { topic, partition } = committed;
    const partitions = this.#topics.get(topic) ?? new Map<number, CommittedOffset>();
    this.#topics.set(topic, partitions.set(partition, committed));
  }

  forgetTopic(topic: string): void {
    this.#topics.delete(topic);
  }
}
