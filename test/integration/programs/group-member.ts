/**
 * A member of a consumer group as a process of its own, which a test may kill or pause.
 * Argument: JSON of MemberOptions. It says on stdout, one JSON line each, which generation it joined, and appends what it
 * reads to the history, always before it commits it. SIGTERM: leaves the group and ends with code 0.
 */
import { openSync, writeSync } from 'node:fs';
import { KafkaError, Reader, type Message } from 'kafka-wire';
import type { JoinedLine, MemberOptions, ReadEntry } from '../support/group-history.ts';

const options = JSON.parse(process.argv[2] ?? '') as MemberOptions;
const { member, way, topic } = options;
const history = openSync(options.history, 'a');
let generation = -1;
let joins = 0;

const reader = new Reader({
  brokers: options.brokers,
  groupId: options.groupId,
  topic,
  sessionTimeoutMs: options.sessionTimeoutMs,
  heartbeatIntervalMs: Math.ceil(options.sessionTimeoutMs / 8),
  ...(way === 'loop' ? { commitIntervalMs: 100 } : {}),
  logger: {
    info(message, fields) {
      if (message !== 'joined group') return;
      joins++;
      generation = Number(fields?.['generationId']);
      setImmediate(sayJoined); // the partitions come right after this
    },
  },
});

function sayJoined(): void {
  const line: JoinedLine = { member, generation, partitions: reader.stats().partitions.length };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** One write is one line, also with several processes on the file. */
function note(partition: number, offset: number, messages: readonly Message[]): void {
  const values = messages.map((message) => message.text() ?? '');
  const entry: ReadEntry = {
    kind: 'read',
    member,
    generation,
    joins,
    partition,
    offset,
    values,
    time: Date.now(),
  };
  writeSync(history, `${JSON.stringify(entry)}\n`);
}

async function readInBatches(): Promise<void> {
  for (;;) {
    const batch = await reader.fetchBatch({ maxRecords: 200 });
    note(batch.partition, batch.firstOffset, [...batch]);
    await reader.commitMessages(batch);
  }
}

async function readOneByOne(): Promise<void> {
  for await (const message of reader) note(message.partition, message.offset, [message]);
}

process.once('SIGTERM', () => void reader.close());
try {
  await (way === 'loop' ? readOneByOne() : readInBatches());
} catch (error) {
  if (!(error instanceof KafkaError && error.code === 'CLOSED')) throw error;
}
await reader.close();
