/** snappy against snappyjs in both directions, and the framing of xerial byte by byte. Java: test/integration. */
import * as fc from 'fast-check';
import { compress as snappyjs, uncompress as unsnappyjs } from 'snappyjs';
import { describe, expect, test } from 'vitest';
import { snappy } from '../../src/compression/index.ts';
import { ProtocolError } from '../../src/errors.ts';
import { amidst, edgePayloads, orders, payload, same } from './payloads.ts';

const maxBytes = 16 * 1024 * 1024;
/** As Java 4.3.1 writes "hello hello hello hello hello hello world". */
const byJava = '82534e4150505900000000010000000100000011291468656c6c6f2076060010776f726c64';
const hello = 'hello hello hello hello hello hello world';

/** The raw blocks in xerial's framing. */
function blocksIn(framed: Uint8Array): Uint8Array[] {
  const view = new DataView(framed.buffer, framed.byteOffset, framed.length);
  const blocks: Uint8Array[] = [];
  for (let at = 16; at < framed.length;) {
    const size = view.getInt32(at);
    blocks.push(framed.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return blocks;
}

function failureOf(bytes: Uint8Array, limit = maxBytes): unknown {
  try {
    snappy.decompress(bytes, { maxBytes: limit });
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('snappy', () => {
  test('reads what Java wrote, and writes the same framing', () => {
    const bytes = Buffer.from(byJava, 'hex');
    expect(Buffer.from(snappy.decompress(bytes, { maxBytes })).toString()).toBe(hello);
    const written = Buffer.from(snappy.compress(Buffer.from(hello)));
    expect(written.subarray(0, 16).toString('hex')).toBe(byJava.slice(0, 32));
    expect(written.readInt32BE(16)).toBe(written.length - 20);
    expect(Buffer.from(snappy.compress(new Uint8Array(0))).toString('hex')).toBe(byJava.slice(0, 32));
  });

  test('writes blocks of 32 KiB, which snappyjs reads one by one', () => {
    for (const { name, bytes } of edgePayloads()) {
      const blocks = blocksIn(snappy.compress(bytes)).map((block) => unsnappyjs(block));
      expect(
        blocks.slice(0, -1).every(({ length }) => length === 32_768),
        name,
      ).toBe(true);
      expect(same(Buffer.concat(blocks), bytes), name).toBe(true);
    }
  });

  test('is read by snappyjs, and reads the raw blocks of snappyjs', () => {
    fc.assert(
      fc.property(payload(), (bytes) => {
        const blocks = blocksIn(snappy.compress(amidst(bytes))).map((block) => unsnappyjs(block));
        expect(same(Buffer.concat(blocks), bytes)).toBe(true);
        expect(same(snappy.decompress(amidst(snappyjs(bytes)), { maxBytes }), bytes)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('compresses orders about as well as snappyjs', () => {
    const bytes = orders(65_536);
    expect(snappy.compress(bytes).length).toBeLessThan(1.1 * snappyjs(bytes).length);
  });

  test('reads frames one after another, and blocks of any size', () => {
    const one = snappy.compress(orders(40_000));
    const two = snappy.compress(orders(10));
    const expected = Buffer.concat([orders(40_000), orders(10)]);
    expect(same(snappy.decompress(Buffer.concat([one, two]), { maxBytes }), expected)).toBe(true);
    const large = snappyjs(orders(200_000));
    const size = Buffer.alloc(4);
    size.writeInt32BE(large.length);
    const framed = Buffer.concat([one.subarray(0, 16), size, large]);
    expect(same(snappy.decompress(framed, { maxBytes }), orders(200_000))).toBe(true);
  });

  test('reads a copy from more than 64 KiB back, which its writers never make', () => {
    const far = Buffer.concat([
      // 70,008 bytes: a literal of 70,000, and 8 from the beginning
      Uint8Array.of(0xf8, 0xa2, 0x04, 0xf8, 0x6f, 0x11, 0x01),
      orders(70_000),
      Uint8Array.of((7 << 2) | 3, 0x70, 0x11, 0x01, 0x00),
    ]);
    const expected = Buffer.concat([orders(70_000), orders(8)]);
    expect(same(snappy.decompress(far, { maxBytes }), expected)).toBe(true);
  });

  test('exactly the limit passes, one byte more does not', () => {
    for (const input of [snappy.compress(orders(70_000)), snappyjs(orders(70_000))]) {
      expect(snappy.decompress(input, { maxBytes: 70_000 })).toHaveLength(70_000);
      const failure = failureOf(input, 69_999);
      expect(failure).toBeInstanceOf(ProtocolError);
      expect(failure).toMatchObject({ code: 'MALFORMED', retriable: false });
      expect(String(failure)).toContain('limit of 69999 bytes');
    }
  });

  test('every truncation is MALFORMED or, as in Java, ends at a block', () => {
    const bytes = orders(70_000);
    const input = snappy.compress(bytes);
    const ends = new Set([16]);
    for (const block of blocksIn(input)) ends.add(block.byteOffset - input.byteOffset + block.length);
    for (let length = 0; length < input.length; length += length < 40 ? 1 : 97) {
      const failure = failureOf(input.subarray(0, length));
      const endsAtBlock = [0, 1, 2, 3].some((surplus) => ends.has(length - surplus));
      if (!endsAtBlock) expect(failure, `${length} bytes`).toMatchObject({ code: 'MALFORMED' });
    }
  });

  test('any change of bytes leads to a ProtocolError or to no more than the limit', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.boolean(), fc.nat(20_000), changes, (isRaw, size, list) => {
        const input = isRaw ? snappyjs(orders(size)).slice() : snappy.compress(orders(size));
        for (const [at, value] of list) input[at % input.length] = value;
        const failure = failureOf(input, 100_000);
        if (failure !== undefined) expect(failure).toBeInstanceOf(ProtocolError);
      }),
      { numRuns: 500 },
    );
  });
});
