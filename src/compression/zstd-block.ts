/** A compressed block of zstd: literals, then sequences that copy them and what came before.
 * Not here: frames (zstd-frame.ts).
 * Invariants: the block lies in a buffer with `MARGIN_BYTES` on both sides, so bits may be read beyond its ends and are
 * refused afterwards; nothing is written beyond the limit.
 * Source: RFC 8878, sections 3.1.1.3 and 3.1.1.5.
 */
import { copy, malformed, repeat, SLACK_BYTES, viewOf } from './words.ts';
import {
  bitsAt,
  fseTable,
  readFseTable,
  readHuffmanTable,
  singleTable,
  streamEnd,
  type FseTable,
  type HuffmanTable,
} from './zstd-tables.ts';

const NAME = 'zstd';

/** Room before and after a block: more bits than one sequence takes. */
export const MARGIN_BYTES = 32;
/** Most bytes that a block holds or becomes. */
export const MAX_BLOCK_BYTES = 131_072;
/** What `inflateBlock` gives instead of writing beyond its limit. */
export const BEYOND_LIMIT = -1;

/** What a block takes over from those before it in its frame. */
export interface FrameState {
  huffman: HuffmanTable | undefined;
  /** Of the lengths of literals, the offsets and the lengths of matches, in this order. */
  readonly tables: (FseTable | undefined)[];
  /** The last three offsets. */
  readonly offsets: Int32Array;
  /** The literals of a block, and the slack. */
  readonly literals: Uint8Array;
}

/** Bits of an offset, of 31 in the format: no larger window than 2^27 is read, and numbers stay 32-bit integers, which V8
 * needs to be fast.
 */
const MAX_OFFSET_CODE = 28;

/** A kind of code: the limits of its tables, and the one that needs no writing. */
interface CodeKind {
  readonly maxLog: number;
  readonly maxSymbol: number;
  readonly defaultLog: number;
  readonly defaultCounts: readonly number[];
}

// prettier-ignore
const KINDS: readonly CodeKind[] = [
  { maxLog: 9, maxSymbol: 35, defaultLog: 6, defaultCounts: [
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
  ] },
  { maxLog: 8, maxSymbol: MAX_OFFSET_CODE, defaultLog: 5, defaultCounts: [
    1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
  ] },
  { maxLog: 9, maxSymbol: 52, defaultLog: 6, defaultCounts: [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
  ] },
];

/** Bits that follow the codes of literal lengths from 16 on, and of match lengths from 32 on; below there are none.
 * Each code begins where the one before it ends.
 */
