/** gzip inflated in TypeScript, for runtimes whose DecompressionStream is all there is: it refuses a second member
 * or reads over it, and has only promises. Not for Node, whose zlib is faster.
 * Invariants: a `RangeError` is the cap and nothing else; what follows the last member is not read, as in Java and zlib.
 * Source: RFC 1951 and RFC 1952.
 */

/** Room after the input for bits that are read beyond its end and refused afterwards. */
const MARGIN_BYTES = 16;
const FIRST_BUFFER_BYTES = 65_536;
const MAX_CODE_BITS = 15;
/** Longest match. */
const MAX_MATCH_BYTES = 258;
/** The order in which the lengths of the code of the code lengths are written. */
const LENGTH_ORDER: readonly number[] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const flag = { headerChecksum: 0x02, extra: 0x04, name: 0x08, comment: 0x10, reserved: 0xe0 };

/** Whether another member may follow the first: without the bytes it would begin with, none does. */
export function mayHaveMembers(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0x1f, 1); at > 0; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] === 0x8b && bytes[at + 2] === 8) return true;
  }
  return false;
}

/** A code as a table over the next `bits` bits: entry `symbol << 4 | length`, 0 for what is no code. */
interface CodeTable {
  readonly bits: number;
  readonly entries: Uint16Array;
}

interface Source {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly end: number;
  /** The next bit. */
  bit: number;
}

interface Target {
  bytes: Uint8Array;
  length: number;
  readonly maxBytes: number;
}

/** Inflates the members of `bytes`. Throws a RangeError beyond `maxBytes`, else an Error in zlib's words. */
export function gunzip(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const padded = new Uint8Array(bytes.length + MARGIN_BYTES);
  padded.set(bytes);
  const source: Source = { bytes: padded, view: new DataView(padded.buffer), end: bytes.length, bit: 0 };
  const target: Target = { bytes: new Uint8Array(0), length: 0, maxBytes };
  grow(target, Math.min(4 * bytes.length, FIRST_BUFFER_BYTES, maxBytes));
  do inflateMember(source, target);
  while (source.view.getUint16(source.bit >>> 3) === 0x1f8b);
  const { bytes: output, length } = target;
  return output.length > 2 * length ? output.slice(0, length) : output.subarray(0, length);
}

function inflateMember(source: Source, target: Target): void {
  const start = target.length;
  source.bit = 8 * endOfHeader(source);
  for (let isLast = 0; isLast === 0;) {
    isLast = take(source, 1);
    const type = take(source, 2);
    if (type === 0) copyStored(source, target);
    else if (type === 1) inflateBlock(source, target, fixedTables());
    else if (type === 2) inflateBlock(source, target, readTables(source));
    else throw new Error('invalid block type');
  }
  const trailer = (source.bit + 7) >>> 3;
  if (trailer + 8 > source.end) throw new Error('unexpected end of file');
  const content = target.bytes.subarray(start, target.length);
  if (source.view.getUint32(trailer, true) !== crc32(content)) throw new Error('incorrect data check');
  if (source.view.getUint32(trailer + 4, true) !== content.length) throw new Error('incorrect length check');
  source.bit = 8 * (trailer + 8);
}

function endOfHeader({ bytes, view, end, bit }: Source): number {
  let at = bit >>> 3;
  if (at + 10 > end) throw new Error('unexpected end of file');
  const flags = view.getUint8(at + 3);
  if (view.getUint16(at) !== 0x1f8b) throw new Error('incorrect header check');
  if (view.getUint8(at + 2) !== 8) throw new Error('unknown compression method');
  if ((flags & flag.reserved) !== 0) throw new Error('unknown header flags set');
  at += 10;
  if ((flags & flag.extra) !== 0) at += 2 + view.getUint16(at, true);
  for (const text of [flag.name, flag.comment]) {
    if ((flags & text) === 0) continue;
    while (at < end && bytes[at] !== 0) at++;
    at++;
  }
  if ((flags & flag.headerChecksum) !== 0) at += 2;
  if (at > end) throw new Error('unexpected end of file');
  return at;
}

