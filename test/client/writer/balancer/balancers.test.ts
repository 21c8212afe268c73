/** The balancers against the vectors that kafka-go, Java, librdkafka and kafka-python publish. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Balancer, BalancerTopic } from '../../../../src/client/writer/balancer/balancer.ts';
import { fnv1aHash, hash } from '../../../../src/client/writer/balancer/hash.ts';
import { murmur2, murmur2Hash } from '../../../../src/client/writer/balancer/murmur2.ts';
import { roundRobin } from '../../../../src/client/writer/balancer/round-robin.ts';
import { sticky } from '../../../../src/client/writer/balancer/sticky.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function topicOf(count: number, extra: Partial<BalancerTopic> = {}): BalancerTopic {
  const partitions = Array.from({ length: count }, (_, index) => index);
  let random = 0;
  return {
    topic: 't',
    partitions,
    available: partitions,
    recordBytes: 100,
    bufferedBytes: () => 0,
    random: () => (random = (random + 0.37) % 1),
    ...extra,
  };
}

const choose = (balancer: Balancer, key: Uint8Array | null, topic: BalancerTopic): number =>
  balancer.partition({ value: null }, key, topic);

describe('murmur2', () => {
  it.each([
    ['kafka', 0xd067cf64],
    ['giberish123456789', 0x8f552b0c],
    ['1234', 0x9fc97b14],
    ['234', 0xe7c009ca],
    ['34', 0x873930da],
    ['4', 0x5a4b5ca1],
    ['PreAmbleWillBeRemoved,ThePrePartThatIs', 0x78424f1c],
    ['reAmbleWillBeRemoved,ThePrePartThatIs', 0x4a62b377],
    ['eAmbleWillBeRemoved,ThePrePartThatIs', 0xe0e4e09e],
    ['AmbleWillBeRemoved,ThePrePartThatIs', 0x62b8b43f],
    ['', 0x106e08d9],
  ])('hashes %j as librdkafka and Java do', (key, expected) => {
    expect(murmur2Hash(bytes(key)) >>> 0).toBe(expected);
  });

  it.each([
    ['', 681],
    ['a', 524],
    ['ab', 434],
    ['abc', 107],
    ['123456789', 566],
    ['\0 ', 742],
  ])('puts %j where kafka-python does, of 1,000 partitions', (key, expected) => {
    expect(choose(murmur2(), bytes(key), topicOf(1000))).toBe(expected);
  });

  it.each([
    ['', 11],
    ['23456', 9],
    ['this is another string with more length to it perhaps', 11],
    ['hejsan', 5],
  ])('puts %j where kafka-go does, of 17 partitions', (key, expected) => {
    expect(choose(murmur2(), bytes(key), topicOf(17))).toBe(expected);
  });

  it('leaves messages without a key to another balancer, and none with an empty key', () => {
    const balancer = murmur2({ unkeyed: () => 3 });
    expect(choose(balancer, null, topicOf(17))).toBe(3);
    expect(choose(balancer, bytes(''), topicOf(17))).toBe(11);
  });

  it('reads a key in the middle of a buffer like one of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(9), (key, before) => {
        const buffer = new Uint8Array(before + key.length + 3).fill(255);
        buffer.set(key, before);
        expect(murmur2Hash(buffer.subarray(before, before + key.length))).toBe(murmur2Hash(key));
      }),
    );
  });
});

describe('hash', () => {
  it.each([
    ['', 0x811c9dc5],
    ['blah', 0x7dca5122],
    ['boop', 0xcc949b89],
    ['castle', 0x9ac2a459],
    ['20', 0x8df2997f],
  ])('is FNV-1a: %j', (key, expected) => {
    expect(fnv1aHash(bytes(key)) >>> 0).toBe(expected);
  });

  it.each([
    ['blah', 2, 0],
    ['blah', 3, 1],
    ['boop', 3, 2],
    ['20', 16, 1],
    ['castle', 3, 0],
    ['hejsan', 3, 2],
    ['hejsan', 17, 4],
    ['23456', 17, 6],
    ['', 2, 1],
    ['', 16, 11],
  ])('puts %j, of %i partitions, where kafka-go does', (key, count, expected) => {
    expect(choose(hash(), bytes(key), topicOf(count))).toBe(expected);
  });

  it('begins with partition 0 and goes around where there is no key', () => {
    const balancer = hash();
    expect(Array.from({ length: 4 }, () => choose(balancer, null, topicOf(3)))).toEqual([0, 1, 2, 0]);
  });
});

describe('roundRobin', () => {
  it.each([-1, 0, 1, 5, 12])('goes on after a chunk of %i', (chunk) => {
    for (const count of [7, 8]) {
      const balancer = roundRobin(chunk);
      const topic = topicOf(count);
      for (let call = 0; call < 50; call++) {
        expect(choose(balancer, null, topic)).toBe(Math.floor(call / Math.max(1, chunk)) % count);
      }
    }
  });

  it('counts each topic by itself', () => {
    const balancer = roundRobin();
    const [one, two] = [topicOf(3), topicOf(3, { topic: '__proto__' })];
    const calls = [one, one, two, one, two].map((topic) => choose(balancer, null, topic));
    expect(calls).toEqual([0, 1, 0, 2, 1]);
  });
});

describe('sticky', () => {
  it('stays with a partition for its share of bytes', () => {
    const balancer = sticky({ bytes: 1000 });
    const topic = topicOf(6);
    const calls = Array.from({ length: 30 }, () => choose(balancer, null, topic));
    for (let run = 0; run < 3; run++) expect(new Set(calls.slice(run * 10, run * 10 + 10)).size).toBe(1);
    expect(new Set(calls).size).toBe(3);
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

  it('takes any partition while none has a leader', () => {
    expect([0, 1, 2]).toContain(choose(sticky(), null, topicOf(3, { available: [] })));
  });

  it('is uniform by bytes in the long run, whatever the sizes', () => {
    const balancer = sticky({ bytes: 1000 });
    const counts = [0, 0, 0, 0];
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let call = 0; call < 40_000; call++) {
      const recordBytes = call % 10 === 0 ? 700 : 20;
      const partition = choose(balancer, null, topicOf(4, { recordBytes, random }));
      counts[partition] = (counts[partition] ?? 0) + recordBytes;
    }
    const mean = counts.reduce((sum, count) => sum + count, 0) / 4;
    for (const count of counts) expect(Math.abs(count - mean) / mean).toBeLessThan(0.15);
  });
});
