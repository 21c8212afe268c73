/** What a member of a classic consumer group tells about itself: the metadata of JoinGroup's `consumer` protocol, v0-v3.
 * v1 owned partitions (KIP-429). v2 generation (KIP-792). v3 rack (KIP-881).
 * Invariant: an int16 version stands in front, and a newer version than ours reads as our newest, surplus ignored.
 * Source: Kafka's ConsumerProtocolSubscription.json and ConsumerProtocol.java.
 */
import { defineMessage, type Fields, type Input, type Message } from '../schema.ts';
import { decodeVersioned, encodeVersioned } from './versioned.ts';

/** Partitions of one topic. */
export interface TopicPartitions {
  topic: string;
  partitions: number[];
}

/** A member's subscription. */
export interface Subscription {
  topics: string[];
  /** Default null. What the assignor adds, in its own format. */
  userData: Uint8Array | null;
  /** v1+. Partitions the member holds from the last generation; Java's client sorts them, and the topics too. */
  ownedPartitions: TopicPartitions[];
  /** v2+, default -1. Generation in which it got them. */
  generationId: number;
  /** v3+, default null. */
  rackId: string | null;
}

/** Table of `TopicPartitions`, which the assignment shares. */
export const topicPartitions: Fields<TopicPartitions> = { topic: 'string', partitions: ['int32'] };

const fields: Fields<Subscription> = {
  topics: ['string'],
  userData: { type: 'bytes', nullable: true, default: null },
  ownedPartitions: { type: [topicPartitions], since: 1, ignorable: true },
  generationId: { type: 'int32', since: 2, default: -1, ignorable: true },
  rackId: { type: 'string', since: 3, nullable: true, default: null, ignorable: true },
};

/** The subscription without the version in front. */
export const subscription: Message<Subscription> = /* @__PURE__ */ defineMessage(
  'ConsumerProtocolSubscription',
  -1,
  [0, 3],
  undefined,
  fields,
);

/** Encodes a subscription with its version in front. Default version 3; order is kept. */
export function encodeSubscription(value: Input<Subscription>, version: number = 3): Uint8Array {
  return encodeVersioned(subscription, value, version);
}

/** Decodes a subscription with its version in front. Throws a `ProtocolError` for a negative version. */
export function decodeSubscription(bytes: Uint8Array): Subscription {
  return decodeVersioned(subscription, bytes);
}
