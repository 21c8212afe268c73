/** `npm run bench -- codec`: our codec against that of the peers, checksums and compression included, as a table of
 * factors to hold; exits with 1 when one does not.
 * Not here: brokers and sockets (../main.ts).
 * Invariant: every contestant has processes of its own, for what one does to its process slows the others (a WebAssembly memory
 * that grows makes every typed array slower); they take turns, and a factor compares two turns of the same round.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { median, spread, verdict } from '../figures.ts';
import type { Contestant } from './case.ts';
import type { MemoryFigures } from './memory.ts';
import type { Answer, Rate, Ready, Turn } from './worker.ts';

/** Least factors, by case. kafkajs is to be beaten by twice as much, where it is the peer. */
const required: Readonly<Record<'wasm' | 'pure', Readonly<Record<string, number>>>> = {
  wasm: {
    'encode 100 B': 10,
    'encode 1 KiB': 5,
    'decode 100 B': 5,
    'decode 1 KiB': 2,
    'CRC-32C 64 KiB': 4,
    'lz4 compress 64 KiB': 1.3,
    'lz4 inflate 64 KiB': 1.5,
    'snappy compress 64 KiB': 1.1,
    'snappy inflate 64 KiB': 1.1,
  },
  pure: {
    'encode 100 B': 2,
    'encode 1 KiB': 2,
    'decode 100 B': 2.5,
    'decode 1 KiB': 0.5,
    'CRC-32C 64 KiB': 1.15,
  },
};
const mostEncodedBytes = 16;
const mostRetainedBytes = 160;
/** Sets of new processes: compilers do not decide alike twice. */
const passes = 2;
const rounds = 7;
const warmUpMs = 400;
const turnMs = 60;
const contestants = ['ours', 'peer', 'floor'] as const;

/** A Node to measure on. */
interface Host {
  readonly name: string;
  readonly program: string;
}

/** What was found for one case: amounts (records or bytes) a CPU microsecond, one a round. */
interface Rates {
  readonly name: string;
  readonly peer: string;
  readonly rates: Readonly<Record<Contestant, number[]>>;
}

function start(host: Host, folder: string, args: readonly string[]): ChildProcess {
  const options = { cwd: folder, execPath: host.program, execArgv: [] };
  return fork(`${folder}build/codec.js`, args, options);
}

/** The next message of a worker. Rejects when it ends instead. */
async function answerOf<T extends Answer>(worker: ChildProcess): Promise<T> {
  const end = new AbortController();
  const ended = once(worker, 'exit', { signal: end.signal }).then(([code]) => {
    throw new Error(`a worker ended with ${code}`);
  });
  const told = once(worker, 'message', { signal: end.signal }).then(([answer]) => answer as T);
  try {
    return await Promise.race([told, ended]);
  } finally {
    end.abort();
    await Promise.allSettled([told, ended]);
  }
}

/** Takes turns between the processes of the three, case by case, and adds what it finds. */
async function measure(host: Host, folder: string, kind: string, found: Map<string, Rates>): Promise<void> {
  const workers = contestants.map((name) => start(host, folder, [name, kind]));
  try {
    const ready = await Promise.all(workers.map((worker) => answerOf<Ready>(worker)));
    const { cases } = ready[0] ?? { cases: [] };
    for (let round = -1; round < rounds; round++) {
      for (const [index, { name, peer }] of cases.entries()) {
        const rates = found.get(name) ?? { name, peer, rates: { ours: [], peer: [], floor: [] } };
        found.set(name, rates);
        for (const [at, worker] of workers.entries()) {
          const turn: Turn = { index, cpuMs: round < 0 ? warmUpMs : turnMs };
          worker.send(turn);
          const { rate } = await answerOf<Rate>(worker);
          if (round >= 0) rates.rates[contestants[at] ?? 'floor'].push(rate);
        }
      }
    }
  } finally {
    for (const worker of workers) if (worker.connected) worker.disconnect();
  }
}

function row(kind: 'wasm' | 'pure', { name, peer, rates }: Rates): boolean {
  const factors = rates.ours.map((ours, index) => ours / (rates.peer[index] ?? Number.NaN));
  const least = required[kind][name];
  const wanted = least === undefined ? undefined : least * (peer === 'kafkajs' ? 2 : 1);
  const holds = wanted === undefined || median(factors) >= wanted;
  const isRecords = /code/.test(name);
  const digits = isRecords ? 2 : 0;
  const cells = [
    kind === 'pure' ? `${name}, no WebAssembly` : name,
    `${spread(rates.ours, digits)} ${isRecords ? 'M records/s' : 'MB/s'}`,
    `${peer} ${spread(rates.peer, digits)}`,
    median(rates.floor).toFixed(digits),
    spread(factors, 2),
    wanted?.toString() ?? '-',
    wanted === undefined ? '' : verdict(holds),
  ];
  console.log(`| ${cells.join(' | ')} |`);
  return holds;
}

function memoryRow(name: string, bytes: number, most: number): boolean {
  const holds = bytes <= most;
  console.log(`| ${name} | ${bytes.toFixed(1)} B | - | - | - | at most ${most} B | ${verdict(holds)} |`);
  return holds;
}

/** Measures and prints; resolves to true when every factor holds. */
export async function benchCodec(folder: string, node24: string): Promise<boolean> {
  const hosts: readonly Host[] = [
    { name: 'Node 24', program: node24 },
    { name: `Node ${process.versions.node}`, program: process.execPath },
  ];
  let holds = true;
  for (const host of hosts) {
    console.log(`\n## ${host.name}\n\n| case | ours | peer | floor | factor | required | |`);
    console.log('|---|---|---|---|---|---|---|');
    for (const kind of ['wasm', 'pure'] as const) {
      const found = new Map<string, Rates>();
      for (let pass = 0; pass < passes; pass++) await measure(host, folder, kind, found);
      for (const rates of found.values()) holds = row(kind, rates) && holds;
    }
    const { encoded, retained } = await answerOf<MemoryFigures>(start(host, folder, ['memory']));
    holds = memoryRow('allocated a record encoded', encoded, mostEncodedBytes) && holds;
    holds = memoryRow('retained a record read', retained, mostRetainedBytes) && holds;
  }
  return holds;
}
