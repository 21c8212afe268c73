/** zstd in TypeScript against that of node:zlib, and the codec on top of it. A Node that has none (before 22.15) runs this
 * file again on Node 24.
 */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { zstd } from '../../src/compression/index.ts';
import { inflateFrames } from '../../src/compression/zstd-frame.ts';
import { ProtocolError, UsageError } from '../../src/errors.ts';
import { platform as node } from '../../src/runtime/node.ts';
import { runtimes } from '../runtimes/install.ts';
import { repositoryRoot } from '../support/source-tree.ts';
import { amidst, edgePayloads, noise, orders, payload, same } from './payloads.ts';

const maxBytes = 16 * 1024 * 1024;

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

function failureOf(bytes: Uint8Array, limit = maxBytes): unknown {
  try {
    inflateFrames(bytes, limit);
  } catch (error) {
    return error;
  }
  return undefined;
}

async function runOnNode24(): Promise<string> {
  const runtime = (await runtimes()).find(({ name }) => name === 'Node 24');
  if (runtime === undefined) throw new Error('there is no Node 24 to test zstd with');
  const vitest = `${repositoryRoot}node_modules/vitest/vitest.mjs`;
  // Nothing of this vitest's own may reach that one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  const options = { cwd: repositoryRoot, env, timeout: 60_000 };
  const { stdout } = await promisify(execFile)(
    runtime.program,
    [vitest, 'run', fileURLToPath(import.meta.url)],
    options,
  );
  return stdout.trim();
}

if (compressor !== undefined) {
  describe('zstd of node:zlib', () => {
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
          if (bytes.length > 0)
            expect(failureOf(input, bytes.length - 1)).toMatchObject({ code: 'MALFORMED' });
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
} else {
  test('zstd of node:zlib, on Node 24', { timeout: 90_000 }, async () => {
    expect(await runOnNode24()).toMatch(/(^|\n)7 passed, 0 failed$/);
  });
}
