/** 11 JoinGroup: takes a member into a group; the answer waits until everybody has joined.
 * Not here: members and generations (../group.ts).
 */
import { joinGroupApi, type JoinGroupRequest } from '../../protocol/api/11-join-group.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { refusedJoin } from '../group.ts';
import type { JoinAnswer } from '../group-member.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

/** Lets a member join. */
export const joinGroupHandler: Handler = /* @__PURE__ */ handler(joinGroupApi, async (request, context) => {
  const refuse = (errorCode: number): JoinAnswer => refusedJoin(request.memberId, errorCode);
  const answer = await context.attempt(async () => join(request, context), refuse);
  const { protocolName = null } = answer;
  // Before version 7 there is no null.
  return { ...answer, protocolName: context.apiVersion < 7 ? (protocolName ?? '') : protocolName };
});

function join(request: JoinGroupRequest, context: RequestContext): JoinAnswer | Promise<JoinAnswer> {
  const { groupId, memberId, sessionTimeoutMs } = request;
  const { minSessionTimeoutMs, maxSessionTimeoutMs } = context.cluster.settings;
  const error = context.memberRequestError(groupId);
  if (error !== 0) return refusedJoin(memberId, error);
  if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
    return refusedJoin(memberId, ErrorCodes.INVALID_SESSION_TIMEOUT);
  }
  const { groups } = context.cluster;
  const group = memberId === '' ? groups.getOrCreate(groupId) : groups.get(groupId);
  return group?.join(request, context) ?? refusedJoin(memberId, ErrorCodes.UNKNOWN_MEMBER_ID);
}
