/**
 * Single features against each real release, small and quick: transactions are read as Java reads them, lag is the figure
 * of Kafka's own tool, starts at the end and at a time, names that JavaScript finds special, a group shared with Java.
 */
import { expect, test } from 'vitest';
import { Client, Reader, Writer, type Message } from '../../src/index.ts';
import { describeGroupsApi } from '../../src/protocol/index.ts';
import { runKafkaClass } from '../../tools/kafka/distribution.ts';
import { consoleConsume, runJava, type ConsoleRecord } from './support/java.ts';
import { useKafka } from './support/kafka.ts';
import { difference } from './support/sameness.ts';
import { describeWith } from './support/tools.ts';
import { createTopic } from './support/topics.ts';
import { until, type UntilOptions } from './support/until.ts';

const timeout = 60_000;
const patience: UntilOptions = { patienceMs: 15_000 };
const quick = { sessionTimeoutMs: 6000, heartbeatIntervalMs: 300 };

/** What a test of a feature is given. */
interface Release {
  readonly brokers: readonly string[];
  readonly version: string;
}

for (const version of ['4.3.1', '3.9.2']) {
  describeWith(['java', 'mvn'], `Kafka ${version}`, () => {
    const kafka = useKafka({ version });
    test.each([
      ['shows Reader the same committed records as Java, up to the same position', transactions],
      ['tells the same lag as its ConsumerGroupCommand', lag],
      ['lets a group begin at the end and skip nothing of what comes while it is away', startAtEnd],
      ['lets a reader begin at a time', startAtTime],
      ['takes topics, groups, keys and headers with the names of Object.prototype', specialNames],
      ["lets a Reader share a group with Java's consumer that comes later", joinedByJava],
      ["lets a Reader share a group with Java's consumer that came before", joiningJava],
    ])('%s', { timeout }, (_, feature) => feature({ brokers: kafka().brokers, version }));
  });
}

async function transactions({ brokers, version }: Release): Promise<void> {
  const topic = 'transactions';
  const all = [0, 1, 2].map((partition) => ({ topic, partition }));
  await createTopic(brokers, topic, all.length);
  const mix = await transactionMix([brokers.join(), topic, String(all.length), '5'], version);

  // all in one answer, and batch by batch
  for (const maxPartitionBytes of [1_048_576, 500]) {
    await using reader = new Reader({ brokers, partitions: all, maxPartitionBytes });
    const lines: string[] = [];
    while (lines.length < mix.records.length) lines.push(lineOf(await reader.fetchMessage()));
    expect(difference(byPartition(lines), byPartition(mix.records))).toBeUndefined();
    expect(await nextWithin(reader, 300)).toBeUndefined();
    const positions = (): string => all.map((one) => reader.position(one)).join();
    await until('the position passes what is hidden', () => positions() === mix.ends.join(), patience);
  }

  await using uncommitted = new Reader({ brokers, partitions: all, isolationLevel: 'read_uncommitted' });
  for (let left = mix.written; left > 0; left--) await uncommitted.fetchMessage();
  expect(await nextWithin(uncommitted, 300)).toBeUndefined();
  expect(uncommitted.lag()).toBe(0);

  await using member = new Reader({ brokers, groupId: topic, topic, commitIntervalMs: 50, ...quick });
  const loop = member[Symbol.asyncIterator]();
  for (let left = mix.records.length; left > 0; left--) await loop.next();
  void loop.next(); // the last one is done
  await until(
    'commits pass what is hidden',
    async () => {
      const committed = await Promise.all(all.map((one) => member.committed(one)));
      return committed.join() === mix.ends.join();
    },
    patience,
  );
}

async function lag({ brokers, version }: Release): Promise<void> {
  const topic = 'lag';
  await createTopic(brokers, topic, 3);
  await write(brokers, topic, 1000);
  await using reader = new Reader({ brokers, groupId: topic, topic, ...quick });
  const read: Message[] = [];
  // some of each partition, or the tool has no figure for it
  while (read.length < 800) read.push(await reader.fetchMessage());
  await reader.commitMessages(read);
  expect(reader.lag()).toBe(200);
  expect(await reader.readLag()).toBe(200);
  expect(await toolLag(brokers, topic, version)).toBe(200);

  await write(brokers, topic, 50);
  expect(await reader.readLag()).toBe(250);
  expect(await toolLag(brokers, topic, version)).toBe(250);
}

