/** Memory that batches use one after another: it goes around only when nobody reads what was in it. */
import { describe, expect, it } from 'vitest';
import { BatchMemory } from '../../../src/client/writer/batch-memory.ts';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { noise, play } from './scene.ts';

describe('the memory of batches', () => {
  it('gives out what came back last, if that is large enough', () => {
    const memory = new BatchMemory(1000);
    const small = memory.take(100);
    const large = memory.take(300);
    memory.give(large.subarray(10, 20));
    memory.give(small);
    expect(memory.take(200).buffer).toBe(large.buffer);
    expect(memory.take(100).buffer).toBe(small.buffer);
    expect(memory.take(100).buffer).not.toBe(small.buffer);
  });

  it('keeps no more than it may, what came back last rather than what came first', () => {
    const memory = new BatchMemory(1000);
    const taken = [400, 500, 600].map((bytes) => memory.take(bytes));
    for (const bytes of taken) memory.give(bytes);
    const again = taken.map(({ length }) => memory.take(length).buffer);
    expect(again.map((buffer) => taken.findIndex((bytes) => bytes.buffer === buffer))).toEqual([2, -1, -1]);
  });

  it('keeps nothing that is larger than all it may keep', () => {
    const memory = new BatchMemory(1000);
    const large = memory.take(1001);
    memory.give(large);
    expect(memory.take(1001).buffer).not.toBe(large.buffer);
  });

  it('keeps nothing when it is told so', () => {
    const memory = new BatchMemory(1000);
    const bytes = memory.take(100);
    memory.give(bytes);
    memory.clear();
    expect(memory.take(100).buffer).not.toBe(bytes.buffer);
  });
});

describe('a Writer', () => {
  it.each([
    ['whose answers come late', { delayMs: 400 }],
    ['whose answers are lost', { outcome: 'silence' }],
    ['whose connections are lost', { outcome: 'disconnect' }],
    ['whose connections are lost before its batches are stored', { outcome: 'disconnect', effect: false }],
    ['whose batches are refused for a while', { error: 'NOT_ENOUGH_REPLICAS' }],
  ] as const)('%s stores every record as it was', (_, fault) =>
    play({ partitions: 2, chunking: 'random' }, async ({ world, cluster, writer, allValues }) => {
      const one = writer({ batchBytes: 2000, requestTimeoutMs: 300 });
      const written: string[] = [];
      const calls: Promise<unknown>[] = [];
      for (let call = 0; call < 60; call++) {
        if (call % 7 === 3) cluster.faults.inject({ api: produceApi, ...fault });
        const messages = Array.from({ length: 1 + (call % 5) }, (_, index) => ({
          key: `${call}`,
          value: noise(20 + ((call * 37) % 300), 100 * call + index),
        }));
        written.push(...messages.map(({ value }) => value));
        calls.push(one.writeMessages(messages));
        await world.advance(5 * (call % 4));
      }
      await Promise.all(calls);
      expect((await allValues()).toSorted()).toEqual(written.toSorted());
    }),
  );
});
