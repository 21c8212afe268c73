/** 08 OffsetCommit: keeps offsets for a group, of a member of its generation or from outside while it is empty.
 * Not here: who may commit (../group.ts). Retention times are read and ignored: nothing expires.
 */
import { offsetCommitApi, type OffsetCommitRequest } from '../../protocol/api/08-offset-commit.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';
import { keepOffsets } from './offsets-to-keep.ts';

/** Keeps offsets. */
export const offsetCommitHandler: Handler = /* @__PURE__ */ handler(offsetCommitApi, (request, context) => {
  const groupError = commitError(request, context);
  const topics = keepOffsets(request, context, {
    firstVersionWithIds: 10,
    refusal: (topicError) => groupError || topicError,
    keep: (offset) => {
      const group = context.cluster.groups.getOrCreate(request.groupId);
      // A commit is a sign of life.
      group.touch(request.memberId);
      group.offsets.commit(offset);
    },
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
