/**
 * Java agrees with the Writer and the Reader about every field of 100,000 records, and about the partition of each key.
 * The records are the reproducible sample of support/sample-records.ts, so both sides know them without a file between.
 */
import { expect, test } from 'vitest';
import { gzip, Reader, Writer, type Message } from '../../src/index.ts';
import { consoleConsume, consoleFields, javaPartitions, javaProduce } from './support/java.ts';
import { useKafka } from './support/kafka.ts';
import { difference } from './support/sameness.ts';
import { sampleRecord, type SampleRecord } from './support/sample-records.ts';
import { describeWith } from './support/tools.ts';
import { createTopic } from './support/topics.ts';

const count = 100_000;
const partitions = 6;
const callRecords = 1000;
const testTimeoutMs = 90_000;

describeWith(['java', 'mvn'], 'Java agrees about 100,000 keyed records', () => {
  for (const version of ['4.3.1', '3.9.2']) {
    describeWith(['java', 'mvn'], `on Kafka ${version}`, () => {
      const kafka = useKafka({ version });

      for (const [codec, seed] of [
        ['none', 11],
        ['gzip', 12],
      ] as const) {
        test(
          `what Writer writes (${codec}) Java's console consumer reads, and its partitioner agrees`,
          { timeout: testTimeoutMs },
          async () => {
            const { brokers } = kafka();
            const topic = `written-${codec}`;
            await createTopic(brokers, topic, partitions);
            const samples = samplesOf(seed);
            const compression = codec === 'gzip' ? gzip : undefined;
            await using writer = new Writer({ brokers, topic, compression });
            const calls: Promise<unknown>[] = [];
            for (let at = 0; at < count; at += callRecords)
              calls.push(writer.writeMessages(samples.slice(at, at + callRecords)));
            await Promise.all(calls);

            const placesByJava = await javaPartitions(
              samples.map(({ key }) => key),
              partitions,
              { version },
            );
            const printed = await consoleConsume({ brokers, topic, count, version });
            const expected = linesByPartition(samples, (index) => placesByJava[index] ?? -1);
            for (let partition = 0; partition < partitions; partition++) {
              const records = printed.filter((record) => record.partition === partition);
              const got = records.sort((a, b) => a.offset - b.offset).map(lineOf);
              expect(difference(got, expected[partition] ?? []), `partition ${partition}`).toBeUndefined();
            }
          },
        );

        test(`what Java's producer writes (${codec}) Reader reads`, { timeout: testTimeoutMs }, async () => {
          const { brokers } = kafka();
          const topic = `by-java-${codec}`;
          await createTopic(brokers, topic, partitions);
          const counts = await javaProduce({ brokers, topic, count, seed, version, compression: codec });
          const samples = samplesOf(seed);
          const placesByJava = await javaPartitions(
            samples.map(({ key }) => key),
            partitions,
            { version },
          );

          const read = await readAll(brokers, topic);
          const expected = linesByPartition(samples, (index) => placesByJava[index] ?? -1);
          for (let partition = 0; partition < partitions; partition++) {
            expect(
              difference(read[partition] ?? [], expected[partition] ?? []),
              `partition ${partition}`,
            ).toBeUndefined();
            expect(counts.get(partition), `records that Java counted in partition ${partition}`).toBe(
              read[partition]?.length,
            );
          }
        });
      }
    });
  }
});

function samplesOf(seed: number): SampleRecord[] {
  return Array.from({ length: count }, (_, index) => sampleRecord(seed, index));
}

/** The samples as lines, in their order, by partition. */
function linesByPartition(samples: readonly SampleRecord[], place: (index: number) => number): string[][] {
  const lines = Array.from({ length: partitions }, (): string[] => []);
  for (const [index, sample] of samples.entries()) lines[place(index)]?.push(lineOf(consoleFields(sample)));
  return lines;
}

function lineOf({ timestamp, headers, key, value }: ReturnType<typeof consoleFields>): string {
  return `${timestamp} ${headers} ${key} ${value}`;
}

/** Everything in the topic as lines by partition; fails when an offset is missing. */
async function readAll(brokers: readonly string[], topic: string): Promise<string[][]> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  await using reader = new Reader({ brokers, partitions: all });
  const lines = all.map((): string[] => []);
  for (let left = count; left > 0;) {
    const batch = await reader.fetchBatch();
    const own = lines[batch.partition] ?? [];
    expect(batch.firstOffset, `offset after ${own.length} records of ${topic}[${batch.partition}]`).toBe(
      own.length,
    );
    for (const message of batch) own.push(lineOf(fieldsOf(message)));
    left -= batch.length;
  }
  return lines;
}

function fieldsOf(message: Message): ReturnType<typeof consoleFields> {
  const { key, timestamp, headers } = message;
  const text = new TextDecoder();
  return consoleFields({
    key: text.decode(key ?? undefined),
    value: message.text(),
    timestamp,
    headers: headers.map(({ key, value }) => ({ key, value: value && text.decode(value) })),
  });
}
