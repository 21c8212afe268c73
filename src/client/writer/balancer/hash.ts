/** kafka-go's `Hash`: FNV-1a of the key, and its own rule for the sign.
 * The same key goes to the same partition as from kafka-go, Sarama's hash partitioner and librdkafka's `fnv1a`.
 * Trap: Java masks the sign bit, this rule negates; key "20" over 16 partitions is 1 here and 15 there.
 * Source: segmentio/kafka-go, balancer.go.
 */
import { byKey, type Balancer, type Unkeyed } from './balancer.ts';
import { roundRobin } from './round-robin.ts';

/** What `hash` and `referenceHash` hash with, and what they do with messages that have no key. */
export interface HashOptions {
  /** Of `hash` by default `roundRobin()`, of `referenceHash` `sticky()`. An empty key is a key. */
  readonly unkeyed?: Unkeyed | undefined;
  /** A hash of 32 bits, signed or not; it must not change or keep the key. Default FNV-1a. kafka-go: `Hasher`. */
  readonly hasher?: ((key: Uint8Array) => number) | undefined;
}

/** FNV-1a of 32 bits, as a signed integer. */
export function fnv1aHash(bytes: Uint8Array): number {
  let hash = 0x811c9dc5 | 0;
  for (let index = 0; index < bytes.length; index++) {
    hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  }
  return hash;
}

/** By key as kafka-go's `Hash`; without a key, `unkeyed` decides. */
export function hash({ unkeyed = roundRobin(), hasher = fnv1aHash }: HashOptions = {}): Balancer {
  return byKey(unkeyed, (key, partitionCount) => Math.abs((hasher(key) | 0) % partitionCount));
}
