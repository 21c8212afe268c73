/** Builds a record batch v2, each record encoded once into one growing buffer; changes the header of a finished one.
 * Not here: when a batch is full (`recordByteBound` lets the caller decide), codecs (compression), reading (batch.ts).
 * Invariant: after every call of a builder its buffer holds whole records up to `byteLength`, and every function that
 * changes what is under a batch's checksum writes it anew.
 * Source: Kafka's documentation, "Message format"; Java's MemoryRecordsBuilder decides the bytes.
 */
import { UsageError } from '../../errors.ts';
import { crc32c } from '../crc32c.ts';
import { encodeUtf8, writeUtf8 } from '../text.ts';
import { VarintReader, varintLength, varlongLength, writeVarint, writeVarlong } from '../varint.ts';
import { CODEC, LENGTH_OVERHEAD, LOG_APPEND_TIME } from './batch.ts';
import * as at from './header-at.ts';

/** A key, a value or a header's value: bytes as they are, text as UTF-8, or null. */
export type RecordBytes = Uint8Array | string | null;

/** A header to write. */
export interface HeaderInput {
  readonly key: string;
  readonly value: RecordBytes;
}

/** What `stampProducer` writes. */
export interface ProducerStamp {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Sequence of the first record, 0 to 2^31-1. */
  readonly baseSequence: number;
  /** Bits to set, of those in batch.ts. Default: none, the attributes stay as they are. */
  readonly attributes?: number;
}

/** Most bytes of a record besides key, value and headers: length 5, attributes 1, timestamp 10, offset 5; as in Java. */
const MAX_OVERHEAD = 21;
/** How to count text: without looking at it, as ASCII or at the most UTF-8 for a UTF-16 unit; or exactly. */
const AS_ASCII = 1;
const AT_MOST = 3;
const EXACTLY = 0;
/** Longer text is encoded first, rather than reserving three times its length. */
const LONG_TEXT = 4096;
/** Below this a loop copies faster than `set`; measured on Node 20 and 24. */
const SHORT_BYTES = 12;
const spent: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** An open batch. The caller sees to it that offsets and sizes stay within int32. */
export class BatchBuilder {
  recordCount = 0;
  /** Bytes of the batch so far, uncompressed, with its header of 61. */
  byteLength: number = at.records;
  /** Timestamp of the first record in ms; -1 without one. */
  baseTimestamp = -1;
  /** Highest timestamp of the records in ms; -1 without one. */
  maxTimestamp = -1;
  /** Timestamp of the records that are added from now on: ms, an integer up to 2^53-1, or -1 for none. A field, for an
   * argument as large as this goes on the heap wherever a call is not inlined.
   */
  timestamp = -1;
  #buffer: Uint8Array;
  /** Of the record that is being added, from `baseTimestamp`. */
  #timestampDelta = 0;

  /** `initial`: bytes to allocate now, or memory to write into. When that is full, an array of twice its size follows. */
  constructor(initial: number | Uint8Array = 1024) {
    const buffer = typeof initial === 'number' ? new Uint8Array(Math.max(initial, at.records)) : initial;
    this.#buffer = buffer.length < at.records ? new Uint8Array(at.records) : buffer.fill(0, 0, at.records);
  }

  /** Adds a record. Throws UsageError `CLOSED` after `finish`. */
  append(key: RecordBytes, value: RecordBytes, headers?: readonly HeaderInput[]): void {
    this.#stamp();
    if (typeof key === 'string' && key.length > LONG_TEXT) key = encodeUtf8(key);
    if (typeof value === 'string' && value.length > LONG_TEXT) value = encodeUtf8(value);
    const start = this.byteLength;
    // The length comes first, so it is guessed as if all text were ASCII, and corrected below when it was not.
    const guess = fieldBytes(key, value, headers, AS_ASCII);
    const hasText = typeof key === 'string' || typeof value === 'string' || headers !== undefined;
    const target = this.#reserve(hasText ? recordByteBound(key, value, headers) : MAX_OVERHEAD + guess);
    const fields = this.#writeOverhead(target, guess);
    let position = writeField(target, fields, key);
    position = writeField(target, position, value);
    position = writeHeaders(target, position, headers);
    if (position - fields !== guess) position = correctLength(target, start, position);
    this.recordCount++;
    this.byteLength = position;
  }

  /** The records so far, which a codec may compress: a view that the next change makes stale. */
  get payload(): Uint8Array {
    return this.#reserve(0).subarray(at.records, this.byteLength);
  }

  /** Takes out the records that are not kept, by their index; the others close up (offsets count from 0 again). */
  retain(isKept: (index: number) => boolean): void {
    const { payload, recordCount, baseTimestamp } = this;
    this.#buffer = new Uint8Array(this.#buffer.length);
    this.recordCount = 0;
    this.byteLength = at.records;
    this.baseTimestamp = -1;
    this.maxTimestamp = -1;
    this.appendFrom(payload, recordCount, baseTimestamp, isKept);
  }

