/** What OffsetCommit and TxnOffsetCommit have in common: offsets, partition by partition, each taken or refused.
 * Not here: who may commit (../group.ts), and what becomes of an offset.
 */
import type {
  TxnOffsetCommitRequest,
  TxnOffsetCommitResponse,
} from '../../protocol/api/28-txn-offset-commit.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { CommittedOffset } from '../group-offsets.ts';
import type { RequestContext } from './handler.ts';

/** `offset.metadata.max.bytes`. */
const mostMetadataChars = 4096;

/** How an API takes offsets. */
export interface OffsetKeeping {
  /** The first version that names topics by their ids. */
  readonly firstVersionWithIds: number;
  /** The error code for an offset, 0 to keep it. `topicError`: for not finding its topic, 0 if it is there. */
  refusal(topicError: number): number;
  keep(offset: CommittedOffset): void;
}

/** Keeps what is not refused; gives the topics of the answer. */
export function keepOffsets(
  { topics }: Pick<TxnOffsetCommitRequest, 'topics'>,
  context: RequestContext,
  { firstVersionWithIds, refusal, keep }: OffsetKeeping,
): TxnOffsetCommitResponse['topics'] {
  return topics.map(({ name, topicId, partitions }) => {
    const found = context.topic(name, topicId, firstVersionWithIds);
    const [topic, topicError] = typeof found === 'number' ? [name, found] : [found.name, 0];
    const answers = partitions.map((each) => {
      const { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: leaderEpoch } = each;
      const commit = (): number => {
        const error = refusal(topicError);
        if (error !== 0) return error;
        const metadata = each.committedMetadata ?? '';
        if (metadata.length > mostMetadataChars) return ErrorCodes.OFFSET_METADATA_TOO_LARGE;
        keep({ topic, partition, offset, leaderEpoch, metadata });
        return 0;
      };
      const errorCode = context.attempt(commit, (code) => code, topic, partition);
      return { partitionIndex: partition, errorCode };
    });
    return { name, topicId, partitions: answers };
  });
}
