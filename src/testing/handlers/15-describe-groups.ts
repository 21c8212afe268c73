/** 15 DescribeGroups: state, protocol and members of groups that this broker coordinates. */
import { describeGroupsApi, type DescribedGroup } from '../../protocol/api/15-describe-groups.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

/** What may be done to a group (KIP-430): everything, for there is no authorizer; the second says that nobody asked. */
const groupOperations = 328;
const unasked = -2_147_483_648;

/** Describes groups. */
export const describeGroupsHandler: Handler = /* @__PURE__ */ handler(
  describeGroupsApi,
  (request, context) => {
    const authorizedOperations = request.includeAuthorizedOperations ? groupOperations : unasked;
    const groups = request.groups.map((groupId) => {
      const refuse = (errorCode: number): Input<DescribedGroup> => ({ groupId, errorCode });
      return context.attempt(() => {
        const error = context.coordinatorError(groupId);
        return error === 0 ? describe(groupId, authorizedOperations, context) : refuse(error);
      }, refuse);
    });
    return { groups };
  },
);

function describe(
  groupId: string,
  authorizedOperations: number,
  { apiVersion, cluster }: RequestContext,
): Input<DescribedGroup> {
  const group = cluster.groups.get(groupId);
  if (group === undefined) {
    if (apiVersion < 6) return { groupId, groupState: 'Dead', authorizedOperations };
    const errorMessage = `Group ${groupId} not found.`;
    return { groupId, groupState: 'Dead', errorCode: ErrorCodes.GROUP_ID_NOT_FOUND, errorMessage };
  }
  const { state, protocolType, protocol, members } = group;
  const isStable = state === 'Stable';
  return {
    groupId,
    groupState: state,
    protocolType: protocolType ?? '',
    protocolData: isStable ? (protocol ?? '') : '',
    members: members.map(({ memberId, instanceId, clientId, clientHost, metadata, assignment }) => ({
      memberId,
      groupInstanceId: instanceId,
      clientId,
      clientHost,
      memberMetadata: isStable ? metadata : new Uint8Array(0),
      memberAssignment: assignment,
    })),
    authorizedOperations,
  };
}
