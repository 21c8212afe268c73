/**
 * Java's clients as witnesses: the programs of tools/java-clients and Kafka's console tools, run against a broker.
 * Each call is a JVM of its own (0.5 to 1 s) and rejects with the program's last words when it fails.
 */
import { defaultKafkaVersion, javaPrograms, runKafkaClass } from '../../../tools/kafka/distribution.ts';
import type { RunOptions } from '../../../tools/kafka/process.ts';
import type { SampleRecord } from './sample-records.ts';

/** Options of every Java run. */
export interface JavaRunOptions extends RunOptions {
  /** Release of the Java clients and tools; default 4.3.1. */
  readonly version?: string;
}

/** Where a tool works. */
export interface TopicTarget extends JavaRunOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
}

/** Runs a program of tools/java-clients (compiled on first use); its stdout. */
export async function runJava(
  className: string,
  args: readonly string[],
  options: JavaRunOptions = {},
): Promise<string> {
  const { version = defaultKafkaVersion, ...rest } = options;
  const classes = await javaPrograms(version);
  return (await runKafkaClass(version, className, args, { ...rest, classes })).stdout;
}

/** The partition Java's producer gives each key, of `partitions`. */
export async function javaPartitions(
  keys: readonly (string | Uint8Array)[],
  partitions: number,
  options: JavaRunOptions = {},
): Promise<number[]> {
  const input = keys.map((key) => `${Buffer.from(key).toString('base64')}\n`).join('');
  const output = await runJava('KeyPartitions', [String(partitions)], { ...options, input });
  return lines(output).map(Number);
}

/** Writes `sampleRecord(seed, 0 to count - 1)` with Java's producer; the records per partition number. */
export async function javaProduce(
  target: TopicTarget & {
    count: number;
    seed: number;
    compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  },
): Promise<Map<number, number>> {
  const { brokers, topic, count, seed, compression = 'none', ...options } = target;
  const args = [brokers.join(), topic, String(count), String(seed), compression];
  const output = await runJava('ProduceRecords', args, options);
  return new Map(lines(output).map((line) => [Number(line.split(' ')[0]), Number(line.split(' ')[1])]));
}

/** Creates a topic with Kafka's topic tool. */
export async function consoleCreateTopic(
  target: TopicTarget & {
    partitions?: number;
    replicationFactor?: number;
    config?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const { brokers, topic, partitions = 1, replicationFactor = 1, config = {}, version, ...options } = target;
  await runKafkaClass(
    version ?? defaultKafkaVersion,
    'org.apache.kafka.tools.TopicCommand',
    [
      ['--create', '--bootstrap-server', brokers.join(), '--topic', topic],
      ['--partitions', String(partitions), '--replication-factor', String(replicationFactor)],
      ...Object.entries(config).map(([name, value]) => ['--config', `${name}=${value}`]),
    ].flat(),
    options,
  );
}

/** Writes records with Java's console producer. Keys and values must have no tab and no line break. The tool sets
 * `compression.type` itself, so that `compression` and not `settings` decides; default none.
 */
export async function consoleProduce(
  target: TopicTarget & {
    records: readonly { key: string; value: string }[];
    compression?: string;
    settings?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const { brokers, topic, records, settings = {}, version = defaultKafkaVersion, ...rest } = target;
  const { compression = 'none', ...options } = rest;
  const old = beforeRenaming(version);
  const className = version.startsWith('3.')
    ? 'kafka.tools.ConsoleProducer'
    : 'org.apache.kafka.tools.ConsoleProducer';
  const setting = old ? '--producer-property' : '--command-property';
  const args = [
    ['--bootstrap-server', brokers.join(), '--topic', topic],
    [old ? '--property' : '--reader-property', 'parse.key=true'],
    ['--compression-codec', compression],
    ...Object.entries(settings).map(([name, value]) => [setting, `${name}=${value}`]),
  ].flat();
  const input = records.map(({ key, value }) => `${key}\t${value}\n`).join('');
  await runKafkaClass(version, className, args, { ...options, input });
}

/** A record as the console consumer prints it. */
export interface ConsoleRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  /** "key:value,key:value" or "NO_HEADERS". */
  readonly headers: string;
  readonly key: string;
  readonly value: string;
}

/** Reads `count` records of one topic or several from the beginning with Java's console consumer; rejects when fewer
 * come. */
export async function consoleConsume(
  target: Omit<TopicTarget, 'topic'> & {
    topic: string | readonly string[];
    count: number;
    group?: string;
    settings?: Readonly<Record<string, string>>;
  },
): Promise<ConsoleRecord[]> {
  const { brokers, topic, count, group, settings = {}, version = defaultKafkaVersion, ...options } = target;
  const old = beforeRenaming(version);
  const setting = old ? '--consumer-property' : '--command-property';
  const print = old ? '--property' : '--formatter-property';
  const args = [
    ['--bootstrap-server', brokers.join(), '--from-beginning'],
    typeof topic === 'string' ? ['--topic', topic] : ['--include', topic.join('|')],
    ['--max-messages', String(count), '--timeout-ms', '20000'],
    group === undefined ? [] : ['--group', group],
    ...Object.entries(settings).map(([name, value]) => [setting, `${name}=${value}`]),
    ...['key', 'headers', 'timestamp', 'partition', 'offset'].map((field) => [print, `print.${field}=true`]),
  ].flat();
  const className = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
  const { stdout } = await runKafkaClass(version, className, args, options);
  const records = lines(stdout).map(parseConsoleLine);
  if (records.length !== count)
    throw new Error(`the console consumer read ${records.length} of ${count} records`);
  return records;
}

function parseConsoleLine(line: string): ConsoleRecord {
  const [time = '', partition = '', offset = '', headers = '', key = '', ...value] = line.split('\t');
  const number = (field: string, label: string): number => {
    if (!field.startsWith(`${label}:`)) throw new Error(`not a line of the console consumer: ${line}`);
    return Number(field.slice(label.length + 1));
  };
  return {
    timestamp: number(time, 'CreateTime'),
    partition: number(partition, 'Partition'),
    offset: number(offset, 'Offset'),
    headers,
    key,
    value: value.join('\t'),
  };
}

/** What the console consumer prints for a sample record, without its place. */
export function consoleFields(record: SampleRecord): Omit<ConsoleRecord, 'partition' | 'offset'> {
  const headers = record.headers.map(({ key, value }) => `${key}:${value ?? 'null'}`);
  return {
    timestamp: record.timestamp,
    headers: headers.join() || 'NO_HEADERS',
    key: record.key,
    value: record.value ?? 'null',
  };
}

/** The tools' options have other names before 4.2 (KIP-1147). */
function beforeRenaming(version: string): boolean {
  return /^(3\.|4\.[01]\.)/.test(version);
}

function lines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}
