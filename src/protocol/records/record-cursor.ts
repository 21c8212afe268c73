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

/** Walks the records of one batch. The fields describe the record that the last `next()` found. */
export class RecordCursor extends VarintReader {
  readonly batch: RecordBatch;
  /** The batch's base timestamp in ms, unsafe beyond 2^53-1. */
  readonly baseTimestamp: number;
  /** Records found so far. */
  recordIndex = 0;
  offset: number;
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

  /** `payload` is `batch.payload`, inflated unless `batch.codecId` is 0.
   * Throws ProtocolError `MALFORMED` when the batch's count of records cannot lie in it.
   */
  constructor(batch: RecordBatch, payload: Uint8Array) {
    super(payload);
    this.batch = batch;
    this.baseTimestamp = Number(batch.baseTimestampBigInt);
    this.offset = batch.baseOffset - 1;
    if (batch.recordCount > payload.length / MIN_RECORD_BYTES) {
      throw this.malformed(`${batch.recordCount} records cannot lie in ${payload.length} bytes`);
    }
  }

  /** Goes to the next record; false after the last. Throws ProtocolError `MALFORMED`, again when called again. */
  next(): boolean {
    this.end = this.bytes.length;
    if (this.recordIndex === this.batch.recordCount) {
      // Java takes a batch of no records as empty, whatever follows its header.
      const surplus = this.recordIndex === 0 ? 0 : this.end - this.position;
      if (surplus > 0) throw this.malformed(`${surplus} bytes after the last record`);
      return false;
    }
    this.recordStart = this.position;
    const offset = this.#readShort() ?? this.#read();
    if (this.headerCount !== 0) this.#skipHeaders();
    if (this.position !== this.end) throw this.malformed('the record is longer than its fields');
    this.offset = offset;
    this.recordIndex++;
    return true;
  }

  /** Reads up to the headers and returns the offset, where every number is short: most records, in half the time. Else
   * undefined, and nothing has changed: `#read` reads any record, and says what is wrong with it.
   */
  #readShort(): number | undefined {
    const { bytes, batch, recordStart } = this;
    // No step leads back, so fields that begin within the record lie within it altogether.
    const length = shortNumber(bytes, recordStart);
    const start = recordStart + shortBytes(length);
    const end = start + (length >>> 1);
    const timestampStart = start + 1; // Attributes: Java ignores them.
    const timestampDelta = shortNumber(bytes, timestampStart);
    const offsetStart = timestampStart + shortBytes(timestampDelta);
    const offsetDelta = shortNumber(bytes, offsetStart);
    if (!isCount(length) || timestampDelta < 0 || !isCount(offsetDelta)) return undefined;
    const keyLength = shortNumber(bytes, offsetStart + shortBytes(offsetDelta));
    const keyStart = offsetStart + shortBytes(offsetDelta) + shortBytes(keyLength);
    const keyEnd = keyStart + (keyLength === NULL ? 0 : keyLength >>> 1);
    const valueLength = shortNumber(bytes, keyEnd);
    const valueStart = keyEnd + shortBytes(valueLength);
    const valueEnd = valueStart + (valueLength === NULL ? 0 : valueLength >>> 1);
    const headerCount = shortNumber(bytes, valueEnd);
    const headersStart = valueEnd + shortBytes(headerCount);
    const offset = batch.baseOffset + (offsetDelta >>> 1);
    if (!isLength(keyLength) || !isLength(valueLength) || !isCount(headerCount)) return undefined;
    if (headersStart > end || end > bytes.length || offset <= this.offset || offset > batch.lastOffset)
      return undefined;
    this.timestampStart = timestampStart;
    this.timestampDelta = (timestampDelta >>> 1) ^ -(timestampDelta & 1);
    this.keyStart = keyLength === NULL ? -1 : keyStart;
    this.keyEnd = keyLength === NULL ? -1 : keyEnd;
    this.valueStart = valueLength === NULL ? -1 : valueStart;
    this.valueEnd = valueLength === NULL ? -1 : valueEnd;
    this.headerCount = headerCount >>> 1;
    this.headersStart = this.position = headersStart;
    this.end = end;
    return offset;
  }

  /** As `#readShort`, of any record. */
  #read(): number {
    const { batch } = this;
    this.end = this.#after(this.varint());
    this.byte(); // Attributes: Java ignores them.
    this.timestampStart = this.position;
    this.timestampDelta = this.varlong();
    const offset = batch.baseOffset + this.varint();
    const isInOrder = offset > this.offset && offset <= batch.lastOffset;
    if (!isInOrder) throw this.malformed(`offset ${offset} after ${this.offset}`);
    const keyLength = this.varint();
    this.keyStart = keyLength < 0 ? -1 : this.position;
    this.keyEnd = keyLength < 0 ? -1 : (this.position = this.#after(keyLength));
    const valueLength = this.varint();
    this.valueStart = valueLength < 0 ? -1 : this.position;
    this.valueEnd = valueLength < 0 ? -1 : (this.position = this.#after(valueLength));
    this.headerCount = this.varint();
    this.headersStart = this.position;
    return offset;
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

/** The zigzag number of up to 3 bytes at `position`; -1 for any other, a padded one, and where the bytes end. */
function shortNumber(bytes: Uint8Array, position: number): number {
  const first = bytes[position] as number;
  if (first < 0x80) return first;
  const second = bytes[position + 1] as number;
  if (second < 0x80) return second === 0 ? -1 : (first & 0x7f) | (second << 7);
  const third = bytes[position + 2] as number;
  return third > 0 && third < 0x80 ? (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14) : -1;
}

/** Bytes that `shortNumber` read. */
function shortBytes(zigzag: number): number {
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : 3;
}

/** Whether a zigzag number is 0 or more; -1 as `shortNumber` gives it is not. */
function isCount(zigzag: number): boolean {
  return (zigzag & 1) === 0;
}

/** Whether a zigzag number is 0 or more, or null's. */
function isLength(zigzag: number): boolean {
  return isCount(zigzag) || zigzag === NULL;
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
