/** Records of one partition that are handed out together; messages are made while they are iterated.
 * Invariant: every record was checked before the batch was handed out, so iterating does not fail.
 */
import type { LogCursor } from '../../protocol/records/message-set.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import { Message } from './message.ts';
import type { RecordSource } from './record-source.ts';

/** Records of one record batch that follow each other. */
export interface RecordSlice {
  readonly source: RecordSource;
  /** At least 1. */
  readonly length: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** A new cursor that stands before the first record. */
  readonly start: () => LogCursor;
}

/** What `fetchBatch` resolves with: one or more messages of one partition, in order. Iterable any number of times. */
export class MessageBatch implements Iterable<Message> {
  readonly topic: string;
  readonly partition: number;
  /** Number of messages, at least 1. */
  readonly length: number;
  readonly firstOffset: number;
  /** Compaction and transactions leave gaps: not always `firstOffset + length - 1`. */
  readonly lastOffset: number;
  /** One past the last offset that consumers may see, as of the newest answer of the broker. */
  readonly highWatermark: number;
  /** The records, a run of one fetched batch each. @internal */
  readonly slices: readonly RecordSlice[];

  /** Applications get batches from a Reader. */
  constructor(owner: AssignedPartition, slices: readonly [RecordSlice, ...RecordSlice[]]) {
    const last = slices.at(-1) ?? slices[0];
    this.topic = owner.topic;
    this.partition = owner.partition;
    this.length = slices.reduce((sum, slice) => sum + slice.length, 0);
    this.firstOffset = slices[0].firstOffset;
    this.lastOffset = last.lastOffset;
    this.highWatermark = owner.highWatermark;
    this.slices = slices;
  }

  [Symbol.iterator](): IterableIterator<Message> {
    return new MessageIterator(this.slices);
  }
}

/** A class, not a generator: half the cost per record. */
class MessageIterator implements IterableIterator<Message> {
  private readonly slices: Iterator<RecordSlice>;
  private slice: RecordSlice | undefined;
  private cursor: LogCursor | undefined;
  private left = 0;

  constructor(slices: readonly RecordSlice[]) {
    this.slices = slices.values();
  }

  next(): IteratorResult<Message, undefined> {
    if (this.left-- <= 0) {
      this.slice = this.slices.next().value as RecordSlice | undefined;
      this.cursor = this.slice?.start();
      this.left = (this.slice?.length ?? 0) - 1;
    }
    const { slice, cursor } = this;
    if (slice === undefined || cursor === undefined) return { done: true, value: undefined };
    cursor.next();
    return { done: false, value: new Message(slice.source, cursor) };
  }

  [Symbol.iterator](): IterableIterator<Message> {
    return this;
  }
}
