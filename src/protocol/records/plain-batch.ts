/** One record batch from and to plain values: for tools, tests and explorers.
 * Not here: the paths of Writer and Reader (batch-builder.ts, record-cursor.ts), and codecs: they are arguments.
 * Invariant: what a producer's batch says, decodes and encodes again to the same bytes.
 */
import { ProtocolError, UsageError } from '../../errors.ts';
import {
  assignOffsets,
  BatchBuilder,
  compressedBatch,
  type HeaderInput,
  recordByteBound,
  type RecordBytes,
  setLogAppendTime,
  stampProducer,
} from './batch-builder.ts';
import { at, CONTROL, safeInteger, TRANSACTIONAL } from './batch.ts';
import {
  cursorOf,
  LegacyBatch,
  LegacyCursor,
  nextLogBatch,
  type LogBatch,
  type LogCursor,
} from './message-set.ts';
import { decodeHeaders, type RecordHeader, timestamp } from './record-cursor.ts';
import { strictCursorOf } from './strict.ts';

/** A record to encode. */
export interface RecordInput {
  /** Default null. */
  readonly key?: RecordBytes;
  /** Default null: a tombstone. */
  readonly value?: RecordBytes;
  readonly headers?: readonly HeaderInput[];
  /** Milliseconds since 1970, an integer up to 2^53-1. Default -1: none. */
  readonly timestamp?: number;
}

/** A batch to encode, as a producer or a broker would write it. */
export interface RecordBatchInput {
  readonly records: readonly RecordInput[];
  /** Default 0, as producers write; brokers change it. */
  readonly baseOffset?: number;
  /** Default -1, as producers write; brokers change it. */
  readonly partitionLeaderEpoch?: number;
  /** Default -1n: not idempotent. */
  readonly producerId?: bigint;
  /** Default -1. */
  readonly producerEpoch?: number;
  /** Default -1. */
  readonly baseSequence?: number;
  /** Default false. */
  readonly isTransactional?: boolean;
  /** Default false. */
  readonly isControl?: boolean;
  /** The broker's time for every record, ms (LogAppendTime). Default: the producer's times count. */
  readonly logAppendTime?: number;
  /** Compresses the records: what is written is Kafka's id, 1 gzip, 2 snappy, 3 lz4, 4 zstd. Default: they stay as they are. */
  readonly codec?: { readonly id: number; readonly compress: (records: Uint8Array) => Uint8Array };
}

/** How to decode. */
export interface DecodeBatchOptions {
  /** What the codec `codecId` makes of a compressed batch's records, at most `maxBytes` of it; undefined if it cannot.
   * `magic` is the batch's format, for lz4 in messages of v0. `inflateSync` of `kafka-wire/compression` is one.
   */
  readonly inflate?: (
    codecId: number,
    records: Uint8Array,
    maxBytes: number,
    magic: number,
  ) => Uint8Array | undefined;
  /** Most bytes that one batch may inflate to. Default 64 MiB. */
  readonly maxInflatedBytes?: number;
  /** Refuses what Java reads though no Java writes it. Default false. */
  readonly strict?: boolean;
}

