/** kafka-go's `Hash`: FNV-1a of the key, and its own rule for the sign.
 * The same key goes to the same partition as from kafka-go, Sarama's hash partitioner and librdkafka's `fnv1a`.
 * Trap: Java masks the sign bit, this rule negates; key "20" over 16 partitions is 1 here and 15 there.
 * Source: segmentio/kafka-go, balancer.go.
 */
import { balancerOf, type Balancer, type BalancerFunction } from './balancer.ts';
import { roundRobin } from './round-robin.ts';

/** What `hash` does with messages that have no key. */
export interface HashOptions {
  /** Default `roundRobin()`. An empty key is a key. */
  readonly unkeyed?: Balancer | BalancerFunction;
}

/** FNV-1a of 32 bits, as a signed integer. */
export function fnv1aHash(bytes: Uint8Array): number {
  let hash = 0x811c9dc5 | 0;
  for (let index = 0; index < bytes.length; index++) {
    hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  }
  return hash;
}

/** By key as kafka-go; without a key, `unkeyed` decides. */
export function hash({ unkeyed = roundRobin() }: HashOptions = {}): Balancer {
  const fallback = balancerOf(unkeyed);
  return {
    partition(message, key, topic) {
      if (key === null) return fallback.partition(message, key, topic);
      return Math.abs(fnv1aHash(key) % topic.partitions.length);
    },
  };
}
