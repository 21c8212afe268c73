/** One record batch from and to plain values: for tools, tests and explorers.
 * Not here: the paths of Writer and Reader (batch-builder.ts, record-cursor.ts), and codecs: a compressed batch takes
 * two steps each way (`compressedBatch`; `inflated`).
 * Invariant: what a producer's batch says, decodes and encodes again to the same bytes.
 */
import { ProtocolError, UsageError } from '../../errors.ts';
import {
  assignOffsets,
  BatchBuilder,
  type HeaderInput,
  type RecordBytes,
  stampProducer,
} from './batch-builder.ts';
import { CONTROL, nextBatch, TRANSACTIONAL, type RecordBatch } from './batch.ts';
import { decodeHeaders, RecordCursor, type RecordHeader, timestamp } from './record-cursor.ts';

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
}

/** A decoded record; bytes are views on what was decoded. */
export interface DecodedRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** A decoded batch. The fields are `RecordBatch`'s. */
export interface DecodedBatch extends Pick<
  RecordBatch,
  | 'baseOffset'
  | 'lastOffset'
  | 'partitionLeaderEpoch'
  | 'codecId'
  | 'isTransactional'
  | 'isControl'
  | 'isLogAppendTime'
  | 'hasDeleteHorizon'
  | 'baseTimestamp'
  | 'maxTimestamp'
  | 'producerId'
  | 'producerEpoch'
  | 'baseSequence'
> {
  readonly records: readonly DecodedRecord[];
}

/** A whole batch of format v2, uncompressed; `compressedBatch` is the second step. */
export function encodeRecordBatch(input: RecordBatchInput): Uint8Array {
  const builder = new BatchBuilder();
  for (const record of input.records) {
    builder.append(record.timestamp ?? -1, record.key ?? null, record.value ?? null, record.headers);
  }
  const batch = builder.finish(false);
  stampProducer(batch, {
    producerId: input.producerId ?? -1n,
    producerEpoch: input.producerEpoch ?? -1,
    baseSequence: input.baseSequence ?? -1,
    attributes: (input.isTransactional ? TRANSACTIONAL : 0) | (input.isControl ? CONTROL : 0),
  });
  assignOffsets(batch, input.baseOffset ?? 0, input.partitionLeaderEpoch ?? -1);
  return batch;
}

/** The one batch in `bytes`, its checksum verified. A compressed one needs `inflated`: what its codec makes of
 * `nextBatch(bytes, 0).payload`. Throws UsageError without that, ProtocolError `MALFORMED`, `CORRUPT` or `VALUE_RANGE` for
 * bytes that are not exactly one batch or hold numbers beyond 2^53-1.
 */
export function decodeRecordBatch(bytes: Uint8Array, inflated?: Uint8Array): DecodedBatch {
  const batch = nextBatch(bytes, 0);
  if (batch?.end !== bytes.length) {
    const what =
      batch === undefined
        ? 'end in the middle of the record batch'
        : `go on after it ends at byte ${batch.end}`;
    throw new ProtocolError(`the ${bytes.length} bytes ${what}: walk them with nextBatch`, {
      api: 'RecordBatch',
    });
  }
  batch.verifyCrc();
  const { codecId } = batch;
  if (codecId !== 0 && inflated === undefined) {
    throw new UsageError(
      `the batch is compressed by codec ${codecId}: inflate its payload first and pass that too`,
    );
  }
  const cursor = new RecordCursor(batch, inflated ?? batch.payload);
  const records: DecodedRecord[] = [];
  while (cursor.next()) records.push(decodeRecord(cursor));
  return {
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    codecId,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    isLogAppendTime: batch.isLogAppendTime,
    hasDeleteHorizon: batch.hasDeleteHorizon,
    baseTimestamp: batch.baseTimestamp,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    records,
  };
}

function decodeRecord(cursor: RecordCursor): DecodedRecord {
  const { bytes, offset, keyStart, keyEnd, valueStart, valueEnd, headersStart, headerCount } = cursor;
  return {
    offset,
    timestamp: timestamp(cursor),
    key: keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd),
    value: valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd),
    headers: decodeHeaders(bytes, headersStart, headerCount),
  };
}
