/** CRC-32C (Castagnoli), the checksum over every record batch: in TypeScript, long input folded by WebAssembly.
 * Not here: the CRC-32 of v0 and v1 message sets; the compiled module (`#crc32c-wasm`, source tools/wasm/crc32c.wat).
 * Invariant: table and module are made by the first call, so importing does nothing; every path gives the same number.
 * Source: RFC 3720 appendix B.4; slicing-by-16 (Kounavis and Berry); folding over a sparse multiple of the polynomial,
 * as Chorba does (arXiv 2412.16398).
 */
import { crc32cModule } from '#crc32c-wasm';

/** The polynomial, its highest power in the lowest bit. */
const POLYNOMIAL = 0x82f63b78;
/** Entry 256 n + b: the CRC of byte b with n zero bytes after it. A constant array spares the bounds checks of a variable. */
const table: Int32Array = /* @__PURE__ */ new Int32Array(16 * 256);
let isLittleEndian: boolean | undefined;

/** With y = x^32, P divides 1 + y^14 + y^39 + y^54 + y^144 + y^209: a word vanishes when it is added to those 65, 155,
 * 170, 195 and 209 words later. What is left for the table are the last words, here a multiple of 4.
 */
const REACH = 209;
const REST_WORDS = 212;
const BLOCK_WORDS = 2048;
/** Below 6 KiB the long rest costs more than folding spares; measured on Node 20 and 24. */
const FOLD_FROM_WORDS = 1536;
/** The last `REACH` folded words, then a block of new ones. */
const folded: Int32Array = /* @__PURE__ */ new Int32Array(REACH + BLOCK_WORDS);

/** From here on WebAssembly spares more than its copy and its end cost: 4 to 5 times as fast from 64 KiB on. */
const WASM_FROM_BYTES = 4096;
/** Bytes that go into WebAssembly's memory of 128 KiB at a time. */
const PIECE_BYTES = 32_768;
/** How far back WebAssembly looks: 5,275 bytes, rounded up to 64. */
const REACH_BYTES = 5312;
/** The 209 bytes that are left, and zeros in front, which count for nothing. */
const UNFOLDED_BYTES = 224;

/** What crc32c.wat exports. */
interface FoldExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  forward(start: number): void;
  finish(): void;
}
interface Folding extends Pick<FoldExports, 'forward' | 'finish'> {
  /** All of WebAssembly's memory. */
  readonly memory: Uint8Array;
  readonly unfolded: Uint8Array;
}
declare const WebAssembly: {
  readonly Instance: new (module: object) => { readonly exports: FoldExports };
};

/** Null where there is no WebAssembly; undefined before the first long input. */
let folding: Folding | null | undefined;

/** CRC-32C of `bytes`, unsigned. `seed` is the CRC of the bytes before them (default 0: none). */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  if (bytes.length < WASM_FROM_BYTES) return crc32cPure(bytes, seed);
  if (folding === undefined) folding = startFolding();
  return folding === null ? crc32cPure(bytes, seed) : crc32cFolded(folding, bytes, seed);
}

function startFolding(): Folding | null {
  try {
    const { memory, forward, finish } = new WebAssembly.Instance(crc32cModule()).exports;
    const bytes = new Uint8Array(memory.buffer);
    return { memory: bytes, unfolded: bytes.subarray(-UNFOLDED_BYTES), forward, finish };
  } catch {
    return null; // Without WebAssembly, without its vectors, or not allowed to compile: it stays so.
  }
}

function crc32cFolded(
  { memory, unfolded, forward, finish }: Folding,
  bytes: Uint8Array,
  seed: number,
): number {
  const end = memory.length;
  // The first piece is the odd one; the next ones look back on all of it.
  let position = bytes.length % PIECE_BYTES;
  if (position < REACH_BYTES) position = Math.min(position + PIECE_BYTES, bytes.length);
  let start = end - position;
  memory.fill(0, start - REACH_BYTES - 63, start);
  memory.set(bytes.subarray(0, position), start);
  // The CRC of what came before is a sum with the first 4 bytes.
  for (let i = 0; i < 4; i++) memory[start + i] = (memory[start + i] as number) ^ (~seed >>> (8 * i));
  forward(start & ~63);
  start = end - PIECE_BYTES;
  for (; position < bytes.length; position += PIECE_BYTES) {
    memory.copyWithin(start - REACH_BYTES, end - REACH_BYTES);
    memory.set(bytes.subarray(position, position + PIECE_BYTES), start);
    forward(start);
  }
  finish();
  return crc32cPure(unfolded, -1);
}

