/** 15 DescribeGroups, v0-v6, flexible from v5.
 * v3 authorizedOperations (KIP-430). v4 groupInstanceId (KIP-345). v6 GROUP_ID_NOT_FOUND (KIP-1043).
 * Generated from fixtures/definitions/15-describe-groups.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** DescribeGroups request, v0-v6. */
export interface DescribeGroupsRequest {
  groups: string[];
  /** v3+. */
  includeAuthorizedOperations: boolean;
}

/** DescribeGroups response, v0-v6. */
export interface DescribeGroupsResponse {
  /** v1+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  groups: DescribedGroup[];
}

/** Element of `DescribeGroupsResponse.groups`. */
export interface DescribedGroup {
  /** See `ErrorCodes`. */
  errorCode: number;
  /** v6+, default null. */
  errorMessage: string | null;
  groupId: string;
  groupState: string;
  protocolType: string;
  /** The assignor; empty unless the group is stable. */
  protocolData: string;
  members: DescribedGroupMember[];
  /** v3+, default -2147483648. Bits of what the caller may do (KIP-430); -2147483648 when it did not ask. */
  authorizedOperations: number;
}

/** Element of `DescribeGroupsResponse.groups.members`. */
export interface DescribedGroupMember {
  memberId: string;
  /** v4+, default null. */
  groupInstanceId: string | null;
  clientId: string;
  clientHost: string;
  memberMetadata: Uint8Array;
  memberAssignment: Uint8Array;
}

const describeGroupsRequest: Fields<DescribeGroupsRequest> = {
  groups: ['string'],
  includeAuthorizedOperations: { type: 'bool', since: 3 },
};

const describedGroupMember: Fields<DescribedGroupMember> = {
  memberId: 'string',
  groupInstanceId: { type: 'string', since: 4, nullable: true, default: null, ignorable: true },
  clientId: 'string',
  clientHost: 'string',
  memberMetadata: 'bytes',
  memberAssignment: 'bytes',
};

const describedGroup: Fields<DescribedGroup> = {
  errorCode: 'int16',
  errorMessage: { type: 'string', since: 6, nullable: true, default: null },
  groupId: 'string',
  groupState: 'string',
  protocolType: 'string',
  protocolData: 'string',
  members: [describedGroupMember],
  authorizedOperations: { type: 'int32', since: 3, default: -2147483648 },
};

const describeGroupsResponse: Fields<DescribeGroupsResponse> = {
  throttleTimeMs: { type: 'int32', since: 1, ignorable: true },
  groups: [describedGroup],
};

/** Tells state, protocol and members of classic groups, on the groups' coordinator. */
export const describeGroupsApi: Api<DescribeGroupsRequest, DescribeGroupsResponse> =
  /* @__PURE__ */ defineApi({
    key: 15,
    name: 'DescribeGroups',
    versions: [0, 6],
    flexibleSince: 5,
    request: describeGroupsRequest,
    response: describeGroupsResponse,
  });
