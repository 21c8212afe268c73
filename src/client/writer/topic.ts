/** One topic that a Writer writes to: its partitions as balancers see them, their queues, and the calls in line for it.
 * Not here: when a call is let in (admission.ts).
 * Invariants: partitions that were known stay, whatever a later answer leaves out (B2), unless the topic was created
 * anew with fewer; a partition keeps its queue, so that its order and its sequences go on.
 */
import type { Cluster, TopicSnapshot } from '../cluster/index.ts';
import type { Accumulator } from './accumulator.ts';
import type { BalancerTopic } from './balancer/balancer.ts';
import type { Call } from './call.ts';
import { Line } from './line.ts';
import { PartitionQueue } from './partition-queue.ts';

/** What a topic needs of the cluster. */
export type TopicCluster = Pick<Cluster, 'platform' | 'snapshot' | 'useTopics'>;

/** A topic. It is its own `BalancerTopic`: one object, reused for every message. */
export class Topic implements BalancerTopic {
  readonly topic: string;
  partitions: readonly number[] = [];
  available: readonly number[] = [];
  recordBytes = 0;
  /** Calls in their order, of which the first is the one to go on next. */
  readonly line: Line<Call<Topic>> = new Line();
  loading = false;
  /** The index is the partition. */
  readonly queues: PartitionQueue[] = [];
  #topicId = '';
  readonly #accumulator: Accumulator;
  readonly #cluster: TopicCluster;
  /** Ends the interest in the topic's metadata. */
  readonly release: () => void;

  constructor(topic: string, cluster: TopicCluster, accumulator: Accumulator) {
    this.topic = topic;
    this.#cluster = cluster;
    this.#accumulator = accumulator;
    this.release = cluster.useTopics([topic]);
  }

  get loaded(): boolean {
    return this.partitions.length > 0;
  }

  bufferedBytes(partition: number): number {
    const queue = this.queues[partition];
    if (queue === undefined) return 0;
    let bytes = queue.callBytes;
    for (const { byteLength } of queue.batches) bytes += byteLength;
    return bytes;
  }

  waitedMs(partition: number): number {
    const oldest = this.queues[partition]?.oldest;
    return oldest === undefined ? 0 : this.#cluster.platform.monotonicNow() - oldest.openedMs;
  }

  random(): number {
    return this.#cluster.platform.random();
  }

  /** Takes over newer metadata. */
  update({ topicId, partitions }: TopicSnapshot): void {
    const available = partitions.filter(({ leader }) => leader >= 0).map(({ partition }) => partition);
    if (String(available) !== String(this.available)) this.available = available;
    for (const { partition, leader } of partitions) {
      const queue = (this.queues[partition] ??= new PartitionQueue(this.topic, partition, this.#accumulator));
      queue.topicId = topicId;
      if (queue.leader === leader) continue;
      queue.leader = leader;
      queue.retryAtMs = 0;
      this.#accumulator.onWake();
    }
    const isSame = topicId === this.#topicId;
    const count = isSame ? Math.max(partitions.length, this.partitions.length) : partitions.length;
    this.#topicId = topicId;
    if (count === this.partitions.length) return;
    this.partitions = Array.from({ length: count }, (_, partition) => partition);
    for (const gone of this.queues.slice(count)) gone.leader = -1;
  }
}