async function startAtEnd({ brokers }: Release): Promise<void> {
  const topic = 'latest';
  const all = [0, 1].map((partition) => ({ topic, partition }));
  await createTopic(brokers, topic, all.length);
  await write(brokers, topic, 100);
  const options = { brokers, groupId: topic, topic, startOffset: 'latest', ...quick } as const;
  {
    await using first = new Reader(options);
    expect(await nextWithin(first, 200)).toBeUndefined();
    await until(
      'the start is committed',
      async () => {
        const committed = await Promise.all(all.map((one) => first.committed(one)));
        return committed.reduce<number>((sum, offset) => sum + (offset ?? Number.NaN), 0) === 100;
      },
      patience,
    );
  }
  await write(brokers, topic, 7, 'while nobody reads');
  await using second = new Reader(options);
  for (let left = 7; left > 0; left--)
    expect((await second.fetchMessage()).text()).toMatch(/^while nobody reads/);
  expect(await nextWithin(second, 200)).toBeUndefined();
}

async function startAtTime({ brokers }: Release): Promise<void> {
  const topic = 'times';
  await createTopic(brokers, topic, 1);
  await using writer = new Writer({ brokers, topic });
  const noon = Date.UTC(2026, 0, 1, 12);
  for (const minute of [-2, -1, 0, 1])
    await writer.writeMessages({ value: String(minute), timestamp: noon + minute * 60_000 });
  const startOffset = new Date(noon - 30_000);
  await using reader = new Reader({ brokers, topic, partition: 0, startOffset });
  expect((await reader.fetchMessage()).text()).toBe('0');
  expect((await reader.fetchMessage()).text()).toBe('1');
}

async function specialNames({ brokers }: Release): Promise<void> {
  const names = ['__proto__', 'constructor', 'toString'];
  for (const name of names) await createTopic(brokers, name, 2);
  await using writer = new Writer({ brokers });
  const headers = names.map((name) => ({ key: name, value: name }));
  const receipt = await writer.writeMessages(
    names.map((name) => ({ topic: name, key: name, value: name, headers })),
  );
  for (const [index, name] of names.entries())
    expect(receipt.at(index)).toMatchObject({ topic: name, offset: 0 });

  for (const groupId of names) {
    await using reader = new Reader({ brokers, groupId, topics: names, ...quick });
    const topics: string[] = [];
    while (topics.length < names.length) {
      const message = await reader.fetchMessage();
      topics.push(message.topic);
      expect([message.text(), textOf(message.key)]).toEqual([message.topic, message.topic]);
      expect(message.headers.map(({ key, value }) => ({ key, value: textOf(value) }))).toEqual(headers);
      expect(await reader.commitMessages(message)).toEqual({ dropped: [] });
      expect(await reader.committed(message)).toBe(1);
    }
    expect(topics.sort()).toEqual([...names].sort());
  }
}

async function joinedByJava({ brokers, version }: Release): Promise<void> {
  const topic = 'joined-by-java';
  await createTopic(brokers, topic, 4);
  await using reader = new Reader({ brokers, groupId: topic, topic, ...quick });
  const first = reader.fetchMessage();
  await until('the reader has all', () => reader.stats().partitions.length === 4, patience);
  await using writer = new Writer({ brokers, topic });
  await shareWithJava(writer, reader, first, javaMember(brokers, topic, version));
}

async function joiningJava({ brokers, version }: Release): Promise<void> {
  const topic = 'joining-java';
  await createTopic(brokers, topic, 4);
  const java = javaMember(brokers, topic, version);
  await until('Java has joined', async () => (await membersOf(brokers, topic)) === 1, patience);
  await using reader = new Reader({ brokers, groupId: topic, topic, ...quick });
  await using writer = new Writer({ brokers, topic });
  await shareWithJava(writer, reader, reader.fetchMessage(), java);
}

