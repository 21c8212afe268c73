/** 12 Heartbeat: keeps a member's session, and tells it of a rebalance. Not here: sessions (../group.ts). */
import { heartbeatApi } from '../../protocol/api/12-heartbeat.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { handler, type Handler } from './handler.ts';

/** Keeps a member's session. */
export const heartbeatHandler: Handler = /* @__PURE__ */ handler(heartbeatApi, (request, context) => {
  const { groupId, memberId, groupInstanceId, generationId } = request;
  const beat = (): number => {
    const error = context.memberRequestError(groupId);
    // A coordinator that is loading cannot know, and does not trouble the member.
    if (error === ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS) return 0;
    if (error !== 0) return error;
    const group = context.group(groupId);
    return group?.heartbeat(memberId, groupInstanceId, generationId) ?? ErrorCodes.UNKNOWN_MEMBER_ID;
  };
  return { errorCode: context.attempt(beat, (errorCode) => errorCode) };
});
