/** zstd in TypeScript against fzstd and what Java wrote; node:zlib is in zstd-runtime.test.ts. */
import * as fc from 'fast-check';
import { decompress as fzstd } from 'fzstd';
import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { zstdCodec } from '../../src/compression/index.ts';
import { inflateFrames } from '../../src/compression/zstd-frame.ts';
import { ProtocolError, UsageError } from '../../src/errors.ts';
import { nextBatch } from '../../src/protocol/records/batch.ts';
import { amidst, orders, same } from './payloads.ts';

const maxBytes = 16 * 1024 * 1024;
const inTypeScript = zstdCodec({});

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
    expect(() => inTypeScript.compress(bytes)).toThrow(/cannot write it; Node 22\.15 and later/);
  });
});
