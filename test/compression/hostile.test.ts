/** Input that lies, one row a kind: a typed error within 100 ms and 32 MB, never a hang, and bombs stop at the cap.
 * Found with lz4js, snappyjs, fflate and fzstd, which hang, return what was never there, or inflate all of it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gzip, gzipCodec, lz4, snappy, zstd, zstdCodec, type Codec } from '../../src/compression/index.ts';
import { ProtocolError } from '../../src/errors.ts';
import { platform as node } from '../../src/runtime/node.ts';
import { platform as workers } from '../../src/runtime/workers.ts';
import { orders } from './payloads.ts';

const maxBytes = 16 * 1024 * 1024;
const maxMs = 100;
const maxGrowthBytes = 32 * 1024 * 1024;

const lz4Header = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);
const xerial = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1);
/** A frame of zstd with a window of 128 KiB and nothing else said. */
const zstdHeader = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38);

function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}

/** Blocks of 64 KiB, each one byte and a match of the rest but five. */
function lz4Bomb(blocks: number): Uint8Array {
  const rest = 65_536 - 6 - 4 - 15;
  const lengthBytes = [...Array<number>(Math.floor(rest / 255)).fill(255), rest % 255];
  const block = joined([0x1f, 7, 1, 0], lengthBytes, [0x50, 1, 2, 3, 4, 5]);
  const sized = joined([block.length & 0xff, block.length >> 8, 0, 0], block);
  return joined(lz4Header, ...Array<Uint8Array>(blocks).fill(sized), [0, 0, 0, 0]);
}

/** Raw blocks of 32 KiB, each one byte and copies of it. */
function snappyBomb(blocks: number): Uint8Array {
  const copies = Array.from({ length: 511 }, () => [0xfe, 1, 0]).flat();
  const block = joined([0x80, 0x80, 0x02, 0x00, 7], copies, [0xfa, 1, 0]);
  const sized = joined([0, 0, block.length >> 8, block.length & 0xff], block);
  return joined(xerial, ...Array<Uint8Array>(blocks).fill(sized));
}

/** Blocks of one byte 131,072 times: four bytes each. */
function zstdBomb(blocks: number): Uint8Array {
  const block = [0x02, 0x00, 0x10, 7];
  return joined(zstdHeader, ...Array.from({ length: blocks }, () => block), [0x01, 0, 0]);
}

/** `bytes` with some of them changed. */
function changed(
  bytes: Uint8Array,
  ...changes: readonly (readonly [at: number, value: number])[]
): Uint8Array {
  const copy = bytes.slice();
  for (const [at, value] of changes) copy[at < 0 ? copy.length + at : at] = value;
  return copy;
}

interface Row {
  readonly what: string;
  readonly input: Uint8Array;
  /** What the error says. */
  readonly says: RegExp;
  readonly code?: 'CORRUPT';
}

const lz4Rows: readonly Row[] = [
  {
    what: 'a block of 0x7ffffff0 bytes',
    input: joined(lz4Header, [0xf0, 0xff, 0xff, 0x7f, 0, 0]),
    says: /a block of 2147483632 bytes/,
  },
  {
    what: 'an uncompressed block of 0x7ffffff0 bytes',
    input: joined(lz4Header, [0xf0, 0xff, 0xff, 0xff, 0]),
    says: /a block of 2147483632 bytes/,
  },
  {
    what: 'a block that ends after the frame',
    input: joined(lz4Header, [0, 1, 0, 0, 0x10, 7]),
    says: /a block of 256 bytes in 2/,
  },
  {
    what: 'a match from before the block',
    input: joined(lz4Header, [12, 0, 0, 0, 0x14, 7, 9, 0, 0x60, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0]),
    says: /a match 9 bytes back after 1/,
  },
  {
    what: 'a match from 0 bytes back',
    input: joined(lz4Header, [12, 0, 0, 0, 0x14, 7, 0, 0, 0x60, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0]),
    says: /a match 0 bytes back/,
  },
  {
    what: 'a match into the block before',
    input: joined(lz4Header, [2, 0, 0, 0, 0x10, 7, 5, 0, 0, 0, 0x04, 1, 0, 0, 0, 0, 0, 0, 0]),
    says: /a match 1 bytes back after 0/,
  },
  {
    what: 'literals without end',
    input: joined(lz4Header, [100, 0, 0, 0, 0xf0], Array<number>(99).fill(255), [0, 0, 0, 0]),
    says: /literals in 0/,
  },
  {
    what: 'a match without end',
    input: joined(lz4Header, [104, 0, 0, 0, 0x1f, 7, 1, 0], Array<number>(100).fill(255), [0, 0, 0, 0]),
    says: /within a sequence/,
  },
  { what: '0.96 MB for 245 MB', input: lz4Bomb(3_740), says: /beyond the limit of 16777216 bytes/ },
  {
    what: 'no end mark',
    input: lz4.compress(orders(500)).subarray(0, -8),
    says: /in \d+ at byte|without its mark/,
  },
  {
    what: 'another header checksum',
    input: changed(lz4.compress(orders(500)), [6, 0x83]),
    says: /checksum of the header/,
    code: 'CORRUPT',
  },
  {
    what: 'dependent blocks',
    input: changed(lz4.compress(orders(500)), [4, 0x40]),
    says: /depend on each other/,
  },
  { what: 'half a header', input: lz4Header.subarray(0, 5), says: /within its header/ },
];

