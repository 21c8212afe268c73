/** The balancers against the vectors that kafka-go, Java, librdkafka and kafka-python publish, and Java's own answers. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../src/errors.ts';
import type { Balancer, Unkeyed } from '../../../../src/client/writer/balancer/balancer.ts';
import { crc32 } from '../../../../src/client/writer/balancer/crc32.ts';
import { fnv1aHash, hash } from '../../../../src/client/writer/balancer/hash.ts';
import { leastBytes } from '../../../../src/client/writer/balancer/least-bytes.ts';
import { manual } from '../../../../src/client/writer/balancer/manual.ts';
import { murmur2, murmur2Hash } from '../../../../src/client/writer/balancer/murmur2.ts';
import { referenceHash } from '../../../../src/client/writer/balancer/reference-hash.ts';
import { roundRobin } from '../../../../src/client/writer/balancer/round-robin.ts';
import { crc32 as crc32Of } from '../../../../src/protocol/records/crc32.ts';
import { bytes, choose, topicOf, vectors } from './topic-of.ts';

const kafkaGo = vectors('kafka-go');
const librdkafka = vectors('librdkafka');

/** The partition that stands for "a random one". */
const drawn = 1_000_000;
const unkeyed = (): number => drawn;

describe('the vectors of kafka-go', () => {
  it.each(kafkaGo('hash'))('hash puts %j, of %i partitions, on %i', (key, count, partition, hasher) => {
    const balancer = hasher === undefined ? hash() : hash({ hasher: crc32Of });
    expect(choose(balancer, bytes(key), topicOf(count))).toBe(partition);
  });

  it.each(kafkaGo('referenceHash'))(
    'referenceHash puts %j, of %i partitions, on %j',
    (key, count, partition, hasher) => {
      const balancer = referenceHash({ unkeyed, hasher: hasher === undefined ? undefined : crc32Of });
      expect(choose(balancer, bytes(key), topicOf(count))).toBe(partition ?? drawn);
    },
  );

  it.each(kafkaGo('crc32'))('crc32 puts %j, of %i partitions, on %j', (key, count, partition) => {
    expect(choose(crc32({ unkeyed }), bytes(key), topicOf(count))).toBe(partition ?? drawn);
  });

  it.each(kafkaGo('murmur2'))('murmur2 puts %j, of %i partitions, on %j', (key, count, partition) => {
    expect(choose(murmur2({ unkeyed }), bytes(key), topicOf(count))).toBe(partition ?? drawn);
  });

  it.each(vectors<[string, number]>('kafka-go')('murmur2Hash'))('murmur2 hashes %j', (key, expected) => {
    expect(murmur2Hash(bytes(key)) >>> 0).toBe(expected);
  });

  it.each(vectors<[string[], number[], number]>('kafka-go')('leastBytes'))(
    'leastBytes puts the last of %j, of %j partitions, on %i',
    (keys, counts, partition) => {
      const balancer = leastBytes();
      const choices = keys.map((key, index) => choose(balancer, bytes(key), topicOf(counts[index] ?? 0)));
      expect(choices.at(-1)).toBe(partition);
    },
  );

  it.each(vectors<[number, number]>('kafka-go')('roundRobin'))(
    'roundRobin goes on after a chunk of %i over %i partitions',
    (chunkSize, count) => {
      const balancer = roundRobin({ chunkSize });
      const topic = topicOf(count);
      for (let call = 0; call < 50; call++) {
        expect(choose(balancer, null, topic)).toBe(Math.floor(call / Math.max(1, chunkSize)) % count);
      }
    },
  );
});

describe('the vectors of librdkafka', () => {
  const partitioners: [string, Balancer][] = [
    ['consistent', crc32({ unkeyed: 'consistent' })],
    ['consistent_random', crc32({ unkeyed })],
    ['murmur2', murmur2({ unkeyed: 'consistent' })],
    ['murmur2_random', murmur2({ unkeyed })],
    ['fnv1a', hash({ unkeyed: 'consistent' })],
    ['fnv1a_random', hash({ unkeyed })],
  ];
  for (const [name, balancer] of partitioners) {
    it.each(librdkafka(name))(`${name} puts %j, of %i partitions, on %j`, (key, count, partition) => {
      expect(choose(balancer, bytes(key), topicOf(count))).toBe(partition ?? drawn);
    });
  }

  it.each(vectors<[string, number]>('librdkafka')('murmur2Hash'))(
    'murmur2 hashes %j, masked',
    (key, expected) => {
      expect(murmur2Hash(bytes(key)) & 0x7fffffff).toBe(expected);
    },
  );

  it.each(vectors<[string, number]>('librdkafka')('fnv1aHash'))(
    'FNV-1a hashes %j, without its sign',
    (key, expected) => {
      expect(Math.abs(fnv1aHash(bytes(key)))).toBe(expected);
    },
  );
});

