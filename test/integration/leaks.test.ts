/**
 * Nothing is left of a Writer that was closed (B25 of the known failures of clients): 500 cycles of connect, write and close
 * against a real broker, in a process of its own with the package as it is published.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPackage, type BuiltPackage } from '../support/built-package.ts';
import { useKafka } from './support/kafka.ts';
import { describeWith } from './support/tools.ts';
import { createTopic } from './support/topics.ts';

const cycles = 500;
const mostBytesPerCycle = 1_024;

/** What the program prints. */
interface Findings {
  /** Bytes per cycle: the slope of the heap and of what lies beside it, each after a collection. */
  readonly heapSlope: number;
  readonly bufferSlope: number;
  /** What keeps the event loop busy after the last cycle. */
  readonly handles: readonly string[];
}

const program = (brokers: readonly string[], topic: string): string => `
import { Writer } from 'kafka-wire';
import { setTimeout as delay } from 'node:timers/promises';

const collect = async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await delay(5);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heapUsed, arrayBuffers };
};
const cycle = async () => {
  const writer = new Writer({ brokers: ${JSON.stringify(brokers)}, topic: '${topic}' });
  await writer.writeMessages({ key: 'k', value: 'v' });
  await writer.close();
};
const slope = (points) => {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const top = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return top / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
};
// The pipe is that to the test.
const handles = () => process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap');

// Compiled code and inline caches grow for a while.
for (let i = 0; i < 150; i++) await cycle();
const heap = [];
const buffers = [];
for (let i = 0; i <= ${cycles}; i++) {
  if (i % 25 === 0) {
    const { heapUsed, arrayBuffers } = await collect();
    heap.push([i, heapUsed]);
    buffers.push([i, arrayBuffers]);
  }
  await cycle();
}
// A socket that was closed says so a moment later.
const giveUp = Date.now() + 1000;
while (handles().length > 0 && Date.now() < giveUp) await new Promise(setImmediate);
console.log(JSON.stringify({ heapSlope: slope(heap), bufferSlope: slope(buffers), handles: handles() }));
`;

describeWith(['java', 'mvn'], 'a Writer that was closed', () => {
  const kafka = useKafka();
  let built: BuiltPackage;
  beforeAll(async () => {
    built = await buildPackage();
  });
  afterAll(() => built.remove());

  test(
    `leaves nothing behind in ${cycles} cycles of connect, write and close`,
    { timeout: 90_000 },
    async () => {
      const { brokers } = kafka();
      await createTopic(brokers, 'leaks', 1);
      const child = built.start(program(brokers, 'leaks'), { nodeOptions: ['--expose-gc'], limitMs: 80_000 });
      const { code, stdout, stderr } = await child.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const { heapSlope, bufferSlope, handles } = JSON.parse(stdout) as Findings;
      console.log(`${heapSlope.toFixed(0)} B of heap and ${bufferSlope.toFixed(0)} B of buffers a cycle`);
      expect(heapSlope).toBeLessThan(mostBytesPerCycle);
      expect(bufferSlope).toBeLessThan(mostBytesPerCycle);
      expect(handles).toEqual([]);
    },
  );
});
