/** CRC-32C against npm's crc-32, an independent implementation, the published vectors and those of Java. */
import { readFileSync } from 'node:fs';
import oracle from 'crc-32/crc32c.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c, crc32cPure } from '../../src/protocol/crc32c.ts';

/** Bytes in hex, or so many of a formula, and their checksum. */
interface JavaCase {
  readonly hex?: string;
  readonly length?: number;
  readonly hash: number;
}

const expected = (bytes: Uint8Array, seed = 0): number =>
  (oracle as { buf(bytes: Uint8Array, seed?: number): number }).buf(bytes, seed) >>> 0;

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 0x2545f491;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const data = noise(300_000);
/** Around every limit of the paths: words, 16 bytes, the shortest fold, its blocks. */
const sizes = [
  0, 1, 3, 4, 15, 16, 17, 31, 32, 33, 47, 48, 100, 1023, 1024, 4096, 6143, 6144, 6145, 6160, 8192, 9040, 9041,
  16_384, 17_232, 65_536, 100_003, 262_144,
];

describe('crc32c', () => {
  test.each([
    ['', 0],
    ['a', 0xc1d04330],
    ['123456789', 0xe3069283],
  ])('of %j is the published one', (text, crc) => {
    expect(crc32c(new TextEncoder().encode(text))).toBe(crc);
  });

  test('of the 32-byte patterns is that of RFC 3720', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  });

  test('of every case of fixtures/hashes/crc32c.json is what Java computes', () => {
    const file = new URL('../../fixtures/hashes/crc32c.json', import.meta.url);
    const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly JavaCase[] };
    expect(cases.length).toBeGreaterThan(100);
    for (const { hex, length, hash } of cases) {
      const bytes =
        hex === undefined
          ? Uint8Array.from({ length: length ?? 0 }, (_, i) => i * 131 + (i >> 8) * 17 + 7)
          : Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
      expect([crc32c(bytes), crc32cPure(bytes)], `${bytes.length} bytes`).toEqual([hash, hash]);
    }
    expect(cases.some(({ length = 0 }) => length > 65_536)).toBe(true);
  });

  test.each(sizes)('agrees with crc-32 at %d bytes, every alignment and some seeds', (size) => {
    for (const start of [0, 1, 2, 3, 5, 8, 13]) {
      const bytes = data.subarray(start, start + size);
      expect(crc32cPure(bytes)).toBe(expected(bytes));
      for (const seed of [1, 0x8000_0000, 0xffff_ffff]) {
        expect(crc32cPure(bytes, seed)).toBe(expected(bytes, seed | 0));
      }
    }
  });

  test('agrees with crc-32 wherever the bytes lie', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(20_000), (start, length) => {
        const bytes = data.subarray(start, start + length);
        expect(crc32c(bytes)).toBe(expected(bytes));
      }),
    );
  });

  test('goes on from a seed as over the whole', () => {
    fc.assert(
      fc.property(fc.nat(30_000), fc.nat(30_000), (split, length) => {
        const whole = crc32c(data.subarray(0, split + length));
        const first = crc32c(data.subarray(0, split));
        expect(crc32c(data.subarray(split, split + length), first)).toBe(whole);
      }),
    );
  });
});
