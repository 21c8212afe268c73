/** What the rooms above may use of the cluster room. */
export { acquireCluster, anyBroker, Cluster, type ClusterLease } from './cluster.ts';
export type { Duty } from './channels.ts';
export type { CoordinatorOptions, CoordinatorType } from './coordinators.ts';
export type { TopicOptions } from './metadata-cache.ts';
export { zeroTopicId } from './metadata.ts';
export {
  booleanOption,
  functionOption,
  integerOption,
  maxTimerMs,
  optionError,
  refuseUnknownOptions,
  sharedOptionNames,
  stringOption,
  type ClientOptions,
  type SharedOptions,
} from './options.ts';
export {
  Backoff,
  brokerError,
  closedError,
  retryAction,
  sleep,
  withDeadline,
  type RetryAction,
} from './retry.ts';
export {
  sharedCluster,
  type Broker,
  type GroupMetadata,
  type MetadataSnapshot,
  type PartitionSnapshot,
  type SharedClient,
  type TopicPartition,
  type TopicSnapshot,
  type TransactionSource,
} from './types.ts';
export type { RequestBody, RequestOptions } from '../connection/connection.ts';
export { silentLogger, type LogFields, type Logger } from '../connection/logger.ts';
