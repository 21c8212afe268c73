/** The seam of a partition assignor: what a group's leader knows of the members and topics, and what it decides.
 * Invariant: an assignor is pure; the same members and topics, in any order, give the same assignment.
 * Source: Kafka's `ConsumerPartitionAssignor`; KIP-345 (instance), KIP-429 (owned), KIP-881 (racks).
 */

/** Partition numbers by topic. */
export type TopicPartitions = ReadonlyMap<string, readonly number[]>;

/** A member as its subscription describes it. */
export interface AssignorMember {
  readonly memberId: string;
  /** Static members only; else null. Kafka: `group.instance.id`. */
  readonly instanceId: string | null;
  /** Null where the member does not say. Kafka: `client.rack`. */
  readonly rack: string | null;
  /** What the member subscribes to, in no particular order. */
  readonly topics: readonly string[];
  /** What the member still holds; empty in an eager rebalance. */
  readonly owned: TopicPartitions;
  /** Generation in which `owned` was valid, -1 if none. */
  readonly generation: number;
  /** What the member's assignor of the same name sent along. */
  readonly userData: Uint8Array | null;
}

/** A topic that somebody subscribes to and that exists. */
export interface AssignorTopic {
  readonly name: string;
  /** The index is the partition number: the racks of its replicas, unknown ones left out. */
  readonly partitionRacks: readonly (readonly string[])[];
}

/** Decides who reads what. Runs on the group's leader, for all members. */
export interface Assignor {
  /** Name that all members must agree on. Kafka's own: `range`, `roundrobin`, `sticky`, `cooperative-sticky`. */
  readonly name: string;
  /** Bytes for the leader's `assign`, sent with each join. Default: none. */
  userData?(topics: readonly string[]): Uint8Array | null;
  /** Partitions by member id; a member that is left out gets nothing. */
  assign(
    members: readonly AssignorMember[],
    topics: ReadonlyMap<string, AssignorTopic>,
  ): ReadonlyMap<string, TopicPartitions>;
}
