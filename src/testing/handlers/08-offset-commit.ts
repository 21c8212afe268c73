/** 08 OffsetCommit: keeps offsets for a group, of a member of its generation or from outside while it is empty.
 * Not here: who may commit (../group.ts). Retention times are read and ignored: nothing expires.
 */
import { offsetCommitApi, type OffsetCommitRequest } from '../../protocol/api/08-offset-commit.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

/** `offset.metadata.max.bytes`. */
export const mostMetadataChars = 4096;

/** Keeps offsets. */
export const offsetCommitHandler: Handler = /* @__PURE__ */ handler(offsetCommitApi, (request, context) => {
  const groupError = commitError(request, context);
  const topics = request.topics.map(({ name, topicId, partitions }) => {
    const topic = context.topic(name, topicId, 10);
    const topicName = typeof topic === 'number' ? name : topic.name;
    const answers = partitions.map((partition) => {
      const { partitionIndex, committedMetadata } = partition;
      const commit = (): number => {
        if (groupError !== 0) return groupError;
        if (typeof topic === 'number') return topic;
        const metadata = committedMetadata ?? '';
        if (metadata.length > mostMetadataChars) return ErrorCodes.OFFSET_METADATA_TOO_LARGE;
        const group = context.cluster.groups.getOrCreate(request.groupId);
        // A commit is a sign of life.
        group.touch(request.memberId);
        group.offsets.commit({
          topic: topicName,
          partition: partitionIndex,
          offset: partition.committedOffset,
          leaderEpoch: partition.committedLeaderEpoch,
          metadata,
        });
        return 0;
      };
      const errorCode = context.attempt(commit, (code) => code, topicName, partitionIndex);
      return { partitionIndex, errorCode };
    });
    return { name, topicId, partitions: answers };
  });
  return { topics };
});

/** Whether the group takes offsets from this member; a group that only ever commits is made by committing. */
function commitError(request: OffsetCommitRequest, context: RequestContext): number {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request;
  const error = context.coordinatorError(groupId);
  if (error !== 0) return error;
  const group = context.group(groupId);
  if (group !== undefined) return group.commitError(memberId, groupInstanceId, generation);
  if (generation < 0) return 0;
  return context.apiVersion >= 9 ? ErrorCodes.GROUP_ID_NOT_FOUND : ErrorCodes.ILLEGAL_GENERATION;
}
