/** The sticky balancer: uniform by bytes, and drawing like Java's built-in partitioner where queues differ (KIP-794). */
import { describe, expect, it } from 'vitest';
import { sticky, type StickyOptions } from '../../../../src/client/writer/balancer/sticky.ts';
import { UsageError } from '../../../../src/errors.ts';
import { choose, topicOf, vectors } from './topic-of.ts';

/** Numbers in [0, 1) of a fixed sequence. */
function randomNumbers(): () => number {
  let seed = 1;
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe('sticky', () => {
  it('stays with a partition for its share of bytes', () => {
    const balancer = sticky({ bytes: 1000 });
    const topic = topicOf(6);
    const calls = Array.from({ length: 30 }, () => choose(balancer, null, topic));
    for (let run = 0; run < 3; run++) expect(new Set(calls.slice(run * 10, run * 10 + 10)).size).toBe(1);
    expect(new Set(calls).size).toBe(3);
  });

  it('counts each topic by itself', () => {
    const balancer = sticky({ bytes: 200 });
    const [one, two] = [topicOf(9), topicOf(9, { topic: '__proto__' })];
    const first = choose(balancer, null, one);
    for (let call = 0; call < 5; call++) choose(balancer, null, two);
    expect(choose(balancer, null, one)).toBe(first);
  });

  it('goes elsewhere at once when its partition has lost its leader', () => {
    const balancer = sticky();
    const first = choose(balancer, null, topicOf(3));
    const available = [0, 1, 2].filter((partition) => partition !== first);
    const topic = topicOf(3, { available });
    for (let call = 0; call < 5; call++) expect(available).toContain(choose(balancer, null, topic));
  });

  it('stays when another partition has lost its leader', () => {
    const balancer = sticky();
    const first = choose(balancer, null, topicOf(3));
    expect(choose(balancer, null, topicOf(3, { available: [first] }))).toBe(first);
  });

  it.each([true, false])('takes any partition while none has a leader (adaptive: %j)', (adaptive) => {
    expect([0, 1, 2]).toContain(choose(sticky({ adaptive }), null, topicOf(3, { available: [] })));
  });

  it.each([true, false])('is uniform by bytes, whatever the sizes (adaptive: %j)', (adaptive) => {
    const balancer = sticky({ bytes: 1000, adaptive });
    const counts = [0, 0, 0, 0];
    const random = randomNumbers();
    for (let call = 0; call < 40_000; call++) {
      const recordBytes = call % 10 === 0 ? 700 : 20;
      const partition = choose(balancer, null, topicOf(4, { recordBytes, random }));
      counts[partition] = (counts[partition] ?? 0) + recordBytes;
    }
    const mean = counts.reduce((sum, count) => sum + count, 0) / 4;
    for (const count of counts) expect(Math.abs(count - mean) / mean).toBeLessThan(0.15);
  });
});

describe('where queues differ, sticky', () => {
  const share = 1000;

  it.each(vectors<[queues: string, drawn: string]>('java')('draws'))(
    'draws for queues of %s the partitions that Java draws',
    (queues, expected) => {
      const fields = queues.split(' ');
      const drawn = expected.split(' ');
      const partitions = drawn.map((_, index) => {
        const topic = topicOf(fields.length, {
          available: fields.flatMap((field, partition) => (field === '-' ? [] : [partition])),
          bufferedBytes: (partition) => (Number(fields[partition]) || 0) * share,
          waitedMs: (partition) => (fields[partition] === '!' ? 501 : 500),
          random: () => (index + 0.5) / drawn.length,
        });
        return choose(sticky({ bytes: share, availabilityTimeoutMs: 500 }), null, topic);
      });
      expect(partitions.map(String)).toEqual(drawn);
    },
  );

  it('never draws a partition that is out, at the edge of the random numbers either', () => {
    for (const out of [0, 2]) {
      for (const random of [0, 1 - 2 ** -53]) {
        const waitedMs = (partition: number): number => (partition === out ? 2 : 0);
        const topic = topicOf(3, { waitedMs, random: () => random });
        expect(choose(sticky({ availabilityTimeoutMs: 1 }), null, topic)).not.toBe(out);
      }
    }
  });

  it('looks at them only when it draws, and only if it is to', () => {
    let looks = 0;
    const topic = topicOf(4, { bufferedBytes: () => ++looks });
    const balancer = sticky({ bytes: 1000 });
    for (let call = 0; call < 30; call++) choose(balancer, null, topic);
    expect(looks).toBe(3 * 4);
    choose(sticky({ adaptive: false }), null, topic);
    expect(looks).toBe(3 * 4);
  });

  it('does not ask how long a partition has waited unless there is a limit', () => {
    const waitedMs = (): never => {
      throw new Error('asked');
    };
    expect(() => choose(sticky(), null, topicOf(4, { waitedMs }))).not.toThrow();
    expect(() => choose(sticky({ availabilityTimeoutMs: 1 }), null, topicOf(4, { waitedMs }))).toThrow(
      'asked',
    );
  });
});

describe('sticky refuses', () => {
  it.each<[string, StickyOptions]>([
    ['bytes', { bytes: 0 }],
    ['bytes', { bytes: 1.5 }],
    ['adaptive', { adaptive: 1 as never }],
    ['availabilityTimeoutMs', { availabilityTimeoutMs: -1 }],
    ['availabilityTimeoutMs must be 0 without adaptive', { adaptive: false, availabilityTimeoutMs: 500 }],
  ])('a wrong option by name: %s', (name, options) => {
    expect(() => sticky(options)).toThrow(UsageError);
    expect(() => sticky(options)).toThrow(`Option ${name}`);
  });
});
