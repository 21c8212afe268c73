/** Frames of zstd inflated in TypeScript, where the runtime has no zstd. Not here: writing (the runtime's alone).
 * Invariants: nothing grows beyond the cap, whatever the window; a content checksum is verified where there is one.
 * The output is one buffer, so the window takes no memory of its own. Dictionaries are refused.
 * Source: RFC 8878.
 */
import { ProtocolError } from '../errors.ts';
import { beyondLimit, malformed, SLACK_BYTES, viewOf } from './words.ts';
import { xxhash64 } from './xxhash64.ts';
import {
  BEYOND_LIMIT,
  frameState,
  inflateBlock,
  MARGIN_BYTES,
  MAX_BLOCK_BYTES,
  type FrameState,
} from './zstd-block.ts';

const NAME = 'zstd';
const FRAME_MAGIC = 0xfd2fb528;
/** The lowest four bits of a skippable frame's magic are free. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/** What libzstd takes by default: level 22 of Java's. */
const MAX_WINDOW_BYTES = 2 ** 27;
const FIRST_BUFFER_BYTES = 65_536;

/** Output that grows up to a cap. */
interface Output {
  bytes: Uint8Array;
  length: number;
  readonly maxBytes: number;
}

/** Inflates the frames in `bytes`, skippable ones left out. Throws ProtocolError: `CORRUPT` for a checksum that does not
 * hold, else `MALFORMED`, also beyond `maxBytes`.
 */
export function inflateFrames(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const view = viewOf(bytes);
  const output: Output = { bytes: new Uint8Array(0), length: 0, maxBytes };
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw malformed(NAME, 'no whole frame', at);
    const magic = view.getUint32(at, true);
    if ((magic & 0xffff_fff0) === SKIPPABLE_MAGIC) {
      at += 8 + view.getUint32(at + 4, true);
      if (at > bytes.length) throw malformed(NAME, 'a frame to skip ends after the bytes', bytes.length);
    } else if (magic === FRAME_MAGIC) at = inflateFrame(bytes, view, at + 4, output);
    else throw malformed(NAME, 'no frame begins', at);
  }
  return output.bytes.length > 2 * output.length
    ? output.bytes.slice(0, output.length)
    : output.bytes.subarray(0, output.length);
}

interface FrameHeader {
  readonly hasChecksum: boolean;
  readonly contentBytes: number | undefined;
  readonly windowBytes: number;
  readonly at: number;
}

function readHeader(view: DataView, start: number): FrameHeader {
  const descriptor = view.getUint8(start);
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
  let at = start + 1 + (isSingle ? 0 : 1);
  if (at + dictionaryBytes + sizeBytes > view.byteLength)
    throw malformed(NAME, 'the bytes end within a header', start);
  if ((descriptor & 0x08) !== 0) throw malformed(NAME, 'a reserved bit is set', start);
  for (const end = at + dictionaryBytes; at < end; at++) {
    if (view.getUint8(at) !== 0) throw malformed(NAME, 'the frame needs a dictionary', start);
  }
  let contentBytes: number | undefined;
  if (sizeBytes === 1) contentBytes = view.getUint8(at);
  else if (sizeBytes === 2) contentBytes = view.getUint16(at, true) + 256;
  else if (sizeBytes === 4) contentBytes = view.getUint32(at, true);
  else if (sizeBytes === 8) contentBytes = Number(view.getBigUint64(at, true));
  const window = view.getUint8(start + 1);
  const windowBytes = isSingle ? (contentBytes ?? 0) : 2 ** (10 + (window >>> 3)) * (1 + (window & 7) / 8);
  return { hasChecksum: (descriptor & 0x04) !== 0, contentBytes, windowBytes, at: at + sizeBytes };
}

/** Whether `bytes` are one frame and nothing else, which tells of no more than `maxBytes`: what a runtime may be trusted
 * with. Node 24 stops after the first frame, and takes an empty block for the end.
 */
export function isOneFrame(bytes: Uint8Array, maxBytes: number): boolean {
  const view = viewOf(bytes);
  if (bytes.length < 9 || view.getUint32(0, true) !== FRAME_MAGIC) return false;
  const header = readHeader(view, 4);
  if ((header.contentBytes ?? 0) > maxBytes) return false;
  for (let { at } = header; at + 3 <= bytes.length;) {
    const { isLast, type, size } = blockHead(view, at);
    if (type === 3 || (type === 2 && size === 0)) return false;
    at += 3 + (type === 1 ? 1 : size);
    if (isLast) return at + (header.hasChecksum ? 4 : 0) === bytes.length;
  }
  return false;
}

