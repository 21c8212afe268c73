/** The public entry `kafka-wire/testing`: a Kafka cluster inside the process, and a world without real time to run it in.
 * Invariant: every public name is listed here, one by one.
 */
export { EmbeddedCluster, type GroupSnapshot, type PartitionState } from './embedded-cluster.ts';
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
export {
  virtualWorld,
  type VirtualChunking,
  type VirtualNetwork,
  type VirtualWorld,
  type VirtualWorldOptions,
} from '../runtime/virtual.ts';
