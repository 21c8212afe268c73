/** Stays with one partition until it got its share of bytes, then draws another: few, full batches.
 * The longer a partition's queue is, the less likely it is drawn, so that a slow broker gets what it can take. Java counts
 * the batches of a queue, here bytes count, those on their way included. Where all brokers are equally quick, the
 * partitions get the same number of bytes, whatever the sizes of the records.
 * Invariant: a partition without a leader is drawn only when none has one.
 * Source: KIP-794, strictly uniform sticky partitioner; Java's BuiltInPartitioner.
 */
import { booleanOption, integerOption, maxTimerMs, optionError } from '../../cluster/index.ts';
import { perTopic, type Balancer, type BalancerTopic } from './balancer.ts';

/** How `sticky` changes partitions. */
export interface StickyOptions {
  /** Bytes to one partition before the next is drawn, 1 to 2^30, default 65,536. Kafka: `batch.size` under KIP-794. */
  readonly bytes?: number | undefined;
  /** Whether partitions with longer queues are drawn less often. Default true.
   * Kafka: `partitioner.adaptive.partitioning.enable`. */
  readonly adaptive?: boolean | undefined;
  /** Milliseconds, up to 2147483647, that a batch may be without its outcome before its partition is no longer drawn,
   * unless that is true of all. Default 0: without end. Needs `adaptive`.
   * Kafka: `partitioner.availability.timeout.ms`. */
  readonly availabilityTimeoutMs?: number | undefined;
}

/** Where a topic's messages go now. */
interface Stay {
  partition: number;
  /** That it was given; from the share on, another is drawn. */
  bytes: number;
  /** As it was at the last look. */
  available: readonly number[] | undefined;
}

/** Uniform by bytes, whatever the keys are. The default for messages without a key. Throws a `UsageError` for a wrong
 * option. */
export function sticky(options: StickyOptions = {}): Balancer {
  const share = integerOption('bytes', options.bytes, 65_536, 1, 2 ** 30);
  const adaptive = booleanOption('adaptive', options.adaptive, true);
  const timeoutMs = integerOption('availabilityTimeoutMs', options.availabilityTimeoutMs, 0, 0, maxTimerMs);
  if (!adaptive && timeoutMs > 0) throw optionError('availabilityTimeoutMs', '0 without adaptive', timeoutMs);
  const stays = perTopic((): Stay => ({ partition: 0, bytes: share, available: undefined }));
  let sums = new Float64Array(0);

  /** The weight of each is one share more than the longest queue has over its own; of one that is out, 0. */
  const draw = (topic: BalancerTopic): number => {
    const choice = topic.available.length > 0 ? topic.available : topic.partitions;
    const { length } = choice;
    if (sums.length < length) sums = new Float64Array(length);
    let longest = 0;
    for (let index = 0; index < length; index++) {
      const partition = choice[index] as number;
      const isOut = !adaptive || (timeoutMs > 0 && topic.waitedMs(partition) > timeoutMs);
      const queued = isOut ? Infinity : topic.bufferedBytes(partition);
      if (!isOut && queued > longest) longest = queued;
      sums[index] = queued;
    }
    let sum = 0;
    for (let index = 0; index < length; index++) {
      sum += Math.max(0, longest + share - (sums[index] as number));
      sums[index] = sum;
    }
    const random = topic.random();
    let index = 0;
    if (sum === 0) index = Math.floor(random * length);
    else while ((sums[index] as number) <= random * sum) index++;
    return choice[index] as number;
  };

  return {
    partition(_message, _key, topic) {
      const stay = stays(topic.topic);
      const { available } = topic;
      if (stay.available !== available) {
        stay.available = available;
        if (!available.includes(stay.partition)) stay.bytes = share;
      }
      if (stay.bytes >= share) {
        stay.partition = draw(topic);
        stay.bytes = 0;
      }
      stay.bytes += topic.recordBytes;
      return stay.partition;
    },
  };
}
