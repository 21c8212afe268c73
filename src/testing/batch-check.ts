/** What a broker demands of a batch that a producer sends, before it may go into the log.
 * Not here: sequences (producer-states.ts), leadership (handlers/00-produce.ts).
 * Invariant: a batch that passes can be read by every consumer: its lengths, count and checksum hold.
 * Source: Kafka's ProduceRequest.validateRecords, UnifiedLog and LogValidator decide checks and codes.
 */
import { ProtocolError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { ErrorCodes } from '../protocol/error-codes.ts';
import { crc32c } from '../protocol/crc32c.ts';
import { at, nextBatch, type RecordBatch } from '../protocol/records/batch.ts';
import { RecordCursor, timestamp } from '../protocol/records/record-cursor.ts';
import { inflate } from './payload.ts';
import type { TopicSettings } from './topic.ts';

const zstdId = 4;

/** A batch that may be appended. */
export interface CheckedBatch {
  readonly batch: RecordBatch;
  /** Highest timestamp of the records in ms, which the header may misstate. */
  readonly maxTimestamp: number;
}

/** What is wrong with one record, by its place in the batch (KIP-467). */
export interface RecordError {
  readonly batchIndex: number;
  readonly batchIndexErrorMessage: string;
}

/** Why a batch was refused; `recordErrors` names the records when single ones are to blame. */
export class BatchRefusal extends Error {
  readonly errorCode: number;
  readonly recordErrors: readonly RecordError[];

  constructor(errorCode: number, message: string, recordErrors: readonly RecordError[] = []) {
    super(message);
    this.errorCode = errorCode;
    this.recordErrors = recordErrors;
  }
}

function refuse(
  code: 'INVALID_RECORD' | 'INVALID_TIMESTAMP' | 'MESSAGE_TOO_LARGE',
  message: string,
): BatchRefusal {
  return new BatchRefusal(ErrorCodes[code], message);
}

/** The one batch in `records` of a Produce request of `version`, or rejects with a BatchRefusal. */
export async function checkProducedBatch(
  platform: Platform,
  records: Uint8Array | null,
  version: number,
  settings: TopicSettings,
): Promise<CheckedBatch> {
  try {
    const batch = checkHeader(records ?? new Uint8Array(0), version, settings);
    return { batch, maxTimestamp: await checkRecords(platform, batch, settings) };
  } catch (error) {
    if (error instanceof BatchRefusal) throw error;
    throw new BatchRefusal(refusalCode(error), error instanceof Error ? error.message : String(error));
  }
}

function refusalCode(error: unknown): number {
  if (!(error instanceof ProtocolError)) return ErrorCodes.INVALID_RECORD;
  if (error.code === 'CORRUPT') return ErrorCodes.CORRUPT_MESSAGE;
  return error.code === 'VALUE_RANGE' ? ErrorCodes.INVALID_TIMESTAMP : ErrorCodes.INVALID_RECORD;
}

function checkHeader(records: Uint8Array, version: number, settings: TopicSettings): RecordBatch {
  const batch = nextBatch(records, 0);
  if (batch === undefined) throw refuse('INVALID_RECORD', 'no whole record batch');
  if (batch.end !== records.length) throw refuse('INVALID_RECORD', 'more than one record batch');
  if (batch.codecId === zstdId && version < 7) {
    throw new BatchRefusal(ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE, 'zstd needs Produce v7');
  }
  if (batch.baseOffset !== 0) throw refuse('INVALID_RECORD', `base offset ${batch.baseOffset} instead of 0`);
  if (records.length > settings.maxMessageBytes) {
    throw refuse(
      'MESSAGE_TOO_LARGE',
      `batch of ${records.length} bytes, max.message.bytes ${settings.maxMessageBytes}`,
    );
  }
  batch.verifyCrc();
  const offsets = batch.lastOffset - batch.baseOffset + 1;
  if (batch.recordCount !== offsets) {
    throw refuse('INVALID_RECORD', `${batch.recordCount} records in ${offsets} offsets`);
  }
  if (batch.isControl) throw refuse('INVALID_RECORD', 'control records come from brokers only');
  if (batch.producerId >= 0n && batch.baseSequence < 0)
    throw refuse('INVALID_RECORD', 'producer id without a sequence');
  if (batch.isLogAppendTime) throw refuse('INVALID_TIMESTAMP', 'LogAppendTime is for the broker to set');
  return batch;
}

/** Reads every record; the highest timestamp. One that may not be stored refuses all, and each such one is named. */
async function checkRecords(
  platform: Platform,
  batch: RecordBatch,
  settings: TopicSettings,
): Promise<number> {
  const cursor = new RecordCursor(batch, await inflate(platform, batch));
  const latest = platform.now() + settings.timestampAfterMaxMs;
  const recordErrors: RecordError[] = [];
  let maxTimestamp = -1;
  let isLate = false;
  for (let batchIndex = 0; cursor.next(); batchIndex++) {
    const blame = (message: string): number =>
      recordErrors.push({ batchIndex, batchIndexErrorMessage: message });
    const time = settings.logAppendTime ? -1 : timestamp(cursor);
    if (settings.compacted && cursor.keyStart < 0) {
      blame('Compacted topic cannot accept message without key');
    } else if (time > latest) {
      isLate = true;
      blame(`Timestamp ${time} is too far ahead of the broker's clock, more than ${latest}`);
    }
    if (time > maxTimestamp) maxTimestamp = time;
  }
  if (recordErrors.length === 0) return maxTimestamp;
  const code = isLate ? 'INVALID_TIMESTAMP' : 'INVALID_RECORD';
  throw new BatchRefusal(ErrorCodes[code], `${recordErrors.length} records are refused`, recordErrors);
}

/** Makes the header's highest timestamp what the records say, in place, and corrects the CRC. */
export function correctMaxTimestamp({ batch, maxTimestamp }: CheckedBatch): void {
  if (maxTimestamp === Number(batch.maxTimestampBigInt)) return;
  const bytes = batch.bytes.subarray(batch.start, batch.end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setBigInt64(at.maxTimestamp, BigInt(maxTimestamp));
  view.setUint32(at.crc, crc32c(bytes.subarray(at.attributes)));
}
