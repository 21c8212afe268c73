/** What the reader may use of the fetch room. */
export { AssignedPartition, nameOf } from './assigned-partition.ts';
export { FetchSet } from './fetch-set.ts';
export type { FetchOptions } from './fetcher.ts';
export { latestTimestamp, listOffsets, type OffsetQuery } from './list-offsets.ts';
export { MessageBatch, type RecordSlice } from './message-batch.ts';
export { Message } from './message.ts';
export { resetTimestamp, timestampOf, type StartOffset } from './position.ts';
export type { RecordRun } from './record-run.ts';
