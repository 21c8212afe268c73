/** `npm run bench -- produce`: the Writer against its peers and the floor on one real broker, as tables and factors to hold.
 * Not here: what the contestants are asked for (contestant.ts), the factors (scenarios.ts), memory (memory.ts).
 * Invariants: every contestant has a process of its own, and they take turns, so that a factor compares turns of the same
 * round; what each wrote is counted in the log.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cachePath, makeOnce } from '../../tools/kafka/cache.ts';
import { run } from '../../tools/kafka/process.ts';
import { type Broker, partitions } from '../broker.ts';
import { events } from '../events.ts';
import { median, spread, verdict } from '../figures.ts';
import { poolRecords, type Cost, type Work } from './contestant.ts';
import {
  cpuUs,
  factorOf,
  labelOf,
  p50Ms,
  p99Ms,
  scenarios,
  type Costs,
  type Entrant,
  type Scenario,
} from './scenarios.ts';
import type { MemoryFigures } from './memory.ts';
import { Turns, type Program } from './turns.ts';

/** Sets of new processes: compilers do not decide alike twice. */
const passes = 2;
const warmUpTurns = 3;
/** Heap that one record may take in a call of many. */
const mostAllocatedBytes = 40;
/** Flat: what 5,000,000 records leave, which would be 5 MB at a byte each, and how far resident memory moves. */
const mostHeapGrowthMb = 1;
const mostRssFactor = 1.1;

interface Setting {
  readonly broker: Broker;
  readonly scratch: string;
  readonly programOf: (name: string) => Program;
}

/** The Go programs, built from exactly what go.sum names. */
async function goProgram(folder: string): Promise<string> {
  const source = join(folder, 'go');
  const hash = createHash('sha256');
  for (const name of (await readdir(source)).toSorted()) hash.update(await readFile(join(source, name)));
  const path = cachePath('bench', `go-${hash.digest('hex').slice(0, 12)}`);
  return makeOnce(path, async (draft) => {
    const args = ['build', '-buildvcs=false', '-mod=readonly', '-o', draft, '.'];
    await run('go', args, { cwd: source, timeoutMs: 300_000 });
  });
}

/** Has all entrants take turns in new processes, and adds what that cost. */
async function pass(
  setting: Setting,
  scenario: Scenario,
  name: string,
  costs: Map<string, Cost[]>,
): Promise<void> {
  const { valueBytes, compression, entrants, rounds } = scenario;
  const { broker, scratch } = setting;
  const values = join(scratch, `values-${valueBytes}`);
  const turns: { entrant: Entrant; topic: string; process: Turns }[] = [];
  try {
    for (const [index, entrant] of entrants.entries()) {
      const topic = `${name}-${index}`;
      await broker.createTopic(topic);
      const { shape } = entrant;
      const work: Work = {
        broker: broker.address,
        topic,
        partitions,
        shape,
        compression,
        valueBytes,
        values,
      };
      turns.push({ entrant, topic, process: new Turns(setting.programOf(entrant.name), work) });
    }
    for (let round = -warmUpTurns; round < rounds; round++) {
      for (const { entrant, process } of turns) {
        const cost = await process.take(entrant.records);
        if (round >= 0) costs.get(labelOf(entrant))?.push(cost);
      }
    }
    for (const { entrant, topic, process } of turns) {
      await process.end();
      await broker.check(labelOf(entrant), topic, process.records);
      await broker.deleteTopic(topic);
    }
  } finally {
    for (const { process } of turns) process.kill();
  }
}

function printTable({ title, entrants }: Scenario, costs: Costs): void {
  const isSingle = entrants.some(({ shape }) => shape === 'single');
  console.log(
    `\n## ${title}\n\n| client | CPU us/record | ${isSingle ? 'p50 ms | p99 ms' : 'records/s | RSS MB'} |`,
  );
  console.log('|---|---|---|---|');
  for (const label of entrants.map(labelOf)) {
    const found = costs.get(label) ?? [];
    const figures = (of: (cost: Cost) => number, digits: number): string => spread(found.map(of), digits);
    const rate = ({ records, wallMs }: Cost): number => (records / wallMs) * 1000;
    const last = isSingle
      ? [figures(p50Ms, 3), figures(p99Ms, 3)]
      : [figures(rate, 0), median(found.map(({ rssMb }) => rssMb)).toFixed(0)];
    console.log(`| ${[label, figures(cpuUs, isSingle ? 1 : 3), ...last].join(' | ')} |`);
  }
}

