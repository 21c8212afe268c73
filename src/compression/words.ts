/** What snappy, lz4 and zstd have in common: errors, copying by words of four bytes, and where matches are looked up.
 * Not here: what the bytes mean.
 * Invariant: a copy reads nothing beyond `SLACK_BYTES` after its source and writes nothing beyond as many after its end;
 * the callers keep that room.
 * A DataView moves a word, wherever it lies, in the time of a byte. The loops that use this keep to 32-bit integers: one
 * number that may be larger makes V8 count in floating point, which halved the speed (measured).
 */
import { ProtocolError } from '../errors.ts';

/** Room after the end of a buffer that a copy by words may touch. */
export const SLACK_BYTES = 16;

/** Shortest match that the compressors look for. */
export const MIN_MATCH = 4;

/** Bits of the hashes that a `MatchTable` is for. */
export const HASH_BITS = 13;

/** Where the last four bytes with some hash were, counted from the block. */
export type MatchTable = Uint16Array;

/** A table for blocks of up to 64 KiB. */
export function matchTable(): MatchTable {
  return new Uint16Array(1 << HASH_BITS);
}

/** From here on the call of a native copy costs less than a loop of words. */
const NATIVE_BYTES = 64;

/** A view on the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Bytes that are not what `codec` writes; `byteOffset` counts from the beginning of the compressed bytes. */
export function malformed(codec: string, what: string, byteOffset: number): ProtocolError {
  return new ProtocolError(`${codec}: ${what} at byte ${byteOffset}`, { byteOffset });
}

/** More output than the caller allows. */
export function beyondLimit(
  codec: string,
  byteLength: number,
  maxBytes: number,
  cause?: unknown,
): ProtocolError {
  const what = `${codec}: ${byteLength} bytes inflate beyond the limit of ${maxBytes} bytes`;
  return new ProtocolError(what, { cause });
}

/** Copies `length` bytes of `source` from `from` to `target` at `to`. */
export function copy(
  source: Uint8Array,
  sourceView: DataView,
  from: number,
  target: Uint8Array,
  targetView: DataView,
  to: number,
  length: number,
): void {
  if (length > NATIVE_BYTES || from + length + SLACK_BYTES > source.length) {
    target.set(source.subarray(from, from + length), to);
    return;
  }
  // Most are short: two words at once spare a branch that cannot be foretold.
  targetView.setInt32(to, sourceView.getInt32(from, true), true);
  targetView.setInt32(to + 4, sourceView.getInt32(from + 4, true), true);
  for (let i = 8; i < length; i += 4) targetView.setInt32(to + i, sourceView.getInt32(from + i, true), true);
}

/** Appends to `bytes` at `to` the `length` bytes that begin `distance` before; they may overlap. */
export function repeat(
  bytes: Uint8Array,
  view: DataView,
  to: number,
  distance: number,
  length: number,
): void {
  const from = to - distance;
  if (distance < 4 || length > NATIVE_BYTES) {
    repeatSpecial(bytes, view, to, distance, length);
    return;
  }
  view.setInt32(to, view.getInt32(from, true), true);
  view.setInt32(to + 4, view.getInt32(from + 4, true), true);
  for (let i = 8; i < length; i += 8) {
    view.setInt32(to + i, view.getInt32(from + i, true), true);
    view.setInt32(to + i + 4, view.getInt32(from + i + 4, true), true);
  }
}

function repeatSpecial(
  bytes: Uint8Array,
  view: DataView,
  to: number,
  distance: number,
  length: number,
): void {
  const end = to + length;
  let from = to - distance;
  if (distance >= length) {
    bytes.copyWithin(to, from, from + length);
    return;
  }
  let at = to;
  if (distance < 4) {
    // After eight bytes the pattern also repeats at a distance that words can be copied over.
    for (const head = Math.min(end, to + 8); at < head; at++) bytes[at] = bytes[from++] as number;
    from = at - (distance === 3 ? 6 : 4);
  }
  for (; at < end; at += 4, from += 4) view.setInt32(at, view.getInt32(from, true), true);
}

/** How many bytes from `a` and from `b` on are the same, before `end`. */
export function sameBytes(view: DataView, a: number, b: number, end: number): number {
  let at = b;
  let from = a;
  for (; at + 4 <= end; at += 4, from += 4) {
    const difference = view.getInt32(at, true) ^ view.getInt32(from, true);
    if (difference !== 0) return at - b + ((31 - Math.clz32(difference & -difference)) >>> 3);
  }
  while (at < end && view.getUint8(at) === view.getUint8(from)) {
    at++;
    from++;
  }
  return at - b;
}
