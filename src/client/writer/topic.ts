/** One topic that a Writer writes to: its partitions as balancers see them, their queues, and the plans in line for it.
 * Not here: when a call is let in (admission.ts).
 * Invariant: partitions that were known stay, whatever a later answer leaves out (B2).
 */
import type { TopicSnapshot } from '../cluster/index.ts';
import type { KafkaError } from '../../errors.ts';
import type { BalancerTopic } from './balancer/balancer.ts';
import type { Plan } from './plan.ts';
import { PartitionQueue, type QueueOptions } from './partition-queue.ts';

/** A topic. It is its own `BalancerTopic`: one object, reused for every message. */
export class Topic implements BalancerTopic {
  readonly topic: string;
  partitions: readonly number[] = [];
  available: readonly number[] = [];
  recordBytes = 0;
  readonly random: () => number;
  /** Plans in their order, of which the first is the one to go on next. */
  readonly line: Plan<Topic>[] = [];
  /** A list of this topic alone, for the plans that have no other. */
  readonly alone: readonly Topic[] = [this];
  loading = false;
  /** The last failed look-up, which every plan that was waiting then shares. */
  failure: { readonly error: KafkaError; readonly atMs: number } | undefined;
  readonly #queues: PartitionQueue[] = [];
  readonly #queueOptions: QueueOptions;
  #snapshot: TopicSnapshot | undefined;

  constructor(topic: string, random: () => number, queueOptions: QueueOptions) {
    this.topic = topic;
    this.random = random;
    this.#queueOptions = queueOptions;
  }

  get loaded(): boolean {
    return this.partitions.length > 0;
  }

  /** Whether nothing needs this object: no batch was ever begun, and no plan is in line. */
  get unused(): boolean {
    return this.#queues.length === 0 && this.line.length === 0;
  }

  bufferedBytes(partition: number): number {
    const queue = this.#queues[partition];
    return queue === undefined ? 0 : queue.bufferedBytes + queue.callBytes;
  }

  queue(partition: number): PartitionQueue {
    return this.#queues[partition] ?? this.#addQueue(partition);
  }

  /** Takes over newer metadata; calls `moved` for each queue that has another leader. */
  update(snapshot: TopicSnapshot, moved: (queue: PartitionQueue) => void): void {
    if (snapshot === this.#snapshot || snapshot.partitions.length === 0) return;
    this.#snapshot = snapshot;
    const { partitions } = snapshot;
    if (partitions.length !== this.partitions.length)
      this.partitions = partitions.map(({ partition }) => partition);
    const available = partitions.filter(({ leader }) => leader >= 0).map(({ partition }) => partition);
    const same =
      available.length === this.available.length && available.every((id, at) => id === this.available[at]);
    if (!same) this.available = available;
    for (const queue of this.#queues) {
      if (queue === undefined) continue;
      const leader = partitions[queue.partition]?.leader ?? -1;
      queue.topicId = snapshot.topicId;
      if (queue.leader === leader) continue;
      queue.leader = leader;
      moved(queue);
    }
  }

  #addQueue(partition: number): PartitionQueue {
    while (this.#queues.length <= partition) {
      const queue = new PartitionQueue(this.topic, this.#queues.length, this.#queueOptions);
      queue.leader = this.#snapshot?.partitions[queue.partition]?.leader ?? -1;
      queue.topicId = this.#snapshot?.topicId ?? '';
      this.#queues.push(queue);
    }
    return this.#queues[partition] as PartitionQueue;
  }
}
