/**
 * Other clients as one kind of thing: each writes lines to a topic and reads topics back as a member of a group. Java,
 * kcat, kafkajs and kafka-go run as programs of their own; the last two are installed or built on first use, into the cache.
 * Invariant: a record is text without tab and line break, so that every tool takes and prints it unambiguously.
 */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachePath, makeOnce } from '../../../tools/kafka/cache.ts';
import { run } from '../../../tools/kafka/process.ts';
import { Reader, Writer } from '../../../src/index.ts';
import { consoleConsume, consoleProduce } from '../support/java.ts';
import type { Tool } from '../support/tools.ts';

/** A record to write. */
export interface PeerRecord {
  readonly key: string;
  readonly value: string;
}

/** A record that was read, and where. */
export interface PlacedRecord extends PeerRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A client. */
export interface Peer {
  readonly name: string;
  /** What it needs of the machine. */
  readonly tools: readonly Tool[];
  /** Gets the program ready; slow once per machine. */
  prepare?(): Promise<unknown>;
  /** Writes the records in their order, waits until all are acknowledged, and ends. `compression` is for those whose
   * codecs are tested; default: the peer's own.
   */
  write(
    brokers: readonly string[],
    topic: string,
    records: readonly PeerRecord[],
    compression?: string,
  ): Promise<void>;
  /** Joins the group, reads `count` records of the topics from the beginning, commits, leaves and ends. */
  read(
    brokers: readonly string[],
    group: string,
    topics: readonly string[],
    count: number,
  ): Promise<PlacedRecord[]>;
}

// a peer that hangs ends before its test does, and says what it was
const timeoutMs = 50_000;

/** All of them, this project's own last. */
export const peers: readonly Peer[] = [
  {
    name: 'kcat',
    tools: ['kcat'],
    async write(brokers, topic, records, compression = 'none') {
      const args = ['-P', '-b', brokers.join(), '-t', topic, '-K', '\t', '-X', 'enable.idempotence=true'];
      await run('kcat', [...args, '-z', compression], { input: linesOf(records), timeoutMs });
    },
    async read(brokers, group, topics, count) {
      const format = String.raw`%t\t%p\t%o\t%k\t%s\n`;
      const args = ['-q', '-b', brokers.join(), '-c', String(count), '-f', format];
      const reset = ['-X', 'auto.offset.reset=earliest'];
      return placed((await run('kcat', [...args, ...reset, '-G', group, ...topics], { timeoutMs })).stdout);
    },
  },
  {
    name: 'Java',
    tools: ['java', 'mvn'],
    write: (brokers, topic, records, compression = 'gzip') =>
      consoleProduce({ brokers, topic, records, compression, timeoutMs }),
    async read(brokers, group, topics, count) {
      const printed = await consoleConsume({ brokers, topic: topics, count, group, timeoutMs });
      // the tool does not print the topic; the value begins with its name
      return printed.map(({ partition, offset, key, value }) => {
        const [topic = ''] = value.split(' ');
        return { topic, partition, offset, key, value };
      });
    },
  },
  {
    name: 'kafkajs',
    tools: [],
    prepare: kafkajs,
    async write(brokers, topic, records) {
      const args = [await kafkajs(), 'write', brokers.join(), topic];
      await run(process.execPath, args, { input: linesOf(records), timeoutMs });
    },
    async read(brokers, group, topics, count) {
      const args = [await kafkajs(), 'read', brokers.join(), group, String(count), ...topics];
      return placed((await run(process.execPath, args, { timeoutMs })).stdout);
    },
  },
  {
    name: 'kafka-go',
    tools: ['go'],
    prepare: kafkaGo,
    async write(brokers, topic, records, compression = 'none') {
      const args = ['write', brokers.join(), topic, compression];
      await run(await kafkaGo(), args, { input: linesOf(records), timeoutMs });
    },
    async read(brokers, group, topics, count) {
      const args = ['read', brokers.join(), group, String(count), ...topics];
      return placed((await run(await kafkaGo(), args, { timeoutMs })).stdout);
    },
  },
  {
    name: 'kafka-wire',
    tools: [],
    async write(brokers, topic, records) {
      await using writer = new Writer({ brokers, topic });
      await writer.writeMessages(records);
    },
    async read(brokers, groupId, topics, count) {
      const decoder = new TextDecoder();
      const signal = AbortSignal.timeout(timeoutMs);
      await using reader = new Reader({ brokers, groupId, topics });
      const read: PlacedRecord[] = [];
      while (read.length < count) {
        const batch = await reader.fetchBatch({ signal });
        for (const message of batch) {
          const { topic, partition, offset, key } = message;
          read.push({
            topic,
            partition,
            offset,
            key: decoder.decode(key ?? undefined),
            value: message.text() ?? '',
          });
        }
        await reader.commitMessages(batch);
      }
      return read;
    },
  },
];

/** The lines that kafkajs prints of a life of transactional producers on a topic with two partitions. */
export async function kafkajsTransactions(brokers: readonly string[], topic: string): Promise<string[]> {
  const args = [await kafkajs(), 'transactions', brokers.join(), topic];
  return (await run(process.execPath, args, { timeoutMs })).stdout.split('\n').slice(0, -1);
}

function linesOf(records: readonly PeerRecord[]): string {
  return records.map(({ key, value }) => `${key}\t${value}\n`).join('');
}

/** Lines of "topic TAB partition TAB offset TAB key TAB value". */
function placed(text: string): PlacedRecord[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [topic = '', partition = '', offset = '', key = '', value = ''] = line.split('\t');
      return { topic, partition: Number(partition), offset: Number(offset), key, value };
    });
}

/** The program around kafkajs, with kafkajs beside it exactly as the lock file names it. No install script runs. */
async function kafkajs(): Promise<string> {
  const source = fileURLToPath(new URL('kafkajs/', import.meta.url));
  const folder = await makeOnce(cachePath('peers', `kafkajs-${await digestOf(source)}`), async (draft) => {
    await cp(source, draft, { recursive: true });
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: draft });
  });
  return join(folder, 'kafkajs.mjs');
}

/** The program around kafka-go, built from exactly what go.sum names. */
async function kafkaGo(): Promise<string> {
  const source = fileURLToPath(new URL('go/', import.meta.url));
  return makeOnce(cachePath('peers', `kafka-go-${await digestOf(source)}`), async (draft) => {
    await run('go', ['build', '-buildvcs=false', '-mod=readonly', '-o', draft, '.'], {
      cwd: source,
      timeoutMs: 300_000,
    });
  });
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  for (const name of names.map(({ name }) => name).sort())
    hash.update(name).update(await readFile(join(folder, name)));
  return hash.digest('hex').slice(0, 12);
}
