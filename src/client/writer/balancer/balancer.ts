/** What chooses a message's partition, and what it may look at.
 * Not here: an explicit `partition` of a message, which no balancer is asked about.
 * Invariant: a balancer returns one of `partitions`; anything else refuses the call with a `UsageError`.
 */
import { optionError } from '../../cluster/index.ts';
import type { OutgoingMessage } from '../message.ts';

/** A topic as a balancer sees it. One object per topic, reused: read it during the call only. */
export interface BalancerTopic {
  readonly topic: string;
  /** Every partition, 0 to n - 1; a new array when the number changes. */
  readonly partitions: readonly number[];
  /** The partitions that have a leader now; a new array when that changes. May be empty. */
  readonly available: readonly number[];
  /** Most bytes that the message at hand takes in its batch. */
  readonly recordBytes: number;
  /** Bytes that wait for or are on their way to a partition, earlier records of this call included. */
  bufferedBytes(partition: number): number;
  /** Milliseconds since the oldest batch without an outcome was begun for a partition; 0 when there is none. */
  waitedMs(partition: number): number;
  /** A float in [0, 1). */
  random(): number;
}

/** Chooses a partition; `key` is the message's key in bytes, valid during the call only, or null. */
export type BalancerFunction = (
  message: OutgoingMessage,
  key: Uint8Array | null,
  topic: BalancerTopic,
) => number;

/** Chooses the partition of each message. What it throws refuses the call, of which then nothing is sent.
 * Kafka: `partitioner.class`; kafka-go: `Balancer`. */
export interface Balancer {
  partition(message: OutgoingMessage, key: Uint8Array | null, topic: BalancerTopic): number;
}

/** Where messages without a key go: another balancer decides, or, if `'consistent'`, all go where the hash of no bytes
 * puts them. That fills one partition: for topics whose messages all have keys. */
export type Unkeyed = Balancer | BalancerFunction | 'consistent';

/** One balancer for both ways to write one. */
export function balancerOf(balancer: Balancer | BalancerFunction): Balancer {
  return typeof balancer === 'function' ? { partition: balancer } : balancer;
}

/** Puts each key where `place` says, of that many partitions, whether it has a leader or not; a key shorter than
 * `minKeyBytes` is none. Throws a `UsageError` for an `unkeyed` that cannot decide. */
export function byKey(
  unkeyed: Unkeyed,
  place: (key: Uint8Array, partitionCount: number) => number,
  minKeyBytes: number = 0,
): Balancer {
  if (unkeyed === 'consistent') {
    const noBytes = new Uint8Array(0);
    return { partition: (_message, key, { partitions }) => place(key ?? noBytes, partitions.length) };
  }
  const other = balancerOf(unkeyed);
  if (typeof other?.partition !== 'function')
    throw optionError('unkeyed', "a balancer, a function or 'consistent'", unkeyed);
  return {
    partition(message, key, topic) {
      if (key === null || key.length < minKeyBytes) return other.partition(message, key, topic);
      return place(key, topic.partitions.length);
    },
  };
}

/** A balancer's memory of each topic, made when it is first asked for. */
export function perTopic<State>(create: () => State): (topic: string) => State {
  const states = new Map<string, State>();
  return (topic) => {
    let state = states.get(topic);
    if (state === undefined) states.set(topic, (state = create()));
    return state;
  };
}
