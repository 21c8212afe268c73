/** One contestant doing one piece of work in a process of its own; prints its cost as one JSON line.
 * CPU is user plus system time of the whole process after the warm-up, compilers and collectors included.
 */
import process from 'node:process';
import type { Contestant, Work } from './clients/client.ts';

const contestants: Record<string, () => Promise<(work: Work) => Contestant>> = {
  floor: async () => (await import('./clients/floor.ts')).floor,
  'kafka-wire': async () => (await import('./clients/kafka-wire.ts')).kafkaWire,
  kafkajs: async () => (await import('./clients/kafkajs.ts')).kafkajs,
  platformatic: async () => (await import('./clients/platformatic.ts')).platformatic,
};

interface Cost {
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly records: number;
  readonly rssMb: number;
}

/** Starts counting when told, and gives the cost since then. */
class Meter {
  #cpu = process.cpuUsage();
  #began = performance.now();
  #records = 0;

  start(records: number): void {
    this.#cpu = process.cpuUsage();
    this.#began = performance.now();
    this.#records = records;
  }

  stop(records: number): Cost {
    const { user, system } = process.cpuUsage(this.#cpu);
    const wallMs = performance.now() - this.#began;
    return {
      cpuUs: user + system,
      wallMs,
      records: records - this.#records,
      rssMb: process.memoryUsage.rss() / 2 ** 20,
    };
  }
}

async function produce(run: (records: number) => Promise<void>, records: number): Promise<Cost> {
  const meter = new Meter();
  await run(records / 4);
  meter.start(0);
  await run(records);
  return meter.stop(records);
}

async function consume(
  run: (records: number, mark: (soFar: number) => void) => Promise<void>,
  records: number,
): Promise<Cost> {
  const meter = new Meter();
  let warm = false;
  let cost: Cost | undefined;
  await run(records, (soFar) => {
    if (!warm && soFar >= records / 5) {
      warm = true;
      meter.start(soFar);
    }
    if (soFar >= records) cost ??= meter.stop(soFar);
  });
  if (cost === undefined) throw new Error('the contestant did not read everything');
  return cost;
}

async function main(): Promise<void> {
  const [name = '', scenario = '', json = '{}'] = process.argv.slice(2);
  const work = JSON.parse(json) as Work;
  const make = await contestants[name]?.();
  if (make === undefined) throw new Error(`no contestant ${name}`);
  const contestant = make(work);
  const run = contestant[scenario as keyof Contestant];
  if (run === undefined) throw new Error(`${name} has no ${scenario}`);
  const cost = scenario.startsWith('consume')
    ? await consume(run.bind(contestant), work.records)
    : await produce(run.bind(contestant) as (records: number) => Promise<void>, work.records);
  process.stdout.write(`${JSON.stringify(cost)}\n`);
  await contestant.close();
}

await main();
