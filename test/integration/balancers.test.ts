/**
 * The balancers put keys where other clients put them: Java's producer, librdkafka (by kcat) and kafka-go, 5,000 keys each,
 * on a real broker. fixtures/balancers/java.json is what Java says; `vitest run` of this file with `-u` writes it anew.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import {
  crc32,
  hash,
  leastBytes,
  murmur2,
  Reader,
  referenceHash,
  roundRobin,
  Writer,
  type Balancer,
} from '../../src/index.ts';
import { cachePath, makeOnce } from '../../tools/kafka/cache.ts';
import { run } from '../../tools/kafka/process.ts';
import { runJava } from './support/java.ts';
import { useKafka } from './support/kafka.ts';
import { randomFrom } from './support/random.ts';
import { difference } from './support/sameness.ts';
import { describeWith } from './support/tools.ts';
import { createTopic } from './support/topics.ts';

const partitionCount = 17;
const keyCount = 5000;
const javaOracle = 'org.apache.kafka.clients.producer.internals.BalancerOracle';
// building kafka-go on a machine that has never done it
const buildTimeoutMs = 300_000;

describeWith(['java', 'mvn'], 'fixtures/balancers/java.json', () => {
  test('is what Java says', async () => {
    const counts = [1, 2, 3, 6, 16, 17, 50, 1000];
    const random = randomFrom(794);
    const texts = ['kafka', '20', 'clé', '😀', '\0', 'a-little-bit-longer-string'];
    const keys = [
      ...texts.map((text) => new TextEncoder().encode(text)),
      ...Array.from({ length: 65 }, (_, length) => randomBytes(random, length)),
    ];
    const listed = '0|3|0 0 0|0 3 1|5 0 3 0 1|- 0 - 0|- -|2 - 0|2 ! 0|! !|1 1 1 !|- ! 4 0'.split('|');
    const queue = (): string =>
      random() < 0.2 ? '-!'.charAt(Math.floor(random() * 2)) : String(Math.floor(random() * 12));
    const queues = [
      ...listed,
      ...Array.from({ length: 20 }, () =>
        Array.from({ length: 2 + Math.floor(random() * 7) }, queue).join(' '),
      ),
    ];
    const answers = await ask(['keys', ...counts.map(String)], keys.map(base64));
    const draws = await ask(['draws'], queues);
    const rows = {
      keys: keys.map((key, index) => {
        const [hashed, ...partitions] = (answers[index] ?? '').split(' ').map(Number);
        return [hex(key), hashed, partitions];
      }),
      draws: queues.map((each, index) => [each, draws[index]]),
    };
    const origin =
      'BuiltInPartitioner and Utils.murmur2 of kafka-clients 4.3.1, asked by tools/java-clients/BalancerOracle.java, which says what the lines of draws mean; keys: key in hex, murmur2, partition of each of the counts of partitions';
    const sections = Object.entries(rows).map(([name, list]) => {
      const lines = list.map((row: unknown) => JSON.stringify(row)).join(',\n');
      return `${JSON.stringify(name)}: [\n${lines}\n]`;
    });
    const text = `{\n"origin": ${JSON.stringify(origin)},\n"counts": ${JSON.stringify(counts)},\n${sections.join(',\n')}\n}\n`;
    await expect(text).toMatchFileSnapshot('../../fixtures/balancers/java.json');
  });
});

describeWith(['java', 'mvn'], `on Kafka, of 5,000 keys over ${partitionCount} partitions,`, () => {
  const kafka = useKafka();
  const random = randomFrom(5);
  const binaryKeys = unique((index) => randomBytes(random, index === 0 ? 0 : 3 + Math.floor(random() * 60)));
  const textKeys = unique((index) =>
    new TextEncoder().encode(`${index % 7 === 0 ? 'clé' : 'key'}-${index * 7919}`),
  );

  test("Java's producer gives each the partition that the Writer gives it by default", async () => {
    const { brokers } = kafka();
    const byJava = await ask(['produce', brokers.join(), await newTopic('java')], binaryKeys.map(base64));
    expectSame(await written(undefined, binaryKeys, 'like-java'), byJava, binaryKeys);
  });

  describeWith(['kcat'], 'kcat agrees:', () => {
    const partitioners: [string, string[], Balancer][] = [
      ['its default', [], crc32()],
      ['consistent', ['-X', 'topic.partitioner=consistent'], crc32({ unkeyed: 'consistent' })],
      ['murmur2_random', ['-X', 'topic.partitioner=murmur2_random'], murmur2()],
      ['fnv1a_random', ['-X', 'topic.partitioner=fnv1a_random'], hash()],
    ];
    for (const [name, settings, balancer] of partitioners) {
      test(`${name} is ours`, async () => {
        const { brokers } = kafka();
        const topic = await newTopic(`kcat-${name.replace(' ', '-')}`);
        const args = ['-P', '-p', '-1', '-b', brokers.join(), '-t', topic, '-K', '\t', ...settings];
        const input = textKeys.map((key) => `${new TextDecoder().decode(key)}\tvalue\n`).join('');
        await run('kcat', args, { input, timeoutMs: 30_000 });
        const places = await placesIn(topic);
        const byKcat = textKeys.map((key) => places.get(hex(key)));
        expectSame(await written(balancer, textKeys, `like-${topic}`), byKcat.map(String), textKeys);
      });
    }
  });

  describeWith(['go'], 'kafka-go agrees:', () => {
    let byGo: string[] = [];
    beforeAll(async () => {
      const output = await run(await kafkaGoPartitions(), [String(partitionCount)], {
        input: binaryKeys.map((key) => `${base64(key)}\n`).join(''),
      });
      byGo = linesOf(output.stdout);
    }, buildTimeoutMs);

    const balancers: [string, Balancer][] = [
      ['Hash', hash()],
      ['ReferenceHash', referenceHash()],
      ['CRC32Balancer', crc32({ unkeyed: 'consistent' })],
      ['Murmur2Balancer', murmur2({ unkeyed: 'consistent' })],
      ['LeastBytes', leastBytes()],
      ['RoundRobin', roundRobin({ chunkSize: 3 })],
    ];
    for (const [column, [name, balancer]] of balancers.entries()) {
      test(`${name} is ours`, async () => {
        const expected = byGo.map((line) => line.split(' ')[column] ?? '');
        expectSame(await written(balancer, binaryKeys, `like-${name}`), expected, binaryKeys);
      });
    }
  });

  async function newTopic(name: string): Promise<string> {
    await createTopic(kafka().brokers, name, partitionCount);
    return name;
  }

  /** Writes a record for each key, with the key as its value, in one call; the partition of each as the log has it. */
  async function written(
    balancer: Balancer | undefined,
    keys: readonly Uint8Array[],
    name: string,
  ): Promise<string[]> {
    const topic = await newTopic(name);
    await using writer = new Writer({ brokers: kafka().brokers, topic, balancer });
    await writer.writeMessages(keys.map((key) => ({ key, value: key })));
    const places = await placesIn(topic);
    return keys.map((key) => String(places.get(hex(key))));
  }

  /** The partition of each of the topic's 5,000 keys. */
  async function placesIn(topic: string): Promise<Map<string, number>> {
    const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
    await using reader = new Reader({ brokers: kafka().brokers, partitions });
    const places = new Map<string, number>();
    while (places.size < keyCount) {
      const batch = await reader.fetchBatch({ signal: AbortSignal.timeout(10_000) });
      for (const { key, partition } of batch) places.set(hex(key ?? new Uint8Array(0)), partition);
    }
    return places;
  }
});

