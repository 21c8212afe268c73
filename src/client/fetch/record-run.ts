/** The records of one batch that are to be handed out, in order: all from a given offset on.
 * Not here: which batches are hidden (completed-fetch.ts).
 * Invariant: records below `fromOffset` never come out (R8: a batch may begin below the fetch offset).
 */
import { cursorOf, type LogBatch, type LogCursor } from '../../protocol/records/message-set.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import { Message } from './message.ts';
import type { RecordSource } from './record-source.ts';
import type { RecordSlice } from './message-batch.ts';

/** Walks one batch. */
export class RecordRun {
  readonly owner: AssignedPartition;
  readonly source: RecordSource;
  /** Where the next run or fetch goes on; the last records may have been compacted away. */
  readonly endOffset: number;
  /** Bytes that exist besides the frame. */
  readonly inflatedBytes: number;
  readonly #cursor: LogCursor;
  readonly #fromOffset: number;

  /** Throws a ProtocolError when `bytes` cannot hold the batch's records. */
  constructor(owner: AssignedPartition, batch: LogBatch, bytes: Uint8Array, fromOffset: number) {
    this.owner = owner;
    this.endOffset = batch.lastOffset + 1;
    this.inflatedBytes = batch.codecId === 0 ? 0 : bytes.length;
    this.#cursor = cursorOf(batch, bytes);
    this.#fromOffset = fromOffset;
    const baseTimestampBigInt = batch.isLogAppendTime ? batch.maxTimestampBigInt : batch.baseTimestampBigInt;
    this.source = {
      owner,
      bytes,
      magic: batch.magic,
      lastOffset: batch.lastOffset,
      baseTimestamp: Number(baseTimestampBigInt),
      baseTimestampBigInt,
      isLogAppendTime: batch.isLogAppendTime,
      leaderEpoch: batch.partitionLeaderEpoch,
    };
  }

  /** The next record; undefined after the last. Throws a ProtocolError for bytes that are no records. */
  next(): Message | undefined {
    const cursor = this.#cursor;
    while (cursor.next()) {
      if (cursor.offset >= this.#fromOffset) return new Message(this.source, cursor);
    }
    return undefined;
  }

  /** The next `maxRecords` records, walked and checked but not made; undefined after the last. Throws as `next`. */
  slice(maxRecords: number): RecordSlice | undefined {
    const { source } = this;
    const cursor = this.#cursor;
    do {
      if (!cursor.next()) return undefined;
    } while (cursor.offset < this.#fromOffset);
    const firstOffset = cursor.offset;
    const first = {
      position: cursor.recordStart,
      recordIndex: cursor.recordIndex - 1,
      offset: firstOffset - 1,
    };
    let length = 1;
    while (length < maxRecords && cursor.next()) length++;
    const start = (): LogCursor => Object.assign(cursorOf(cursor.batch, source.bytes), first);
    return { source, length, firstOffset, lastOffset: cursor.offset, start };
  }

  /** Makes the record at `offset` the next one again; false unless it is the last one that was handed out. */
  stepBack(offset: number): boolean {
    const cursor = this.#cursor;
    if (cursor.offset !== offset) return false;
    const { recordStart, recordIndex } = cursor;
    Object.assign(cursor, { position: recordStart, recordIndex: recordIndex - 1, offset: offset - 1 });
    return true;
  }
}
