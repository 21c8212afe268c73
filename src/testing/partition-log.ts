/** The log of one partition: record batches one after another in segments of memory, and what is known of each.
 * Not here: what may be appended (batch-check.ts, producer-states.ts decide), leaders (topic.ts). Nothing expires.
 * Invariant: bytes that were appended never change, so a fetch answers with views instead of copies.
 * Source: Kafka's LogSegment and UnifiedLog; a read ends with its segment and may cut its last batch, as there.
 */
import { assignOffsets } from '../protocol/records/batch-builder.ts';
import { RecordBatch } from '../protocol/records/batch.ts';
import { ProducerStates } from './producer-states.ts';

const firstSegmentBytes = 16_384;
const largestSegmentBytes = 1_048_576;

interface Segment {
  readonly bytes: Uint8Array;
  used: number;
}

/** Where a batch lies and what look-ups need of it. */
export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  /** Highest timestamp of its records in ms, rounded beyond 2^53-1. */
  readonly maxTimestamp: number;
  readonly bytes: Uint8Array;
}

interface Placed extends StoredBatch {
  readonly segment: Segment;
  readonly position: number;
}

/** What a fetch takes out of a log. */
export interface LogSlice {
  readonly records: Uint8Array;
  /** Offset after the last record in `records`, of a cut batch too; the fetch offset when it is empty. */
  readonly endOffset: number;
}

/** A log; offsets ascend, and gaps are allowed as compaction leaves them. */
export class PartitionLog {
  readonly producers: ProducerStates = new ProducerStates();
  /** First offset that may be read. */
  startOffset = 0;
  /** Offset of the next record; also the high watermark, as there is a single copy. */
  endOffset = 0;
  readonly #batches: Placed[] = [];
  #segment: Segment = { bytes: new Uint8Array(0), used: 0 };

  /** Offset up to which `read_committed` reads: no transaction is open below it. */
  get lastStableOffset(): number {
    return this.producers.firstUnstableOffset ?? this.endOffset;
  }

  /** The batches that hold readable offsets, oldest first. */
  get batches(): readonly StoredBatch[] {
    return this.#batches;
  }

  /** Copies a batch to the end and gives it offsets from `baseOffset` on, which is never below the end offset. */
  append(batch: Uint8Array, leaderEpoch: number, baseOffset: number = this.endOffset): RecordBatch {
    const segment = this.#room(batch.length);
    const position = segment.used;
    const bytes = segment.bytes.subarray(position, position + batch.length);
    bytes.set(batch);
    assignOffsets(bytes, baseOffset, leaderEpoch);
    const stored = new RecordBatch(bytes, 0, bytes.length);
    segment.used += bytes.length;
    const { lastOffset, maxTimestampBigInt } = stored;
    this.#batches.push({
      baseOffset,
      lastOffset,
      leaderEpoch,
      maxTimestamp: Number(maxTimestampBigInt),
      bytes,
      segment,
      position,
    });
    this.endOffset = lastOffset + 1;
    this.producers.append(stored);
    return stored;
  }

  /** Records from the batch that holds `offset` on, of batches that begin below `upToOffset`, in at most `maxBytes`.
   * Empty when that batch alone is larger, unless `wholeFirst`.
   */
  read(offset: number, upToOffset: number, maxBytes: number, wholeFirst: boolean): LogSlice {
    const index = this.#find((batch) => batch.lastOffset >= offset);
    const first = this.#batches[index];
    const empty = { records: new Uint8Array(0), endOffset: offset };
    if (first === undefined || first.baseOffset >= upToOffset) return empty;
    const firstBytes = first.bytes.length;
    if (firstBytes > maxBytes && !wholeFirst) return empty;
    const { segment, position } = first;
    const limit = this.#batches[this.#find((batch) => batch.baseOffset >= upToOffset)];
    const segmentEnd = limit?.segment === segment ? limit.position : segment.used;
    const end = Math.min(segmentEnd, position + Math.max(maxBytes, firstBytes));
    const after = this.#find(
      (batch, at) => at > index && (batch.segment !== segment || batch.position >= end),
    );
    const records = segment.bytes.subarray(position, end);
    return { records, endOffset: (this.#batches[after - 1] ?? first).lastOffset + 1 };
  }

  /** Makes offsets below `offset` unreadable and forgets the batches that are wholly below it. */
  deleteBefore(offset: number): void {
    this.startOffset = Math.min(Math.max(offset, this.startOffset), this.endOffset);
    this.#batches.splice(
      0,
      this.#find((batch) => batch.lastOffset >= this.startOffset),
    );
  }

  /** Index of the first batch for which `matches`, which must stay true once it is; the count of batches if none. */
  #find(matches: (batch: Placed, index: number) => boolean): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const batch = this.#batches[middle];
      if (batch !== undefined && matches(batch, middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #room(byteLength: number): Segment {
    const { bytes, used } = this.#segment;
    if (bytes.length - used >= byteLength) return this.#segment;
    const size = Math.min(Math.max(bytes.length * 2, firstSegmentBytes), largestSegmentBytes);
    this.#segment = { bytes: new Uint8Array(Math.max(size, byteLength)), used: 0 };
    return this.#segment;
  }
}
