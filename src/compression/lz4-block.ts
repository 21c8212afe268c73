/** Blocks of lz4: sequences of literals and a match, without a frame.
 * Not here: frames and checksums (lz4.ts).
 * Invariants: a match never reaches before its block; the last five bytes are literals, no match begins in the last twelve.
 * Source: LZ4 block format description.
 */
import { copy, HASH_BITS, malformed, MIN_MATCH, repeat, sameBytes, type MatchTable } from './words.ts';

/** What `inflateBlock` gives instead of writing beyond its limit. */
export const BEYOND_LIMIT = -1;

const NAME = 'lz4';
const MULTIPLIER = 0x9e3779b1;
/** No match begins in the last twelve bytes, and none reaches into the last five. */
const MATCH_MARGIN = 12;
const LAST_LITERALS = 5;
/** Attempts without a match after which the search begins to skip, as a power of 2. */
const SKIP_BITS = 6;

/** Most bytes that `length` bytes become. */
export function maxCompressedBytes(length: number): number {
  return length + Math.ceil(length / 255) + 16;
}

/** Compresses up to 64 KiB from `start` to `end` to `target` at `to`, which has room for the worst case and the slack.
 * Gives the position after the last byte written.
 */
export function compressBlock(
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
  const matchEnd = end - LAST_LITERALS;
  let anchor = start;
  let at = start + 1;
  let out = to;
  let attempts = 1 << SKIP_BITS;
  while (at <= lastStart) {
    const word = sourceView.getInt32(at, true);
    const slot = Math.imul(word, MULTIPLIER) >>> (32 - HASH_BITS);
    let from = start + (table[slot] as number);
    table[slot] = at - start;
    if (sourceView.getInt32(from, true) !== word) {
      at += attempts++ >>> SKIP_BITS;
      continue;
    }
    while (at > anchor && from > start && source[at - 1] === source[from - 1]) {
      at--;
      from--;
    }
    const literals = at - anchor;
    const length = MIN_MATCH + sameBytes(sourceView, from + MIN_MATCH, at + MIN_MATCH, matchEnd);
    const token = out++;
    if (literals >= 15) out = writeLength(target, out, literals - 15);
    copy(source, sourceView, anchor, target, targetView, out, literals);
    out += literals;
    targetView.setUint16(out, at - from, true);
    out += 2;
    const rest = length - MIN_MATCH;
    if (rest >= 15) out = writeLength(target, out, rest - 15);
    target[token] = (Math.min(literals, 15) << 4) | Math.min(rest, 15);
    at += length;
    anchor = at;
    attempts = 1 << SKIP_BITS;
    if (at > lastStart) break;
    const before = Math.imul(sourceView.getInt32(at - 2, true), MULTIPLIER) >>> (32 - HASH_BITS);
    table[before] = at - 2 - start;
  }
  const literals = end - anchor;
  target[out++] = Math.min(literals, 15) << 4;
  if (literals >= 15) out = writeLength(target, out, literals - 15);
  target.set(source.subarray(anchor, end), out);
  return out + literals;
}

function writeLength(target: Uint8Array, position: number, length: number): number {
  let out = position;
  let rest = length;
  for (; rest >= 255; rest -= 255) target[out++] = 255;
  target[out++] = rest;
  return out;
}

/** Inflates the block from `start` to `end` to `target` at `to`, up to `limit`, after which the slack follows.
 * Gives the position after the last byte written, or `BEYOND_LIMIT`. Throws ProtocolError `MALFORMED`.
 */
export function inflateBlock(
  source: Uint8Array,
  sourceView: DataView,
  start: number,
  end: number,
  target: Uint8Array,
  targetView: DataView,
  to: number,
  limit: number,
): number {
  let at = start;
  let out = to;
  for (;;) {
    if (at >= end) throw malformed(NAME, 'the block ends within a sequence', at);
    const token = source[at++] as number;
    let length = token >>> 4;
    if (length === 15) {
      let more = 255;
      while (more === 255 && at < end) length += more = source[at++] as number;
    }
    if (length > end - at) throw malformed(NAME, `${length} literals in ${end - at} bytes`, at);
    if (length > limit - out) return BEYOND_LIMIT;
    copy(source, sourceView, at, target, targetView, out, length);
    at += length;
    out += length;
    if (at === end) return out;
    if (at + 2 > end) throw malformed(NAME, 'the block ends within a sequence', at);
    const distance = (source[at] as number) | ((source[at + 1] as number) << 8);
    at += 2;
    if (distance === 0 || distance > out - to) {
      throw malformed(NAME, `a match ${distance} bytes back after ${out - to} bytes`, at - 2);
    }
    length = token & 15;
    if (length === 15) {
      let more = 255;
      while (more === 255 && at < end) length += more = source[at++] as number;
    }
    length += MIN_MATCH;
    if (length > limit - out) return BEYOND_LIMIT;
    repeat(target, targetView, out, distance, length);
    out += length;
  }
}
