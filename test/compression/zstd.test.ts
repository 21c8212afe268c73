/** zstd in TypeScript against fzstd, node:zlib where it has zstd, and what Java wrote; and the codec on top of either. */
import * as fc from 'fast-check';
import { decompress as fzstd } from 'fzstd';
import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { zstd, zstdCodec } from '../../src/compression/index.ts';
import { inflateFrames } from '../../src/compression/zstd-frame.ts';
import { ProtocolError, UsageError } from '../../src/errors.ts';
import { nextBatch } from '../../src/protocol/records/batch.ts';
import { platform as node } from '../../src/runtime/node.ts';
import { amidst, edgePayloads, noise, orders, payload, same } from './payloads.ts';

const maxBytes = 16 * 1024 * 1024;
const inTypeScript = zstdCodec({});

interface ZstdOptions {
  readonly level: number;
  readonly checksum: boolean;
}

/** node:zlib's compressor, whose options have libzstd's numbers; undefined on Node 20. */
const compressor = (
  zlib as {
    zstdCompressSync?: (bytes: Uint8Array, options: { params: Record<number, number> }) => Uint8Array;
  }
).zstdCompressSync;

function compress(bytes: Uint8Array, { level, checksum }: ZstdOptions): Uint8Array {
  if (compressor === undefined) throw new Error('this Node has no zstd');
  return new Uint8Array(compressor(bytes, { params: { 100: level, 201: Number(checksum) } }));
}

/** The payloads of Java's batches: levels and libzstd are Java's. */
function writtenByJava(): Uint8Array[] {
  const folder = new URL('../../fixtures/records/', import.meta.url);
  const texts = [
    readFileSync(new URL('kinds-zstd.json', folder), 'utf8'),
    zlib.gunzipSync(readFileSync(new URL('large-zstd.json.gz', folder))).toString(),
  ];
  return texts.flatMap((text) => {
    const bytes = Buffer.from((JSON.parse(text) as { hex: string }).hex, 'hex');
    const payloads: Uint8Array[] = [];
    for (let batch = nextBatch(bytes, 0); batch; batch = nextBatch(bytes, batch.end)) {
      if (batch.codecId === 4 && batch.payload.length > 0) payloads.push(batch.payload);
    }
    return payloads;
  });
}

function failureOf(bytes: Uint8Array, limit = maxBytes): unknown {
  try {
    inflateFrames(bytes, limit);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('zstd in TypeScript', () => {
  test('reads what Java wrote as fzstd does', () => {
    const payloads = writtenByJava();
    expect(payloads.length).toBeGreaterThan(5);
    expect(Math.max(...payloads.map(({ length }) => length))).toBeGreaterThan(5_000);
    for (const bytes of payloads) {
      expect(same(inflateFrames(amidst(bytes), maxBytes), fzstd(bytes))).toBe(true);
    }
  });

  test('refuses or reads every damaged byte of Java like a checksum would want it: never beyond the limit', () => {
    const payloads = writtenByJava();
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.constantFrom(...payloads), changes, (bytes, list) => {
        const input = bytes.slice();
        for (const [at, value] of list) input[at % input.length] = value;
        const failure = failureOf(input, 200_000);
        if (failure !== undefined) expect(failure).toBeInstanceOf(ProtocolError);
      }),
      { numRuns: 1_000 },
    );
  });

  test('every truncation is MALFORMED', () => {
    const [bytes = new Uint8Array(0)] = writtenByJava();
    for (let length = 1; length < bytes.length; length++) {
      expect(failureOf(bytes.subarray(0, length)), `${length} bytes`).toMatchObject({ code: 'MALFORMED' });
    }
    expect(inflateFrames(new Uint8Array(0), maxBytes)).toHaveLength(0);
  });

  test('skips frames to skip, joins others, and refuses what is neither', () => {
    const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 2, 0x11, 0, 0, 7, 8);
    const skipped = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
    const joined = Buffer.concat([skipped, frame, skipped, frame, skipped]);
    expect(inflateFrames(joined, maxBytes)).toEqual(Uint8Array.of(7, 8, 7, 8));
    expect(failureOf(Buffer.concat([frame, Uint8Array.of(1)]))).toMatchObject({ code: 'MALFORMED' });
    expect(failureOf(Buffer.concat([frame, orders(20)]))).toMatchObject({ code: 'MALFORMED' });
    expect(failureOf(joined, 3)).toMatchObject({ code: 'MALFORMED' });
    expect(failureOf(joined, 4)).toBeUndefined();
  });

  test('is what a codec reads with on a runtime that has no zstd; writing there is refused by name', async () => {
    const [bytes = new Uint8Array(0)] = writtenByJava();
    expect(same(await inTypeScript.decompress(bytes, { maxBytes }), fzstd(bytes))).toBe(true);
    expect(() => inTypeScript.compress(bytes)).toThrow(UsageError);
    expect(() => inTypeScript.compress(bytes)).toThrow(/cannot write zstd: use Node 22\.15/);
  });
});

