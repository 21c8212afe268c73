/** The records of a batch, one after another, as positions in its inflated payload: no object per record.
 * Not here: finding batches (batch.ts), inflating (compression), skipping aborted records (client/fetch).
 * Invariant: `next` returns true only for a record whose every length was checked; offsets ascend within the batch.
 * Source: Kafka's documentation, "Message format", Record; Java's DefaultRecord decides what is accepted.
 */
import { ProtocolError } from '../../errors.ts';
import { decodeUtf8 } from '../text.ts';
import { VarintReader } from '../varint.ts';
import { safeInteger, type RecordBatch } from './batch.ts';

/** A record's length, attributes, two deltas, two lengths and header count take a byte each at least. */
const MIN_RECORD_BYTES = 7;
/** A header's two lengths. */
const MIN_HEADER_BYTES = 2;
/** Zigzag of -1, the length of what is null. */
const NULL = 1;

/** A header of a record. Keys may repeat and keep their order. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Walks the records of one batch. The fields describe the record that the last `next()` found. All that change are small
 * integers, and none is undefined at first: engines then keep them as such, without an object for each.
 */
export class RecordCursor extends VarintReader {
  declare readonly batch: RecordBatch;
  /** The batch's base timestamp in ms, unsafe beyond 2^53-1. */
  declare readonly baseTimestamp: number;
  /** Records found so far. */
  recordIndex = 0;
  /** From the batch's base offset. */
  offsetDelta = -1;
  /** Milliseconds from `baseTimestamp`, unsafe beyond 2^53-1: ask `timestamp(cursor)`. */
  timestampDelta = 0;
  /** Position of the timestamp delta, a varlong, in `bytes`. */
  timestampStart = 0;
  /** Position of the key in `bytes`; -1 for a null key. */
  keyStart = -1;
  keyEnd = -1;
  /** Position of the value in `bytes`; -1 for a null value. */
  valueStart = -1;
  valueEnd = -1;
  /** Position of the first header in `bytes`, for `decodeHeaders`. */
  headersStart = 0;
  headerCount = 0;
  /** Position of the record in `bytes`. */
  recordStart = 0;
  /** The highest `offsetDelta` that there may be. */
  declare readonly lastOffsetDelta: number;

  /** `payload` is `batch.payload`, inflated unless `batch.codecId` is 0.
   * Throws ProtocolError `MALFORMED` when the batch's count of records cannot lie in it.
   */
  constructor(batch: RecordBatch, payload: Uint8Array) {
    super(payload);
    this.batch = batch;
    this.baseTimestamp = Number(batch.baseTimestampBigInt);
    this.lastOffsetDelta = (batch.lastOffset - batch.baseOffset) | 0; // An int32, known as one.
    if (batch.recordCount > payload.length / MIN_RECORD_BYTES) {
      throw this.malformed(`${batch.recordCount} records cannot lie in ${payload.length} bytes`);
    }
  }

  get offset(): number {
    return this.batch.baseOffset + this.offsetDelta;
  }

  /** To go on from another record, together with `position` and `recordIndex`. */
  set offset(offset: number) {
    this.offsetDelta = offset - this.batch.baseOffset;
  }

  /** Goes to the next record; false after the last. Throws ProtocolError `MALFORMED`, again when called again. */
  next(): boolean {
    if (this.recordIndex === this.batch.recordCount) return this.#finish();
    this.recordStart = this.position;
    let offsetDelta = readShort(this);
    if (offsetDelta < 0) offsetDelta = this.#read();
    if (this.headerCount !== 0) this.#skipHeaders();
    if (this.position !== this.end) throw this.malformed('the record is longer than its fields');
    this.offsetDelta = offsetDelta;
    this.recordIndex++;
    return true;
  }

  /** Java takes a batch of no records as empty, whatever follows its header. */
  #finish(): false {
    const surplus = this.recordIndex === 0 ? 0 : this.bytes.length - this.position;
    if (surplus > 0) throw this.malformed(`${surplus} bytes after the last record`);
    return false;
  }

  /** As `readShort`, of any record, or says what is wrong with it. */
  #read(): number {
    this.end = this.bytes.length;
    this.end = this.#after(this.varint());
    this.byte(); // Attributes: Java ignores them.
    this.timestampStart = this.position;
    this.timestampDelta = this.varlong();
    const offsetDelta = this.varint();
    const isInOrder = offsetDelta > this.offsetDelta && offsetDelta <= this.lastOffsetDelta;
    if (!isInOrder)
      throw this.malformed(`offset ${this.batch.baseOffset + offsetDelta} after ${this.offset}`);
    const keyLength = this.varint();
    this.keyStart = keyLength < 0 ? -1 : this.position;
    this.keyEnd = keyLength < 0 ? -1 : (this.position = this.#after(keyLength));
    const valueLength = this.varint();
    this.valueStart = valueLength < 0 ? -1 : this.position;
    this.valueEnd = valueLength < 0 ? -1 : (this.position = this.#after(valueLength));
    this.headerCount = this.varint();
    this.headersStart = this.position;
    return offsetDelta;
  }

  override malformed(what: string): ProtocolError {
    const error = this.batch.malformed(`record ${this.recordIndex}, byte ${this.position}: ${what}`);
    this.position = this.recordStart;
    return error;
  }

  #skipHeaders(): void {
    const count = this.headerCount;
    const remaining = this.end - this.position;
    if (count < 0 || count > remaining / MIN_HEADER_BYTES) throw this.malformed(`${count} headers`);
    for (let i = 0; i < count; i++) {
      this.position = this.#after(this.varint());
      const valueLength = this.varint();
      if (valueLength > 0) this.position = this.#after(valueLength);
    }
  }

  /** The position after `length` bytes from here. */
  #after(length: number): number {
    const remaining = this.end - this.position;
    if (length < 0 || length > remaining) throw this.malformed(`${length} bytes where ${remaining} remain`);
    return this.position + length;
  }
}

