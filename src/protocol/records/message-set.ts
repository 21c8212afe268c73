/** Message sets, the formats v0 and v1 of Kafka before 0.11, which old segments still hold: messages one after another,
 * of which a compressed one wraps others. Read only, and in two steps as a batch: `payload`, inflated, goes to a cursor.
 * Not here: record batches (batch.ts), strict reading (strict.ts).
 * Invariant: as for batches; a cursor tells of a message what a RecordCursor tells of a record.
 * Source: Kafka's documentation, "Message sets"; KIP-31 (relative offsets), KIP-32 (timestamps); Java's LegacyRecord and
 * AbstractLegacyRecordBatch decide what is accepted.
 */
import { ProtocolError } from '../../errors.ts';
import { ByteReader } from '../reader.ts';
import {
  at,
  batchEnd,
  CODEC,
  LENGTH_OVERHEAD,
  LOG_APPEND_TIME,
  MIN_BATCH_LENGTH,
  nextBatch,
  type RecordBatch,
} from './batch.ts';
import { crc32 } from './crc32.ts';
import { RecordCursor } from './record-cursor.ts';

/** Positions in a message with its offset; offset, length and magic lie where a batch has them. */
const CRC = 12;
/** int8: codec and, in v1, LogAppendTime. */
export const ATTRIBUTES = 17;
const TIMESTAMP_V1 = 18;
/** Where the key's length stands in v0. */
export const KEY_V0 = 18;
/** Where the key's length stands in v1, which has a timestamp before it. */
export const KEY_V1 = 26;
/** Codecs that wrap messages: gzip, snappy, lz4. */
const LAST_CODEC = 3;

/** One message of v0 or v1 with its offset: a record by itself, or a wrapper of compressed ones. */
export class LegacyBatch {
  /** The bytes that hold the message from `start` to `end`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** 0 or 1. Codecs are to know it: lz4 frames in v0 have the header checksum of Kafka before 0.10, which nobody verifies. */
  readonly magic: number;
  readonly attributes: number;
  /** Offset of the message; of a wrapper, that of its last one. */
  readonly lastOffset: number;
  /** At least so many; a wrapper does not count its messages. */
  readonly recordCount = 1;
  readonly isControl = false;
  readonly isTransactional = false;
  readonly partitionLeaderEpoch = -1;
  readonly producerId: bigint = -1n;
  /** A cursor's `timestampDelta` is the whole timestamp. */
  readonly baseTimestampBigInt: bigint = 0n;
  /** What the offsets in a wrapper of v1 are relative to, else 0; the first cursor finds it out for all. */
  relativeTo: number | undefined;

  /** `bytes` hold a whole message of v0 or v1 from `start` to `end`: see `nextLogBatch`. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    const reader = new ByteReader(bytes, start, end);
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.lastOffset = reader.int64();
    this.magic = reader.view.getInt8(start + at.magic);
    this.attributes = reader.view.getInt8(start + ATTRIBUTES);
  }

  /** 0 none, 1 gzip, 2 snappy, 3 lz4. */
  get codecId(): number {
    return this.attributes & CODEC;
  }

  /** Whether the broker stamped the messages: every timestamp is then `maxTimestampBigInt`. Never in v0. */
  get isLogAppendTime(): boolean {
    return this.magic === 1 && (this.attributes & LOG_APPEND_TIME) !== 0;
  }

  /** Timestamp of the message, or the highest in the wrapper, in ms; -1 in v0. Throws ProtocolError `MALFORMED`. */
  get maxTimestampBigInt(): bigint {
    return this.magic === 0 ? -1n : this.#reader(TIMESTAMP_V1).int64Big();
  }

  /** What a cursor walks: the messages in a wrapper, compressed as `codecId` says, or this message itself.
   * Throws ProtocolError `MALFORMED` for a wrapper without a value, or of a codec that wraps no messages (zstd).
   */
  get payload(): Uint8Array {
    const { codecId, magic } = this;
    if (codecId === 0) return this.bytes.subarray(this.start, this.end);
    if (codecId > LAST_CODEC) throw this.malformed(`codec ${codecId} is none of v${magic}`);
    const reader = this.#reader(magic === 0 ? KEY_V0 : KEY_V1);
    reader.skip(Math.max(0, reader.int32()));
    return reader.raw(reader.int32());
  }

  /** Throws ProtocolError `CORRUPT` when the checksum does not hold. Java checks no other than this, the outer one. */
  verifyCrc(): void {
    verifyMessageCrc(this, this.bytes, this.start, this.end);
  }

  /** The ProtocolError to throw for what was found in this message. */
  malformed(what: string, code: 'MALFORMED' | 'CORRUPT' = 'MALFORMED'): ProtocolError {
    const message = `message v${this.magic} of offset ${this.lastOffset}: ${what}`;
    return new ProtocolError(message, {
      code,
      api: 'RecordBatch',
      version: this.magic,
      byteOffset: this.start,
    });
  }

  #reader(offset: number): ByteReader {
    return new ByteReader(this.bytes, this.start + offset, this.end);
  }
}