  /** Adds the records of another batch that are wanted, by their index: `payload` is its `recordCount` records, and
   * `baseTimestamp` the timestamp of the first, in ms. */
  appendFrom(
    payload: Uint8Array,
    recordCount: number,
    baseTimestamp: number,
    isWanted: (index: number) => boolean,
  ): void {
    const reader = new VarintReader(payload);
    for (let index = 0; index < recordCount; index++) {
      const length = reader.varint();
      const next = reader.position + length;
      reader.position++; // attributes
      this.timestamp = baseTimestamp + reader.varlong();
      reader.varint(); // offset delta
      if (isWanted(index)) this.#appendRest(reader.bytes.subarray(reader.position, next));
      reader.position = next;
    }
  }

  /** The whole batch: base offset 0, leader epoch -1, no producer. A view on the builder's buffer, which is spent: a
   * further call of any kind throws UsageError `CLOSED`. Throws UsageError without a record. `sealed` false spares the
   * checksum, for a batch that `compressedBatch` or `stampProducer` is going to change anyway.
   */
  finish(sealed = true): Uint8Array {
    if (this.recordCount === 0) throw new UsageError('a record batch holds at least one record');
    const batch = this.#reserve(0).subarray(0, this.byteLength);
    this.#buffer = spent;
    const header = viewOf(batch);
    header.setInt32(at.partitionLeaderEpoch, -1);
    header.setInt8(at.magic, 2);
    header.setInt32(at.lastOffsetDelta, this.recordCount - 1);
    header.setBigInt64(at.baseTimestamp, BigInt(this.baseTimestamp));
    header.setBigInt64(at.maxTimestamp, BigInt(this.maxTimestamp));
    header.setBigInt64(at.producerId, -1n);
    header.setInt16(at.producerEpoch, -1);
    header.setInt32(at.baseSequence, -1);
    header.setInt32(at.recordCount, this.recordCount);
    header.setInt32(at.batchLength, batch.length - LENGTH_OVERHEAD);
    if (sealed) seal(batch);
    return batch;
  }

  /** Adds a record of which everything behind the offset is encoded already. */
  #appendRest(rest: Uint8Array): void {
    this.#stamp();
    const target = this.#reserve(MAX_OVERHEAD + rest.length);
    const position = this.#writeOverhead(target, rest.length);
    target.set(rest, position);
    this.recordCount++;
    this.byteLength = position + rest.length;
  }

  /** Writes what stands in front of a record's key, `restBytes` long with what follows; returns the position after it. */
  #writeOverhead(target: Uint8Array, restBytes: number): number {
    const timestampDelta = this.#timestampDelta;
    const { recordCount } = this;
    const length = 1 + varlongLength(timestampDelta) + varintLength(recordCount) + restBytes;
    let position = writeVarint(target, this.byteLength, length);
    target[position] = 0;
    position = writeVarlong(target, position + 1, timestampDelta);
    return writeVarint(target, position, recordCount);
  }

  /** Takes in the timestamp of the record that is to be added. */
  #stamp(): void {
    const { timestamp } = this;
    const isFirst = this.recordCount === 0;
    if (isFirst) this.baseTimestamp = timestamp;
    this.#timestampDelta = timestamp - this.baseTimestamp;
    if (isFirst || timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
  }

  /** The buffer, with room for `bytes` more. */
  #reserve(bytes: number): Uint8Array {
    const needed = this.byteLength + bytes;
    return needed <= this.#buffer.length ? this.#buffer : this.#grow(needed);
  }

  #grow(needed: number): Uint8Array {
    if (this.#buffer === spent) throw new UsageError('the batch is finished', { code: 'CLOSED' });
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.byteLength));
    return (this.#buffer = grown);
  }
}

/** Most bytes that `append` adds for a record, by Java's reckoning: at most 17 too many. Text is encoded to count its UTF-8. */
export function recordByteLength(
  key: RecordBytes,
  value: RecordBytes,
  headers?: readonly HeaderInput[],
): number {
  return MAX_OVERHEAD + fieldBytes(key, value, headers, EXACTLY);
}

/** As `recordByteLength`, quicker and looser: text counts 3 bytes for each UTF-16 unit. */
export function recordByteBound(
  key: RecordBytes,
  value: RecordBytes,
  headers?: readonly HeaderInput[],
): number {
  return MAX_OVERHEAD + fieldBytes(key, value, headers, AT_MOST);
}

/** Bytes of key, value and headers with their lengths. */
function fieldBytes(
  key: RecordBytes,
  value: RecordBytes,
  headers: readonly HeaderInput[] | undefined,
  counting: number,
): number {
  const bytes = sizedBytes(key, counting) + sizedBytes(value, counting);
  if (headers === undefined) return bytes + 1;
  let headerBytes = varintLength(headers.length);
  for (const header of headers) {
    headerBytes += sizedBytes(header.key, counting) + sizedBytes(header.value, counting);
  }
  return bytes + headerBytes;
}

function sizedBytes(field: RecordBytes, counting: number): number {
  if (field === null) return 1;
  let { length } = field;
  if (typeof field === 'string') length = counting === EXACTLY ? encodeUtf8(field).length : length * counting;
  return varintLength(length) + length;
}