async function measure(setting: Setting, scenario: Scenario, name: string): Promise<Costs> {
  const costs = new Map<string, Cost[]>(scenario.entrants.map((entrant) => [labelOf(entrant), []]));
  for (let index = 0; index < passes; index++) await pass(setting, scenario, `${name}-${index}`, costs);
  printTable(scenario, costs);
  return costs;
}

/** A line of the table of factors; true if it holds. */
function printFactor(
  title: string,
  peer: string,
  found: readonly number[],
  atMost: number,
  unit = '',
): boolean {
  const holds = median(found) <= atMost;
  const text = found.length === 1 ? median(found).toFixed(2) : spread(found, 2);
  console.log(`| ${title} | ${peer} | ${text}${unit} | ${atMost.toFixed(2)}${unit} | ${verdict(holds)} |`);
  return holds;
}

/** Memory has a process of its own. */
async function measureMemory({ broker, scratch, programOf }: Setting): Promise<MemoryFigures> {
  const topic = 'produce-memory';
  const workload = { shape: 'batches', compression: 'none', valueBytes: 100 } as const;
  const values = join(scratch, `values-${workload.valueBytes}`);
  const work: Work = { ...workload, broker: broker.address, topic, partitions, values };
  const { command, args } = programOf('kafka-wire');
  await broker.createTopic(topic);
  const { stdout } = await run(command, [...args, JSON.stringify(work), 'memory']);
  const figures = JSON.parse(stdout) as MemoryFigures;
  await broker.check('kafka-wire', topic, figures.records);
  await broker.deleteTopic(topic);
  return figures;
}

function printMemory({ allocated, heapMb, rssMb }: MemoryFigures): boolean {
  const text = ([before, after]: readonly [number, number]): string =>
    `${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`;
  const growthMb = heapMb[1] - heapMb[0];
  return [
    printFactor('allocated a record, calls of 1,000', '', [allocated], mostAllocatedBytes, ' B'),
    printFactor(`heap grown by 5,000,000 records`, text(heapMb), [growthMb], mostHeapGrowthMb, ' MB'),
    printFactor(
      'RSS, the last 1,000,000 of them to the first',
      text(rssMb),
      [rssMb[1] / rssMb[0]],
      mostRssFactor,
    ),
  ].every(Boolean);
}

/** Measures and prints; resolves to true when every factor holds. `only`: scenarios with this in their title. */
export async function benchProduce(
  folder: string,
  node24: string,
  broker: Broker,
  only: string,
): Promise<boolean> {
  const go = await goProgram(folder);
  const worker = `${folder}build/produce.js`;
  const programOf = (name: string): Program =>
    name.endsWith('-go')
      ? { command: go, args: [name] }
      : { command: node24, args: ['--no-warnings', worker, name] };
  const scratch = await mkdtemp(join(tmpdir(), 'kafka-wire-bench-'));
  const setting = { broker, scratch, programOf };
  try {
    for (const bytes of new Set(scenarios.map(({ valueBytes }) => valueBytes)))
      await writeFile(join(scratch, `values-${bytes}`), events(1, bytes * poolRecords));
    const found = new Map<Scenario, Costs>();
    for (const [index, scenario] of scenarios.entries())
      if (scenario.title.includes(only))
        found.set(scenario, await measure(setting, scenario, `produce-${index}`));
    const memory = 'memory'.includes(only) ? await measureMemory(setting) : undefined;
    console.log('\n## Factors\n\n| | of | factor | at most | |\n|---|---|---|---|---|');
    let holds = true;
    for (const [{ factors }, costs] of found) {
      for (const factor of factors) {
        const { peer, values } = factorOf(factor, costs);
        holds = printFactor(factor.title, peer, values, factor.atMost) && holds;
      }
    }
    return (memory === undefined || printMemory(memory)) && holds;
  } finally {
    await rm(scratch, { recursive: true });
  }
}
