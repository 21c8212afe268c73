/** 14 SyncGroup: brings the leader's assignment to the members; the answer waits for it. Not here: states (../group.ts). */
import { syncGroupApi } from '../../protocol/api/14-sync-group.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { SyncAnswer } from '../group-member.ts';
import { handler, type Handler } from './handler.ts';

/** Hands out assignments. */
export const syncGroupHandler: Handler = /* @__PURE__ */ handler(syncGroupApi, (request, context) => {
  const refuse = (errorCode: number): SyncAnswer => ({ errorCode });
  const sync = async (): Promise<SyncAnswer> => {
    const error = context.memberRequestError(request.groupId);
    if (error !== 0) return refuse(error);
    const namesProtocol = request.protocolType !== null && request.protocolName !== null;
    if (context.apiVersion >= 5 && !namesProtocol) return refuse(ErrorCodes.INCONSISTENT_GROUP_PROTOCOL);
    return context.group(request.groupId)?.sync(request) ?? refuse(ErrorCodes.UNKNOWN_MEMBER_ID);
  };
  return context.attempt(sync, refuse);
});
