/** `npm run bench`: our client, its peers and the raw-socket floor on one real broker, in one run, interleaved.
 * Every measurement is a process of its own on Node 24; medians and spread over the rounds, CPU time first, because
 * wall time on shared machines tells about the neighbours. Every produce run is checked by end offsets.
 * `npm run bench -- codec` leaves broker and sockets out: codec/main.ts.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, Writer } from 'kafka-wire';
import { createTopicsApi, listOffsetsApi } from 'kafka-wire/protocol';
import { startKafka } from '../tools/kafka/launcher.ts';
import { benchCodec } from './codec/main.ts';
import { median, spread } from './figures.ts';

const here = fileURLToPath(new URL('../bench/', import.meta.url));
const node24 = `${here}node_modules/node24/bin/node`;
const partitions = 6;
const valueBytes = 100;

interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly records: number;
  readonly contestants: readonly string[];
}

const everybody = ['floor', 'kafka-wire', 'kafkajs', 'platformatic'];

const scenarios = (records: number): readonly Scenario[] => [
  { name: 'produceBatches', title: 'Produce, calls of 1,000 records', records, contestants: everybody },
  {
    name: 'produceEach',
    title: 'Produce, one record a call, a promise each, 10,000 outstanding',
    records: records / 5,
    contestants: everybody,
  },
  {
    name: 'produceQueued',
    title: 'Produce, one record a call, queued without a promise',
    records,
    contestants: ['floor', 'kafka-wire', 'platformatic'],
  },
  { name: 'consumeBatches', title: 'Read back, by batch', records: records * 2, contestants: everybody },
  { name: 'consumeEach', title: 'Read back, by record', records: records * 2, contestants: everybody },
];

interface Cost {
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly records: number;
  readonly rssMb: number;
}

function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], timeout: 300_000 });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(new Error(`${command} ${args.slice(0, 3).join(' ')} ended with ${signal ?? code}\n${output}`));
    });
  });
}

/** End offsets of all partitions; NaN while one of them has no leader that knows it. */
async function endOffsetSum(client: Client, topic: string): Promise<number> {
  const offsets = Array.from({ length: partitions }, async (_, partition) => {
    const answer = await client.request(
      listOffsetsApi,
      {
        replicaId: -1,
        topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
      },
      { topicPartition: { topic, partition } },
    );
    const found = answer.topics[0]?.partitions[0];
    return found?.errorCode === 0 ? found.offset : Number.NaN;
  });
  return (await Promise.all(offsets)).reduce((sum, offset) => sum + offset, 0);
}

async function createTopic(client: Client, name: string): Promise<void> {
  const topics = [{ name, numPartitions: partitions, replicationFactor: 1 }];
  const { topics: created } = await client.request(createTopicsApi, { topics, timeoutMs: 10_000 });
  if (created[0]?.errorCode !== 0) throw new Error(`cannot create ${name}: error ${created[0]?.errorCode}`);
  while (Number.isNaN(await endOffsetSum(client, name))) await delay(20);
}

/** Fills a topic with small and large batches, as the producers of a real topic do. */
async function fill(broker: string, topic: string, records: number): Promise<void> {
  await using writer = new Writer({ brokers: broker, topic });
  const value = new Uint8Array(valueBytes).fill(120);
  for (let at = 0; at < records; at += 1000) {
    const count = Math.min(1000, records - at);
    await writer.writeMessages(
      Array.from({ length: count }, (_, index) => ({
        key: `key-${String(at + index).padStart(12, '0')}`,
        value,
      })),
    );
  }
}

function report({ title, contestants }: Scenario, costs: ReadonlyMap<string, readonly Cost[]>): void {
  const perRecord = (name: string): number[] =>
    (costs.get(name) ?? []).map((cost) => cost.cpuUs / cost.records);
  const peers = contestants.filter((name) => name !== 'floor' && name !== 'kafka-wire');
  const best = Math.min(...peers.map((name) => median(perRecord(name))));
  console.log(`\n## ${title}\n\n| client | CPU us/record | records/s | RSS MB | CPU against the best peer |`);
  console.log('|---|---|---|---|---|');
  for (const name of contestants) {
    const cpu = perRecord(name);
    const rates = (costs.get(name) ?? []).map((cost) => (cost.records / cost.wallMs) * 1000);
    const rss = median((costs.get(name) ?? []).map((cost) => cost.rssMb));
    const ratio = (median(cpu) / best).toFixed(2);
    console.log(`| ${name} | ${spread(cpu, 2)} | ${spread(rates, 0)} | ${rss.toFixed(0)} | ${ratio} |`);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      records: { type: 'string', default: '500000' },
      rounds: { type: 'string', default: '5' },
      only: { type: 'string' },
    },
  });
  const records = Number(values.records);
  const rounds = Number(values.rounds);
  if (!existsSync(node24)) await run('npm', ['ci', '--ignore-scripts'], here);
  if (positionals[0] === 'codec') {
    if (!(await benchCodec(here, node24))) process.exitCode = 1;
    return;
  }
  const kafka = await startKafka();
  const broker = kafka.brokers[0] ?? '';
  const client = new Client({ brokers: broker });
  console.log(
    `Kafka ${kafka.version}, Node 24, ${rounds} rounds, ${valueBytes} B values, ${partitions} partitions`,
  );
  try {
    for (const scenario of scenarios(records)) {
      if (values.only !== undefined && !scenario.name.startsWith(values.only)) continue;
      const reads = scenario.name.startsWith('consume');
      const filled = `filled-${scenario.name}`;
      if (reads) {
        await createTopic(client, filled);
        await fill(broker, filled, scenario.records);
      }
      const costs = new Map<string, Cost[]>(scenario.contestants.map((name) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const name of scenario.contestants) {
          const topic = reads ? filled : `${scenario.name}-${name}-${round}`;
          if (!reads) await createTopic(client, topic);
          const work = { broker, topic, partitions, records: scenario.records, valueBytes };
          const args = [`${here}build/worker.js`, name, scenario.name, JSON.stringify(work)];
          const output = await run(node24, args, here);
          costs.get(name)?.push(JSON.parse(output.trim().split('\n').at(-1) ?? '') as Cost);
          const expected = reads ? scenario.records : scenario.records * 1.25;
          const found = await endOffsetSum(client, topic);
          if (found !== expected)
            throw new Error(`${name} ${scenario.name}: ${found} records in the log, not ${expected}`);
        }
      }
      report(scenario, costs);
    }
  } finally {
    await client.close();
    await kafka.close();
  }
}

await main();
