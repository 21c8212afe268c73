/** Stays with one partition until it got its share of bytes, then goes on to another: few, full batches.
 * Not here: preferring quick brokers (KIP-794's adaptive part).
 * Invariant: a partition without a leader is chosen only when none has one.
 * Source: KIP-794, strictly uniform sticky partitioner.
 */
import { perTopic, type Balancer } from './balancer.ts';

/** How `sticky` changes partitions. */
export interface StickyOptions {
  /** Bytes to one partition before the next is chosen, default 65,536. Kafka: `batch.size` under KIP-794. */
  readonly bytes?: number;
}

/** Uniform by bytes, whatever the keys are. The default for messages without a key. */
export function sticky({ bytes = 65_536 }: StickyOptions = {}): Balancer {
  const none: readonly number[] = [];
  const states = perTopic(() => ({ partition: -1, bytes: 0, available: none }));
  return {
    partition(_message, _key, topic) {
      const state = states(topic.topic);
      if (state.available !== topic.available) {
        state.available = topic.available;
        if (!state.available.includes(state.partition)) state.partition = -1;
      }
      if (state.partition < 0 || state.bytes >= bytes) {
        const choice = topic.available.length > 0 ? topic.available : topic.partitions;
        state.partition = choice[Math.floor(topic.random() * choice.length)] ?? 0;
        state.bytes = 0;
      }
      state.bytes += topic.recordBytes;
      return state.partition;
    },
  };
}
