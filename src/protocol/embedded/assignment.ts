/** What a member of a classic consumer group is given: the assignment in SyncGroup's `consumer` protocol, v0-v3.
 * The versions are alike; they follow those of the subscription.
 * Invariant: an int16 version stands in front, and a newer version than ours reads as our newest, surplus ignored.
 * Source: Kafka's ConsumerProtocolAssignment.json and ConsumerProtocol.java.
 */
import { defineMessage, type Fields, type Input, type Message } from '../schema.ts';
import { topicPartitions, type TopicPartitions } from './subscription.ts';
import { decodeVersioned, encodeVersioned } from './versioned.ts';

/** A member's assignment. */
export interface Assignment {
  assignedPartitions: TopicPartitions[];
  /** Default null. What the assignor adds, in its own format. */
  userData: Uint8Array | null;
}

const fields: Fields<Assignment> = {
  assignedPartitions: [topicPartitions],
  userData: { type: 'bytes', nullable: true, default: null },
};

/** The assignment without the version in front. */
export const assignment: Message<Assignment> = /* @__PURE__ */ defineMessage(
  'ConsumerProtocolAssignment',
  -1,
  [0, 3],
  undefined,
  fields,
);

/** Encodes an assignment with its version in front. Default version 3; order is kept. */
export function encodeAssignment(value: Input<Assignment>, version: number = 3): Uint8Array {
  return encodeVersioned(assignment, value, version);
}

/** Decodes an assignment with its version in front. No bytes at all are an empty one: what a coordinator sends to a
 * member that the leader gave nothing. Throws a `ProtocolError` for a negative version.
 */
export function decodeAssignment(bytes: Uint8Array): Assignment {
  return bytes.length === 0 ? { assignedPartitions: [], userData: null } : decodeVersioned(assignment, bytes);
}