function writeHeaders(
  target: Uint8Array,
  start: number,
  headers: readonly HeaderInput[] | undefined,
): number {
  if (headers === undefined) return writeVarint(target, start, 0);
  let position = writeVarint(target, start, headers.length);
  for (const header of headers) {
    position = writeField(target, position, header.key);
    position = writeField(target, position, header.value);
  }
  return position;
}

/** Writes length and bytes; there is room. Returns the position after them. */
function writeField(target: Uint8Array, start: number, field: RecordBytes): number {
  if (field === null) return writeVarint(target, start, -1);
  const { length } = field;
  const position = writeVarint(target, start, length);
  if (typeof field === 'string') {
    const end = position + writeUtf8(field, target, position);
    return end - position === length ? end : correctLength(target, start, end);
  }
  if (length < SHORT_BYTES) for (let i = 0; i < length; i++) target[position + i] = field[i] as number;
  else target.set(field, position);
  return position + length;
}

/** Writes the true length of what follows the varint at `start` up to `end`, moving it when that takes more bytes. */
function correctLength(target: Uint8Array, start: number, end: number): number {
  let body = start + 1;
  while ((target[body - 1] as number) > 0x7f) body++;
  const length = end - body;
  const moved = start + varintLength(length);
  target.copyWithin(moved, body, end);
  writeVarint(target, start, length);
  return moved + length;
}

/** The same batch with its records compressed: `payload` is what codec `codecId` (1 to 4) made of `batch`'s. A new array. */
export function compressedBatch(batch: Uint8Array, codecId: number, payload: Uint8Array): Uint8Array {
  const room = new Uint8Array(at.records + payload.length);
  room.set(batch.subarray(0, at.records));
  return compressInPlace(room, codecId, payload);
}

/** As `compressedBatch`, but a view on the memory of `batch`, whose records are gone then; `payload` must be no longer than
 * they were. `sealed` false spares the checksum. */
export function compressInPlace(
  batch: Uint8Array,
  codecId: number,
  payload: Uint8Array,
  sealed = true,
): Uint8Array {
  batch.set(payload, at.records);
  const compressed = batch.subarray(0, at.records + payload.length);
  const header = viewOf(compressed);
  header.setInt16(at.attributes, (header.getInt16(at.attributes) & ~CODEC) | codecId);
  header.setInt32(at.batchLength, compressed.length - LENGTH_OVERHEAD);
  if (sealed) seal(compressed);
  return compressed;
}

/** Two open batches, each with half of the records of a finished one; `payload` is its records uncompressed. */
export function halvedBatch(batch: Uint8Array, payload: Uint8Array): [BatchBuilder, BatchBuilder] {
  const header = viewOf(batch);
  const baseTimestamp = Number(header.getBigInt64(at.baseTimestamp));
  const recordCount = header.getInt32(at.recordCount);
  const middle = recordCount >> 1;
  const initialBytes = at.records + (payload.length >> 1);
  const halves: [BatchBuilder, BatchBuilder] = [
    new BatchBuilder(initialBytes),
    new BatchBuilder(initialBytes),
  ];
  halves[0].appendFrom(payload, recordCount, baseTimestamp, (index) => index < middle);
  halves[1].appendFrom(payload, recordCount, baseTimestamp, (index) => index >= middle);
  return halves;
}

/** Makes a finished batch one of an idempotent producer, in place, and writes its checksum. */
export function stampProducer(batch: Uint8Array, stamp: ProducerStamp): void {
  const header = viewOf(batch);
  header.setBigInt64(at.producerId, stamp.producerId);
  header.setInt16(at.producerEpoch, stamp.producerEpoch);
  header.setInt32(at.baseSequence, stamp.baseSequence);
  setAttributes(header, stamp.attributes ?? 0);
  seal(batch);
}

/** Corrects the highest timestamp (ms) of a batch, in place, as a broker does for a producer that misstated it. */
export function setMaxTimestamp(batch: Uint8Array, timestamp: number): void {
  viewOf(batch).setBigInt64(at.maxTimestamp, BigInt(timestamp));
  seal(batch);
}

/** Makes `timestamp` (ms) the timestamp of every record, in place, as a broker does under LogAppendTime. */
export function setLogAppendTime(batch: Uint8Array, timestamp: number): void {
  setAttributes(viewOf(batch), LOG_APPEND_TIME);
  setMaxTimestamp(batch, timestamp);
}

/** Gives a batch its place in a log, in place. Neither field is under the checksum. */
export function assignOffsets(batch: Uint8Array, baseOffset: number, partitionLeaderEpoch: number): void {
  const header = viewOf(batch);
  header.setBigInt64(at.baseOffset, BigInt(baseOffset));
  header.setInt32(at.partitionLeaderEpoch, partitionLeaderEpoch);
}

function viewOf(batch: Uint8Array): DataView {
  return new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
}

/** Writes the checksum. */
function seal(batch: Uint8Array): void {
  viewOf(batch).setUint32(at.crc, crc32c(batch.subarray(at.attributes)));
}

function setAttributes(header: DataView, bits: number): void {
  header.setInt16(at.attributes, header.getInt16(at.attributes) | bits);
}
