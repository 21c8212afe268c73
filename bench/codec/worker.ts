/** One process of the codec benchmark, of one contestant: `worker.js ours|peer|floor wasm|pure`, told by messages which case
 * to run and for how long; or `worker.js memory`.
 * Invariant: the cost is CPU time of the process, collectors and compilers included, not wall time: neighbours are many.
 */
import process from 'node:process';
import type { Case, Contestant, Work } from './case.ts';
import type { MemoryFigures } from './memory.ts';
import { kafkajs, platformatic } from './peers.ts';

/** What a process can do, told once it is ready. */
export interface Ready {
  readonly cases: readonly { readonly name: string; readonly peer: string }[];
}

/** Asks for so much CPU time of the case at an index. */
export interface Turn {
  readonly index: number;
  readonly cpuMs: number;
}

/** The answer to a turn: amount (records or bytes) a CPU microsecond. */
export interface Rate {
  readonly rate: number;
}

/** What a process sends. */
export type Answer = Ready | Rate | MemoryFigures;

async function rate(work: Work, cpuMs: number): Promise<number> {
  const before = process.cpuUsage();
  for (let amount = 0; ;) {
    amount += await work();
    const { user, system } = process.cpuUsage(before);
    if (user + system >= cpuMs * 1000) return amount / (user + system);
  }
}

async function casesOf(contestant: Contestant, isPure: boolean): Promise<Case[]> {
  const isOld = Number(process.versions.node.split('.')[0]) < 22;
  const peerName = isOld ? 'kafkajs' : '@platformatic/kafka';
  const peer = contestant !== 'peer' ? undefined : isOld ? kafkajs() : await platformatic();
  // Without WebAssembly we fall back, silently and for good; the peer has its own by now.
  if (isPure) Reflect.deleteProperty(globalThis, 'WebAssembly');
  const { recordCases } = await import('./records.ts');
  const { checksumCase, compressionCases } = await import('./bytes.ts');
  return [
    ...(await recordCases(contestant, 100, peerName, peer)),
    ...(await recordCases(contestant, 1024, peerName, peer)),
    await checksumCase(contestant, isPure),
    ...(isPure ? [] : compressionCases(contestant)),
  ];
}

function send(answer: Answer): void {
  process.send?.(answer);
}

async function main(): Promise<void> {
  const [contestant, kind] = process.argv.slice(2);
  if (contestant === 'memory') {
    send(await (await import('./memory.ts')).memoryFigures());
    process.disconnect();
    return;
  }
  const cases = await casesOf(contestant as Contestant, kind === 'pure');
  process.on('message', ({ index, cpuMs }: Turn) => {
    const work = cases[index]?.work;
    if (work !== undefined) void rate(work, cpuMs).then((found) => send({ rate: found }));
  });
  send({ cases: cases.map(({ name, peer }) => ({ name, peer })) });
}

await main();
