/** gzip against node:zlib in both directions, and against input that lies. */
import * as fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { codecById, gzip, gzipCodec, type Codec } from '../../src/compression/index.ts';
import { ProtocolError, UsageError } from '../../src/errors.ts';
import { platform as workers } from '../../src/runtime/workers.ts';

const maxBytes = 16 * 1024 * 1024;

/** The codec on both implementations there are: node:zlib, and the streams that Workers have (Node has them too). */
const codecs: readonly { readonly name: string; readonly codec: Codec; readonly bombMs: number }[] = [
  { name: 'node:zlib', codec: gzip, bombMs: 100 },
  // Node's stream hands out 16 KiB at a time, a turn of the event loop each.
  { name: 'CompressionStream', codec: gzipCodec(workers), bombMs: 500 },
];

async function inflate(codec: Codec, bytes: Uint8Array, limit = maxBytes): Promise<Uint8Array> {
  return codec.decompress(bytes, { maxBytes: limit });
}

async function failureOf(codec: Codec, bytes: Uint8Array, limit = maxBytes): Promise<unknown> {
  return inflate(codec, bytes, limit).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Node hides the collector behind a flag, which may be set late. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Text as brokers see it, about a third when compressed. */
function orders(count: number): Buffer {
  let text = '';
  for (let id = 0; id < count; id++) text += `{"id":${id},"amount":${(id * 7_919) % 10_007},"status":"paid"}`;
  return Buffer.from(text);
}

describe.each(codecs)('gzip on $name', ({ codec, bombMs }) => {
  test('is codec 1', () => {
    expect([codec.id, codec.name]).toEqual([1, 'gzip']);
  });

  test('what it writes, node:zlib reads, and the other way round', async () => {
    const arbitrary = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 0, max: 5_000 }).map((count) => new Uint8Array(orders(count))),
    );
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.integer({ min: 0, max: 9 }), async (bytes, level) => {
        expect(Buffer.compare(gunzipSync(await codec.compress(bytes)), bytes)).toBe(0);
        expect(Buffer.compare(await inflate(codec, gzipSync(bytes, { level })), bytes)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('exactly the limit passes, one byte more does not', async () => {
    for (const byteLength of [1_000, 1_000_000]) {
      const input = gzipSync(new Uint8Array(byteLength));
      expect(await inflate(codec, input, byteLength)).toHaveLength(byteLength);
      const failure = await failureOf(codec, input, byteLength - 1);
      expect(failure).toBeInstanceOf(ProtocolError);
      expect(failure).toMatchObject({ code: 'MALFORMED', retriable: false });
      expect(String(failure)).toContain(`limit of ${byteLength - 1} bytes`);
    }
  });

  test('nothing, half a member, noise and a broken header are MALFORMED', async () => {
    const member = gzipSync(orders(100));
    const header = Buffer.from(member);
    header[2] = 9;
    const inputs = [new Uint8Array(0), member.subarray(0, 5), member.subarray(0, -9), header, orders(3)];
    for (const input of inputs) {
      const failure = await failureOf(codec, input);
      expect(failure).toBeInstanceOf(ProtocolError);
      expect(failure).toMatchObject({ code: 'MALFORMED' });
    }
  });

  test('any change of one byte is noticed, or does not matter', async () => {
    const bytes = orders(200);
    const member = gzipSync(bytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(member.length - 1), fc.integer({ min: 1, max: 255 }), async (index, change) => {
        const changed = Buffer.from(member);
        changed[index] = (changed[index] ?? 0) ^ change;
        const outcome = await inflate(codec, changed, 100_000).catch((error: unknown) => error);
        if (outcome instanceof Uint8Array) expect(Buffer.compare(outcome, bytes)).toBe(0);
        else expect(outcome).toBeInstanceOf(ProtocolError);
      }),
      { numRuns: 150 },
    );
  });

  test('several members are one output', async () => {
    const members = [orders(10), orders(0), orders(20_000)];
    const input = Buffer.concat(members.map((member) => gzipSync(member)));
    expect(Buffer.compare(await inflate(codec, input), Buffer.concat(members))).toBe(0);
  });

  test('a wrong CRC-32 or length is CORRUPT', async () => {
    for (const [position, size] of [
      [-8, 100],
      [-4, 100],
      [-8, 20_000],
      [-4, 20_000],
    ] as const) {
      const member = gzipSync(orders(size));
      const index = member.length + position;
      member[index] = (member[index] ?? 0) ^ 1;
      expect(await failureOf(codec, member)).toMatchObject({ code: 'CORRUPT' });
    }
  });

  test('256 MiB from 261 KB stop at the limit, soon and in little memory', async () => {
    const bomb = gzipSync(new Uint8Array(256 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(262_000);
    let fastestMs = Infinity;
    let leastGrowth = Infinity;
    // The best of three, for other programs may have the processor, and earlier garbage the memory.
    for (let attempt = 0; attempt < 3; attempt++) {
      collectGarbage();
      const before = process.memoryUsage.rss();
      let peak = before;
      const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 1);
      const startedMs = performance.now();
      expect(await failureOf(codec, bomb)).toMatchObject({ code: 'MALFORMED' });
      fastestMs = Math.min(fastestMs, performance.now() - startedMs);
      clearInterval(watch);
      leastGrowth = Math.min(leastGrowth, Math.max(peak, process.memoryUsage.rss()) - before);
    }
    expect(fastestMs).toBeLessThan(bombMs);
    expect(leastGrowth).toBeLessThan(40_000_000);
  });
});

describe('gzip', () => {
  test('a view in the middle of a larger buffer is all that is read', async () => {
    const member = gzipSync(orders(100));
    const frame = Buffer.concat([Buffer.alloc(7, 255), member, Buffer.alloc(9, 255)]);
    const view = frame.subarray(7, 7 + member.length);
    expect(Buffer.compare(await inflate(gzip, view), orders(100))).toBe(0);
  });

  test('a level outside 1 to 9 is refused at once', () => {
    for (const level of [0, 10, 1.5, Number.NaN, -1]) {
      expect(() => gzip.compress(new Uint8Array(1), level)).toThrow(UsageError);
    }
  });

  test('a higher level gives fewer bytes', async () => {
    const bytes = orders(5_000);
    const lengths = await Promise.all(
      [1, 6, 9].map(async (level) => (await gzip.compress(bytes, level)).length),
    );
    expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
    expect(lengths[0]).toBeGreaterThan(lengths[2] ?? 0);
  });
});

describe('the codec of a batch', () => {
  test('is found by its id', () => {
    expect(codecById([gzip], 1)).toBe(gzip);
  });

  test('that is not there is named, with what is', () => {
    expect(() => codecById([gzip], 2)).toThrow(/compression 2 \(snappy\); there is: gzip/);
    expect(() => codecById([], 7)).toThrow(/compression 7 \(unknown\); there is: none/);
    const failure = (() => {
      try {
        return codecById([], 4);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toMatchObject({ name: 'ProtocolError', code: 'UNSUPPORTED_VERSION' });
  });
});
