/** The fixed fields in front of a record batch, or of a message of v0 and v1, as a log or a `records` field has them.
 * Not here: what is inside. This is what says where the next one begins, so it trusts nothing.
 * Source: Kafka's documentation, "Message format".
 */

import { crc32 } from 'node:zlib';
import { crc32c } from 'kafka-wire/protocol';

/** Bytes up to behind `batchLength`, which it does not count. */
export const LENGTH_OVERHEAD = 12;
/** Bytes that tell whether a batch may begin: up to behind `magic`. */
export const HEAD_BYTES = 17;
/** Bytes of a v2 batch in front of its records. */
export const V2_HEADER_BYTES = 61;
const LEAST_MESSAGE_BYTES = 14;

/** What stands at the place of a batch's first fields. */
export interface BatchHead {
  /** Bytes of the whole batch, if `isSound`. */
  readonly length: number;
  readonly magic: number;
  /** Whether a batch may begin so. */
  readonly isSound: boolean;
  /** The byte that is wrong, counted from the batch's first, and what was expected there. */
  readonly wrongAt: number;
  readonly what: string;
}

/** What stands at `at`, of which at least `HEAD_BYTES` must be there; else it is not sound. */
export function batchHead(bytes: Uint8Array, at: number): BatchHead {
  if (bytes.length - at < HEAD_BYTES) return wrong(0, bytes.length - at, 'fewer bytes than a batch has');
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
  const length = view.getInt32(8);
  const magic = view.getInt8(16);
  if (view.getInt16(0) !== 0) return wrong(magic, 0, 'no base offset: a log does not grow so large');
  if (magic < 0 || magic > 2) return wrong(magic, 16, `format v${magic}, where 0 to 2 are known`);
  const least = magic === 2 ? V2_HEADER_BYTES - LENGTH_OVERHEAD : LEAST_MESSAGE_BYTES;
  if (length < least) return wrong(magic, 8, `a length of ${length}, where at least ${least} is needed`);
  if (magic === 2 && view.byteLength >= 23 && (view.getUint16(21) & 0xff80) !== 0)
    return wrong(magic, 21, 'attributes that nobody has');
  return { length: LENGTH_OVERHEAD + length, magic, isSound: true, wrongAt: 0, what: '' };
}

/** Records of a batch, as its header says; a message of v0 or v1 counts as one. */
export function recordCount(bytes: Uint8Array): number {
  const { isSound, magic } = batchHead(bytes, 0);
  if (!isSound || magic < 2) return isSound ? 1 : 0;
  if (bytes.length < V2_HEADER_BYTES) return 0;
  return Math.max(0, new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getInt32(57));
}

/** The checksum that a whole batch or message stores, and the one that its bytes have. */
export function checksums(
  bytes: Uint8Array,
  at: number,
  length: number,
  magic: number,
): { stored: number; computed: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
  return magic === 2
    ? { stored: view.getUint32(17), computed: crc32c(bytes.subarray(at + 21, at + length)) }
    : { stored: view.getUint32(12), computed: crc32(bytes.subarray(at + 16, at + length)) };
}

/** Whether the checksum of a whole batch or message holds. */
export function holdsChecksum(bytes: Uint8Array, at: number, length: number, magic: number): boolean {
  const { stored, computed } = checksums(bytes, at, length, magic);
  return stored === computed;
}

/** Whether the fixed fields look like a broker's; of v0 and v1 only that there are some. */
export function isLikelyHeader(bytes: Uint8Array, magic: number): boolean {
  if (magic < 2) return bytes.length >= LENGTH_OVERHEAD + LEAST_MESSAGE_BYTES;
  if (bytes.length < V2_HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lastDelta = view.getInt32(23);
  const count = view.getInt32(57);
  return lastDelta >= 0 && count >= 0 && count <= lastDelta + 1 && view.getBigInt64(43) >= -1n;
}

function wrong(magic: number, wrongAt: number, what: string): BatchHead {
  return { length: 0, magic, isSound: false, wrongAt, what };
}
