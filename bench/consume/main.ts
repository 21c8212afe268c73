/** `npm run bench -- consume`: the Reader against its peers and the floor on one real broker.
 * Every measurement is a process of its own on Node 24; medians and spread over the rounds, CPU time first, because
 * wall time on shared machines tells about the neighbours.
 */
import { Writer } from 'kafka-wire';
import { run } from '../../tools/kafka/process.ts';
import { partitions, type Broker } from '../broker.ts';
import { median, spread } from '../figures.ts';
import type { Work } from './contestant.ts';
import type { Cost } from './worker.ts';

const valueBytes = 100;
const contestants = ['floor', 'kafka-wire', 'kafkajs', '@platformatic/kafka'];
const shapes = [
  ['byBatch', 'Read back, by batch'],
  ['byRecord', 'Read back, by record'],
] as const;

/** How much is read how often. */
export interface Size {
  readonly records: number;
  readonly rounds: number;
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

function report(title: string, costs: ReadonlyMap<string, readonly Cost[]>): void {
  const perRecord = (name: string): number[] =>
    (costs.get(name) ?? []).map((cost) => cost.cpuUs / cost.records);
  const peers = contestants.filter((name) => name !== 'floor' && name !== 'kafka-wire');
  const best = Math.min(...peers.map((name) => median(perRecord(name))));
  console.log(`\n## ${title}\n\n| client | CPU us/record | records/s | RSS MB | CPU against the best peer |`);
  console.log('|---|---|---|---|---|');
  for (const [name, found] of costs) {
    const cpu = perRecord(name);
    const rates = found.map((cost) => (cost.records / cost.wallMs) * 1000);
    const rss = median(found.map((cost) => cost.rssMb));
    const ratio = (median(cpu) / best).toFixed(2);
    console.log(`| ${name} | ${spread(cpu, 2)} | ${spread(rates, 0)} | ${rss.toFixed(0)} | ${ratio} |`);
  }
}

/** Measures and prints. */
export async function benchConsume(
  folder: string,
  node24: string,
  broker: Broker,
  { records, rounds }: Size,
): Promise<void> {
  console.log(`\n${records} records of ${valueBytes} B from ${partitions} partitions, ${rounds} rounds`);
  const topic = 'filled';
  await broker.createTopic(topic);
  await fill(broker.address, topic, records);
  await broker.check('kafka-wire', topic, records);
  const work: Work = { broker: broker.address, topic, partitions, records };
  for (const [shape, title] of shapes) {
    const costs = new Map<string, Cost[]>(contestants.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const [name, found] of costs) {
        const args = [`${folder}build/consume.js`, name, shape, JSON.stringify(work)];
        const { stdout } = await run(node24, args, { cwd: folder, timeoutMs: 300_000 });
        found.push(JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Cost);
      }
    }
    report(title, costs);
  }
}