const snappyRows: readonly Row[] = [
  {
    what: '2 GiB in 7 bytes',
    input: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07, 0, 7),
    says: /2 bytes cannot become 2147483647/,
  },
  { what: '100 bytes in 3', input: Uint8Array.of(100, 0, 7), says: /cannot become 100/ },
  { what: '22 bytes in 3', input: Uint8Array.of(22, 0, 7), says: /inflates to 1 of 22 bytes/ },
  {
    what: 'a literal of 0xfffffffb bytes',
    input: Uint8Array.of(40, 0xfc, 0xfa, 0xff, 0xff, 0xff, 7, 7, 7, 7),
    says: /a literal of 4294967291 bytes in 4/,
  },
  {
    what: 'a literal longer than the whole',
    input: joined([4, 0xf0, 99], new Uint8Array(100)),
    says: /beyond its length/,
  },
  {
    what: 'a copy longer than the whole',
    input: Uint8Array.of(4, 0, 7, 0xfe, 1, 0),
    says: /beyond its length/,
  },
  {
    what: 'a copy from before the block',
    input: Uint8Array.of(10, 0, 7, 0x15, 9),
    says: /a copy from 9 bytes back after 1/,
  },
  {
    what: 'a copy from 0 bytes back',
    input: Uint8Array.of(10, 0, 7, 0x15, 0),
    says: /a copy from 0 bytes back/,
  },
  {
    what: 'a copy from 4 GiB back',
    input: Uint8Array.of(5, 0, 7, 0x0f, 0xff, 0xff, 0xff, 0xff),
    says: /a copy from 4294967295 bytes back/,
  },
  { what: 'half a copy', input: Uint8Array.of(5, 0, 7, 0x0e, 1), says: /ends within a copy/ },
  { what: 'a length without end', input: new Uint8Array(20).fill(0xff), says: /more than five bytes/ },
  { what: 'nothing', input: new Uint8Array(0), says: /within its length/ },
  {
    what: 'a frame with a block of 0xffffffff bytes',
    input: joined(xerial, [0xff, 0xff, 0xff, 0xff]),
    says: /a block of 4294967295 bytes in 0/,
  },
  {
    what: 'a frame with a block of no bytes',
    input: joined(xerial, [0, 0, 0, 0]),
    says: /within its length/,
  },
  {
    what: '24 MB for 512 MB in a frame',
    input: snappyBomb(16_384),
    says: /beyond the limit of 16777216 bytes/,
  },
];

const gzipBomb = gzipSync(new Uint8Array(256 * 1024 * 1024));
const gzipRows: readonly Row[] = [
  { what: '261 KB for 256 MiB', input: new Uint8Array(gzipBomb), says: /beyond the limit of 16777216 bytes/ },
  { what: 'nothing', input: new Uint8Array(0), says: /cannot be inflated/ },
  {
    what: 'half a member',
    input: new Uint8Array(gzipSync(orders(500)).subarray(0, -20)),
    says: /cannot be inflated/,
  },
  {
    what: 'another checksum',
    input: changed(gzipSync(orders(500)), [-6, 0], [-5, 0]),
    says: /incorrect data check/,
    code: 'CORRUPT',
  },
  {
    what: 'a second member that is broken',
    input: changed(joined(gzipSync(orders(9)), gzipSync(orders(9))), [-1, 9]),
    says: /incorrect length check/,
    code: 'CORRUPT',
  },
];

