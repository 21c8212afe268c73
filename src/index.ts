/** The public entry `kafka-wire`: the client. Bytes are in `kafka-wire/protocol`, the embedded broker in
 * `kafka-wire/testing`. Invariant: every public name is listed here, one by one.
 */
export { Client, type ClientRequestOptions } from './client/admin/client.ts';
export type {
  ClientOptions,
  GroupMetadata,
  LogFields,
  Logger,
  SharedClient,
  SharedOptions,
  TopicPartition,
  TransactionSource,
} from './client/cluster/index.ts';
export { rangeAssignor } from './client/group/assignor/range.ts';
export type {
  Assignor,
  AssignorMember,
  AssignorTopic,
  TopicPartitions,
} from './client/group/assignor/assignor.ts';
export { Reader } from './client/reader/reader.ts';
export type {
  Committable,
  CommitOptions,
  FetchBatchOptions,
  FetchCallOptions,
  GroupReaderOptions,
  Message,
  MessageBatch,
  PartitionReaderOptions,
  PartitionsReaderOptions,
  ReaderCloseOptions,
  ReaderCommitOutcome,
  ReaderOptions,
  ReaderPartitionStats,
  ReaderStats,
  ReadingOptions,
  StartOffset,
} from './client/reader/index.ts';
export type {
  Balancer,
  BalancerFunction,
  BalancerTopic,
  Unkeyed,
} from './client/writer/balancer/balancer.ts';
export { crc32, type Crc32Options } from './client/writer/balancer/crc32.ts';
export { hash, type HashOptions } from './client/writer/balancer/hash.ts';
export { leastBytes } from './client/writer/balancer/least-bytes.ts';
export { manual } from './client/writer/balancer/manual.ts';
export { murmur2, type Murmur2Options } from './client/writer/balancer/murmur2.ts';
export { referenceHash } from './client/writer/balancer/reference-hash.ts';
export { roundRobin, type RoundRobinOptions } from './client/writer/balancer/round-robin.ts';
export { sticky, type StickyOptions } from './client/writer/balancer/sticky.ts';
export { WriteErrors } from './client/writer/errors.ts';
export type { HeadersInput, OutgoingMessage } from './client/writer/message.ts';
export type { BatchOutcome, WriterOptions, WriterSettings } from './client/writer/options.ts';
export type { WriteReceipt, WrittenMessage } from './client/writer/receipt.ts';
export type { Summary, WriterCounts, WriterStats } from './client/writer/stats.ts';
export type { Transaction } from './client/writer/transaction.ts';
export type { OffsetToSend } from './client/writer/transaction-coordinator.ts';
export type { BeginTransactionOptions, TransactionOptions } from './client/writer/transactions.ts';
export { Writer, type CloseOptions, type WriteOptions } from './client/writer/writer.ts';
export {
  gzip,
  lz4,
  snappy,
  withLevel,
  zstd,
  type Codec,
  type DecompressOptions,
} from './compression/index.ts';
export {
  BrokerError,
  ConnectionError,
  KafkaError,
  ProtocolError,
  TimeoutError,
  UsageError,
  type BrokerErrorOptions,
  type ConnectionErrorOptions,
  type ErrorCode,
  type KafkaErrorOptions,
  type ProtocolErrorOptions,
  type Stored,
  type TimeoutErrorOptions,
} from './errors.ts';
export type {
  Address,
  Dial,
  DialOptions,
  Listener,
  Platform,
  PlatformZstd,
  Timer,
  TlsOptions,
  Transport,
} from './platform.ts';
