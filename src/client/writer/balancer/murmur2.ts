/** Java's partitioner: murmur2 of the key, sign bit masked, modulo the number of partitions.
 * The same key goes to the same partition as from Java, kafkajs, kafka-go's `Murmur2Balancer` and librdkafka's
 * `murmur2_random` (with `unkeyed: 'consistent'`: `murmur2`).
 * Source: org.apache.kafka.common.utils.Utils.murmur2, BuiltInPartitioner.
 */
import { byKey, type Balancer, type Unkeyed } from './balancer.ts';
import { sticky } from './sticky.ts';

/** What `murmur2` does with messages that have no key. */
export interface Murmur2Options {
  /** Default `sticky()`. An empty key is a key. */
  readonly unkeyed?: Unkeyed | undefined;
}

/** MurmurHash2 of 32 bits with Kafka's seed, as a signed integer. */
export function murmur2Hash(bytes: Uint8Array): number {
  const { length } = bytes;
  const blocks = length & ~3;
  let hash = 0x9747b28c ^ length;
  let index = 0;
  for (; index < blocks; index += 4) {
    let word =
      (bytes[index] as number) |
      ((bytes[index + 1] as number) << 8) |
      ((bytes[index + 2] as number) << 16) |
      ((bytes[index + 3] as number) << 24);
    word = Math.imul(word, 0x5bd1e995);
    word ^= word >>> 24;
    hash = Math.imul(hash, 0x5bd1e995) ^ Math.imul(word, 0x5bd1e995);
  }
  if (index < length) {
    const left = length - index;
    if (left === 3) hash ^= (bytes[index + 2] as number) << 16;
    if (left >= 2) hash ^= (bytes[index + 1] as number) << 8;
    hash = Math.imul(hash ^ (bytes[index] as number), 0x5bd1e995);
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0x5bd1e995);
  return hash ^ (hash >>> 15);
}

/** By key as Java; without a key, `unkeyed` decides. The default balancer. */
export function murmur2({ unkeyed = sticky() }: Murmur2Options = {}): Balancer {
  return byKey(unkeyed, (key, partitionCount) => (murmur2Hash(key) & 0x7fffffff) % partitionCount);
}