/** Java's console consumer as a member of the group of the topic's name; it ends when it has read its half. */
function javaMember(brokers: readonly string[], topic: string, version: string): Promise<ConsoleRecord[]> {
  const settings = { 'heartbeat.interval.ms': '300', 'session.timeout.ms': '6000' };
  return consoleConsume({ brokers, topic, group: topic, count: 500, settings, version });
}

/** Both come to two of the four partitions, and together they read each of 1,000 records once. */
async function shareWithJava(
  writer: Writer,
  reader: Reader,
  first: Promise<Message>,
  java: Promise<ConsoleRecord[]>,
): Promise<void> {
  await until('the reader has two partitions', () => reader.stats().partitions.length === 2, patience);
  const numbers = Array.from({ length: 1000 }, (_, index) => index);
  await writer.writeMessages(numbers.map((index) => ({ partition: index % 4, value: String(index) })));
  const ours = [await first];
  while (ours.length < 500) ours.push(await reader.fetchMessage());
  await reader.commitMessages(ours);
  const values = [...ours.map((message) => message.text()), ...(await java).map(({ value }) => value)];
  expect(values.map(Number).sort((a, b) => a - b)).toEqual(numbers);
}

/** Runs tools/java-clients/TransactionMix: what Java shows, up to where, and how many records there are in all. */
async function transactionMix(
  args: readonly string[],
  version: string,
): Promise<{ records: string[]; ends: number[]; written: number }> {
  const lines = (await runJava('TransactionMix', args, { version })).split('\n').slice(0, -1);
  const ends: number[] = [];
  for (const line of lines) {
    const [kind, partition, offset] = line.split(' ');
    if (kind === 'end') ends[Number(partition)] = Number(offset);
  }
  return {
    records: lines.filter((line) => line.startsWith('record ')),
    ends,
    written: Number(lines.at(-1)?.replace('written ', '')),
  };
}

/** Lines of TransactionMix partition by partition; within one they stay in their order. */
function byPartition(lines: readonly string[]): string[] {
  const partitionOf = (line: string): number => Number(line.split(' ')[1]);
  return [...lines].sort((a, b) => partitionOf(a) - partitionOf(b));
}

function lineOf(message: Message): string {
  return `record ${message.partition} ${message.offset} ${message.text()}`;
}

function textOf(bytes: Uint8Array | null): string {
  return new TextDecoder().decode(bytes ?? undefined);
}

/** Writes keyed records. */
async function write(
  brokers: readonly string[],
  topic: string,
  count: number,
  what = 'record',
): Promise<void> {
  await using writer = new Writer({ brokers, topic });
  const messages = Array.from({ length: count }, (_, index) => ({
    key: `key-${index}`,
    value: `${what} ${index}`,
  }));
  await writer.writeMessages(messages);
}

/** The text of the next message, or undefined when none comes in time. */
async function nextWithin(reader: Reader, waitMs: number): Promise<string | null | undefined> {
  const signal = AbortSignal.timeout(waitMs);
  try {
    return (await reader.fetchMessage({ signal })).text();
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  }
}

/** The sum of the LAG column of Kafka's own tool. */
async function toolLag(brokers: readonly string[], group: string, version: string): Promise<number> {
  const className = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
  const args = ['--bootstrap-server', brokers.join(), '--describe', '--group', group];
  const { stdout } = await runKafkaClass(version, className, args);
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  const column = rows.find((row) => row.includes('LAG'))?.indexOf('LAG') ?? -1;
  return rows.filter(([name]) => name === group).reduce((sum, row) => sum + Number(row[column]), 0);
}

async function membersOf(brokers: readonly string[], groupId: string): Promise<number> {
  await using client = new Client({ brokers });
  const { groups } = await client.request(describeGroupsApi, { groups: [groupId] }, { group: groupId });
  return groups[0]?.groupState === 'Stable' ? groups[0].members.length : 0;
}
