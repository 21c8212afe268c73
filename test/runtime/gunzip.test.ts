/** gzip inflated in TypeScript against zlib: what it writes with every strategy, and whatever becomes of that. */
import * as fc from 'fast-check';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gunzip, mayHaveMembers } from '../../src/runtime/gunzip.ts';
import { amidst, edgePayloads, orders, payload, same } from '../compression/payloads.ts';

const strategies = [
  constants.Z_DEFAULT_STRATEGY,
  constants.Z_FILTERED,
  constants.Z_HUFFMAN_ONLY,
  constants.Z_RLE,
  constants.Z_FIXED,
];
const maxBytes = 1_000_000;

/** What comes out, or the error. */
function outcomeOf(work: () => Uint8Array): Uint8Array | Error {
  try {
    return work();
  } catch (error) {
    return error as Error;
  }
}

describe('gunzip in TypeScript', () => {
  test('reads what zlib writes, at every level and with every strategy', () => {
    for (const { name, bytes } of edgePayloads().filter(({ bytes }) => bytes.length <= 70_000)) {
      for (const level of [0, 1, 6, 9]) {
        for (const strategy of strategies) {
          const input = gzipSync(bytes, { level, strategy });
          expect(same(gunzip(input, bytes.length), bytes), `${name}, ${level}, ${strategy}`).toBe(true);
        }
      }
    }
  });

  test('reads any payload, in a view, in members, and stops one byte before its end', () => {
    fc.assert(
      fc.property(payload(), payload(), (first, second) => {
        const input = amidst(Buffer.concat([gzipSync(first), gzipSync(second)]));
        const expected = Buffer.concat([first, second]);
        expect(same(gunzip(input, expected.length), expected)).toBe(true);
        expect(mayHaveMembers(input)).toBe(true);
        if (expected.length > 0)
          expect(outcomeOf(() => gunzip(input, expected.length - 1))).toBeInstanceOf(RangeError);
      }),
      { numRuns: 60 },
    );
  });

  test('reads headers with all their fields', () => {
    const [member] = [gzipSync(orders(100))];
    const fields = [
      Uint8Array.of(3, 0, 1, 2, 3),
      Buffer.from('name\0'),
      Buffer.from('comment\0'),
      Uint8Array.of(9, 9),
    ];
    const header = member.subarray(0, 10);
    header[3] = 0x1e;
    const input = Buffer.concat([header, ...fields, member.subarray(10)]);
    expect(same(gunzip(input, maxBytes), orders(100))).toBe(true);
    for (let length = 0; length < 40; length++) {
      expect(
        outcomeOf(() => gunzip(input.subarray(0, length), maxBytes)),
        `${length} bytes`,
      ).toBeInstanceOf(Error);
    }
  });

  test('agrees with zlib about every damage: the same output, or both refuse', () => {
    const inputs = [30, 500, 5_000, 70_000].map((size) => gzipSync(orders(size)));
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.constantFrom(...inputs), fc.boolean(), changes, (bytes, isEarly, list) => {
        const input = new Uint8Array(bytes);
        const range = isEarly ? Math.min(90, input.length) : input.length;
        for (const [at, value] of list) {
          // The checksum of a header is not verified.
          if (at % range !== 3) input[at % range] = value;
        }
        const ours = outcomeOf(() => gunzip(input, maxBytes));
        const byZlib = outcomeOf(() => gunzipSync(input, { maxOutputLength: maxBytes }));
        if (ours instanceof Error || byZlib instanceof Error) {
          expect(ours).toBeInstanceOf(Error);
          expect(byZlib).toBeInstanceOf(Error);
          expect(ours instanceof RangeError).toBe(byZlib instanceof RangeError);
        } else expect(same(ours, byZlib)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a member alone is known as such, and bytes that only look like a second do no harm', () => {
    expect(mayHaveMembers(gzipSync(orders(50)))).toBe(false);
    const disguised = gzipSync(Uint8Array.of(0x1f, 0x8b, 8, 0x1f, 0x8b, 8), { level: 0 });
    expect(mayHaveMembers(disguised)).toBe(true);
    expect(gunzip(disguised, maxBytes)).toEqual(Uint8Array.of(0x1f, 0x8b, 8, 0x1f, 0x8b, 8));
  });
});