describe('the answers of Java', () => {
  const counts = vectors<number>('java')('counts');
  const keys = vectors<[key: string, hash: number, partitions: number[]]>('java')('keys');

  it.each([
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])('murmur2 hashes %j as in UtilsTest', (key, expected) => {
    expect(murmur2Hash(bytes(key))).toBe(expected);
  });

  it('murmur2 gives each key the same hash and the same partitions', () => {
    for (const [hex, expected, partitions] of keys) {
      const key = new Uint8Array(Buffer.from(hex, 'hex'));
      expect(murmur2Hash(key), hex).toBe(expected);
      expect(
        counts.map((count) => choose(murmur2(), key, topicOf(count))),
        hex,
      ).toEqual(partitions);
    }
  });

  it('murmur2 reads a key in the middle of a buffer like one of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(9), (key, before) => {
        const buffer = new Uint8Array(before + key.length + 3).fill(255);
        buffer.set(key, before);
        expect(murmur2Hash(buffer.subarray(before, before + key.length))).toBe(murmur2Hash(key));
      }),
    );
  });
});

describe('a balancer by key', () => {
  const byKey: [string, (options: { unkeyed: Unkeyed }) => Balancer][] = [
    ['hash', hash],
    ['referenceHash', referenceHash],
    ['crc32', crc32],
    ['murmur2', murmur2],
  ];

  it.each(byKey)('%s keeps to its rule when the partition has no leader', (_name, create) => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 50 }),
        (key, n) => {
          const balancer = create({ unkeyed });
          const partition = choose(balancer, key, topicOf(n));
          const others = topicOf(n).partitions.filter((other) => other !== partition);
          expect(partition).toBeLessThan(n);
          expect(choose(balancer, key, topicOf(n, { available: others }))).toBe(partition);
        },
      ),
    );
  });

  it.each(byKey)('%s refuses an unkeyed that cannot decide, by name', (_name, create) => {
    const wrong = 'random' as 'consistent';
    expect(() => create({ unkeyed: wrong })).toThrow(UsageError);
    expect(() => create({ unkeyed: wrong })).toThrow(/^Option unkeyed must be .*'consistent'/);
  });

  it.each([-1, -(2 ** 31), 2 ** 31, 2 ** 32 - 1])('takes %i from a hasher as 32 bits', (value) => {
    const signed = value | 0;
    const hasher = (): number => value;
    expect(choose(hash({ hasher }), bytes('k'), topicOf(7))).toBe(Math.abs(signed % 7));
    expect(choose(referenceHash({ hasher }), bytes('k'), topicOf(7))).toBe((signed & 0x7fffffff) % 7);
  });

  it('leaves messages without a key to a balancer that stays, and to roundRobin in kafka-go’s hash', () => {
    for (const balancer of [murmur2(), crc32(), referenceHash()]) {
      const topic = topicOf(5);
      const choices = Array.from({ length: 20 }, () => choose(balancer, null, topic));
      expect(new Set(choices).size).toBe(1);
    }
    const balancer = hash();
    expect(Array.from({ length: 4 }, () => choose(balancer, null, topicOf(3)))).toEqual([0, 1, 2, 0]);
  });
});

describe('roundRobin', () => {
  it('counts each topic by itself', () => {
    const balancer = roundRobin();
    const [one, two] = [topicOf(3), topicOf(3, { topic: '__proto__' })];
    const calls = [one, one, two, one, two].map((topic) => choose(balancer, null, topic));
    expect(calls).toEqual([0, 1, 0, 2, 1]);
  });

  it('does not leave out a partition without a leader', () => {
    const balancer = roundRobin();
    const topic = topicOf(3, { available: [1] });
    expect(Array.from({ length: 3 }, () => choose(balancer, null, topic))).toEqual([0, 1, 2]);
  });
});

describe('leastBytes', () => {
  it('counts keys', () => {
    const balancer = leastBytes();
    const choices = ['a', 'ab', 'abc', 'abcd'].map((key) => choose(balancer, bytes(key), topicOf(3)));
    expect(choices).toEqual([0, 1, 2, 0]);
  });

  it('counts text as the UTF-8 it becomes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('k', 'é', '€', '😀', '\ud800', 'a\udfffb'),
        fc.string(),
        (special, text) => {
          const value = special + text + special;
          const { length } = bytes(value);
          for (const [fillerBytes, next] of [
            [length, 0],
            [length - 1, 1],
          ] as const) {
            const balancer = leastBytes();
            const choices = [value, new Uint8Array(fillerBytes), null].map((each) =>
              choose(balancer, null, topicOf(2), { value: each }),
            );
            expect(choices).toEqual([0, 1, next]);
          }
        },
      ),
    );
  });

  it('levels the bytes of all partitions, of each topic by itself', () => {
    const balancer = leastBytes();
    const given = [0, 0, 0];
    for (let call = 0; call < 999; call++) {
      const value = new Uint8Array(call % 10 === 0 ? 700 : 20);
      const partition = choose(balancer, null, topicOf(3), { value });
      given[partition] = (given[partition] ?? 0) + value.length;
    }
    expect(Math.max(...given) - Math.min(...given)).toBeLessThanOrEqual(700);
    expect(choose(balancer, bytes('k'), topicOf(3, { topic: 'other' }))).toBe(0);
  });
});

describe('manual', () => {
  it('refuses a message without a partition and says what is wrong', () => {
    expect(() => choose(manual(), bytes('k'), topicOf(3))).toThrow(UsageError);
    expect(() => choose(manual(), bytes('k'), topicOf(3))).toThrow('A message to t has no partition');
  });
});
