/** 13 LeaveGroup: takes members out of a group, one up to version 2, then several (KIP-345).
 * Not here: what their leaving starts (../group.ts).
 */
import { leaveGroupApi, type LeaveGroupResponse } from '../../protocol/api/13-leave-group.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { handler, type Handler } from './handler.ts';

/** Lets members leave. */
export const leaveGroupHandler: Handler = /* @__PURE__ */ handler(leaveGroupApi, (request, context) => {
  const { groupId } = request;
  const single = context.apiVersion < 3;
  const leaving = single ? [{ memberId: request.memberId, groupInstanceId: null }] : request.members;
  const refuse = (errorCode: number): Input<LeaveGroupResponse> => ({ errorCode });
  return context.attempt(() => {
    const error = context.memberRequestError(groupId);
    if (error !== 0) return refuse(error);
    const codes = context.group(groupId)?.leave(leaving) ?? leaving.map(() => ErrorCodes.UNKNOWN_MEMBER_ID);
    if (single) return { errorCode: codes[0] ?? 0 };
    return {
      members: leaving.map(({ memberId, groupInstanceId }, i) => ({
        memberId,
        groupInstanceId,
        errorCode: codes[i] ?? 0,
      })),
    };
  }, refuse);
});
