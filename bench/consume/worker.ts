/** One contestant doing one piece of work in a process of its own: `worker.js NAME byBatch|byRecord WORK`; prints its cost
 * as one JSON line.
 * CPU is user plus system time of the whole process after the warm-up, compilers and collectors included.
 */
import process from 'node:process';
import type { Contestant, Work } from './contestant.ts';

const contestants: Record<string, () => Promise<(work: Work) => Contestant>> = {
  floor: async () => (await import('./floor.ts')).floor,
  'kafka-wire': async () => (await import('./kafka-wire.ts')).kafkaWire,
  kafkajs: async () => (await import('./kafkajs.ts')).kafkajs,
  '@platformatic/kafka': async () => (await import('./platformatic.ts')).platformatic,
};
/** So much of the work warms up. */
const warmUpPart = 1 / 5;

/** What was measured. */
export interface Cost {
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
    const rssMb = process.memoryUsage.rss() / 2 ** 20;
    return { cpuUs: user + system, wallMs, records: records - this.#records, rssMb };
  }
}

const [name = '', shape = '', json = '{}'] = process.argv.slice(2);
const work = JSON.parse(json) as Work;
const make = await contestants[name]?.();
if (make === undefined) throw new Error(`no contestant ${name}`);
const meter = new Meter();
let isWarm = false;
let cost: Cost | undefined;
await make(work)[shape as keyof Contestant]((soFar) => {
  if (!isWarm && soFar >= work.records * warmUpPart) {
    isWarm = true;
    meter.start(soFar);
  }
  if (soFar >= work.records) cost ??= meter.stop(soFar);
});
if (cost === undefined) throw new Error('the contestant did not read everything');
process.stdout.write(`${JSON.stringify(cost)}\n`);
