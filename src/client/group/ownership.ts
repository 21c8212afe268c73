/** What this member owns, and the fence in front of its commits (R3).
 * Every assignment gets a number of its own, so "owned without a break" is one comparison.
 * Invariant: an entry passes only while the partition is held under the ownership that the entry names.
 */
import type { TopicPartition } from '../cluster/index.ts';
import type { TopicPartitions } from './assignor/assignor.ts';

/** A partition of this member. */
export interface OwnedPartition extends TopicPartition {
  /** Changes whenever the partition was not owned in between. */
  readonly ownership: number;
}

/** A partition that is held now, with the highest offset that the broker took from this ownership, -1 if none. */
export interface HeldPartition extends OwnedPartition {
  committedOffset: number;
}

/** The partitions of one member. */
export class Ownership {
  readonly #held = new Map<string, HeldPartition>();
  #assignments = 0;

  /** Replaces everything; returns what is owned now. */
  assign(partitions: TopicPartitions): readonly OwnedPartition[] {
    this.#held.clear();
    const ownership = ++this.#assignments;
    for (const [topic, numbers] of partitions) {
      for (const partition of numbers) {
        this.#held.set(partitionKey({ topic, partition }), {
          topic,
          partition,
          ownership,
          committedOffset: -1,
        });
      }
    }
    return this.list();
  }

  /** Gives everything up; returns what was owned. */
  clear(): readonly OwnedPartition[] {
    const held = this.list();
    this.#held.clear();
    return held;
  }

  list(): readonly OwnedPartition[] {
    return Array.from(this.#held.values(), ({ topic, partition, ownership }) => ({
      topic,
      partition,
      ownership,
    }));
  }

  /** The partition, if it is still held under the ownership that is named. */
  held(claim: OwnedPartition): HeldPartition | undefined {
    const held = this.#held.get(partitionKey(claim));
    return held?.ownership === claim.ownership ? held : undefined;
  }
}

/** One string for a partition; unambiguous, as a partition number has no colon. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}
