/** One partition after the other, for each topic by itself.
 * Not here: weights, and leaders; a partition without a leader is not left out (kafka-go's rule).
 */
import { perTopic, type Balancer } from './balancer.ts';

/** How `roundRobin` goes around. */
export interface RoundRobinOptions {
  /** Messages to a partition before its neighbour's turn, default 1; less counts as 1. kafka-go: `ChunkSize`. */
  readonly chunkSize?: number | undefined;
}

/** Gives each partition the same number of messages in turn. kafka-go: `RoundRobin`. */
export function roundRobin({ chunkSize = 1 }: RoundRobinOptions = {}): Balancer {
  const size = Math.max(1, Math.trunc(chunkSize) || 1);
  const counters = perTopic(() => ({ count: 0 }));
  return {
    partition(_message, _key, { topic, partitions }) {
      const counter = counters(topic);
      return Math.floor(counter.count++ / size) % partitions.length;
    },
  };
}