/** The next `count` bits, at most 16. */
function take(source: Source, count: number): number {
  const { view, bit, end } = source;
  if (bit + count > 8 * end) throw new Error('unexpected end of file');
  source.bit = bit + count;
  return (view.getUint32(bit >>> 3, true) >>> (bit & 7)) & ((1 << count) - 1);
}

/** Makes room for `more` bytes. */
function grow(target: Target, more: number): void {
  const { bytes, length, maxBytes } = target;
  if (length + more <= bytes.length) return;
  if (length + more > maxBytes) throw new RangeError(`the output is longer than ${maxBytes} bytes`);
  target.bytes = new Uint8Array(Math.min(Math.max(length + more, 2 * bytes.length), maxBytes));
  target.bytes.set(bytes.subarray(0, length));
}

function copyStored(source: Source, target: Target): void {
  const at = (source.bit + 7) >>> 3;
  if (at + 4 > source.end) throw new Error('unexpected end of file');
  const length = source.view.getUint16(at, true);
  if (length !== (source.view.getUint16(at + 2, true) ^ 0xffff))
    throw new Error('invalid stored block lengths');
  if (at + 4 + length > source.end) throw new Error('unexpected end of file');
  grow(target, length);
  target.bytes.set(source.bytes.subarray(at + 4, at + 4 + length), target.length);
  target.length += length;
  source.bit = 8 * (at + 4 + length);
}

interface Tables {
  readonly literals: CodeTable;
  readonly distances: CodeTable;
}

let fixed: Tables | undefined;

function fixedTables(): Tables {
  if (fixed !== undefined) return fixed;
  const lengths = new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
  fixed = { literals: codeTable(lengths), distances: codeTable(new Uint8Array(32).fill(5)) };
  return fixed;
}

function readTables(source: Source): Tables {
  const literals = take(source, 5) + 257;
  const distances = take(source, 5) + 1;
  const lengthCodes = take(source, 4) + 4;
  if (literals > 286 || distances > 30) throw new Error('too many length or distance symbols');
  const ofLengths = new Uint8Array(19);
  for (const symbol of LENGTH_ORDER.slice(0, lengthCodes)) ofLengths[symbol] = take(source, 3);
  const table = codeTable(ofLengths);
  const lengths = new Uint8Array(literals + distances);
  for (let at = 0; at < lengths.length;) {
    const symbol = takeSymbol(source, table);
    if (symbol < 16) {
      lengths[at++] = symbol;
      continue;
    }
    const previous = symbol === 16 ? lengths[at - 1] : 0;
    const count =
      symbol === 16 ? 3 + take(source, 2) : symbol === 17 ? 3 + take(source, 3) : 11 + take(source, 7);
    if (previous === undefined || at + count > lengths.length) throw new Error('invalid bit length repeat');
    lengths.fill(previous, at, at + count);
    at += count;
  }
  if (lengths[256] === 0) throw new Error('invalid code -- missing end-of-block');
  return {
    literals: codeTable(lengths.subarray(0, literals)),
    distances: codeTable(lengths.subarray(literals)),
  };
}

/** A canonical code. An incomplete one is refused, but for a single code of one bit, as in zlib. */
function codeTable(lengths: Uint8Array): CodeTable {
  const counts = new Uint16Array(MAX_CODE_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1;
  const next = new Uint16Array(MAX_CODE_BITS + 2);
  let bits = 0;
  let left = 1;
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    const count = counts[length] as number;
    left = 2 * left - count;
    if (left < 0) throw new Error('invalid code lengths set');
    if (count > 0) bits = length;
    next[length + 1] = ((next[length] as number) + count) << 1;
  }
  if (left > 0 && bits > 1) throw new Error('invalid code lengths set');
  const entries = new Uint16Array(1 << bits);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const code = next[length] as number;
    next[length] = code + 1;
    // Codes are written from their highest bit, everything else from the lowest.
    let reversed = 0;
    for (let i = 0; i < length; i++) reversed |= ((code >>> i) & 1) << (length - 1 - i);
    for (let index = reversed; index < entries.length; index += 1 << length)
      entries[index] = (symbol << 4) | length;
  }
  return { bits, entries };
}

