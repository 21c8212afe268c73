/** The partitions of `__consumer_offsets` as producers see them: which transactions have committed offsets there.
 * Not here: the offsets (group-offsets.ts). There are no logs: of each partition only its producers are kept.
 * Invariant: a group's offsets lie in one partition, the one Kafka with its default of 50 would choose.
 */
import { hash } from './coordinators.ts';
import type { NamedPartition, ProducerIdentity } from './transaction.ts';

/** The topic that groups commit to. */
export const offsetsTopic = '__consumer_offsets';
const offsetsPartitions = 50;

/** The partition that a group commits to. */
export function offsetsPartition(groupId: string): NamedPartition {
  return [offsetsTopic, hash(groupId) % offsetsPartitions];
}

interface ProducerState {
  epoch: number;
  isOpen: boolean;
}

/** Producers by partition. */
export class TransactionalOffsets {
  readonly #producers = new Map<string, ProducerState>();

  /** Whether the producer has offsets of an open transaction there. */
  isOpen(partition: number, { producerId, producerEpoch }: ProducerIdentity): boolean {
    const state = this.#producers.get(`${partition} ${producerId}`);
    return state?.isOpen === true && state.epoch === producerEpoch;
  }

  /** Takes note of a commit. */
  append(partition: number, { producerId, producerEpoch }: ProducerIdentity): void {
    this.#producers.set(`${partition} ${producerId}`, { epoch: producerEpoch, isOpen: true });
  }

  /** Takes note of a marker. */
  end(partition: number, { producerId, producerEpoch }: ProducerIdentity): void {
    this.#producers.set(`${partition} ${producerId}`, { epoch: producerEpoch, isOpen: false });
  }
}
