/** kcat (librdkafka), Java and kafka-go write every codec to the embedded broker, which looks inside, and we read it; we
 * write every codec, and each of them reads it. What the broker has in its log is what all are held against.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allCodecs } from '../../src/compression/index.ts';
import { Reader, Writer } from '../../src/index.ts';
import { platform } from '../../src/runtime/node.ts';
import { EmbeddedCluster } from '../../src/testing/index.ts';
import { peers, type PeerRecord, type PlacedRecord } from './peers/peers.ts';
import { difference } from './support/sameness.ts';
import { requireTool } from './support/tools.ts';

const count = 2_000;
const timeout = 60_000;
// building kafka-go on a machine that has never done it
const prepareTimeoutMs = 300_000;
const others = peers.filter(({ name }) => name === 'kcat' || name === 'Java' || name === 'kafka-go');
const ours = allCodecs.filter(({ name }) => name !== 'zstd' || platform.zstd !== undefined);

/** Values begin with the topic's name; some are longer than a block of snappy, some do not compress. */
function recordsOf(topic: string): PeerRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const noise = Array.from(
      { length: index % 40 },
      (_, at) => ((index * 7_919 + at) * 2_654_435_761) % 97_654_321,
    );
    const long = index % 500 === 499 ? 'é'.repeat(25_000) : '';
    return { key: `clé-${index % 97}`, value: `${topic} ${index} ${noise.join('')} ${long}` };
  });
}

function lineOf({ offset, key, value }: { offset: number; key: string; value: string }): string {
  return `${offset} ${key} ${value}`;
}

describe('through the embedded broker', () => {
  let cluster: EmbeddedCluster;
  const topics = [
    ...others.flatMap(({ name }) => allCodecs.map((codec) => `${codec.name}-by-${name}`)),
    ...ours.map((codec) => `${codec.name}-by-us`),
  ];

  beforeAll(async () => {
    cluster = await EmbeddedCluster.start({ topics: topics.map((name) => ({ name, partitions: 1 })) });
  });
  afterAll(() => cluster?.close());

  /** The log as the broker inflates it; all its batches are of the codec. */
  async function logOf(topic: string, codecId: number): Promise<string[]> {
    const text = new TextDecoder();
    const batches = await cluster.batches(topic, 0);
    expect([...new Set(batches.map((batch) => batch.codecId))], `codecs in ${topic}`).toEqual([codecId]);
    return batches
      .flatMap(({ records }) => records)
      .map(({ offset, key, value }) =>
        lineOf({ offset, key: text.decode(key ?? undefined), value: text.decode(value ?? undefined) }),
      );
  }

  for (const { name, tools, prepare, write } of others) {
    test(`we read every codec of ${name}`, { timeout: prepareTimeoutMs }, async (context) => {
      requireTool(context, ...tools);
      await prepare?.();
      for (const codec of allCodecs) {
        const topic = `${codec.name}-by-${name}`;
        const records = recordsOf(topic);
        await write(cluster.brokers, topic, records, codec.name);
        const expected = records.map((record, offset) => lineOf({ offset, ...record }));
        expect(difference(await logOf(topic, codec.id), expected), `log of ${topic}`).toBeUndefined();
        const read: string[] = [];
        await using reader = new Reader({ brokers: cluster.brokers, topic, partition: 0 });
        while (read.length < count) {
          const message = await reader.readMessage({ signal: AbortSignal.timeout(timeout) });
          const key = new TextDecoder().decode(message.key ?? undefined);
          read.push(lineOf({ offset: message.offset, key, value: message.text() ?? '' }));
        }
        expect(difference(read, expected), topic).toBeUndefined();
      }
    });
  }

  test('the broker finds in our batches what we wrote', { timeout }, async () => {
    for (const codec of ours) {
      const topic = `${codec.name}-by-us`;
      const records = recordsOf(topic);
      await using writer = new Writer({ brokers: cluster.brokers, topic, compression: codec });
      await writer.writeMessages(records);
      const expected = records.map((record, offset) => lineOf({ offset, ...record }));
      expect(difference(await logOf(topic, codec.id), expected), topic).toBeUndefined();
    }
  });

  for (const { name, tools, read } of others) {
    test(`${name} reads every codec of ours`, { timeout }, async (context) => {
      requireTool(context, ...tools);
      const written = ours.map((codec) => `${codec.name}-by-us`);
      const got = await read(cluster.brokers, `codecs-${name}`, written, written.length * count);
      for (const topic of written) {
        const records: PlacedRecord[] = got.filter((record) => record.topic === topic);
        const expected = recordsOf(topic).map((record, offset) => lineOf({ offset, ...record }));
        expect(difference(records.map(lineOf), expected), `${topic}, read by ${name}`).toBeUndefined();
      }
    });
  }

  test('no client made the broker drop its connection', () => {
    expect(cluster.problems).toEqual([]);
  });
});
