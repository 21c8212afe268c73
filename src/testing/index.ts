/** The public entry `kafka-wire/testing`: a Kafka cluster inside the process, a proxy that misbehaves in front of any, and
 * a world without real time to run them in.
 * Invariant: every public name is listed here, one by one.
 */
export {
  EmbeddedCluster,
  type GroupSnapshot,
  type PartitionState,
  type TransactionSnapshot,
} from './embedded-cluster.ts';
export type { CoordinatorType } from './coordinators.ts';
export type { EmbeddedClusterOptions, NewTopic } from './options.ts';
export type {
  ApiKey,
  Fault,
  FaultControl,
  FaultHook,
  FaultOutcome,
  InjectedFault,
  RequestOrigin,
  RequestRecord,
} from './faults.ts';
export type { GroupState } from './group.ts';
export type { GroupMember } from './group-member.ts';
export type { CommittedOffset } from './group-offsets.ts';
export type { TransactionState } from './transaction.ts';
export type { Anomaly, AnomalyName } from './history/anomaly.ts';
export { batchEvents } from './history/batch-events.ts';
export { checkHistory, type CheckOptions, type HistoryReport } from './history/checker.ts';
export {
  History,
  type AssignEvent,
  type BatchEvent,
  type CallbackEvent,
  type CommitEvent,
  type HistoryEvent,
  type HistoryOptions,
  type NewEvent,
  type PollEvent,
  type ProcessedEvent,
  type RevokeEvent,
  type SendEvent,
  type SendResult,
  type SettledEvent,
  type StoredWord,
  type TransactionEvent,
} from './history/history.ts';
export { FaultProxy, type FaultProxyOptions } from './proxy/fault-proxy.ts';
export type {
  ExchangeFault,
  LinkFault,
  ProxyFault,
  ProxyFaultControl,
  ProxyHook,
  ProxyOrigin,
  ProxyOutcome,
  ProxyVerdict,
} from './proxy/proxy-faults.ts';
export {
  virtualWorld,
  type VirtualChunking,
  type VirtualNetwork,
  type VirtualWorld,
  type VirtualWorldOptions,
} from '../runtime/virtual.ts';
