/** Importing the package does nothing but define: no timer, socket, random number, listener or global, and it is quick.
 * Measured on the built package in processes of their own, in processor time; an import of nothing is the yardstick.
 */
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPackage, type BuiltPackage } from './support/built-package.ts';

const entries = [
  'kafka-wire',
  'kafka-wire/protocol',
  'kafka-wire/protocol/registry',
  'kafka-wire/compression',
  'kafka-wire/testing',
];

/** Loaded before the program: counts calls of what an import must not do, until the program asks. */
const hooks = `
import child from 'node:child_process';
import crypto from 'node:crypto';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import timers from 'node:timers';
import worker from 'node:worker_threads';

const calls = [];
function count(holder, name) {
  const original = holder[name];
  if (typeof original !== 'function') throw new Error('nothing to count: ' + name);
  holder[name] = function (...args) {
    calls.push(name);
    return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args);
  };
}
for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
  count(globalThis, name);
  count(timers, name);
}
count(globalThis, 'queueMicrotask');
count(globalThis, 'fetch');
count(Math, 'random');
count(globalThis.crypto.constructor.prototype, 'getRandomValues');
for (const name of ['randomBytes', 'randomFillSync', 'randomInt', 'randomUUID']) count(crypto, name);
for (const name of ['connect', 'createConnection', 'createServer']) count(net, name);
count(net.Socket.prototype, 'connect');
count(net.Server.prototype, 'listen');
for (const name of ['lookup', 'resolve']) count(dns, name);
count(dgram, 'createSocket');
for (const name of ['spawn', 'fork', 'exec']) count(child, name);
count(worker, 'Worker');
for (const name of ['on', 'once', 'addListener']) count(process, name);
syncBuiltinESMExports();
const globals = new Set(Object.getOwnPropertyNames(globalThis));
globalThis.traces = () => ({
  calls: [...calls],
  globals: Object.getOwnPropertyNames(globalThis).filter((name) => !globals.has(name) && name !== 'traces'),
  resources: process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|TTYWrap|FSReqPromise|CloseReq)$/.test(name)),
});
`;

const maxImportMs = 30;
/** What an empty process takes where that limit was set. */
const emptyProcessMs = 50;
let built: BuiltPackage;
let hookOptions: readonly string[];

beforeAll(async () => {
  built = await buildPackage();
  hookOptions = ['--import', built.write('hooks.mjs', hooks)];
});

afterAll(() => built.remove());

async function output(program: string, nodeOptions: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await built.start(program, { nodeOptions }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Milliseconds of processor time that a whole process takes which imports the entry, or nothing. */
async function processorMs(entry: string | undefined): Promise<number> {
  const tell = `process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  console.log((user + system) / 1000);
});`;
  return Number(await output(entry === undefined ? tell : `import '${entry}';\n${tell}`));
}

/** The least that each takes of several: what other programs do to a process only makes it slower. */
async function leastMs(entry: string): Promise<{ readonly empty: number; readonly full: number }> {
  let empty = Infinity;
  let full = Infinity;
  for (let round = 0; round < 9; round++) {
    empty = Math.min(empty, await processorMs(undefined));
    full = Math.min(full, await processorMs(entry));
  }
  return { empty, full };
}

describe('importing', () => {
  it.each(entries)('%s leaves no trace', async (entry) => {
    const program = `await import('${entry}');\nconsole.log(JSON.stringify(globalThis.traces()));`;
    expect(JSON.parse(await output(program, hookOptions))).toEqual({ calls: [], globals: [], resources: [] });
  });

  it('would be caught leaving one', async () => {
    const culprit = `data:text/javascript,${encodeURIComponent('setTimeout(() => {}, 50); Math.random(); globalThis.mine = 1;')}`;
    const program = `await import('${culprit}');\nconsole.log(JSON.stringify(globalThis.traces()));`;
    const traces = { calls: ['setTimeout', 'random'], globals: ['mine'], resources: ['Timeout'] };
    expect(JSON.parse(await output(program, hookOptions))).toEqual(traces);
  });

  it.each(entries)('%s works without a top-level await, so that require() of it does too', async (entry) => {
    const program = `import { createRequire } from 'node:module';
const module = createRequire(import.meta.url)('${entry}');
console.log(Object.keys(module).length > 0);`;
    // Node 20 has require() of ES modules behind a flag, and warns.
    expect(await output(program, ['--experimental-require-module', '--no-warnings'])).toBe('true\n');
  });

  it(`the client takes at most ${maxImportMs} ms more than an empty process`, async () => {
    const { empty, full } = await leastMs('kafka-wire');
    const tookMs = full - empty;
    // On a slower machine as much more as its empty process takes.
    const limitMs = maxImportMs * Math.max(1, empty / emptyProcessMs);
    const ofLimit = `limit ${limitMs.toFixed(1)} ms`;
    process.stdout.write(
      `  import of kafka-wire: ${tookMs.toFixed(1)} ms over an empty process, ${ofLimit}\n`,
    );
    expect(tookMs).toBeLessThanOrEqual(limitMs);
  }, 60_000);
});
