/** The codecs together: levels, the list, inflating at once, and what of them a bundle holds. */
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { describe, expect, test } from 'vitest';
import {
  allCodecs,
  codecById,
  gzip,
  inflateSync,
  lz4,
  snappy,
  withLevel,
  zstd,
  zstdCodec,
  type Codec,
} from '../../src/compression/index.ts';
import { ProtocolError, UsageError } from '../../src/errors.ts';
import { repositoryRoot } from '../support/source-tree.ts';
import { orders, same } from './payloads.ts';

const maxBytes = 16 * 1024 * 1024;
/** One frame of one raw block. */
const rawZstd = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, 7, 8, 9);

describe('all codecs', () => {
  test('are those of Kafka, by its ids and names', () => {
    expect(allCodecs.map(({ id, name }) => `${id} ${name}`)).toEqual([
      '1 gzip',
      '2 snappy',
      '3 lz4',
      '4 zstd',
    ]);
    expect(allCodecs.slice(1, 3)).toEqual([snappy, lz4]);
    expect(codecById(allCodecs, 4).name).toBe('zstd');
    expect(() => codecById(allCodecs, 5)).toThrow(ProtocolError);
    expect(() => codecById(allCodecs, 5)).toThrow(
      'no codec for compression 5 (unknown); there is: gzip, snappy, lz4, zstd',
    );
  });

  test('leave their input as it was, also when it fails', async () => {
    for (const codec of allCodecs) {
      const bytes = orders(5_000);
      if (codec.name !== 'zstd') await codec.compress(bytes);
      await Promise.resolve()
        .then(() => codec.decompress(bytes, { maxBytes }))
        .catch((error: unknown) => expect(error).toBeInstanceOf(ProtocolError));
      expect(same(bytes, orders(5_000))).toBe(true);
    }
  });
});

describe('withLevel', () => {
  test('compresses at that level, unless another is named', async () => {
    const best = withLevel(gzip, 9);
    expect([best.id, best.name]).toEqual([1, 'gzip']);
    expect(await best.compress(orders(9_000))).toEqual(await gzip.compress(orders(9_000), 9));
    expect(await best.compress(orders(9_000), 1)).toEqual(await gzip.compress(orders(9_000), 1));
    expect(same(await best.decompress(gzipSync(orders(50)), { maxBytes }), orders(50))).toBe(true);
  });

  test('refuses a level outside the scale, and a codec that has none, at once', () => {
    for (const level of [0, 10, 1.5, Number.NaN]) {
      expect(() => withLevel(gzip, level)).toThrow(UsageError);
      expect(() => withLevel(gzip, level)).toThrow('level must be an integer from 1 to 9');
    }
    expect(() => withLevel(zstd, 23)).toThrow('level must be an integer from -131072 to 22');
    expect(withLevel(zstd, -5).name).toBe('zstd');
    for (const codec of [snappy, lz4])
      expect(() => withLevel(codec, 1)).toThrow(`${codec.name} has no levels`);
  });

  test('takes a codec that users made', async () => {
    const levels: unknown[] = [];
    const own: Codec = {
      id: 3,
      name: 'own',
      levels: [0, 2],
      compress(bytes, level) {
        levels.push(level);
        return bytes;
      },
      decompress: (bytes) => bytes,
    };
    await withLevel(own, 2).compress(orders(1));
    expect(levels).toEqual([2]);
    expect(codecById([own, ...allCodecs], 3)).toBe(own);
  });
});

describe('inflateSync', () => {
  test('inflates every codec at once, however large', () => {
    const bytes = orders(300_000);
    const inputs: [number, Uint8Array, Uint8Array][] = [
      [1, gzipSync(bytes), bytes],
      [2, snappy.compress(bytes), bytes],
      [3, lz4.compress(bytes), bytes],
      [4, rawZstd, Uint8Array.of(7, 8, 9)],
    ];
    for (const [codecId, input, expected] of inputs) {
      const inflated = inflateSync(codecId, input, expected.length);
      expect(inflated !== undefined && same(inflated, expected), `codec ${codecId}`).toBe(true);
      expect(() => inflateSync(codecId, input, expected.length - 1)).toThrow(ProtocolError);
      expect(() => inflateSync(codecId, input.subarray(0, -5), maxBytes)).toThrow(ProtocolError);
    }
  });

  test('knows no other codec', () => {
    for (const codecId of [0, 5, 7]) expect(inflateSync(codecId, orders(5), maxBytes)).toBeUndefined();
  });

  test('overlooks the header checksum of lz4 in format 0 alone', () => {
    const frame = lz4.compress(orders(100));
    frame[6] = 0x1a;
    expect(inflateSync(3, frame, maxBytes, 0)).toHaveLength(100);
    for (const magic of [1, 2, undefined])
      expect(() => inflateSync(3, frame, maxBytes, magic)).toThrow(ProtocolError);
  });
});

describe('a bundle', () => {
  /** What a program that uses these names of the package's main entry becomes. */
  async function bundleOf(names: string): Promise<string> {
    const entry = `${repositoryRoot}codecs-entry.ts`;
    const program = `import { ${names} } from './src/index.ts';\nglobalThis.used = [${names}];\n`;
    const bundle = await rolldown({
      input: entry,
      cwd: repositoryRoot,
      platform: 'neutral',
      external: /^#/,
      plugins: [
        {
          name: 'entry',
          resolveId: (id) => (id === entry ? entry : undefined),
          load: (id) => (id === entry ? program : undefined),
        },
      ],
    });
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
    await bundle.close();
    return output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('');
  }

  const traces: readonly (readonly [codec: string, text: string])[] = [
    ['gzip', '"gzip"'],
    ['snappy', 'a copy from'],
    ['lz4', 'depend on each other'],
    ['zstd', 'the frame needs a dictionary'],
  ];

  test.each([
    ['Writer', []],
    ['Writer, gzip', ['gzip']],
    ['Writer, lz4', ['lz4']],
    ['Writer, snappy', ['snappy']],
    ['Writer, zstd', ['zstd']],
    ['Reader', ['gzip', 'snappy', 'lz4', 'zstd']],
  ])('with %s holds these codecs: %j', async (names, expected) => {
    const code = await bundleOf(names);
    expect(traces.filter(([, text]) => code.includes(text)).map(([codec]) => codec)).toEqual(expected);
  });
});

test('a codec on a platform without zstd reads it all the same', async () => {
  expect(await zstdCodec({}).decompress(rawZstd, { maxBytes })).toEqual(Uint8Array.of(7, 8, 9));
});
