/** A batch that the broker refused for its size becomes two, which take its place.
 * Not here: when that is right (sender.ts), and the place (partition-queue.ts).
 * Invariant: no record, nobody who waits for one, and no sequence is lost: the halves have as many records together, so
 * they have the sequences of the whole.
 * Source: Java's ProducerBatch.split.
 */
import type { Codec } from '../../compression/codec.ts';
import { halvedBatch, type BatchBuilder } from '../../protocol/records/batch-builder.ts';
import { batchHeaderBytes } from './message.ts';
import { Batch, sequenceAfter, type Segment } from './partition-queue.ts';

/** The records of a batch that was sent as they were before the codec; undefined when it let go of its bytes. */
export function plainRecords(
  { bytes, byteLength, isCompressed }: Batch,
  codec: Codec | undefined,
): Uint8Array | Promise<Uint8Array> | undefined {
  const records = bytes?.subarray(batchHeaderBytes);
  if (records === undefined || codec === undefined || !isCompressed) return records;
  return codec.decompress(records, { maxBytes: byteLength });
}

/** Gives the first half of a batch's records away, into a new batch, and keeps the second, so that who waits for the
 * youngest batch still does. `records` is what `plainRecords` gave. Neither counts as sent. */
export function halve(batch: Batch, records: Uint8Array): Batch {
  const { queue, openedMs, deadlineMs, eager, segments, baseSequence, bytes } = batch;
  const [first, second] = halvedBatch(bytes as Uint8Array, records);
  const half = new Batch(queue, openedMs, deadlineMs, eager, 0);
  const middle = first.recordCount;
  half.segments = segments.filter((segment) => segment.first < middle);
  batch.segments = segments.flatMap((segment) => behind(segment, middle, half));
  half.messages = batch.messages?.splice(0, middle);
  half.lastError = batch.lastError;
  half.baseSequence = baseSequence;
  if (baseSequence >= 0) batch.baseSequence = sequenceAfter(baseSequence, middle);
  beginAgain(half, first);
  beginAgain(batch, second);
  return half;
}

/** What of a segment lies in the second half; what lies in the first goes over to `half`. */
function behind(segment: Segment, middle: number, half: Batch): Segment[] {
  const { owner, batch, first, count, rest } = segment;
  if (first >= middle) {
    segment.first -= middle;
    return [segment];
  }
  segment.batch = half;
  const over = first + count - middle;
  if (over <= 0) return [];
  segment.count -= over;
  segment.rest = { owner, batch, first: 0, count: over, rest, error: null };
  return [segment.rest];
}

/** The batch has these records, and was not sent. */
function beginAgain(batch: Batch, builder: BatchBuilder): void {
  batch.builder = builder;
  batch.recordCount = builder.recordCount;
  batch.byteLength = builder.byteLength;
  batch.bytes = undefined;
  batch.sealed = true;
  batch.isHalf = true;
}