const LITERAL_BITS: readonly number[] = [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_BITS: readonly number[] = [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MIN_MATCH = 3;

/** By code: the least length in the lower 24 bits, the number of bits that follow above. */
function lengthCodes(plain: number, bits: readonly number[], least: number): Int32Array {
  const codes = new Int32Array(plain + bits.length);
  let base = least;
  for (let code = 0; code < codes.length; code++) {
    const more = code < plain ? 0 : (bits[code - plain] as number);
    codes[code] = (more << 24) | base;
    base += 1 << more;
  }
  return codes;
}

/** Made by the first block that needs it. */
let lengths: { readonly literal: Int32Array; readonly match: Int32Array } | undefined;

/** The state at the beginning of a frame. */
export function frameState(): FrameState {
  return {
    huffman: undefined,
    tables: [],
    offsets: Int32Array.of(1, 4, 8),
    literals: new Uint8Array(MAX_BLOCK_BYTES + SLACK_BYTES),
  };
}

/** Inflates the block from `start` to `end` of `block` to `target` from `to` up to `limit`, after which the slack
 * follows; the frame's output begins at `frameStart`. Gives the position after the last byte, or `BEYOND_LIMIT`.
 * Throws ProtocolError `MALFORMED`.
 */
export function inflateBlock(
  block: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  to: number,
  limit: number,
  frameStart: number,
  state: FrameState,
): number {
  const view = viewOf(block);
  const { length, at } = readLiterals(block, view, start, end, state);
  const head = readSequencesHead(view, at, end, state);
  if (head.count === 0) {
    if (head.at !== end) throw malformed(NAME, 'bytes after the last sequence', head.at - MARGIN_BYTES);
    if (length > limit - to) return BEYOND_LIMIT;
    target.set(state.literals.subarray(0, length), to);
    return to + length;
  }
  return runSequences(view, head.at, end, head.count, length, target, to, limit, frameStart, state);
}

interface Literals {
  readonly length: number;
  readonly at: number;
}

function readLiterals(
  block: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  state: FrameState,
): Literals {
  const head = view.getUint32(start, true);
  const type = head & 3;
  const format = (head >>> 2) & 3;
  const { literals } = state;
  if (type < 2) {
    const headBytes = format === 3 ? 3 : format === 1 ? 2 : 1;
    const length =
      format === 3 ? (head >>> 4) & 0xf_ffff : format === 1 ? (head >>> 4) & 0xfff : (head & 0xff) >>> 3;
    const at = start + headBytes;
    const width = type === 0 ? length : 1;
    if (length > MAX_BLOCK_BYTES || at + width > end)
      throw malformed(NAME, 'too many literals', start - MARGIN_BYTES);
    if (type === 0) literals.set(block.subarray(at, at + length));
    else literals.fill(block[at] as number, 0, length);
    return { length, at: at + width };
  }
  const headBytes = format < 2 ? 3 : format + 2;
  const bits = format < 2 ? 10 : 4 * format + 6;
  const length = (head >>> 4) & ((1 << bits) - 1);
  const size = bitsAt(view, 8 * start + 4 + bits, bits);
  let at = start + headBytes;
  const streamsEnd = at + size;
  if (length > MAX_BLOCK_BYTES || streamsEnd > end)
    throw malformed(NAME, 'too many literals', start - MARGIN_BYTES);
  if (type === 2) {
    const table = readHuffmanTable(view, at, streamsEnd);
    state.huffman = table.value;
    ({ at } = table);
  }
  if (state.huffman === undefined) throw malformed(NAME, 'no Huffman table to repeat', start - MARGIN_BYTES);
  if (format === 0) readStream(view, at, streamsEnd, state.huffman, literals, 0, length);
  else readStreams(view, at, streamsEnd, state.huffman, literals, length);
  return { length, at: streamsEnd };
}

/** Four streams of a quarter each, behind the sizes of three. */
function readStreams(
  view: DataView,
  start: number,
  end: number,
  table: HuffmanTable,
  literals: Uint8Array,
  length: number,
): void {
  const quarter = (length + 3) >>> 2;
  if (start + 6 > end || 3 * quarter > length)
    throw malformed(NAME, 'too few literals', start - MARGIN_BYTES);
  let at = start + 6;
  for (let stream = 0; stream < 4; stream++) {
    const streamEnd = stream === 3 ? end : at + view.getUint16(start + 2 * stream, true);
    if (streamEnd > end) throw malformed(NAME, 'a stream ends after its block', at - MARGIN_BYTES);
    const to = stream * quarter;
    readStream(view, at, streamEnd, table, literals, to, stream === 3 ? length : to + quarter);
    at = streamEnd;
  }
}

/** Reads the stream from its end: 24 bits at a time, which are two symbols at least. */
function readStream(
  view: DataView,
  start: number,
  end: number,
  table: HuffmanTable,
  target: Uint8Array,
  to: number,
  targetEnd: number,
): void {
  const { log, entries } = table;
  const mask = (1 << log) - 1;
  const stop = 8 * start;
  let bit = streamEnd(view, start, end);
  let out = to;
  for (; out + 1 < targetEnd && bit >= stop; out += 2) {
    const from = bit - 24;
    const word = view.getUint32(from >>> 3, true) >>> (from & 7);
    const first = entries[(word >>> (24 - log)) & mask] as number;
    const used = first >>> 8;
    const second = entries[(word >>> (24 - log - used)) & mask] as number;
    target[out] = first;
    target[out + 1] = second;
    bit -= used + (second >>> 8);
  }
  if (out < targetEnd && bit >= stop) {
    const entry = entries[bitsAt(view, bit - log, log)] as number;
    target[out] = entry;
    bit -= entry >>> 8;
  }
  if (bit !== stop)
    throw malformed(NAME, 'a stream of literals is too long or too short', start - MARGIN_BYTES);
}

interface SequencesHead {
  readonly count: number;
  readonly at: number;
}

/** Reads how many sequences there are, and sets their tables. */
function readSequencesHead(view: DataView, start: number, end: number, state: FrameState): SequencesHead {
  let at = start;
  let count = at < end ? view.getUint8(at++) : -1;
  if (count === 255) {
    count = view.getUint16(at, true) + 0x7f00;
    at += 2;
  } else if (count > 127) count = ((count - 128) << 8) + view.getUint8(at++);
  if (count === 0) return { count, at };
  if (count < 0 || at >= end)
    throw malformed(NAME, 'the block ends before its sequences', start - MARGIN_BYTES);
  const modes = view.getUint8(at++);
  if ((modes & 3) !== 0)
    throw malformed(NAME, 'reserved bits of the sequences are set', at - 1 - MARGIN_BYTES);
  for (const [index, kind] of KINDS.entries()) {
    const mode = (modes >>> (6 - 2 * index)) & 3;
    if (mode === 0) state.tables[index] = fseTable(kind.defaultCounts, kind.defaultLog);
    else if (mode === 1) {
      const symbol = view.getUint8(at++);
      if (symbol > kind.maxSymbol)
        throw malformed(NAME, `a code ${symbol}, at most ${kind.maxSymbol},`, at - MARGIN_BYTES);
      state.tables[index] = singleTable(symbol);
    } else if (mode === 2) {
      const table = readFseTable(view, at, end, kind.maxLog, kind.maxSymbol);
      state.tables[index] = table.value;
      ({ at } = table);
    }
    if (at > end) throw malformed(NAME, 'the block ends before its sequences', start - MARGIN_BYTES);
  }
  return { count, at };
}

function runSequences(
  view: DataView,
  start: number,
  end: number,
  count: number,
  literalsEnd: number,
  target: Uint8Array,
  to: number,
  limit: number,
  frameStart: number,
  state: FrameState,
): number {
  const { literals, offsets, tables } = state;
  const [literalTable, offsetTable, matchTable] = tables;
  if (!literalTable || !offsetTable || !matchTable)
    throw malformed(NAME, 'no table to repeat', start - MARGIN_BYTES);
  lengths ??= { literal: lengthCodes(16, LITERAL_BITS, 0), match: lengthCodes(32, MATCH_BITS, MIN_MATCH) };
  const { literal: literalCodes, match: matchCodes } = lengths;
  const literalsView = viewOf(literals);
  const targetView = viewOf(target);
  const stop = 8 * start;
  let bit = streamEnd(view, start, end) - literalTable.log;
  let literalState = bitsAt(view, bit, literalTable.log);
  bit -= offsetTable.log;
  let offsetState = bitsAt(view, bit, offsetTable.log);
  bit -= matchTable.log;
  let matchState = bitsAt(view, bit, matchTable.log);
  let out = to;
  let literal = 0;
  for (let left = count; left > 0; left--) {
    const literalEntry = literalTable.entries[literalState] as number;
    const offsetEntry = offsetTable.entries[offsetState] as number;
    const matchEntry = matchTable.entries[matchState] as number;
    const offsetBits = offsetEntry >>> 24;
    bit -= offsetBits;
    const offsetValue = (1 << offsetBits) | longBitsAt(view, bit, offsetBits);
    const matchCode = matchCodes[matchEntry >>> 24] as number;
    bit -= matchCode >>> 24;
    const length = (matchCode & 0xff_ffff) + bitsAt(view, bit, matchCode >>> 24);
    const literalCode = literalCodes[literalEntry >>> 24] as number;
    bit -= literalCode >>> 24;
    const run = (literalCode & 0xff_ffff) + bitsAt(view, bit, literalCode >>> 24);
    if (left > 1) {
      const literalBits = (literalEntry >>> 16) & 0xff;
      bit -= literalBits;
      literalState = (literalEntry & 0xffff) + bitsAt(view, bit, literalBits);
      const matchBits = (matchEntry >>> 16) & 0xff;
      bit -= matchBits;
      matchState = (matchEntry & 0xffff) + bitsAt(view, bit, matchBits);
      const stateBits = (offsetEntry >>> 16) & 0xff;
      bit -= stateBits;
      offsetState = (offsetEntry & 0xffff) + bitsAt(view, bit, stateBits);
    }
    if (bit < stop) throw malformed(NAME, 'the sequences end too early', start - MARGIN_BYTES);
    const offset = offsetOf(offsets, offsetValue, run);
    if (run > literalsEnd - literal) throw malformed(NAME, 'too few literals', start - MARGIN_BYTES);
    if (run + length > limit - out) return BEYOND_LIMIT;
    copy(literals, literalsView, literal, target, targetView, out, run);
    literal += run;
    out += run;
    if (offset < 1 || offset > out - frameStart)
      throw malformed(NAME, `a match from ${offset} bytes back`, start - MARGIN_BYTES);
    repeat(target, targetView, out, offset, length);
    out += length;
  }
  if (bit !== stop) throw malformed(NAME, 'bits after the last sequence', start - MARGIN_BYTES);
  if (literalsEnd - literal > limit - out) return BEYOND_LIMIT;
  target.set(literals.subarray(literal, literalsEnd), out);
  return out + literalsEnd - literal;
}

/** Up to 30 bits. */
function longBitsAt(view: DataView, bit: number, count: number): number {
  if (count <= 24) return bitsAt(view, bit, count);
  return (bitsAt(view, bit + 16, count - 16) << 16) | bitsAt(view, bit, 16);
}

/** Values up to 3 stand for one of the last three offsets, counted on by one where no literals come before the match:
 * the fourth is then the first less one. It becomes the first.
 */
function offsetOf(offsets: Int32Array, value: number, literals: number): number {
  const index = value > 3 || literals === 0 ? value : value - 1;
  const first = offsets[0] as number;
  const offset = index > 3 ? index - 3 : index === 3 ? first - 1 : (offsets[index] as number);
  if (index > 1) offsets[2] = offsets[1] as number;
  if (index > 0) offsets[1] = first;
  offsets[0] = offset;
  return offset;
}
