/** Record batch v2 as a broker stores it: its header, read in place from the `records` bytes of a message.
 * Not here: the records inside (record-cursor.ts), inflating them (compression), writing (batch-builder.ts).
 * Invariant: nothing is copied, and every length is checked against the bytes at hand before it is used.
 * Source: Kafka's documentation, "Message format"; KIP-98; KIP-534 (delete horizon).
 */
import { ProtocolError } from '../../errors.ts';
import { crc32c } from '../crc32c.ts';
import * as at from './header-at.ts';

export { at };

/** Bits of a batch's `attributes`: the codec id. Brokers and Java ignore bits that are not named here. */
export const CODEC = 0x07;
/** Bit: the broker stamped the batch (`isLogAppendTime`). */
export const LOG_APPEND_TIME = 0x08;
/** Bit: part of a transaction (`isTransactional`). */
export const TRANSACTIONAL = 0x10;
/** Bit: for clients and brokers, not for applications (`isControl`). */
export const CONTROL = 0x20;
const DELETE_HORIZON = 0x40;

/** Bytes up to behind the field `batchLength`, which it does not count. */
export const LENGTH_OVERHEAD = 12;
/** The smallest `batchLength`, a message of v0: below that nothing is a batch of any format. */
export const MIN_BATCH_LENGTH = 14;

/** An int64 as a number. Throws ProtocolError `VALUE_RANGE` beyond 2^53-1. */
export function safeInteger(value: bigint, what: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new ProtocolError(`${what} is ${value}, beyond 2^53-1`, {
    code: 'VALUE_RANGE',
    api: 'RecordBatch',
    version: 2,
    path: what,
  });
}

/** One batch of format v2. Fields that few callers need are read when asked for. */
export class RecordBatch {
  /** The bytes that hold the batch from `start` to `end`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  /** Offset of the last record when the batch was written; compaction may have taken that record away. */
  readonly lastOffset: number;
  readonly attributes: number;
  /** Records in the batch; compacted ones hold fewer than offsets, even 0. */
  readonly recordCount: number;
  readonly #view: DataView;

  /** `bytes` hold a whole batch of v2 from `start` to `end`: see `nextBatch`.
   * Throws ProtocolError `MALFORMED` for counts that contradict each other, `VALUE_RANGE` for offsets beyond 2^53-1.
   */
  constructor(bytes: Uint8Array, start: number, end: number) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
    this.#view = view;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.attributes = view.getInt16(at.attributes);
    this.recordCount = view.getInt32(at.recordCount);
    this.baseOffset = safeInt64(view, at.baseOffset, 'baseOffset');
    const lastOffsetDelta = view.getInt32(at.lastOffsetDelta);
    this.lastOffset = this.baseOffset + lastOffsetDelta;
    if (this.lastOffset > Number.MAX_SAFE_INTEGER) {
      safeInteger(BigInt(this.baseOffset) + BigInt(lastOffsetDelta), 'lastOffset');
    }
    if (lastOffsetDelta < 0 || this.recordCount < 0 || this.recordCount > lastOffsetDelta + 1) {
      throw this.malformed(`${this.recordCount} records in ${lastOffsetDelta + 1} offsets`);
    }
  }

  /** Always 2. */
  get magic(): number {
    return this.#view.getInt8(at.magic);
  }

  /** Epoch of the leader that appended the batch; -1 unknown. Not under the checksum. */
  get partitionLeaderEpoch(): number {
    return this.#view.getInt32(at.partitionLeaderEpoch);
  }

  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  get codecId(): number {
    return this.attributes & CODEC;
  }

  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL) !== 0;
  }

  /** Whether the records are for clients and brokers, not for applications: see control.ts. */
  get isControl(): boolean {
    return (this.attributes & CONTROL) !== 0;
  }

  /** Whether the broker stamped the batch: every record's timestamp is then `maxTimestamp`. */
  get isLogAppendTime(): boolean {
    return (this.attributes & LOG_APPEND_TIME) !== 0;
  }

  /** Whether `baseTimestamp` is the time from which compaction may remove the batch's tombstones and markers (KIP-534). */
  get hasDeleteHorizon(): boolean {
    return (this.attributes & DELETE_HORIZON) !== 0;
  }

  /** What the records' timestamps are relative to, in ms. Throws ProtocolError `VALUE_RANGE` beyond 2^53-1. */
  get baseTimestamp(): number {
    return safeInt64(this.#view, at.baseTimestamp, 'baseTimestamp');
  }

  get baseTimestampBigInt(): bigint {
    return this.#view.getBigInt64(at.baseTimestamp);
  }

  /** Highest timestamp of the records in ms; -1 without one. Throws ProtocolError `VALUE_RANGE` beyond 2^53-1. */
  get maxTimestamp(): number {
    return safeInt64(this.#view, at.maxTimestamp, 'maxTimestamp');
  }

  get maxTimestampBigInt(): bigint {
    return this.#view.getBigInt64(at.maxTimestamp);
  }

  /** -1 when the producer was not idempotent. */
  get producerId(): bigint {
    return this.#view.getBigInt64(at.producerId);
  }

  /** -1 when the producer was not idempotent. */
  get producerEpoch(): number {
    return this.#view.getInt16(at.producerEpoch);
  }

  /** Sequence of the first record; -1 when the producer was not idempotent. 0 follows on 2^31-1. */
  get baseSequence(): number {
    return this.#view.getInt32(at.baseSequence);
  }

  /** The records, compressed as `codecId` says: a new view at each call. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.start + at.records, this.end);
  }

  /** Throws ProtocolError `CORRUPT` when the checksum does not hold. */
  verifyCrc(): void {
    const stored = this.#view.getUint32(at.crc);
    const computed = crc32c(this.bytes.subarray(this.start + at.attributes, this.end));
    if (stored === computed) return;
    throw this.#error(`checksum ${computed.toString(16)} where ${stored.toString(16)} is stored`, 'CORRUPT');
  }

  /** The ProtocolError `MALFORMED` to throw for what was found in this batch. */
  malformed(what: string): ProtocolError {
    return this.#error(what, 'MALFORMED');
  }

  #error(what: string, code: 'MALFORMED' | 'CORRUPT'): ProtocolError {
    const { baseOffset, lastOffset, start } = this;
    const message = `record batch of offsets ${baseOffset} to ${lastOffset}: ${what}`;
    return new ProtocolError(message, { code, api: 'RecordBatch', version: 2, byteOffset: start });
  }
}