interface BlockHead {
  readonly isLast: boolean;
  /** 0 raw, 1 one byte over and over, 2 compressed, 3 none. */
  readonly type: number;
  readonly size: number;
}

function blockHead(view: DataView, at: number): BlockHead {
  const head = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  return { isLast: (head & 1) !== 0, type: (head >>> 1) & 3, size: head >>> 3 };
}

function inflateFrame(bytes: Uint8Array, view: DataView, start: number, output: Output): number {
  const { hasChecksum, contentBytes, windowBytes, at: blocksStart } = readHeader(view, start);
  if (output.length + (contentBytes ?? 0) > output.maxBytes)
    throw beyondLimit(NAME, bytes.length, output.maxBytes);
  if (windowBytes > MAX_WINDOW_BYTES) {
    throw malformed(NAME, `a window of ${windowBytes} bytes, at most ${MAX_WINDOW_BYTES},`, start);
  }
  const frameStart = output.length;
  const maxBlockBytes = Math.min(windowBytes, MAX_BLOCK_BYTES);
  const scratch = new Uint8Array(Math.min(maxBlockBytes, bytes.length - start) + 2 * MARGIN_BYTES);
  let state: FrameState | undefined;
  let at = blocksStart;
  let isLast = false;
  while (!isLast) {
    if (at + 3 > bytes.length) throw malformed(NAME, 'the bytes end before the last block', bytes.length);
    const head = blockHead(view, at);
    const { type, size } = head;
    ({ isLast } = head);
    at += 3;
    const width = type === 1 ? 1 : size;
    if (type === 3 || size > maxBlockBytes)
      throw malformed(NAME, `a block of type ${type} and ${size} bytes`, at - 3);
    if (width > bytes.length - at)
      throw malformed(NAME, `a block of ${size} bytes in ${bytes.length - at}`, at - 3);
    const limit = grow(output, type === 2 ? maxBlockBytes : size);
    const to = output.length;
    let end = to + size;
    if (type === 2) {
      state ??= frameState();
      scratch.set(bytes.subarray(at, at + size), MARGIN_BYTES);
      end = inflateBlock(
        scratch,
        MARGIN_BYTES,
        MARGIN_BYTES + size,
        output.bytes,
        to,
        limit,
        frameStart,
        state,
      );
      if (end === BEYOND_LIMIT && limit < to + maxBlockBytes)
        throw beyondLimit(NAME, bytes.length, output.maxBytes);
      if (end === BEYOND_LIMIT)
        throw malformed(NAME, `a block inflates beyond ${maxBlockBytes} bytes`, at - 3);
    } else if (end > limit) throw beyondLimit(NAME, bytes.length, output.maxBytes);
    else if (type === 0) output.bytes.set(bytes.subarray(at, at + size), to);
    else output.bytes.fill(bytes[at] as number, to, end);
    output.length = end;
    at += width;
  }
  const content = output.bytes.subarray(frameStart, output.length);
  if (contentBytes !== undefined && contentBytes !== content.length) {
    throw malformed(NAME, `a frame of ${content.length} bytes instead of ${contentBytes}`, start);
  }
  return hasChecksum ? verify(view, at, content) : at;
}

function verify(view: DataView, at: number, content: Uint8Array): number {
  if (at + 4 > view.byteLength) throw malformed(NAME, 'the bytes end before the checksum', at);
  if (view.getUint32(at, true) === Number(BigInt.asUintN(32, xxhash64(content)))) return at + 4;
  throw new ProtocolError(`zstd: the checksum at byte ${at} does not hold`, {
    code: 'CORRUPT',
    byteOffset: at,
  });
}

/** Makes room for `more` bytes, or what the cap leaves of them; gives the position up to which may be written. */
function grow(output: Output, more: number): number {
  const { bytes, length, maxBytes } = output;
  const needed = Math.min(length + more, maxBytes);
  if (needed + SLACK_BYTES > bytes.length) {
    const larger = Math.max(
      needed,
      Math.min(4 * bytes.length, maxBytes),
      Math.min(FIRST_BUFFER_BYTES, maxBytes),
    );
    output.bytes = new Uint8Array(larger + SLACK_BYTES);
    output.bytes.set(bytes.subarray(0, length));
  }
  return needed;
}