function takeSymbol(source: Source, { bits, entries }: CodeTable): number {
  const { view, bit, end } = source;
  const word = view.getUint32(bit >>> 3, true) >>> (bit & 7);
  const entry = entries[word & ((1 << bits) - 1)] as number;
  if (entry === 0) throw new Error('invalid code');
  source.bit = bit + (entry & 15);
  if (source.bit > 8 * end) throw new Error('unexpected end of file');
  return entry >>> 4;
}

function inflateBlock(source: Source, target: Target, { literals, distances }: Tables): void {
  const { view } = source;
  const { entries } = literals;
  const mask = (1 << literals.bits) - 1;
  const endBit = 8 * source.end;
  let { bit } = source;
  let { bytes, length: out } = target;
  for (;;) {
    const entry = entries[(view.getUint32(bit >>> 3, true) >>> (bit & 7)) & mask] as number;
    if (entry === 0) throw new Error('invalid literal/length code');
    bit += entry & 15;
    if (bit > endBit) throw new Error('unexpected end of file');
    const symbol = entry >>> 4;
    if (symbol < 256 && out < bytes.length) {
      bytes[out++] = symbol;
      continue;
    }
    source.bit = bit;
    target.length = out;
    if (symbol === 256) return;
    if (symbol < 256) {
      grow(target, 1);
      target.bytes[target.length++] = symbol;
    } else copyMatch(source, target, symbol - 257, distances);
    ({ bit } = source);
    ({ bytes, length: out } = target);
  }
}

function copyMatch(source: Source, target: Target, code: number, distances: CodeTable): void {
  if (code > 28) throw new Error('invalid literal/length code');
  // Four codes for each number of further bits; 8 codes have none, and the last stands for 258 alone.
  const lengthBits = code < 8 || code === 28 ? 0 : (code >> 2) - 1;
  const length =
    code < 8
      ? code + 3
      : code === 28
        ? MAX_MATCH_BYTES
        : 3 + ((4 + (code & 3)) << lengthBits) + take(source, lengthBits);
  const distanceCode = takeSymbol(source, distances);
  if (distanceCode > 29) throw new Error('invalid distance code');
  const distanceBits = distanceCode < 4 ? 0 : (distanceCode >> 1) - 1;
  const distance =
    distanceCode < 4
      ? distanceCode + 1
      : 1 + ((2 + (distanceCode & 1)) << distanceBits) + take(source, distanceBits);
  const to = target.length;
  if (distance > to) throw new Error('invalid distance too far back');
  grow(target, length);
  const { bytes } = target;
  const from = to - distance;
  if (distance === 1) bytes.fill(bytes[from] as number, to, to + length);
  else if (distance >= length && length > 32) bytes.copyWithin(to, from, from + length);
  else for (let i = 0; i < length; i++) bytes[to + i] = bytes[from + i] as number;
  target.length = to + length;
}

let crcTable: Int32Array | undefined;

/** CRC-32 of gzip, unsigned. */
function crc32(bytes: Uint8Array): number {
  crcTable ??= Int32Array.from({ length: 256 }, (_, index) => {
    let entry = index;
    for (let bit = 0; bit < 8; bit++) entry = (entry >>> 1) ^ (0xedb88320 & -(entry & 1));
    return entry;
  });
  const table = crcTable;
  let crc = -1;
  for (let i = 0; i < bytes.length; i++)
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return ~crc >>> 0;
}
