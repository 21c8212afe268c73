/** What the rooms above may use of the group room. */
export type { Assignor, AssignorMember, AssignorTopic, TopicPartitions } from './assignor/assignor.ts';
export { rangeAssignor } from './assignor/range.ts';
export type { CommitOutcome, OffsetToCommit } from './commits.ts';
export type { CommittedOffset } from './committed.ts';
export {
  GroupSession,
  type GroupCallOptions,
  type GroupListener,
  type GroupSessionOptions,
} from './group-session.ts';
export type { OwnedPartition } from './ownership.ts';
