/** What chooses a message's partition, and what it may look at.
 * Not here: an explicit `partition` of a message, which no balancer is asked about.
 * Invariant: a balancer returns one of `partitions`; anything else refuses the call with a `UsageError`.
 */
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
  /** A float in [0, 1). */
  random(): number;
}

/** Chooses a partition; `key` is the message's key in bytes, valid during the call only, or null. */
export type BalancerFunction = (
  message: OutgoingMessage,
  key: Uint8Array | null,
  topic: BalancerTopic,
) => number;

/** Chooses the partition of each message. Kafka: `partitioner.class`; kafka-go: `Balancer`. */
export interface Balancer {
  partition(message: OutgoingMessage, key: Uint8Array | null, topic: BalancerTopic): number;
}

/** One balancer for both ways to write one. */
export function balancerOf(balancer: Balancer | BalancerFunction): Balancer {
  return typeof balancer === 'function' ? { partition: balancer } : balancer;
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
