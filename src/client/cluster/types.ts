/** What the rooms above share: the metadata snapshot, a group's identity, and the seams between them; types only.
 * Invariant: a snapshot and everything in it is immutable; news replaces it.
 */

/** One broker as metadata names it. */
export interface Broker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** One partition as the newest leader epoch has it. */
export interface PartitionSnapshot {
  readonly partition: number;
  /** Node id; -1 while there is none. */
  readonly leader: number;
  /** -1 where the broker is too old to say. */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

/** One topic. After an answer with an error the partitions are those of the last good answer. */
export interface TopicSnapshot {
  readonly name: string;
  /** 22 characters; `AAAAAAAAAAAAAAAAAAAAAA` where the broker has no topic ids. */
  readonly topicId: string;
  /** Kafka's error code of the newest answer about this topic, 0 if good. */
  readonly errorCode: number;
  /** The index is the partition number. */
  readonly partitions: readonly PartitionSnapshot[];
}

/** The cluster as last heard: brokers, and the topics in use. */
export interface MetadataSnapshot {
  /** Grows with each replacement; 0 before the first answer. */
  readonly version: number;
  readonly clusterId: string | null;
  /** Node id; -1 if unknown. */
  readonly controllerId: number;
  readonly brokers: ReadonlyMap<number, Broker>;
  readonly topics: ReadonlyMap<string, TopicSnapshot>;
}

/** A topic's partition. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What identifies a member of a group to the broker, for commits and transactions (KIP-447). */
export interface GroupMetadata {
  readonly groupId: string;
  /** Empty before the member has joined. */
  readonly memberId: string;
  /** Generation, or member epoch under KIP-848; -1 before the member has joined. */
  readonly generationId: number;
  readonly groupInstanceId: string | null;
}

/** What a transaction that consumes needs from the side that reads (W10). */
export interface TransactionSource {
  groupMetadata(): GroupMetadata;
  /** Says that a transaction reads from here, so that nothing is committed but with one from now on (R1). Returns what to
   * commit: the same, past records that nobody is to see where nothing before them is outstanding (R2). Throws when one
   * of the partitions was not owned without a break since its records were handed out (R3). */
  assertOwned<T extends TopicPartition & { readonly offset: number }>(offsets: readonly T[]): readonly T[];
  /** Goes back to the group's committed offsets, after an abort. */
  rewindToCommitted(): Promise<void>;
}
