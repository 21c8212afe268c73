/** lz4 as a codec: the frame around the blocks, as Java writes and reads it.
 * Not here: the blocks (lz4-block.ts). Dependent blocks and dictionaries are refused, as in Java.
 * Invariant: every checksum that a frame carries is verified; what follows the end mark is not read, as in Java.
 * Source: LZ4 frame format description 1.6; Kafka's Lz4BlockInputStream and Lz4BlockOutputStream.
 */
import { ProtocolError } from '../errors.ts';
import type { DecompressOptions, SyncCodec } from './codec.ts';
import { BEYOND_LIMIT, compressBlock, inflateBlock, maxCompressedBytes } from './lz4-block.ts';
import { beyondLimit, malformed, matchTable, type MatchTable, SLACK_BYTES, viewOf } from './words.ts';
import { xxhash32 } from './xxhash32.ts';

const NAME = 'lz4';
const FRAME_MAGIC = 0x184d2204;
/** Bits of the frame's flags, of which the highest two are the version. */
const flag = {
  independent: 0x20,
  blockChecksums: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  reserved: 0x03,
};
const VERSION = 0x40;
/** A block's size has this bit when the block is not compressed. */
const PLAIN_BIT = 0x8000_0000;
/** Of 64 KiB, which all that Kafka's clients write are. */
const BLOCK_BYTES = 65_536;
const BLOCK_SIZE_CODE = 4;
const FIRST_BUFFER_BYTES = 262_144;
/** No byte of a block becomes more than this. */
const MAX_EXPANSION = 255;

/** Room for what comes of a batch of usual size, and the table: new ones for each would keep the collector busy. */
const MAX_SCRATCH_BYTES = 1_048_576;
let scratch: Uint8Array = /* @__PURE__ */ new Uint8Array(0);
let matches: MatchTable | undefined;

/** Magic, flags, block size, checksum of both: the same for every frame. */
const HEADER = /* @__PURE__ */ Uint8Array.of(
  0x04,
  0x22,
  0x4d,
  0x18,
  VERSION | flag.independent,
  BLOCK_SIZE_CODE << 4,
  0x82,
);

/** Kafka's codec 3. Writes independent blocks of 64 KiB without checksums, as Java does; it has one level.
 * Pure TypeScript, synchronous.
 */
export const lz4: SyncCodec = {
  id: 3,
  name: NAME,
  compress,
  decompress,
};

function scratchOf(bytes: number): Uint8Array {
  if (bytes > MAX_SCRATCH_BYTES) return new Uint8Array(bytes);
  if (scratch.length < bytes) scratch = new Uint8Array(bytes);
  return scratch;
}

function compress(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / BLOCK_BYTES);
  const room = HEADER.length + blocks * 4 + maxCompressedBytes(bytes.length) + 4 + SLACK_BYTES;
  const target = scratchOf(room);
  const targetView = viewOf(target);
  const sourceView = viewOf(bytes);
  const table = (matches ??= matchTable());
  target.set(HEADER);
  let out = HEADER.length;
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, bytes.length);
    const body = out + 4;
    let blockEnd = compressBlock(bytes, sourceView, start, end, target, targetView, body, table);
    let size = blockEnd - body;
    if (size >= end - start) {
      target.set(bytes.subarray(start, end), body);
      blockEnd = body + end - start;
      size = (end - start) | PLAIN_BIT;
    }
    targetView.setInt32(out, size, true);
    out = blockEnd;
  }
  // A size of 0 marks the end, though the last block may have written there in vain.
  targetView.setInt32(out, 0);
  return target.slice(0, out + 4);
}

/** What a frame's header says. */
interface Frame {
  readonly flags: number;
  readonly maxBlockBytes: number;
  /** Undefined where the header does not tell. */
  readonly contentBytes: number | undefined;
  readonly blocksStart: number;
}