/** Reads a record up to its headers, where every number is short: most records, in half the time. Returns the offset delta;
 * else -1, and nothing has changed: `#read` reads any record, and says what is wrong with it.
 */
function readShort(cursor: RecordCursor): number {
  const { bytes, recordStart } = cursor;
  // No step leads back, so fields that begin within the record lie within it altogether.
  const length = shortNumber(bytes, recordStart);
  const start = recordStart + shortBytes(length);
  const end = start + (length >>> 1);
  const timestampStart = start + 1; // Attributes: Java ignores them.
  const timestampDelta = shortNumber(bytes, timestampStart);
  const offsetStart = timestampStart + shortBytes(timestampDelta);
  const offset = shortNumber(bytes, offsetStart);
  const offsetDelta = offset >>> 1;
  const keyAt = offsetStart + shortBytes(offset);
  const keyLength = shortNumber(bytes, keyAt);
  if (((length | offset) & 1) !== 0 || timestampDelta < 0 || !isLength(keyLength)) return -1;
  const keyStart = keyAt + shortBytes(keyLength);
  const keyEnd = keyStart + (keyLength >>> 1);
  const valueLength = shortNumber(bytes, keyEnd);
  if (!isLength(valueLength)) return -1;
  const valueStart = keyEnd + shortBytes(valueLength);
  const valueEnd = valueStart + (valueLength >>> 1);
  const headerCount = bytes[valueEnd] as number;
  if (valueEnd >= end || end > bytes.length || (headerCount & 0x81) !== 0) return -1;
  if (offsetDelta <= cursor.offsetDelta || offsetDelta > cursor.lastOffsetDelta) return -1;
  cursor.timestampStart = timestampStart;
  cursor.timestampDelta = (timestampDelta >>> 1) ^ -(timestampDelta & 1);
  cursor.keyStart = keyLength === NULL ? -1 : keyStart;
  cursor.keyEnd = keyLength === NULL ? -1 : keyEnd;
  cursor.valueStart = valueLength === NULL ? -1 : valueStart;
  cursor.valueEnd = valueLength === NULL ? -1 : valueEnd;
  cursor.headerCount = headerCount >>> 1;
  cursor.headersStart = cursor.position = valueEnd + 1;
  cursor.end = end;
  return offsetDelta;
}

/** The zigzag number of up to 2 bytes at `position`; -1 for any other, a padded one, and where the bytes end. */
function shortNumber(bytes: Uint8Array, position: number): number {
  const first = bytes[position] as number;
  if (first < 0x80) return first;
  const second = bytes[position + 1] as number;
  return second > 0 && second < 0x80 ? (first & 0x7f) | (second << 7) : -1;
}

/** Bytes that `shortNumber` read. */
function shortBytes(zigzag: number): number {
  return zigzag < 0x80 ? 1 : 2;
}

/** Whether a zigzag number is 0 or more, or null's; -1 as `shortNumber` gives it is neither. */
function isLength(zigzag: number): boolean {
  return (zigzag & 1) === 0 || zigzag === NULL;
}

/** The record's timestamp in ms: the broker's when the batch says so, else the producer's.
 * Throws ProtocolError `VALUE_RANGE` beyond 2^53-1; `timestampBigInt` reads those.
 */
export function timestamp(cursor: RecordCursor): number {
  const { batch, baseTimestamp, timestampDelta } = cursor;
  if (batch.isLogAppendTime) return batch.maxTimestamp;
  const sum = baseTimestamp + timestampDelta;
  const isExact =
    Number.isSafeInteger(sum) && Number.isSafeInteger(baseTimestamp) && Number.isSafeInteger(timestampDelta);
  return isExact ? sum : safeInteger(timestampBigInt(cursor), `timestamp of offset ${cursor.offset}`);
}

/** The record's timestamp in ms, whatever it is. */
export function timestampBigInt(cursor: RecordCursor): bigint {
  const { batch } = cursor;
  if (batch.isLogAppendTime) return batch.maxTimestampBigInt;
  const timestampDelta = new VarintReader(cursor.bytes, cursor.timestampStart).varlongBigInt();
  return BigInt.asIntN(64, batch.baseTimestampBigInt + timestampDelta);
}

/** The headers of the record that a cursor found: `decodeHeaders(cursor.bytes, cursor.headersStart, cursor.headerCount)`.
 * Values are views. Invalid UTF-8 in a key becomes U+FFFD, as in Java.
 */
export function decodeHeaders(payload: Uint8Array, start: number, count: number): RecordHeader[] {
  const headers: RecordHeader[] = [];
  const reader = new VarintReader(payload, start);
  for (let i = 0; i < count; i++) {
    const keyLength = reader.varint();
    const keyStart = reader.position;
    reader.position += keyLength;
    const key = decodeUtf8(payload, keyStart, reader.position);
    const valueLength = reader.varint();
    const valueStart = reader.position;
    if (valueLength > 0) reader.position += valueLength;
    headers.push({ key, value: valueLength < 0 ? null : payload.subarray(valueStart, reader.position) });
  }
  return headers;
}