/** `crc32c` without WebAssembly, on every runtime. */
export function crc32cPure(bytes: Uint8Array, seed = 0): number {
  if (isLittleEndian === undefined) prepare();
  const { buffer, byteOffset, length } = bytes;
  let crc = ~seed;
  let position = 0;
  if (isLittleEndian && length >= 32) {
    const head = -byteOffset & 3;
    const words = new Int32Array(buffer, byteOffset + head, ((length - head) >> 4) << 2);
    position = head + words.byteLength;
    crc = ofWords(words, ofBytes(bytes, 0, head, crc));
  }
  return ~ofBytes(bytes, position, length, crc) >>> 0;
}

function prepare(): void {
  for (let index = 0; index < table.length; index++) {
    let entry = index < 256 ? index : lookUp(index - 256);
    for (let bit = 0; bit < 8; bit++) entry = (entry >>> 1) ^ (POLYNOMIAL & -(entry & 1));
    table[index] = entry;
  }
  isLittleEndian = new Uint8Array(Int32Array.of(1).buffer)[0] === 1;
}

function lookUp(index: number): number {
  return table[index] as number;
}

function ofBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let crc = seed;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ lookUp((crc ^ (bytes[i] as number)) & 0xff);
  return crc;
}

/** Of a multiple of 4 words. */
function ofWords(words: Int32Array, seed: number): number {
  if (words.length < FOLD_FROM_WORDS) return sliceBy16(words, words.length, seed);
  fold(words, seed);
  return sliceBy16(folded, REST_WORDS, 0);
}

function sliceBy16(words: Int32Array, end: number, seed: number): number {
  let crc = seed;
  for (let i = 0; i < end; i += 4) {
    const a = (words[i] as number) ^ crc;
    const b = words[i + 1] as number;
    const c = words[i + 2] as number;
    const d = words[i + 3] as number;
    crc =
      lookUp(0xf00 + (a & 0xff)) ^
      lookUp(0xe00 + ((a >>> 8) & 0xff)) ^
      lookUp(0xd00 + ((a >>> 16) & 0xff)) ^
      lookUp(0xc00 + (a >>> 24)) ^
      lookUp(0xb00 + (b & 0xff)) ^
      lookUp(0xa00 + ((b >>> 8) & 0xff)) ^
      lookUp(0x900 + ((b >>> 16) & 0xff)) ^
      lookUp(0x800 + (b >>> 24)) ^
      lookUp(0x700 + (c & 0xff)) ^
      lookUp(0x600 + ((c >>> 8) & 0xff)) ^
      lookUp(0x500 + ((c >>> 16) & 0xff)) ^
      lookUp(0x400 + (c >>> 24)) ^
      lookUp(0x300 + (d & 0xff)) ^
      lookUp(0x200 + ((d >>> 8) & 0xff)) ^
      lookUp(0x100 + ((d >>> 16) & 0xff)) ^
      lookUp(d >>> 24);
  }
  return crc;
}

/** The sum of the folded words that reach the word `index` steps into the block. */
function reached(index: number): number {
  const far = (folded[index] as number) ^ (folded[index + 14] as number) ^ (folded[index + 39] as number);
  return far ^ (folded[index + 54] as number) ^ (folded[index + 144] as number);
}

/** Folds all words into the last `REST_WORDS`, which it leaves at the beginning of `folded`. */
function fold(words: Int32Array, seed: number): void {
  const end = words.length - REST_WORDS;
  let crc = seed;
  folded.fill(0, 0, REACH);
  let start = 0;
  while (start < end) {
    const count = Math.min(BLOCK_WORDS, end - start);
    // Nothing reaches less than 65 words ahead, so the four of a turn are independent.
    for (let i = 0; i < count; i += 4) {
      const word = start + i;
      folded[i + REACH] = (words[word] as number) ^ reached(i) ^ crc;
      folded[i + REACH + 1] = (words[word + 1] as number) ^ reached(i + 1);
      folded[i + REACH + 2] = (words[word + 2] as number) ^ reached(i + 2);
      folded[i + REACH + 3] = (words[word + 3] as number) ^ reached(i + 3);
      crc = 0;
    }
    folded.copyWithin(0, count, count + REACH);
    start += count;
  }
  folded.fill(0, REACH);
  for (let i = 0; i < REST_WORDS; i++) folded[i] = (words[end + i] as number) ^ reached(i);
}
