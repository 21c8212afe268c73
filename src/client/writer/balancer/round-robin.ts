/** One partition after the other, for each topic by itself.
 * Not here: weights, and leaders; a partition without a leader is not left out (kafka-go's rule).
 */
import { perTopic, type Balancer } from './balancer.ts';

/** Gives `chunk` messages to each partition in turn; a chunk below 1 counts as 1. Default 1. kafka-go: `RoundRobin`. */
export function roundRobin(chunk = 1): Balancer {
  const size = Math.max(1, Math.trunc(chunk) || 1);
  const counters = perTopic(() => ({ count: 0 }));
  return {
    partition(_message, _key, { topic, partitions }) {
      const counter = counters(topic);
      return Math.floor(counter.count++ / size) % partitions.length;
    },
  };
}