const zstdRows: readonly Row[] = [
  { what: '8 KB for 256 MiB', input: zstdBomb(2_048), says: /beyond the limit of 16777216 bytes/ },
  { what: 'a window of 2 TiB', input: changed(zstdBomb(1), [5, 0xf8]), says: /zstd/ },
  { what: 'half a frame', input: zstdBomb(3).subarray(0, -5), says: /zstd/ },
  { what: 'a block of no type', input: joined(zstdHeader, [0x07, 0, 0]), says: /zstd/ },
  { what: 'a compressed block of no bytes', input: joined(zstdHeader, [0x05, 0, 0]), says: /zstd/ },
  { what: 'a block larger than its window', input: joined(zstdHeader, [0x03, 0x00, 0xff, 7]), says: /zstd/ },
  {
    what: 'a content of 2^60 bytes',
    input: joined([0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x38, 0, 0, 0, 0, 0, 0, 0, 0x10], [0x01, 0, 0]),
    says: /zstd/,
  },
  {
    what: 'a content checksum that does not hold',
    input: joined([0x28, 0xb5, 0x2f, 0xfd, 0x24, 1, 0x09, 0, 0, 7], [1, 2, 3, 4]),
    says: /checksum/,
    code: 'CORRUPT',
  },
  { what: 'a dictionary', input: joined([0x28, 0xb5, 0x2f, 0xfd, 0x21, 9, 1, 0x09, 0, 0, 7]), says: /zstd/ },
  { what: 'no frame', input: orders(500), says: /zstd/ },
];

const suites: readonly { readonly name: string; readonly codec: Codec; readonly rows: readonly Row[] }[] = [
  { name: 'lz4', codec: lz4, rows: lz4Rows },
  { name: 'snappy', codec: snappy, rows: snappyRows },
  { name: 'gzip', codec: gzip, rows: gzipRows },
  { name: 'gzip on Workers', codec: gzipCodec(workers), rows: gzipRows },
  { name: 'zstd in TypeScript', codec: zstdCodec({}), rows: zstdRows },
  ...(node.zstd ? [{ name: 'zstd', codec: zstd, rows: zstdRows }] : []),
];

/** Node hides the collector behind a flag, which may be set late. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

interface Outcome {
  readonly error: unknown;
  readonly ms: number;
  readonly growthBytes: number;
}

async function attempt(codec: Codec, input: Uint8Array): Promise<Outcome> {
  collectGarbage();
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 1);
  const startedMs = performance.now();
  const error = await Promise.resolve()
    .then(() => codec.decompress(input, { maxBytes }))
    .then(
      ({ length }) => `${length} bytes`,
      (reason: unknown) => reason,
    );
  const ms = performance.now() - startedMs;
  clearInterval(watch);
  return { error, ms, growthBytes: Math.max(peak, process.memoryUsage.rss()) - before };
}

describe.each(suites)('$name', ({ name, codec, rows }) => {
  test.each(rows)('refuses $what', async ({ input, says, code = 'MALFORMED' }) => {
    const outcomes: Outcome[] = [];
    // The best of three, for other programs may have the processor, and earlier garbage the memory.
    for (let round = 0; round < 3; round++) outcomes.push(await attempt(codec, input));
    for (const { error } of outcomes) {
      expect(error).toBeInstanceOf(ProtocolError);
      expect(error).toMatchObject({ code, retriable: false });
      expect(String(error)).toMatch(says);
    }
    // Node's stream, which stands for that of Workers, hands out 16 KiB at a time, a turn of the event loop each.
    const factor = name === 'gzip on Workers' ? 5 : 1;
    expect(Math.min(...outcomes.map(({ ms }) => ms))).toBeLessThan(factor * maxMs);
    expect(Math.min(...outcomes.map(({ growthBytes }) => growthBytes))).toBeLessThan(maxGrowthBytes);
  });
});
