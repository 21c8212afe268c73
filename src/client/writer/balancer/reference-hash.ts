/** kafka-go's `ReferenceHash`: FNV-1a of the key with the sign bit masked.
 * The same key goes to the same partition as from Sarama's reference hash partitioner.
 * Source: segmentio/kafka-go, balancer.go; IBM/sarama, partitioner.go.
 */
import { byKey, type Balancer } from './balancer.ts';
import { fnv1aHash, type HashOptions } from './hash.ts';
import { sticky } from './sticky.ts';

/** By key as kafka-go's `ReferenceHash`; without a key, `unkeyed` decides. */
export function referenceHash({ unkeyed = sticky(), hasher = fnv1aHash }: HashOptions = {}): Balancer {
  return byKey(unkeyed, (key, partitionCount) => (hasher(key) & 0x7fffffff) % partitionCount);
}
