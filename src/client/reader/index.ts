/** The reader room's public names. */
export { Reader } from './reader.ts';
export type {
  FetchBatchOptions,
  FetchCallOptions,
  ReaderCloseOptions,
  ReaderPartitionStats,
  ReaderStats,
} from './reader.ts';
export type { Committable, CommitOptions, ReaderCommitOutcome } from './commits.ts';
export type {
  GroupReaderOptions,
  PartitionReaderOptions,
  PartitionsReaderOptions,
  ReaderOptions,
  ReadingOptions,
} from './options.ts';
export { Message, MessageBatch, type StartOffset } from '../fetch/index.ts';
