/** Raw snappy: the length, then literals and copies.
 * Not here: xerial's framing, which Kafka's clients write (snappy.ts).
 * Invariant: `inflateRaw` writes exactly the length in front, which the caller has checked before it made room.
 * Source: snappy's format_description.txt.
 */
import { copy, HASH_BITS, malformed, MIN_MATCH, repeat, sameBytes, type MatchTable } from './words.ts';

const NAME = 'snappy';
const MULTIPLIER = 0x1e35a7bd;
/** No copy begins in the last bytes: looking for it is not worth the care at the end. */
const MATCH_MARGIN = 15;
/** Attempts without a match after which the search begins to skip, as a power of 2. */
const SKIP_BITS = 5;
/** Three bytes of a copy become at most 64. */
const MAX_EXPANSION = 22;

/** Most bytes that `length` bytes become. */
export function maxCompressedBytes(length: number): number {
  return 32 + length + Math.ceil(length / 6);
}

/** Compresses up to 64 KiB from `start` to `end` to `target` at `to`, which has room for the worst case and the slack.
 * Gives the position after the last byte written.
 */
export function compressRaw(
  source: Uint8Array,
  sourceView: DataView,
  start: number,
  end: number,
  target: Uint8Array,
  targetView: DataView,
  to: number,
  table: MatchTable,
): number {
  table.fill(0);
  const lastStart = end - MATCH_MARGIN;
  let out = writeLength(target, to, end - start);
  let anchor = start;
  let at = start + 1;
  let attempts = 1 << SKIP_BITS;
  while (at <= lastStart) {
    const word = sourceView.getInt32(at, true);
    const slot = Math.imul(word, MULTIPLIER) >>> (32 - HASH_BITS);
    const from = start + (table[slot] as number);
    table[slot] = at - start;
    if (sourceView.getInt32(from, true) !== word) {
      at += attempts++ >>> SKIP_BITS;
      continue;
    }
    if (at > anchor) {
      out = writeLiteralTag(target, out, at - anchor);
      copy(source, sourceView, anchor, target, targetView, out, at - anchor);
      out += at - anchor;
    }
    const length = MIN_MATCH + sameBytes(sourceView, from + MIN_MATCH, at + MIN_MATCH, end);
    out = writeCopy(target, out, at - from, length);
    at += length;
    anchor = at;
    attempts = 1 << SKIP_BITS;
    if (at > lastStart) break;
    const before = Math.imul(sourceView.getInt32(at - 1, true), MULTIPLIER) >>> (32 - HASH_BITS);
    table[before] = at - 1 - start;
  }
  if (anchor === end) return out;
  out = writeLiteralTag(target, out, end - anchor);
  target.set(source.subarray(anchor, end), out);
  return out + end - anchor;
}

function writeLength(target: Uint8Array, position: number, length: number): number {
  let out = position;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) target[out++] = (rest & 0x7f) | 0x80;
  target[out++] = rest;
  return out;
}

function writeLiteralTag(target: Uint8Array, position: number, length: number): number {
  let out = position;
  const rest = length - 1;
  if (rest < 60) {
    target[out++] = rest << 2;
  } else if (rest < 256) {
    target[out++] = 60 << 2;
    target[out++] = rest;
  } else {
    target[out++] = 61 << 2;
    target[out++] = rest;
    target[out++] = rest >>> 8;
  }
  return out;
}

/** Copies of at most 64 bytes each, none of them shorter than 4. */
function writeCopy(target: Uint8Array, position: number, distance: number, length: number): number {
  let out = position;
  let rest = length;
  while (rest > 64) {
    const part = rest < 68 ? 60 : 64;
    target[out++] = ((part - 1) << 2) | 2;
    target[out++] = distance;
    target[out++] = distance >>> 8;
    rest -= part;
  }
  if (rest < 12 && distance < 2048) {
    target[out++] = ((distance >>> 8) << 5) | ((rest - 4) << 2) | 1;
    target[out++] = distance;
  } else {
    target[out++] = ((rest - 1) << 2) | 2;
    target[out++] = distance;
    target[out++] = distance >>> 8;
  }
  return out;
}

/** The length that the block from `start` to `end` says it inflates to, and where its elements begin.
 * Throws ProtocolError `MALFORMED` for a length that the block cannot become.
 */
export function readLength(bytes: Uint8Array, start: number, end: number): { length: number; at: number } {
  let length = 0;
  let at = start;
  for (let scale = 1; ; scale *= 128) {
    if (at >= end) throw malformed(NAME, 'the block ends within its length', at);
    const byte = bytes[at++] as number;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    if (at - start === 5) throw malformed(NAME, 'the length has more than five bytes', start);
  }
  if (length > (end - at) * MAX_EXPANSION) {
    throw malformed(NAME, `${end - at} bytes cannot become ${length}`, start);
  }
  return { length, at };
}

/** Inflates the elements from `start` to `end` to `target` at `to`, exactly up to `limit`, after which the slack follows.
 * Throws ProtocolError `MALFORMED`.
 */
export function inflateRaw(
  source: Uint8Array,
  sourceView: DataView,
  start: number,
  end: number,
  target: Uint8Array,
  targetView: DataView,
  to: number,
  limit: number,
): void {
  let at = start;
  let out = to;
  while (at < end) {
    const tag = source[at++] as number;
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const width = length - 60;
        if (width > end - at) throw malformed(NAME, 'the block ends within a literal', at);
        length = 0;
        for (let i = 0; i < width; i++) length |= (source[at + i] as number) << (8 * i);
        // From 2 GiB on it is negative, and refused as well: numbers stay 32-bit integers.
        length = (length + 1) | 0;
        at += width;
      }
      if (length <= 0 || length > end - at) {
        throw malformed(NAME, `a literal of ${length >>> 0} bytes in ${end - at}`, at);
      }
      if (length > limit - out) throw malformed(NAME, 'the block inflates beyond its length', at);
      copy(source, sourceView, at, target, targetView, out, length);
      at += length;
      out += length;
      continue;
    }
    let distance = 0;
    if (kind < 3 && at + 2 <= source.length) {
      // Which of the two kinds comes cannot be foretold: arithmetic instead of a branch.
      const two = 1 - kind;
      length = ((4 + ((tag >>> 2) & 7)) & ~two) | (length & two);
      distance = (sourceView.getUint16(at, true) & (0xff | two)) | (((tag >>> 5) << 8) & ~two);
      at += kind;
    } else if (kind === 1 && at < source.length) {
      length = 4 + ((tag >>> 2) & 7);
      distance = ((tag >>> 5) << 8) | (source[at++] as number);
    } else if (kind === 3 && at + 4 <= source.length) {
      distance = sourceView.getInt32(at, true);
      at += 4;
    } else at = end + 1;
    if (at > end) throw malformed(NAME, 'the block ends within a copy', at);
    if (distance <= 0 || distance > out - to) {
      throw malformed(NAME, `a copy from ${distance >>> 0} bytes back after ${out - to} bytes`, at);
    }
    if (length > limit - out) throw malformed(NAME, 'the block inflates beyond its length', at);
    repeat(target, targetView, out, distance, length);
    out += length;
  }
  if (out !== limit) throw malformed(NAME, `the block inflates to ${out - to} of ${limit - to} bytes`, end);
}