function expectSame(got: readonly string[], expected: readonly string[], keys: readonly Uint8Array[]): void {
  expect(got).toHaveLength(keyCount);
  const line = (partition: string, index: number): string =>
    `${hex(keys[index] ?? new Uint8Array(0))} ${partition}`;
  expect(difference(got.map(line), expected.map(line))).toBeUndefined();
}

/** The oracle's answers, one a question. */
async function ask(args: readonly string[], questions: readonly string[]): Promise<string[]> {
  const answers = linesOf(
    await runJava(javaOracle, args, { input: questions.map((each) => `${each}\n`).join('') }),
  );
  expect(answers).toHaveLength(questions.length);
  return answers;
}

/** The program around kafka-go, built in the module of the peer from exactly what its go.sum names. */
async function kafkaGoPartitions(): Promise<string> {
  const cwd = fileURLToPath(new URL('peers/go/', import.meta.url));
  const source = fileURLToPath(new URL('programs/kafka-go-partitions.go', import.meta.url));
  const texts = await Promise.all([source, `${cwd}go.mod`].map((path) => readFile(path)));
  const digest = createHash('sha256').update(Buffer.concat(texts)).digest('hex').slice(0, 12);
  return makeOnce(cachePath('peers', `kafka-go-partitions-${digest}`), async (draft) => {
    const args = ['build', '-buildvcs=false', '-mod=readonly', '-o', draft, source];
    await run('go', args, { cwd, timeoutMs: buildTimeoutMs });
  });
}

function unique(keyOf: (index: number) => Uint8Array): Uint8Array[] {
  const keys = new Map<string, Uint8Array>();
  for (let index = 0; keys.size < keyCount; index++) {
    const key = keyOf(index);
    keys.set(hex(key), key);
  }
  return [...keys.values()];
}

function randomBytes(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}