function readHeader(bytes: Uint8Array, view: DataView, isChecked: boolean): Frame {
  if (bytes.length < HEADER.length) throw malformed(NAME, 'the frame ends within its header', bytes.length);
  if (view.getUint32(0, true) !== FRAME_MAGIC) throw malformed(NAME, 'no frame begins', 0);
  const flags = view.getUint8(4);
  const sizeCode = view.getUint8(5) >>> 4;
  if (flags >>> 6 !== VERSION >>> 6) throw malformed(NAME, `frame version ${flags >>> 6} instead of 1`, 4);
  if ((flags & flag.reserved) !== 0) throw malformed(NAME, 'a reserved bit or a dictionary', 4);
  if ((flags & flag.independent) === 0)
    throw malformed(NAME, 'blocks depend on each other, which Kafka forbids,', 4);
  if (sizeCode < 4 || sizeCode > 7 || (view.getUint8(5) & 0x0f) !== 0)
    throw malformed(NAME, 'unknown block size', 5);
  const hasContentSize = (flags & flag.contentSize) !== 0;
  const checksumAt = hasContentSize ? 14 : 6;
  if (checksumAt >= bytes.length) throw malformed(NAME, 'the frame ends within its header', bytes.length);
  const checksum = (xxhash32(bytes.subarray(4, checksumAt)) >>> 8) & 0xff;
  if (isChecked && checksum !== view.getUint8(checksumAt)) throw corrupt('header', checksumAt);
  const contentBytes = hasContentSize ? Number(view.getBigUint64(6, true)) : undefined;
  return { flags, maxBlockBytes: 1 << (8 + 2 * sizeCode), contentBytes, blocksStart: checksumAt + 1 };
}

function corrupt(what: string, byteOffset: number): ProtocolError {
  return new ProtocolError(`lz4: the checksum of the ${what} at byte ${byteOffset} does not hold`, {
    code: 'CORRUPT',
    byteOffset,
  });
}

function checkWord(view: DataView, at: number, content: Uint8Array, what: string): void {
  if (at + 4 > view.byteLength)
    throw malformed(NAME, `the frame ends before the checksum of the ${what}`, at);
  if (view.getUint32(at, true) !== xxhash32(content)) throw corrupt(what, at);
}

/** A larger buffer with room for `needed` bytes, most of them of use later, and the slack. */
function grown(target: Uint8Array, used: number, needed: number, maxBytes: number): Uint8Array {
  const room = Math.max(needed, Math.min(4 * target.length, maxBytes));
  const larger = new Uint8Array(room + SLACK_BYTES);
  larger.set(target.subarray(0, used));
  return larger;
}

function decompress(bytes: Uint8Array, { maxBytes, magic = 2 }: DecompressOptions): Uint8Array {
  const view = viewOf(bytes);
  const { flags, maxBlockBytes, contentBytes, blocksStart } = readHeader(bytes, view, magic > 0);
  let target: Uint8Array = new Uint8Array(
    Math.min(FIRST_BUFFER_BYTES, maxBytes, bytes.length * MAX_EXPANSION) + SLACK_BYTES,
  );
  let targetView = viewOf(target);
  let at = blocksStart;
  let out = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw malformed(NAME, 'the frame ends without its mark', bytes.length);
    const word = view.getUint32(at, true);
    const isPlain = word >= PLAIN_BIT;
    const size = word & 0x7fff_ffff;
    at += 4;
    if (size === 0) break;
    if (size > maxBlockBytes)
      throw malformed(NAME, `a block of ${size} bytes, at most ${maxBlockBytes},`, at - 4);
    if (size > bytes.length - at)
      throw malformed(NAME, `a block of ${size} bytes in ${bytes.length - at}`, at - 4);
    const limit = Math.min(out + maxBlockBytes, maxBytes);
    const needed = Math.min(limit, out + (isPlain ? size : size * MAX_EXPANSION));
    if (needed + SLACK_BYTES > target.length) {
      target = grown(target, out, needed, maxBytes);
      targetView = viewOf(target);
    }
    const blockEnd = at + size;
    if ((flags & flag.blockChecksums) !== 0) checkWord(view, blockEnd, bytes.subarray(at, blockEnd), 'block');
    const next = isPlain
      ? plainBlock(bytes.subarray(at, blockEnd), target, out, limit)
      : inflateBlock(bytes, view, at, blockEnd, target, targetView, out, limit);
    if (next === BEYOND_LIMIT) {
      if (limit === maxBytes) throw beyondLimit(NAME, bytes.length, maxBytes);
      throw malformed(NAME, `the block inflates beyond ${maxBlockBytes} bytes`, at);
    }
    out = next;
    at = (flags & flag.blockChecksums) !== 0 ? blockEnd + 4 : blockEnd;
  }
  const content = target.length > 2 * out ? target.slice(0, out) : target.subarray(0, out);
  if (contentBytes !== undefined && contentBytes !== out) {
    throw malformed(NAME, `the frame holds ${out} bytes instead of ${contentBytes}`, at);
  }
  if ((flags & flag.contentChecksum) !== 0) checkWord(view, at, content, 'content');
  return content;
}

function plainBlock(block: Uint8Array, target: Uint8Array, to: number, limit: number): number {
  if (block.length > limit - to) return BEYOND_LIMIT;
  target.set(block, to);
  return to + block.length;
}
