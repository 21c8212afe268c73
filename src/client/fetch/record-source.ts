/** What the messages of one batch share. Invariant: it never changes, and it keeps the batch's bytes alive. */
import type { AssignedPartition } from './assigned-partition.ts';

/** What the records of one batch have in common. */
export interface RecordSource {
  readonly owner: AssignedPartition;
  /** The batch's records, inflated. */
  readonly bytes: Uint8Array;
  /** Format of the batch, 0 to 2. */
  readonly magic: number;
  /** What the offsets of messages are kept relative to. */
  readonly lastOffset: number;
  /** Milliseconds; rounded where it is beyond 2^53-1. */
  readonly baseTimestamp: number;
  readonly baseTimestampBigInt: bigint;
  /** Whether the broker stamped the batch: `baseTimestamp` is then every record's. */
  readonly isLogAppendTime: boolean;
  readonly leaderEpoch: number;
}