/** Throws ProtocolError `CORRUPT` when the message at `start`, one in `batch` or `batch` itself, lacks its checksum. */
export function verifyMessageCrc(batch: LegacyBatch, bytes: Uint8Array, start: number, end: number): void {
  const stored = new ByteReader(bytes, start + CRC, end).uint32();
  const computed = crc32(bytes.subarray(start + at.magic, end));
  if (stored === computed) return;
  throw batch.malformed(
    `checksum ${computed.toString(16)} where ${stored.toString(16)} is stored`,
    'CORRUPT',
  );
}

/** Walks the messages of one LegacyBatch. The fields are RecordCursor's; a message has no headers. */
export class LegacyCursor extends ByteReader {
  readonly batch: LegacyBatch;
  recordIndex = 0;
  offset = -1;
  /** The timestamp in ms, unsafe beyond 2^53-1; -1 in v0. Under LogAppendTime the batch's counts. */
  timestampDelta = -1;
  /** Position of the timestamp, an int64; of what follows, in v0. */
  timestampStart = 0;
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  /** Where the value ends. */
  headersStart = 0;
  readonly headerCount = 0;
  recordStart = 0;
  readonly #baseOffset: number;

  /** `payload` is `batch.payload`, inflated unless `batch.codecId` is 0.
   * Throws ProtocolError `MALFORMED` when no whole message lies in it, or more offsets than there can be.
   */
  constructor(batch: LegacyBatch, payload: Uint8Array) {
    super(payload);
    this.batch = batch;
    this.#baseOffset = batch.relativeTo ??= this.#findBase();
    this.position = 0;
  }

  /** The last message has the wrapper's offset (KIP-31). */
  #findBase(): number {
    let last: number | undefined;
    for (let offset = this.#enter(); offset !== undefined; offset = this.#enter()) {
      last = offset;
      this.position = this.end;
    }
    if (last === undefined) throw this.malformed('no whole message');
    const base = this.batch.magic === 0 ? 0 : this.batch.lastOffset - last;
    if (base < 0) throw this.malformed(`relative offset ${last}`);
    return base;
  }

  /** Goes to the next message; false after the last, and where the bytes end before it does.
   * Throws ProtocolError `MALFORMED`, again when called again.
   */
  next(): boolean {
    const { batch } = this;
    const relative = this.#enter();
    if (relative === undefined) return false;
    const offset = relative + this.#baseOffset;
    const isInOrder = offset > this.offset && offset <= batch.lastOffset;
    if (!isInOrder) throw this.malformed(`offset ${offset} after ${this.offset}`);
    this.skip(4); // Its checksum: Java verifies only the wrapper's.
    const magic = this.int8();
    const codecId = this.int8() & CODEC;
    if (magic !== batch.magic || codecId !== 0) throw this.malformed(`message v${magic} of codec ${codecId}`);
    this.timestampStart = this.position;
    this.timestampDelta = magic === 0 ? -1 : Number(this.int64Big());
    const keyLength = this.int32();
    this.keyStart = keyLength < 0 ? -1 : this.skip(keyLength);
    this.keyEnd = keyLength < 0 ? -1 : this.position;
    const valueLength = this.int32();
    this.valueStart = valueLength < 0 ? -1 : this.skip(valueLength);
    this.valueEnd = valueLength < 0 ? -1 : this.position;
    this.headersStart = this.position;
    this.position = this.end; // Java minds no surplus bytes.
    this.offset = offset;
    this.recordIndex++;
    return true;
  }

  /** The message's timestamp in ms, whatever it is. */
  get timestampBigInt(): bigint {
    if (this.batch.isLogAppendTime) return this.batch.maxTimestampBigInt;
    return this.batch.magic === 0 ? -1n : this.view.getBigInt64(this.timestampStart);
  }

  override malformed(what: string): ProtocolError {
    const error = this.batch.malformed(`message ${this.recordIndex}, byte ${this.position}: ${what}`);
    this.position = this.recordStart;
    return error;
  }

  /** Reads the offset and the length of the message at `position` and sets `end` to its end; undefined if it is cut. */
  #enter(): number | undefined {
    this.end = this.bytes.length;
    this.recordStart = this.position;
    if (this.remaining < LENGTH_OVERHEAD) return undefined;
    const offset = this.int64();
    const length = this.int32();
    if (length < MIN_BATCH_LENGTH) throw this.malformed(`length ${length}`);
    if (length > this.remaining) {
      this.position = this.recordStart;
      return undefined;
    }
    this.end = this.position + length;
    return offset;
  }
}

/** A batch of any format. */
export type LogBatch = RecordBatch | LegacyBatch;
/** A cursor for a batch of any format. */
export type LogCursor = RecordCursor | LegacyCursor;

/** As `nextBatch`, for all three formats. Throws ProtocolError `MALFORMED` or `VALUE_RANGE`. */
export function nextLogBatch(bytes: Uint8Array, position: number): LogBatch | undefined {
  const magic = bytes[position + at.magic];
  if (magic !== 0 && magic !== 1) return nextBatch(bytes, position);
  const end = batchEnd(bytes, position);
  return end === undefined ? undefined : new LegacyBatch(bytes, position, end);
}

/** A cursor before the first record of `batch`; `payload` is the batch's, inflated. Throws as the cursors do. */
export function cursorOf(batch: LogBatch, payload: Uint8Array): LogCursor {
  return batch instanceof LegacyBatch ? new LegacyCursor(batch, payload) : new RecordCursor(batch, payload);
}
