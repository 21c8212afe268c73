/** Mutated frames through every reader of a peer's bytes: typed errors alone, in bounded time and memory.
 * `npm run fuzz` takes a million frames, the ordinary run as many as 10 seconds hold.
 * Replay: FUZZ_SEED=<seed> FUZZ_FRAME=<number> npm run fuzz.
 */
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { heapBytes, watchBuffers, type BufferWatch } from './memory.ts';
import { mutated, Random } from './mutations.ts';
import { targets, type Target } from './targets.ts';

const isFull = process.env['MODE'] === 'fuzz';
const FRAMES = 1_000_000;
const BUDGET_MS = isFull ? Infinity : 9000;
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);

const MOST_MS = 50;
/** Of heap, for each byte of the frame; what is inflated counts as frame. */
const HEAP_FACTOR = 64;
const BUFFER_FACTOR = 4;
/** What a message takes however short it is: its own fields, and the first buffer of a writer or of a platform. */
const LEAST_BYTES = 0x4000;

const all = targets();

/** What is wrong with how a target reads the bytes; undefined if nothing is. */
function faultOf(target: Target, bytes: Uint8Array, buffers: BufferWatch): string | undefined {
  let refused: unknown;
  let value: unknown;
  const read = (): number => {
    const start = performance.now();
    try {
      value = target.read(bytes);
    } catch (error) {
      refused = error;
    }
    return performance.now() - start;
  };
  buffers.reset();
  let milliseconds = read();
  for (let repeat = 0; milliseconds > MOST_MS && repeat < 2; repeat++)
    milliseconds = Math.min(milliseconds, read());
  if (milliseconds > MOST_MS) return `${milliseconds.toFixed(0)} ms`;
  const { capBytes = 0, isTrace = false } = target;
  const mostBuffer = Math.max(BUFFER_FACTOR * bytes.length, capBytes, LEAST_BYTES);
  if (buffers.largestBytes > mostBuffer) return `a buffer of ${buffers.largestBytes} bytes`;
  if (refused !== undefined) {
    if (!(refused instanceof ProtocolError) || isTrace) return String((refused as Error).stack);
    refusedCount++;
    return undefined;
  }
  if (isTrace) return undefined;
  const heap = heapBytes(value);
  const mostHeap = Math.max(HEAP_FACTOR * Math.max(bytes.length, capBytes), LEAST_BYTES);
  return heap > mostHeap ? `${heap} bytes of heap` : undefined;
}

let refusedCount = 0;

/** Frame number `frame` of the seed. */
function faultOfFrame(frame: number, buffers: BufferWatch): string | undefined {
  const random = new Random(seed, frame);
  const target = random.pick(random.pick(all));
  const bytes = mutated(random.pick(target.samples), random);
  target.prepare?.(bytes, random);
  const fault = faultOf(target, bytes, buffers);
  return (
    fault &&
    `frame ${frame} of seed ${seed}, ${target.name}: ${fault}\n${Buffer.from(bytes).toString('hex').slice(0, 400)}`
  );
}

describe('mutated frames', () => {
  test(
    'are read or refused with a ProtocolError, in bounded time and memory',
    () => {
      const first = Number(process.env['FUZZ_FRAME'] ?? 0);
      const end = process.env['FUZZ_FRAME'] === undefined ? FRAMES : first + 1;
      const faults: string[] = [];
      const started = performance.now();
      using buffers = watchBuffers();
      let frame = first;
      for (; frame < end && faults.length < 10 && performance.now() - started < BUDGET_MS; frame++) {
        const fault = faultOfFrame(frame, buffers);
        if (fault !== undefined) faults.push(fault);
      }
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      process.stdout.write(
        `  seed ${seed}: ${frame - first} frames through ${all.flat().length} readers in ${seconds} s, ` +
          `${refusedCount} refused, ${faults.length} faults\n`,
      );
      expect(faults).toEqual([]);
    },
    isFull ? 3_600_000 : 60_000,
  );
});

describe('the checks', () => {
  const bytes = new Uint8Array(8);
  test.each<[string, (bytes: Uint8Array) => unknown, RegExp]>([
    ['a foreign error', () => JSON.parse('{'), /SyntaxError/],
    ['a large buffer', () => new Uint8Array(1_000_000).length, /a buffer of 1000000 bytes/],
    ['a large result', () => Array.from({ length: 1000 }, () => ({})), /bytes of heap/],
    ['a slow reader', () => spin(60), /^\d+ ms$/],
  ])('find %s', (_, read, fault) => {
    using buffers = watchBuffers();
    expect(faultOf({ name: 'bad', samples: [], read }, bytes, buffers)).toMatch(fault);
    expect(faultOf({ name: 'good', samples: [], read: () => 1 }, bytes, buffers)).toBeUndefined();
  });
});

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
