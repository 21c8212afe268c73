/** librdkafka's default partitioner: CRC-32 of the key, unsigned, modulo the number of partitions.
 * The same key goes to the same partition as from librdkafka and its bindings (`consistent_random`; with
 * `unkeyed: 'consistent'` as `consistent`), and as from kafka-go's `CRC32Balancer`.
 * Source: librdkafka, rdkafka_msg.c, rd_kafka_msg_partitioner_consistent.
 */
import { crc32 as checksum } from '../../../protocol/records/crc32.ts';
import { byKey, type Balancer, type Unkeyed } from './balancer.ts';
import { sticky } from './sticky.ts';

/** What `crc32` does with messages that have no key. */
export interface Crc32Options {
  /** Default `sticky()`, as librdkafka. An empty key is none; by `'consistent'` both go to partition 0. */
  readonly unkeyed?: Unkeyed | undefined;
}

/** By key as librdkafka; without a key, or with an empty one, `unkeyed` decides. */
export function crc32({ unkeyed = sticky() }: Crc32Options = {}): Balancer {
  return byKey(unkeyed, (key, partitionCount) => checksum(key) % partitionCount, 1);
}
