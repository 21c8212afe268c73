/** One topic that a Writer writes to: its partitions as balancers see them, their queues, and the plans in line for it.
 * Not here: when a call is let in (admission.ts).
 * Invariant: partitions that were known stay, whatever a later answer leaves out (B2).
 */
import type { Cluster, TopicSnapshot } from '../cluster/index.ts';
import type { KafkaError } from '../../errors.ts';
import type { BalancerTopic } from './balancer/balancer.ts';
import type { Plan } from './plan.ts';
import { PartitionQueue, type QueueOptions } from './partition-queue.ts';

/** What a topic needs of the cluster. */
export type TopicCluster = Pick<Cluster, 'platform' | 'snapshot' | 'useTopics'>;

/** A topic. It is its own `BalancerTopic`: one object, reused for every message. */
export class Topic implements BalancerTopic {
  readonly topic: string;
  partitions: readonly number[] = [];
  available: readonly number[] = [];
  recordBytes = 0;
  /** Plans in their order, of which the first is the one to go on next. */
  readonly line: Plan<Topic>[] = [];
  /** A list of this topic alone, for the plans that have no other. */
  readonly alone: readonly Topic[] = [this];
  loading = false;
  /** The last failed look-up; it answers every plan that was begun by `atMs`. */
  failure: { readonly error: KafkaError; readonly atMs: number } | undefined;
  /** The index is the partition. */
  readonly queues: PartitionQueue[] = [];
  readonly #queueOptions: QueueOptions;
  readonly #cluster: TopicCluster;
  /** Ends the interest in the topic's metadata. */
  readonly release: () => void;

  constructor(topic: string, cluster: TopicCluster, queueOptions: QueueOptions) {
    this.topic = topic;
    this.#cluster = cluster;
    this.#queueOptions = queueOptions;
    this.release = cluster.useTopics([topic]);
    const known = cluster.snapshot.topics.get(topic);
    if (known?.errorCode === 0) this.update(known);
  }

  get loaded(): boolean {
    return this.partitions.length > 0;
  }

  bufferedBytes(partition: number): number {
    const queue = this.queues[partition];
    return queue === undefined ? 0 : queue.bufferedBytes + queue.callBytes;
  }

  random(): number {
    return this.#cluster.platform.random();
  }

  /** Takes over newer metadata; calls `moved` for each queue that has another leader. */
  update({ topicId, partitions }: TopicSnapshot, moved?: (queue: PartitionQueue) => void): void {
    const available = partitions.filter(({ leader }) => leader >= 0).map(({ partition }) => partition);
    if (String(available) !== String(this.available)) this.available = available;
    for (const { partition, leader } of partitions) {
      const queue = (this.queues[partition] ??= new PartitionQueue(
        this.topic,
        partition,
        this.#queueOptions,
      ));
      queue.topicId = topicId;
      if (queue.leader === leader) continue;
      queue.leader = leader;
      moved?.(queue);
    }
    if (this.queues.length !== this.partitions.length)
      this.partitions = this.queues.map(({ partition }) => partition);
  }
}
