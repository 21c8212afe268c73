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
 * 170, 195 and 209 words later. The last ones are left for the table.
 */
const REACH = 209;
/** Below 6 KiB the long rest costs more than folding spares; measured on Node 20 and 24. */
const FOLD_FROM_BYTES = 6144;
const BLOCK_WORDS = 4096;
/** The last `REACH` folded words, then a block of new ones. */
const block: Int32Array = /* @__PURE__ */ new Int32Array(REACH + BLOCK_WORDS);
/** What folding leaves: `REACH` words, and up to 15 bytes. */
const rest: Int32Array = /* @__PURE__ */ new Int32Array(REACH + 4);

/** From here on WebAssembly spares more than its copy and its end cost: 5 times as fast from 64 KiB on. */
const WASM_FROM_BYTES = 4096;
/** Bytes that go into WebAssembly's memory of 64 KiB at a time. */
const PIECE_BYTES = 32_768;
/** What WebAssembly leaves. */
const UNFOLDED_BYTES = 499;
/** How far back it looks: as much, rounded up to 64. */
const REACH_BYTES = 512;

/** What crc32c.wat exports. */
interface FoldExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Adds to every byte from `at` to `stop` what reaches it, 64 a step: 64 forward, -64 backward. */
  fold(at: number, stop: number, step: number): void;
}
interface Folding {
  /** All of WebAssembly's memory; what is folded ends where it ends. */
  readonly memory: Uint8Array;
  readonly fold: FoldExports['fold'];
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
    const { memory, fold } = new WebAssembly.Instance(crc32cModule()).exports;
    return { memory: new Uint8Array(memory.buffer), fold };
  } catch {
    return null; // Without WebAssembly, without its vectors, or not allowed to compile: it stays so.
  }
}

function crc32cFolded({ memory, fold }: Folding, bytes: Uint8Array, seed: number): number {
  const end = memory.length;
  // The first piece is the odd one; it holds the first 4 bytes.
  let position = bytes.length % PIECE_BYTES;
  if (position < 4) position += PIECE_BYTES;
  let start = end - position;
  memory.fill(0, start - REACH_BYTES - 63, start);
  memory.set(bytes.subarray(0, position), start);
  // The CRC of what came before is a sum with the first 4 bytes.
  for (let i = 0; i < 4; i++) memory[start + i] = (memory[start + i] as number) ^ (~seed >>> (8 * i));
  fold(start & ~63, end, 64);
  start = end - PIECE_BYTES;
  for (; position < bytes.length; position += PIECE_BYTES) {
    memory.copyWithin(start - REACH_BYTES, end - REACH_BYTES);
    memory.set(bytes.subarray(position, position + PIECE_BYTES), start);
    fold(start, end, 64);
  }
  // The last bytes must not vanish: backward goes what they gave to each other.
  memory.fill(0, end - 2 * REACH_BYTES, end - UNFOLDED_BYTES);
  fold(end - 64, end - 64 - REACH_BYTES, -64);
  return crc32cPure(memory.subarray(-UNFOLDED_BYTES), -1);
}

/** `crc32c` without WebAssembly, on every runtime. */
export function crc32cPure(bytes: Uint8Array, seed = 0): number {
  if (isLittleEndian === undefined) prepare();
  const { length } = bytes;
  if (!isLittleEndian || length < 32) return ~ofBytes(bytes, 0, length, ~seed) >>> 0;
  return ~(length < FOLD_FROM_BYTES ? ofWords(bytes, ~seed) : ofWords(foldPure(bytes, ~seed), 0)) >>> 0;
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

/** Of at least 3 bytes, four words at a time. */
function ofWords(bytes: Uint8Array, seed: number): number {
  const { buffer, byteOffset, length } = bytes;
  const head = -byteOffset & 3;
  const words = new Int32Array(buffer, byteOffset + head, ((length - head) >> 4) << 2);
  const crc = sliceBy16(words, ofBytes(bytes, 0, head, seed));
  return ofBytes(bytes, head + words.byteLength, length, crc);
}

function sliceBy16(words: Int32Array, seed: number): number {
  let crc = seed;
  for (let i = 0; i < words.length; i += 4) {
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

/** Folds all bytes into the last few, which it returns. */
function foldPure(bytes: Uint8Array, seed: number): Uint8Array {
  const count = ((bytes.length >> 2) - REACH) & ~3;
  const blockBytes = new Uint8Array(block.buffer);
  // The first block is the odd one; the next ones look back on all of it.
  let start = -count & (BLOCK_WORDS - 1);
  block.fill(0, start, start + REACH);
  for (let word = 0; word < count; start = 0) {
    const next = word + BLOCK_WORDS - start;
    blockBytes.set(bytes.subarray(4 * word, 4 * next), 4 * (start + REACH));
    if (word === 0) block[start + REACH] = (block[start + REACH] as number) ^ seed;
    forward(start);
    block.copyWithin(0, BLOCK_WORDS, BLOCK_WORDS + REACH);
    word = next;
  }
  const left = new Uint8Array(rest.buffer, 0, bytes.length - 4 * count);
  left.set(bytes.subarray(4 * count));
  block.fill(0, REACH, 2 * REACH);
  for (let i = 0; i < REACH; i++) rest[i] = (rest[i] as number) ^ reached(i);
  return left;
}

/** Adds to every word of the block what reaches it. Nothing reaches less than 65 words ahead, so the four of a turn are
 * independent. A start that is within the block to see spares all bounds checks.
 */
function forward(start: number): void {
  for (let i = start & (BLOCK_WORDS - 1); i < BLOCK_WORDS; i += 4) {
    block[i + REACH] = (block[i + REACH] as number) ^ reached(i);
    block[i + (REACH + 1)] = (block[i + (REACH + 1)] as number) ^ reached(i + 1);
    block[i + (REACH + 2)] = (block[i + (REACH + 2)] as number) ^ reached(i + 2);
    block[i + (REACH + 3)] = (block[i + (REACH + 3)] as number) ^ reached(i + 3);
  }
}

/** The sum of the words that reach the one `index` words into the block. */
function reached(index: number): number {
  const sum = (block[index] as number) ^ (block[index + 14] as number) ^ (block[index + 39] as number);
  return sum ^ (block[index + 54] as number) ^ (block[index + 144] as number);
}
