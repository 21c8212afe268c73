/** snappy as a codec: xerial's framing, which Java writes, around raw blocks; raw snappy is read too.
 * Not here: the blocks (snappy-block.ts). The format has no checksum: the batch's covers it.
 * Invariant: all lengths are added up and held against the cap before anything is allocated.
 * Source: xerial's SnappyOutputStream and SnappyInputStream, which Kafka's clients use.
 */
import type { DecompressOptions, SyncCodec } from './codec.ts';
import { compressRaw, inflateRaw, maxCompressedBytes, readLength } from './snappy-block.ts';
import { beyondLimit, malformed, matchTable, SLACK_BYTES, viewOf } from './words.ts';

const NAME = 'snappy';
/** Magic, version 1, readable by version 1. No raw block begins so: 0x4e would copy before there is anything. */
const HEADER = /* @__PURE__ */ Uint8Array.of(
  0x82,
  0x53,
  0x4e,
  0x41,
  0x50,
  0x50,
  0x59,
  0,
  0,
  0,
  0,
  1,
  0,
  0,
  0,
  1,
);
const MAGIC_BYTES = 8;
const BLOCK_BYTES = 32_768;

/** Kafka's codec 2. Writes xerial's framing in blocks of 32 KiB, as Java does; reads raw snappy as well. It has no levels.
 * Pure TypeScript, synchronous.
 */
export const snappy: SyncCodec = {
  id: 2,
  name: NAME,
  compress,
  decompress,
};

function compress(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / BLOCK_BYTES);
  const room =
    HEADER.length + blocks * (4 + maxCompressedBytes(0)) + maxCompressedBytes(bytes.length) + SLACK_BYTES;
  const target = new Uint8Array(room);
  const targetView = viewOf(target);
  const sourceView = viewOf(bytes);
  const table = matchTable();
  target.set(HEADER);
  let out = HEADER.length;
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, bytes.length);
    const body = out + 4;
    const blockEnd = compressRaw(bytes, sourceView, start, end, target, targetView, body, table);
    targetView.setInt32(out, blockEnd - body);
    out = blockEnd;
  }
  return target.slice(0, out);
}

interface Block {
  readonly length: number;
  readonly at: number;
  readonly end: number;
}

function isXerial(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < HEADER.length) return false;
  for (let i = 0; i < MAGIC_BYTES; i++) if (bytes[at + i] !== HEADER[i]) return false;
  return true;
}

/** The blocks with what they say they inflate to. As in Java, versions are not looked at, frames may follow one
 * another, and up to three bytes at the end that are no block's length count for nothing.
 */
function blocksOf(bytes: Uint8Array, view: DataView): Block[] {
  if (!isXerial(bytes, 0)) return [{ ...readLength(bytes, 0, bytes.length), end: bytes.length }];
  const blocks: Block[] = [];
  let at = HEADER.length;
  while (at + 4 <= bytes.length) {
    if (isXerial(bytes, at)) {
      at += HEADER.length;
      continue;
    }
    const size = view.getUint32(at);
    at += 4;
    if (size > bytes.length - at)
      throw malformed(NAME, `a block of ${size} bytes in ${bytes.length - at}`, at - 4);
    blocks.push({ ...readLength(bytes, at, at + size), end: at + size });
    at += size;
  }
  return blocks;
}

function decompress(bytes: Uint8Array, { maxBytes }: DecompressOptions): Uint8Array {
  const view = viewOf(bytes);
  const blocks = blocksOf(bytes, view);
  let byteLength = 0;
  for (const { length } of blocks) byteLength += length;
  if (byteLength > maxBytes) throw beyondLimit(NAME, bytes.length, maxBytes);
  const target = new Uint8Array(byteLength + SLACK_BYTES);
  const targetView = viewOf(target);
  let out = 0;
  for (const { length, at, end } of blocks) {
    inflateRaw(bytes, view, at, end, target, targetView, out, out + length);
    out += length;
  }
  return target.subarray(0, byteLength);
}
