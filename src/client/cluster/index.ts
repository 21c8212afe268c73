/** What the rooms above may use of the cluster room. */
export { byTopic } from './by-topic.ts';
export { anyBroker, Cluster } from './cluster.ts';
export type { Duty, Lane } from './channels.ts';
export { Coordinators, type CoordinatorOptions, type CoordinatorType } from './coordinators.ts';
export type { TopicOptions } from './metadata-cache.ts';
export { zeroTopicId, type LeaderHint } from './metadata.ts';
export {
  booleanOption,
  clientOptionNames,
  functionOption,
  integerOption,
  maxTimerMs,
  optionError,
  refuseUnknownOptions,
  stringOption,
  type ClientOptions,
} from './options.ts';
export {
  Backoff,
  brokerError,
  closedError,
  repeat,
  retryAction,
  sleep,
  withDeadline,
  type BrokerErrorContext,
  type Patience,
  type RetryAction,
} from './retry.ts';
export {
  acquireCluster,
  shareCluster,
  sharedOptionNames,
  type ClusterLease,
  type SharedClient,
  type SharedOptions,
} from './shared-client.ts';
export type {
  Broker,
  GroupMetadata,
  MetadataSnapshot,
  PartitionSnapshot,
  TopicPartition,
  TopicSnapshot,
  TransactionSource,
} from './types.ts';
export type { RequestBody, RequestOptions } from '../connection/connection.ts';
export { silentLogger, type LogFields, type Logger } from '../connection/logger.ts';