/** A decoded record; bytes are views on what was decoded. */
export interface DecodedRecord {
  readonly offset: number;
  /** Milliseconds since 1970; -1 for none. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** A decoded batch. A message of v0 or v1 counts as one: a wrapper with those in it. */
export interface DecodedBatch {
  /** Format: 2, or 0 and 1 before Kafka 0.11, which have no more than the first five fields and the codec. */
  readonly magic: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codecId: number;
  readonly isLogAppendTime: boolean;
  /** Highest timestamp of the records in ms; -1 without one. */
  readonly maxTimestamp: number;
  readonly partitionLeaderEpoch: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly hasDeleteHorizon: boolean;
  readonly baseTimestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly records: readonly DecodedRecord[];
}

const DEFAULT_MAX_INFLATED_BYTES = 67_108_864;
/** Most bytes that a batch is given before it needs them. */
const MAX_FIRST_BYTES = 4_194_304;
/** zstd; Kafka gives no meaning to the numbers above. */
const LAST_CODEC = 4;
const NO_HEADERS: readonly RecordHeader[] = /* @__PURE__ */ Object.freeze([]);

/** A whole batch of format v2: a view of `into` if that is given and has room enough for it, else a new array.
 * Throws UsageError without a record.
 */
export function encodeRecordBatch(input: RecordBatchInput, into?: Uint8Array): Uint8Array {
  const { records } = input;
  // Room as if all records were like the first one, which spares most batches growing.
  const [{ key = null, value = null, headers } = {}] = records;
  const bytes = at.records + records.length * recordByteBound(key, value, headers);
  const builder = new BatchBuilder(into ?? Math.min(bytes, MAX_FIRST_BYTES));
  for (const { timestamp, key = null, value = null, headers } of records) {
    // Either a number or none: one of the two would be put on the heap for each record.
    if (timestamp === undefined) builder.timestamp = -1;
    else builder.timestamp = timestamp;
    builder.append(key, value, headers);
  }
  const { codec, logAppendTime } = input;
  const compressed = codec?.compress(builder.payload);
  let batch = builder.finish(false);
  if (codec && compressed) batch = compressedBatch(batch, codec.id, compressed);
  stampProducer(batch, {
    producerId: input.producerId ?? -1n,
    producerEpoch: input.producerEpoch ?? -1,
    baseSequence: input.baseSequence ?? -1,
    attributes: (input.isTransactional ? TRANSACTIONAL : 0) | (input.isControl ? CONTROL : 0),
  });
  if (logAppendTime !== undefined) setLogAppendTime(batch, logAppendTime);
  assignOffsets(batch, input.baseOffset ?? 0, input.partitionLeaderEpoch ?? -1);
  return batch;
}

/** The one batch in `bytes`, its checksum verified. Throws UsageError for a compressed one without `inflate`,
 * ProtocolError `MALFORMED`, `CORRUPT` or `VALUE_RANGE` for bytes that are not exactly one batch or hold numbers beyond
 * 2^53-1.
 */
export function decodeRecordBatch(bytes: Uint8Array, options: DecodeBatchOptions = {}): DecodedBatch {
  const batch = nextLogBatch(bytes, 0);
  if (batch?.end !== bytes.length) {
    const what =
      batch === undefined
        ? 'end in the middle of the record batch'
        : `go on after it ends at byte ${batch.end}`;
    throw new ProtocolError(`the ${bytes.length} bytes ${what}: decodeRecords reads many`, {
      api: 'RecordBatch',
    });
  }
  return decodeBatch(batch, options);
}

/** All batches in `bytes`, as in a message's `records` field or a log segment, of any format. A batch that is cut at the end
 * is left out, as Fetch answers may have one. Throws as `decodeRecordBatch`.
 */
export function decodeRecords(bytes: Uint8Array, options: DecodeBatchOptions = {}): DecodedBatch[] {
  const batches: DecodedBatch[] = [];
  for (let batch = nextLogBatch(bytes, 0); batch !== undefined; batch = nextLogBatch(bytes, batch.end)) {
    batches.push(decodeBatch(batch, options));
  }
  return batches;
}

/** The lazy way through what `decodeRecords` reads: calls `visit` for each record with the cursor that stands at it, which
 * says where key and value lie in `cursor.bytes` and makes no object. `cursor.batch` is the record's batch, and
 * `decodeRecord(cursor)` its plain value. The cursor moves on when `visit` returns; an error of it ends the walk. A batch of
 * which a record is damaged fails there, after the records before it. Throws as `decodeRecordBatch`.
 */
export function visitRecords(
  bytes: Uint8Array,
  visit: (cursor: LogCursor) => void,
  options: DecodeBatchOptions = {},
): void {
  for (let batch = nextLogBatch(bytes, 0); batch !== undefined; batch = nextLogBatch(bytes, batch.end)) {
    const cursor = openedCursor(batch, options);
    while (cursor.next()) visit(cursor);
  }
}

/** A cursor before the first record of a batch whose checksum holds. */
function openedCursor(batch: LogBatch, options: DecodeBatchOptions): LogCursor {
  batch.verifyCrc();
  return (options.strict ? strictCursorOf : cursorOf)(batch, inflated(batch, options));
}

function decodeBatch(batch: LogBatch, options: DecodeBatchOptions): DecodedBatch {
  const cursor = openedCursor(batch, options);
  const records: DecodedRecord[] = [];
  while (cursor.next()) records.push(decodeRecord(cursor));
  const {
    magic,
    lastOffset,
    codecId,
    isLogAppendTime,
    partitionLeaderEpoch,
    isTransactional,
    isControl,
    producerId,
  } = batch;
  const isLegacy = batch instanceof LegacyBatch;
  return {
    magic,
    baseOffset: isLegacy ? (records[0]?.offset ?? lastOffset) : batch.baseOffset,
    lastOffset,
    codecId,
    isLogAppendTime,
    maxTimestamp: safeInteger(batch.maxTimestampBigInt, 'maxTimestamp'),
    partitionLeaderEpoch,
    isTransactional,
    isControl,
    hasDeleteHorizon: !isLegacy && batch.hasDeleteHorizon,
    baseTimestamp: isLegacy ? -1 : batch.baseTimestamp,
    producerId,
    producerEpoch: isLegacy ? -1 : batch.producerEpoch,
    baseSequence: isLegacy ? -1 : batch.baseSequence,
    records,
  };
}

/** The batch's records as a cursor takes them. As in Java, no codec is asked where there are none. */
function inflated(batch: LogBatch, options: DecodeBatchOptions): Uint8Array {
  const { codecId, payload, magic } = batch;
  if (codecId === 0 || batch.recordCount === 0) return payload;
  const { inflate, maxInflatedBytes = DEFAULT_MAX_INFLATED_BYTES } = options;
  const records = inflate?.(codecId, payload, maxInflatedBytes, magic);
  if (records !== undefined) return records;
  if (codecId > LAST_CODEC) throw batch.malformed(`codec ${codecId} is unknown`);
  throw new UsageError(`the batch is compressed by codec ${codecId}, which the option inflate does not read`);
}

/** The record that a cursor stands at: see `visitRecords`. Throws ProtocolError `VALUE_RANGE` for a timestamp beyond 2^53-1. */
export function decodeRecord(cursor: LogCursor): DecodedRecord {
  const { bytes, offset, keyStart, keyEnd, valueStart, valueEnd, headersStart, headerCount } = cursor;
  return {
    offset,
    timestamp: timestampOf(cursor),
    key: viewOf(bytes, keyStart, keyEnd),
    value: viewOf(bytes, valueStart, valueEnd),
    headers: headerCount === 0 ? NO_HEADERS : decodeHeaders(bytes, headersStart, headerCount),
  };
}

function viewOf(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  // Cheaper than subarray, and a plain Uint8Array also where the bytes are a Buffer.
  return start < 0 ? null : new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

function timestampOf(cursor: LogCursor): number {
  if (!(cursor instanceof LegacyCursor)) return timestamp(cursor);
  return safeInteger(cursor.timestampBigInt, `timestamp of offset ${cursor.offset}`);
}
