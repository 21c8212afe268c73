/**
 * Other clients agree with the embedded broker, and through it with each other: what any of them wrote, every one reads
 * as a member of a group, and commits. The broker's own view of its logs and groups is what their output is held against.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EmbeddedCluster } from '../../src/testing/index.ts';
import { peers, type PlacedRecord } from './peers/peers.ts';
import { difference } from './support/sameness.ts';
import { requireTool } from './support/tools.ts';

const count = 10_000;
const partitions = [0, 1, 2];
const testTimeoutMs = 60_000;
// building kafka-go on a machine that has never done it
const prepareTimeoutMs = 300_000;

describe('on the embedded broker', () => {
  let cluster: EmbeddedCluster;
  const written: string[] = [];

  beforeAll(async () => {
    const topics = peers.map(({ name }) => ({ name: topicOf(name), partitions: partitions.length }));
    cluster = await EmbeddedCluster.start({ topics });
  });
  afterAll(() => cluster?.close());

  for (const { name, tools, prepare, write } of peers) {
    test(
      `${name} writes 10,000 records, each once and in order`,
      { timeout: prepareTimeoutMs },
      async (context) => {
        requireTool(context, ...tools);
        await prepare?.();
        const topic = topicOf(name);
        const records = recordsOf(topic);
        await write(cluster.brokers, topic, records);

        const logs = await Promise.all(partitions.map((partition) => recordsIn(topic, partition)));
        const inOrder = logs.flat().sort((a, b) => indexOf(a) - indexOf(b));
        expect(difference(inOrder.map(textOf), records.map(textOf))).toBeUndefined();
        for (const [partition, log] of logs.entries()) {
          const indexes = log.map(indexOf);
          expect(indexes, `order in partition ${partition}`).toEqual([...indexes].sort((a, b) => a - b));
          expect(indexes, `records in partition ${partition}`).not.toEqual([]);
        }
        written.push(topic);
      },
    );
  }

  for (const { name, tools, read } of peers) {
    test(
      `${name} reads what each has written, as a group, and commits it`,
      { timeout: testTimeoutMs },
      async (context) => {
        requireTool(context, ...tools);
        const group = `read-by-${topicOf(name)}`;
        expect(written).toContain(topicOf(name));
        const got = await read(cluster.brokers, group, written, written.length * count);

        expect(got.length).toBe(written.length * count);
        for (const topic of written) {
          for (const partition of partitions) {
            const where = `${topic}[${partition}]`;
            const isHere = (one: { topic: string; partition: number }): boolean =>
              one.topic === topic && one.partition === partition;
            const log = await recordsIn(topic, partition);
            expect(
              difference(got.filter(isHere).map(lineOf), log.map(lineOf)),
              `read of ${where}`,
            ).toBeUndefined();
            const committed = cluster.committed(group).find(isHere)?.offset;
            expect(committed, `committed for ${where}`).toBe(cluster.partition(topic, partition).endOffset);
          }
        }
        expect(cluster.group(group)?.members, 'members that did not leave').toEqual([]);
      },
    );
  }

  test('no client made the broker drop its connection', () => {
    expect(cluster.problems).toEqual([]);
  });

  /** The log of a partition as the broker has it. */
  async function recordsIn(topic: string, partition: number): Promise<PlacedRecord[]> {
    const text = new TextDecoder();
    const records = await cluster.records(topic, partition);
    return records.map(({ offset, key, value }) => {
      return {
        topic,
        partition,
        offset,
        key: text.decode(key ?? undefined),
        value: text.decode(value ?? undefined),
      };
    });
  }
});

function topicOf(peer: string): string {
  return `from-${peer.replaceAll(/[^\w-]+/g, '-')}`;
}

/** Values begin with the topic's name and end with the index. */
function recordsOf(topic: string): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `clé-${(index * 7919) % 997}`,
    value: `${topic} ${'x'.repeat(index % 50)} ${index}`,
  }));
}

function indexOf({ value }: PlacedRecord): number {
  return Number(value.slice(value.lastIndexOf(' ') + 1));
}

function textOf({ key, value }: { key: string; value: string }): string {
  return `${key} ${value}`;
}

function lineOf(record: PlacedRecord): string {
  return `${record.offset} ${textOf(record)}`;
}
