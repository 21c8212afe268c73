/** A topic as balancers see it, without a Writer around it, and the vectors to hold them against. */
import { readFileSync } from 'node:fs';
import type { Balancer, BalancerTopic } from '../../../../src/client/writer/balancer/balancer.ts';
import type { OutgoingMessage } from '../../../../src/client/writer/message.ts';

/** A topic of `count` partitions that all have a leader and empty queues; `random` goes around evenly. */
export function topicOf(count: number, extra: Partial<BalancerTopic> = {}): BalancerTopic {
  const partitions = Array.from({ length: count }, (_, index) => index);
  let random = 0;
  return {
    topic: 't',
    partitions,
    available: partitions,
    recordBytes: 100,
    bufferedBytes: () => 0,
    waitedMs: () => 0,
    random: () => (random = (random + 0.37) % 1),
    ...extra,
  };
}

/** Text as UTF-8; no text is no key. */
export function bytes(text: string): Uint8Array;
export function bytes(text: string | null): Uint8Array | null;
export function bytes(text: string | null): Uint8Array | null {
  return text === null ? null : new TextEncoder().encode(text);
}

/** The partition that a balancer chooses for a key. */
export function choose(
  balancer: Balancer,
  key: Uint8Array | null,
  topic: BalancerTopic,
  message: OutgoingMessage = { value: null },
): number {
  return balancer.partition(message, key, topic);
}

/** Key, number of partitions, partition, each null for none, and what else the row says. */
export type VectorRow = [key: string | null, count: number, partition: number | null, hasher?: 'crc32'];

/** A file of fixtures/balancers, of which `Row` is claimed, not checked: a wrong row fails the test that reads it. */
export function vectors<Row = VectorRow>(file: string): (section: string) => readonly Row[] {
  const url = new URL(`../../../../fixtures/balancers/${file}.json`, import.meta.url);
  const sections = JSON.parse(readFileSync(url, 'utf8')) as Record<string, readonly Row[]>;
  return (section) => {
    const rows = sections[section];
    if (rows === undefined || rows.length === 0) throw new Error(`${file}.json has no rows of ${section}`);
    return rows;
  };
}
