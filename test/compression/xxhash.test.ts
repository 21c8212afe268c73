/** The checksums of lz4 and zstd against the vectors of the xxHash project (its sanity buffer), and other writers' frames. */
import { describe, expect, test } from 'vitest';
import { xxhash32 } from '../../src/compression/xxhash32.ts';
import { xxhash64 } from '../../src/compression/xxhash64.ts';

/** The first `length` bytes of the sanity buffer: the highest byte of powers of a prime. */
function sanityBuffer(length: number): Uint8Array {
  const prime = 11_400_714_785_074_694_797n;
  let generator = 2_654_435_761n;
  return Uint8Array.from({ length }, () => {
    const byte = Number(generator >> 56n);
    generator = BigInt.asUintN(64, generator * prime);
    return byte;
  });
}

/** Length, seed, XXH32. */
const vectors32: readonly (readonly [number, number, number])[] = [
  [0, 0, 0x02cc5d05],
  [0, 0x9e3779b1, 0x36b78ae7],
  [1, 0, 0xcf65b03e],
  [1, 0x9e3779b1, 0xb4545aa4],
  [14, 0, 0x1208e7e2],
  [14, 0x9e3779b1, 0x6af1d1fe],
  [222, 0, 0x5bd11dbd],
  [222, 0x9e3779b1, 0x58803c5f],
];

/** Length, seed, XXH64. */
const vectors64: readonly (readonly [number, bigint, bigint])[] = [
  [0, 0n, 0xef46db3751d8e999n],
  [0, 0x9e3779b1n, 0xac75fda2929b17efn],
  [1, 0n, 0xe934a84adb052768n],
  [1, 0x9e3779b1n, 0x5014607643a9b4c3n],
  [14, 0n, 0x8282dcc4994e35c8n],
  [14, 0x9e3779b1n, 0xc3bd6bf63deb6df0n],
  [222, 0n, 0xb641ae8cb691c174n],
  [222, 0x9e3779b1n, 0x20cb8ab7ae10c14an],
];

describe('xxHash', () => {
  test.each(vectors32)('32 of %i bytes with seed %i', (length, seed, hash) => {
    expect(xxhash32(sanityBuffer(length), seed)).toBe(hash);
  });

  test.each(vectors64)('64 of %i bytes with seed %i', (length, seed, hash) => {
    expect(xxhash64(sanityBuffer(length), seed)).toBe(hash);
  });

  test('does not depend on where the bytes lie', () => {
    const bytes = sanityBuffer(300);
    for (const start of [1, 2, 3, 7]) {
      const moved = new Uint8Array(310);
      moved.set(bytes, start);
      const view = moved.subarray(start, start + 300);
      expect(xxhash32(view)).toBe(xxhash32(bytes));
      expect(xxhash64(view)).toBe(xxhash64(bytes));
    }
  });
});