describe.skipIf(compressor === undefined)('zstd of node:zlib (Node 22.15 and later)', () => {
  test('is read in TypeScript at every level, with checksums and without', () => {
    for (const { name, bytes } of edgePayloads()) {
      for (const level of [-7, 1, 3, 9]) {
        for (const checksum of [false, true]) {
          const input = compress(bytes, { level, checksum });
          expect(same(inflateFrames(input, bytes.length), bytes), `${name}, level ${level}`).toBe(true);
        }
      }
    }
    for (const level of [13, 16, 19, 22]) {
      const input = compress(orders(300_000), { level, checksum: true });
      expect(same(inflateFrames(input, maxBytes), orders(300_000)), `level ${level}`).toBe(true);
    }
  });

  test('is read in TypeScript whatever it compressed, and fails by one byte of the limit', () => {
    const options = fc.record({ level: fc.integer({ min: -5, max: 12 }), checksum: fc.boolean() });
    fc.assert(
      fc.property(payload(), options, (bytes, choice) => {
        const input = compress(bytes, choice);
        expect(same(inflateFrames(amidst(input), bytes.length), bytes)).toBe(true);
        if (bytes.length > 0) expect(failureOf(input, bytes.length - 1)).toMatchObject({ code: 'MALFORMED' });
      }),
      { numRuns: 100 },
    );
  });

  test('a changed byte under a checksum is noticed, or does not matter', () => {
    const bytes = orders(3_000);
    const input = compress(bytes, { level: 3, checksum: true });
    fc.assert(
      fc.property(fc.nat(input.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const copy = input.slice();
        copy[at] = (copy[at] ?? 0) ^ change;
        const failure = failureOf(copy);
        if (failure === undefined) expect(same(inflateFrames(copy, maxBytes), bytes)).toBe(true);
        else expect(failure).toBeInstanceOf(ProtocolError);
      }),
      { numRuns: 500 },
    );
  });

  test('the codec writes and reads with it, at its levels, at once and on a thread', async () => {
    for (const size of [0, 100, 65_536, 65_537, 1_000_000]) {
      const bytes = noise(size).map((byte) => byte & 31);
      for (const level of [undefined, -100, 1, 19]) {
        const input = await zstd.compress(bytes, level);
        expect(same(inflateFrames(input, maxBytes), bytes)).toBe(true);
        expect(same(await zstd.decompress(input, { maxBytes: Math.max(size, 1) }), bytes)).toBe(true);
      }
      if (size < 2) continue;
      const input = await zstd.compress(bytes);
      const failure = await Promise.resolve()
        .then(() => zstd.decompress(input, { maxBytes: size - 1 }))
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ProtocolError);
      expect(String(failure)).toContain(`limit of ${size - 1} bytes`);
    }
    for (const level of [23, -131_073, 1.5])
      expect(() => zstd.compress(orders(9), level)).toThrow(UsageError);
    expect((await zstd.compress(orders(65_536), 19)).length).toBeLessThan(
      (await zstd.compress(orders(65_536), 1)).length,
    );
  });

  test('agrees with the reader in TypeScript about what is damaged', async () => {
    const inputs = [1, 3, 12].map((level) => compress(orders(2_000), { level, checksum: true }));
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...inputs), changes, async (bytes, list) => {
        const input = bytes.slice();
        for (const [at, value] of list) input[at % input.length] = value;
        const byNode = await Promise.resolve()
          .then(() => zstd.decompress(input, { maxBytes }))
          .catch((error: unknown) => error);
        const failure = failureOf(input);
        if (byNode instanceof Uint8Array && failure === undefined) {
          expect(same(inflateFrames(input, maxBytes), byNode)).toBe(true);
        } else {
          expect(failure).toBeInstanceOf(ProtocolError);
          expect(byNode).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the codec reads several frames, which node:zlib would stop short of', async () => {
    const frames = [orders(30), noise(200), orders(1_000)];
    const input = Buffer.concat(frames.map((bytes) => compress(bytes, { level: 3, checksum: false })));
    expect(same(await zstd.decompress(input, { maxBytes }), Buffer.concat(frames))).toBe(true);
  });

  test('the platform of this Node has it', () => {
    expect(node.zstd).toBeDefined();
  });
});
