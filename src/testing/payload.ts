/** The records of a batch, inflated where the broker can. Not here: codecs (the platform's gzip).
 * Invariant: no more than `maxInflatedBytes` come out of one batch.
 */
import type { Platform } from '../platform.ts';
import type { RecordBatch } from '../protocol/records/batch.ts';

const gzipId = 1;
const maxInflatedBytes = 67_108_864;

/** The batch's records as bytes for a RecordCursor; undefined for a codec that the broker cannot inflate.
 * Throws or rejects with what the platform says of bytes that are no gzip.
 */
export function inflate(
  platform: Platform,
  batch: RecordBatch,
): Uint8Array | Promise<Uint8Array> | undefined {
  if (batch.codecId === 0) return batch.payload;
  return batch.codecId === gzipId ? platform.gunzip(batch.payload, maxInflatedBytes) : undefined;
}
