/** lz4 against lz4js in both directions, and the frame's fields one by one. Java: test/integration. lz4js 0.2.0 marks its frames as dependent, though those of one block are not.
 */
import * as fc from 'fast-check';
import { compress as lz4js, decompress as unlz4js } from 'lz4js';
import { describe, expect, test } from 'vitest';
import { lz4 } from '../../src/compression/index.ts';
import { xxhash32 } from '../../src/compression/xxhash32.ts';
import { ProtocolError } from '../../src/errors.ts';
import { amidst, edgePayloads, noise, orders, payload, repetitive, same } from './payloads.ts';

const maxBytes = 16 * 1024 * 1024;
/** As Java 4.3.1 writes "hello hello hello hello hello hello world", and nothing; and the former in format 0. */
const byJava = '04224d18604082100000006f68656c6c6f2006000b50776f726c6400000000';
const emptyByJava = '04224d1860408200000000';
const byJavaInFormat0 = '04224d1860401a100000006f68656c6c6f2006000b50776f726c6400000000';
const hello = 'hello hello hello hello hello hello world';

function failureOf(bytes: Uint8Array, limit = maxBytes, magic = 2): unknown {
  try {
    lz4.decompress(bytes, { maxBytes: limit, magic });
  } catch (error) {
    return error;
  }
  return undefined;
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

interface FrameOptions {
  readonly flags?: number;
  readonly sizeCode?: number;
  readonly contentBytes?: bigint;
  readonly contentChecksum?: number;
  readonly blockChecksums?: boolean;
}

/** A frame around blocks, of which those not compressed have the highest bit of their size set. */
function frame(
  blocks: readonly { data: Uint8Array; isPlain?: boolean }[],
  options: FrameOptions = {},
): Uint8Array {
  const { flags = 0x60, sizeCode = 4, contentBytes, contentChecksum, blockChecksums = false } = options;
  let bits = flags;
  if (contentBytes !== undefined) bits |= 0x08;
  if (contentChecksum !== undefined) bits |= 0x04;
  if (blockChecksums) bits |= 0x10;
  const size = new Uint8Array(contentBytes === undefined ? 0 : 8);
  if (contentBytes !== undefined) new DataView(size.buffer).setBigUint64(0, contentBytes, true);
  const descriptor = Buffer.concat([Uint8Array.of(bits, sizeCode << 4), size]);
  return new Uint8Array(
    Buffer.concat([
      Uint8Array.of(0x04, 0x22, 0x4d, 0x18),
      descriptor,
      Uint8Array.of((xxhash32(descriptor) >>> 8) & 0xff),
      ...blocks.flatMap(({ data, isPlain = false }) => [
        word((isPlain ? 0x8000_0000 : 0) + data.length),
        data,
        ...(blockChecksums ? [word(xxhash32(data))] : []),
      ]),
      word(0),
      ...(contentChecksum === undefined ? [] : [word(contentChecksum)]),
    ]),
  );
}

/** Blocks and their data as `lz4.compress` framed them. */
function blocksOf(framed: Uint8Array): { data: Uint8Array; isPlain: boolean }[] {
  const view = new DataView(framed.buffer, framed.byteOffset, framed.length);
  const blocks: { data: Uint8Array; isPlain: boolean }[] = [];
  for (let at = 7; ;) {
    const size = view.getUint32(at, true);
    if (size === 0) return blocks;
    const length = size & 0x7fff_ffff;
    blocks.push({ data: framed.subarray(at + 4, at + 4 + length), isPlain: size >= 0x8000_0000 });
    at += 4 + length;
  }
}

describe('lz4', () => {
  test('reads what Java wrote, and writes the same header and end', () => {
    expect(Buffer.from(lz4.decompress(Buffer.from(byJava, 'hex'), { maxBytes })).toString()).toBe(hello);
    expect(Buffer.from(lz4.compress(new Uint8Array(0))).toString('hex')).toBe(emptyByJava);
    const written = Buffer.from(lz4.compress(Buffer.from(hello))).toString('hex');
    expect(written.slice(0, 14)).toBe(byJava.slice(0, 14));
    expect(written.slice(-8)).toBe('00000000');
  });

  test('overlooks the wrong header checksum of format 0 only there', () => {
    const bytes = Buffer.from(byJavaInFormat0, 'hex');
    expect(Buffer.from(lz4.decompress(bytes, { maxBytes, magic: 0 })).toString()).toBe(hello);
    for (const magic of [1, 2]) expect(failureOf(bytes, maxBytes, magic)).toMatchObject({ code: 'CORRUPT' });
  });

  test('is read by lz4js, at every size where a block ends', () => {
    for (const { name, bytes } of edgePayloads()) {
      expect(same(unlz4js(lz4.compress(bytes), bytes.length + 8), bytes), name).toBe(true);
    }
  });

  test('is read by lz4js, and reads the blocks of lz4js', () => {
    fc.assert(
      fc.property(payload(), (bytes) => {
        expect(same(unlz4js(lz4.compress(amidst(bytes)), bytes.length + 8), bytes)).toBe(true);
        const blocks = blocksOf(Uint8Array.from(lz4js(bytes)));
        expect(same(lz4.decompress(amidst(frame(blocks, { sizeCode: 7 })), { maxBytes }), bytes)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('compresses orders about as well as lz4js, and noise not at all', () => {
    expect(lz4.compress(orders(65_536)).length).toBeLessThan(1.05 * lz4js(orders(65_536)).length);
    expect(lz4.compress(noise(200_000)).length).toBe(200_000 + 7 + 4 * 4 + 4);
    expect(lz4.compress(repetitive(65_536)).length).toBeLessThan(300);
  });

  test('verifies block and content checksums and the content size where there are any', () => {
    const bytes = orders(150_000);
    const blocks = blocksOf(lz4.compress(bytes));
    const all = { blockChecksums: true, contentChecksum: xxhash32(bytes), contentBytes: 150_000n };
    const input = frame(blocks, all);
    expect(same(lz4.decompress(input, { maxBytes }), bytes)).toBe(true);
    expect(failureOf(frame(blocks, { contentChecksum: 1 }))).toMatchObject({ code: 'CORRUPT' });
    expect(failureOf(frame(blocks, { contentBytes: 149_999n }))).toMatchObject({ code: 'MALFORMED' });
    for (let at = 0; at < input.length; at += at < 24 || at > input.length - 12 ? 1 : 1_009) {
      const changed = input.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(failureOf(changed), `byte ${at}`).toBeInstanceOf(ProtocolError);
    }
  });

  test('refuses what Java refuses: dependent blocks, dictionaries, reserved bits, other versions and sizes', () => {
    const blocks = blocksOf(lz4.compress(orders(100)));
    for (const flags of [0x40, 0x61, 0x62, 0x20, 0xa0, 0xe0]) {
      expect(failureOf(frame(blocks, { flags })), `flags ${flags}`).toMatchObject({ code: 'MALFORMED' });
    }
    for (const sizeCode of [0, 3, 8, 15]) {
      expect(failureOf(frame(blocks, { sizeCode })), `size ${sizeCode}`).toMatchObject({ code: 'MALFORMED' });
    }
    for (const sizeCode of [4, 5, 6, 7]) expect(failureOf(frame(blocks, { sizeCode }))).toBeUndefined();
  });

  test('a block may not inflate beyond the size that its frame declares', () => {
    const large = [{ data: noise(65_537), isPlain: true }];
    expect(failureOf(frame(large))).toMatchObject({ code: 'MALFORMED' });
    expect(failureOf(frame(large, { sizeCode: 5 }))).toBeUndefined();
    // one literal, a match of 65,536 and five literals
    const inflating = Uint8Array.of(
      0x1f,
      1,
      1,
      0,
      ...new Uint8Array(256).fill(255),
      237,
      0x50,
      1,
      1,
      1,
      1,
      1,
    );
    expect(String(failureOf(frame([{ data: inflating }])))).toContain('beyond 65536 bytes');
    expect(lz4.decompress(frame([{ data: inflating }], { sizeCode: 5 }), { maxBytes })).toHaveLength(65_542);
  });

  test('reads one frame and nothing after it, as Java', () => {
    const input = Buffer.concat([lz4.compress(orders(50)), lz4.compress(orders(60))]);
    expect(same(lz4.decompress(input, { maxBytes }), orders(50))).toBe(true);
  });

  test('reads 20,000 tiny blocks', () => {
    const blocks = Array.from({ length: 20_000 }, () => ({ data: Uint8Array.of(0x10, 9) }));
    expect(lz4.decompress(frame(blocks), { maxBytes })).toEqual(new Uint8Array(20_000).fill(9));
  });

  test('exactly the limit passes, one byte more does not', () => {
    for (const bytes of [orders(70_000), noise(70_000), repetitive(200_000)]) {
      const input = lz4.compress(bytes);
      expect(same(lz4.decompress(input, { maxBytes: bytes.length }), bytes)).toBe(true);
      const failure = failureOf(input, bytes.length - 1);
      expect(failure).toBeInstanceOf(ProtocolError);
      expect(failure).toMatchObject({ code: 'MALFORMED', retriable: false });
      expect(String(failure)).toContain(`limit of ${bytes.length - 1} bytes`);
    }
  });

  test('every truncation is MALFORMED', () => {
    const input = lz4.compress(orders(3_000));
    for (let length = 0; length < input.length; length++) {
      expect(failureOf(input.subarray(0, length)), `${length} bytes`).toMatchObject({ code: 'MALFORMED' });
    }
  });

  test('any change of bytes leads to a ProtocolError or to no more than the limit', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.nat(20_000), changes, (size, list) => {
        const input = lz4.compress(orders(size));
        for (const [at, value] of list) input[7 + (at % (input.length - 7))] = value;
        const failure = failureOf(input, 100_000);
        if (failure !== undefined) expect(failure).toBeInstanceOf(ProtocolError);
      }),
      { numRuns: 500 },
    );
  });
});
