/**
 * `kafka-wire decode` reads what a real broker keeps on its disk: records of Java's producer in every compression, the
 * offsets and groups in `__consumer_offsets`, and the metadata log, each down to the fields inside keys and values.
 */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { kafkaWire, type JsonNode, type JsonPiece } from '../cli/support/run.ts';
import { consoleConsume, javaProduce } from './support/java.ts';
import { useKafka } from './support/kafka.ts';
import { describeWith } from './support/tools.ts';
import { createTopic } from './support/topics.ts';

const count = 2000;
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

describeWith(['java', 'mvn'], 'the segments of a real broker', () => {
  const kafka = useKafka();

  test('are read to their last batch', { timeout: 90_000 }, async () => {
    const { brokers, node } = kafka();
    for (const codec of codecs) {
      await createTopic(brokers, `records-${codec}`, 1);
      await javaProduce({ brokers, topic: `records-${codec}`, count, seed: 5, compression: codec });
    }
    await consoleConsume({ brokers, topic: 'records-none', count, group: 'readers' });

    const folder = dirname(dirname(node(1).logPath));
    const segments = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\d{20}(\.log|-\d{10}\.checkpoint)$/.test(path),
    );
    const inTopic = new Map<string, JsonPiece[]>();
    for (const segment of segments) {
      const { code, out, err } = await kafkaWire(['decode', '--ndjson', join(folder, segment)]);
      if (err.includes('the input is empty')) continue;
      expect({ code, err }, segment).toEqual({ code: 0, err: '' });
      const found = out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as JsonPiece);
      for (const piece of found) {
        const topic = piece.topic ?? '';
        inTopic.set(topic, [...(inTopic.get(topic) ?? []), piece]);
      }
    }
    for (const codec of codecs)
      expect(
        pathsIn(inTopic.get(`records-${codec}`)).filter((path) => path === 'offsetDelta'),
        codec,
      ).toHaveLength(count);
    const offsets = new Set(pathsIn(inTopic.get('__consumer_offsets')));
    expect([...offsets]).toEqual(expect.arrayContaining(['offset', 'group', 'members']));
    const metadata = new Set(pathsIn(inTopic.get('__cluster_metadata')));
    expect([...metadata]).toEqual(expect.arrayContaining(['topicId', 'brokerEpoch', 'leaderId']));
    const batches = [...inTopic].map(([topic, { length }]) => `${topic} ${length}`);
    process.stdout.write(
      `  decode: ${segments.length} files of a broker, batches of ${batches.join(', ')}\n`,
    );
  });
});

/** The last names of all paths. */
function pathsIn(found: readonly JsonPiece[] = []): string[] {
  const paths: string[] = [];
  const walk = (nodes: readonly JsonNode[]): void => {
    for (const { path, children = [] } of nodes) {
      paths.push(path.slice(path.lastIndexOf('.') + 1));
      walk(children);
    }
  };
  for (const { fields } of found) walk(fields);
  return paths;
}
