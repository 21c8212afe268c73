/** Record batches of every kind that a log can hold, for the tests of fetching and reading. */
import { gzipSync } from 'node:zlib';
import { crc32c } from '../../../src/protocol/crc32c.ts';
import { nextBatch } from '../../../src/protocol/records/batch.ts';
import { compressedBatch } from '../../../src/protocol/records/batch-builder.ts';
import { encodeEndMarker } from '../../../src/protocol/records/control.ts';
import { encodeRecordBatch, type RecordBatchInput } from '../../../src/protocol/records/plain-batch.ts';

/** The numbers from `from` up to `to`, exclusive. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** A batch with one record per value. */
export function batchOf(
  values: readonly (string | number)[],
  input: Partial<RecordBatchInput> = {},
  timestamp = 1_700_000_000_000,
): Uint8Array {
  const records = values.map((value) => ({ key: `k${value}`, value: String(value), timestamp }));
  return encodeRecordBatch({ records, ...input });
}

/** A batch of a producer's transaction. */
export function transactional(
  producerId: bigint,
  values: readonly (string | number)[],
  baseOffset = 0,
): Uint8Array {
  const producer = { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true };
  return batchOf(values, { ...producer, baseOffset });
}

/** The marker that ends a producer's transaction. */
export function endOfTransaction(producerId: bigint, type: 'abort' | 'commit', baseOffset = 0): Uint8Array {
  return encodeEndMarker({
    type,
    coordinatorEpoch: 0,
    producerId,
    producerEpoch: 0,
    timestamp: 0,
    baseOffset,
  });
}

/** The same batch, its records compressed with gzip. */
export function gzipped(batch: Uint8Array): Uint8Array {
  const payload = nextBatch(batch, 0)?.payload ?? new Uint8Array();
  return compressedBatch(batch, 1, gzipSync(payload));
}

/** Takes the place of a batch of other offsets: compaction has removed what is missing. */
export function compactedTo(batch: Uint8Array, lastOffsetDelta: number): Uint8Array {
  const copy = batch.slice();
  new DataView(copy.buffer).setInt32(23, lastOffsetDelta);
  return withCrc(copy);
}

/** A batch whose records compaction has all removed. */
export function emptyBatch(baseOffset: number, lastOffsetDelta: number): Uint8Array {
  const header = batchOf(['gone'], { baseOffset }).slice(0, 61);
  const view = new DataView(header.buffer);
  view.setInt32(8, 49);
  view.setInt32(57, 0);
  return compactedTo(header, lastOffsetDelta);
}

/** Corrects the checksum of a batch that was changed by hand. */
export function withCrc(batch: Uint8Array): Uint8Array {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  view.setUint32(17, crc32c(batch.subarray(21)));
  return batch;
}

/** Several pieces as one. */
export function concat(...pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const piece of pieces) {
    whole.set(piece, position);
    position += piece.length;
  }
  return whole;
}