function safeInt64(view: DataView, position: number, what: string): number {
  const number = view.getInt32(position) * 0x1_0000_0000 + view.getUint32(position + 4);
  return Number.isSafeInteger(number) ? number : safeInteger(view.getBigInt64(position), what);
}

/** Where the batch, or message of v0 or v1, at `position` ends; undefined where the bytes end before it does.
 * Throws ProtocolError `MALFORMED` for what is neither.
 */
export function batchEnd(bytes: Uint8Array, position: number): number | undefined {
  const remaining = bytes.length - position;
  if (remaining < LENGTH_OVERHEAD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + position, remaining);
  const batchLength = view.getInt32(at.batchLength);
  const magic = remaining > at.magic ? view.getInt8(at.magic) : undefined;
  const isTooShort = batchLength < (magic === 2 ? at.records - LENGTH_OVERHEAD : MIN_BATCH_LENGTH);
  if (isTooShort || (magic !== undefined && (magic < 0 || magic > 2))) {
    const what = isTooShort ? `length ${batchLength} is less than a header` : `format v${magic} is unknown`;
    throw new ProtocolError(`record batch at byte ${position}: ${what}`, {
      api: 'RecordBatch',
      byteOffset: position,
    });
  }
  const length = LENGTH_OVERHEAD + batchLength;
  return magic === undefined || length > remaining ? undefined : position + length;
}

/** The batch at `position` of a message's `records`; `position` of the one after it is its `end`.
 * Undefined where the bytes end before the batch does, as fetch answers may. Throws ProtocolError `MALFORMED` for what
 * is no batch, `UNSUPPORTED_VERSION` for messages of v0 and v1 (Kafka before 0.11; message-set.ts reads them), else as
 * `RecordBatch`.
 */
export function nextBatch(bytes: Uint8Array, position: number): RecordBatch | undefined {
  const end = batchEnd(bytes, position);
  const magic = bytes[position + at.magic];
  if (magic === 0 || magic === 1) {
    throw new ProtocolError(`message set v${magic} at byte ${position}: only record batches v2 are read`, {
      code: 'UNSUPPORTED_VERSION',
      api: 'RecordBatch',
      version: magic,
      byteOffset: position,
    });
  }
  return end === undefined ? undefined : new RecordBatch(bytes, position, end);
}
