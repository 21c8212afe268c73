/** What a piece of work leaves on the heap, and what it takes from it. */
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from './figures.ts';

const samples = 51;

/** Collects garbage at once. */
export function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Bytes on the heap and in array buffers. */
export function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes that the work allocates; a collection makes a sample useless, the median does without it. What is asynchronous is
 * awaited. */
export async function allocatedBytes(work: () => void | Promise<void>): Promise<number> {
  const found: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const before = usedBytes();
    const pending = work();
    if (pending !== undefined) await pending;
    found.push(usedBytes() - before);
  }
  return median(found);
}
