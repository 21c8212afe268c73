/** The witnesses themselves: Java's programs and console tools give what the tests expect of them. */
import { expect, test } from 'vitest';
import {
  consoleConsume,
  consoleCreateTopic,
  consoleFields,
  javaPartitions,
  javaProduce,
  type ConsoleRecord,
} from '../support/java.ts';
import { useKafka } from '../support/kafka.ts';
import { sampleRecord } from '../support/sample-records.ts';
import { describeWith } from '../support/tools.ts';

const count = 2500;
const seed = 7;

describeWith(['java', 'mvn'], 'Java as a witness', () => {
  const kafka = useKafka();

  // both releases of the tools, on one broker of the newer
  test.each([
    ['4.3.1', 'none'],
    ['3.9.2', 'gzip'],
  ] as const)(
    "what Java %s's producer writes (%s) its console consumer prints as our sample",
    async (version, compression) => {
      const target = { brokers: kafka().brokers, topic: `sample-${version}`, version };
      await consoleCreateTopic({ ...target, partitions: 5 });
      const perPartition = await javaProduce({ ...target, count, seed, compression });
      const printed = await consoleConsume({ ...target, count });

      const samples = Array.from({ length: count }, (_, index) => sampleRecord(seed, index));
      const partitions = await javaPartitions(
        samples.map(({ key }) => key),
        5,
        { version },
      );
      // every partition holds its samples in the order of writing
      for (let partition = 0; partition < 5; partition++) {
        const expected = samples.filter((_, index) => partitions[index] === partition).map(consoleFields);
        const got = printed
          .filter((record) => record.partition === partition)
          .sort((a, b) => a.offset - b.offset);
        expect(got.map(withoutPlace)).toEqual(expected);
        expect(perPartition.get(partition)).toBe(expected.length);
      }
    },
    120_000,
  );

  test('the sample has tombstones, null header values and records without headers', () => {
    const samples = Array.from({ length: count }, (_, index) => sampleRecord(seed, index));
    expect(samples.some(({ value }) => value === null)).toBe(true);
    expect(samples.some(({ headers }) => headers.length === 0)).toBe(true);
    expect(samples.some(({ headers }) => headers[0]?.value === null)).toBe(true);
    expect(samples.some(({ key }) => key.startsWith('clé'))).toBe(true);
  });
});

function withoutPlace({
  timestamp,
  headers,
  key,
  value,
}: ConsoleRecord): Omit<ConsoleRecord, 'partition' | 'offset'> {
  return { timestamp, headers, key, value };
}
