/** The two entropy codes of zstd as tables: FSE, which keeps a state, and Huffman.
 * Not here: what their symbols mean (zstd-block.ts).
 * Invariant: a table is complete or refused, so that any state and any bits lead to an entry.
 * Source: RFC 8878, sections 4.1 and 4.2.
 */
import { malformed } from './words.ts';

const NAME = 'zstd';

/** An FSE table: entry `symbol << 24 | bits << 16 | base`; the next state is `base` plus that many bits. */
export interface FseTable {
  readonly log: number;
  readonly entries: Int32Array;
}

/** A Huffman table over the next `log` bits: entry `bits << 8 | symbol`. */
export interface HuffmanTable {
  readonly log: number;
  readonly entries: Uint16Array;
}

/** What was read, and the byte after it. */
export interface Read<T> {
  readonly value: T;
  readonly at: number;
}

/** Index of the highest bit set in a positive number. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/** Up to 24 bits that begin at `bit` of the view; four bytes from there on must be in it. */
export function bitsAt(view: DataView, bit: number, count: number): number {
  return (view.getUint32(bit >>> 3, true) >>> (bit & 7)) & ((1 << count) - 1);
}

/** Where a stream that is read from its end begins, in bits: below the mark in its last byte. */
export function streamEnd(view: DataView, start: number, end: number): number {
  const last = end > start ? view.getUint8(end - 1) : 0;
  if (last === 0) throw malformed(NAME, 'a stream has no end mark', end);
  return 8 * (end - 1) + highestBit(last);
}

/** The table of one symbol that takes no bits. */
export function singleTable(symbol: number): FseTable {
  return { log: 0, entries: Int32Array.of(symbol << 24) };
}

/** The table of a distribution of `1 << log` states; -1 stands for less than one. */
export function fseTable(counts: readonly number[], log: number): FseTable {
  const size = 1 << log;
  const entries = new Int32Array(size);
  const next = counts.map((count) => Math.abs(count));
  let high = size - 1;
  for (const [symbol, count] of counts.entries()) if (count < 0) entries[high--] = symbol;
  const step = (size >> 1) + (size >> 3) + 3;
  let position = 0;
  for (const [symbol, count] of counts.entries()) {
    for (let i = 0; i < count; i++) {
      entries[position] = symbol;
      do position = (position + step) & (size - 1);
      while (position > high);
    }
  }
  for (let state = 0; state < size; state++) {
    const symbol = entries[state] as number;
    const count = next[symbol] as number;
    next[symbol] = count + 1;
    const bits = log - highestBit(count);
    entries[state] = (symbol << 24) | (bits << 16) | ((count << bits) - size);
  }
  return { log, entries };
}

/** Reads a distribution between `start` and `end`. Throws ProtocolError `MALFORMED`. */
export function readFseTable(
  view: DataView,
  start: number,
  end: number,
  maxLog: number,
  maxSymbol: number,
): Read<FseTable> {
  const log = 5 + bitsAt(view, 8 * start, 4);
  if (log > maxLog) throw malformed(NAME, `a table of ${log} bits, at most ${maxLog},`, start);
  const counts: number[] = [];
  let bit = 8 * start + 4;
  let left = 1 << log;
  while (left > 0) {
    const width = highestBit(left + 1) + 1;
    const spare = (1 << width) - 2 - left;
    const half = 1 << (width - 1);
    let value = bitsAt(view, bit, width);
    // The lowest values take a bit less.
    if ((value & (half - 1)) < spare) {
      value &= half - 1;
      bit += width - 1;
    } else {
      if (value >= half) value -= spare;
      bit += width;
    }
    counts.push(value - 1);
    left -= Math.abs(value - 1);
    for (let zeros = value === 1 ? 3 : 0; zeros === 3;) {
      zeros = bitsAt(view, bit, 2);
      bit += 2;
      for (let i = 0; i < zeros; i++) counts.push(0);
      if (counts.length > maxSymbol) break;
    }
    if (counts.length > maxSymbol + 1 || bit > 8 * end) throw malformed(NAME, 'a broken distribution', start);
  }
  return { value: fseTable(counts, log), at: (bit + 7) >>> 3 };
}

const MAX_HUFFMAN_BITS = 11;
const MAX_WEIGHT_LOG = 6;

/** Reads a Huffman table between `start` and `end`. Throws ProtocolError `MALFORMED`. */
export function readHuffmanTable(view: DataView, start: number, end: number): Read<HuffmanTable> {
  if (start >= end) throw malformed(NAME, 'the block ends before its Huffman table', start);
  const head = view.getUint8(start);
  const weights: number[] = [];
  let at = start + 1;
  if (head >= 128) {
    const count = head - 127;
    at += (count + 1) >> 1;
    if (at > end) throw malformed(NAME, 'the block ends within its Huffman table', start);
    for (let i = 0; i < count; i++) {
      const pair = view.getUint8(start + 1 + (i >> 1));
      weights.push(i % 2 === 0 ? pair >> 4 : pair & 15);
    }
  } else {
    at += head;
    if (at > end) throw malformed(NAME, 'the block ends within its Huffman table', start);
    readWeights(view, start + 1, at, weights);
  }
  return { value: huffmanTable(weights, start), at };
}

/** Two states take turns until the bits are used up. */
function readWeights(view: DataView, start: number, end: number, weights: number[]): void {
  const { value: table, at } = readFseTable(view, start, end, MAX_WEIGHT_LOG, MAX_HUFFMAN_BITS + 1);
  const { log, entries } = table;
  let bit = streamEnd(view, at, end) - log;
  let state = bitsAt(view, bit, log);
  bit -= log;
  let other = bitsAt(view, bit, log);
  const stop = 8 * at;
  if (bit < stop) throw malformed(NAME, 'the weights of a Huffman table end too early', start);
  for (;;) {
    const entry = entries[state] as number;
    const bits = (entry >>> 16) & 0xff;
    weights.push(entry >>> 24);
    if (weights.length > 254) throw malformed(NAME, 'a Huffman table of too many symbols', start);
    if (bit - bits < stop) {
      weights.push((entries[other] as number) >>> 24);
      return;
    }
    bit -= bits;
    state = other;
    other = (entry & 0xffff) + bitsAt(view, bit, bits);
  }
}

/** The weight of the last symbol is what the others leave. */
function huffmanTable(weights: number[], start: number): HuffmanTable {
  let total = 0;
  for (const weight of weights) {
    if (weight > MAX_HUFFMAN_BITS) throw malformed(NAME, 'a Huffman code of too many bits', start);
    total += (1 << weight) >> 1;
  }
  const log = total === 0 ? MAX_HUFFMAN_BITS + 1 : highestBit(total) + 1;
  const rest = (1 << log) - total;
  if (log > MAX_HUFFMAN_BITS || (rest & (rest - 1)) !== 0)
    throw malformed(NAME, 'a broken Huffman table', start);
  weights.push(highestBit(rest) + 1);
  const entries = new Uint16Array(1 << log);
  let position = 0;
  for (let weight = 1; weight <= log; weight++) {
    for (const [symbol, other] of weights.entries()) {
      if (other !== weight) continue;
      const width = 1 << (weight - 1);
      entries.fill(((log + 1 - weight) << 8) | symbol, position, position + width);
      position += width;
    }
  }
  return { log, entries };
}
