/** The program of a contestant on Node: `worker.js NAME WORK`; see contestant.ts for what it reads and prints.
 * `worker.js NAME WORK memory` prints what memory it takes first.
 */
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Cost, Producer, Work } from './contestant.ts';
import type { MemoryFigures } from './memory.ts';

const contestants: Record<string, () => Promise<(work: Work) => Producer>> = {
  floor: async () => (await import('./floor.ts')).floor,
  'kafka-wire': async () => (await import('./kafka-wire.ts')).kafkaWire,
  kafkajs: async () => (await import('./kafkajs.ts')).kafkajs,
  '@platformatic/kafka': async () => (await import('./platformatic.ts')).platformatic,
};

async function writeSingly({ single }: Producer, latencies: Float64Array): Promise<void> {
  for (let index = 0; index < latencies.length; index++) {
    const began = performance.now();
    await single();
    latencies[index] = performance.now() - began;
  }
}

async function turn(producer: Producer, { shape }: Work, records: number): Promise<Cost> {
  const latencies = new Float64Array(shape === 'single' ? records : 0);
  const cpu = process.cpuUsage();
  const began = performance.now();
  await (shape === 'single' ? writeSingly(producer, latencies) : producer.write(records));
  const wallMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort();
  return {
    records,
    cpuUs: user + system,
    wallMs,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
    p50Ms: latencies[Math.floor(records * 0.5)] ?? 0,
    p99Ms: latencies[Math.floor(records * 0.99)] ?? 0,
  };
}

const [name = '', json = '{}', kind] = process.argv.slice(2);
const work = JSON.parse(json) as Work;
const make = await contestants[name]?.();
if (make === undefined) throw new Error(`no contestant ${name}`);
const producer = make(work);
const print = (found: Cost | MemoryFigures): void => void process.stdout.write(`${JSON.stringify(found)}\n`);
if (kind === 'memory') print(await (await import('./memory.ts')).memoryFigures(producer));
for await (const line of createInterface({ input: process.stdin }))
  print(await turn(producer, work, Number(line)));
await producer.close();
