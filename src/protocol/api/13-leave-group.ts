/** 13 LeaveGroup, v0-v5, flexible from v4.
 * v3 several members, groupInstanceId (KIP-345). v5 reason (KIP-800).
 * Generated from fixtures/definitions/13-leave-group.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** LeaveGroup request, v0-v5. */
export interface LeaveGroupRequest {
  groupId: string;
  /** Up to v2. */
  memberId: string;
  /** v3+. */
  members: MemberIdentity[];
}

/** Element of `LeaveGroupRequest.members`. */
export interface MemberIdentity {
  memberId: string;
  /** Default null. Name of a static member (KIP-345). */
  groupInstanceId: string | null;
  /** v5+, default null. */
  reason: string | null;
}

/** LeaveGroup response, v0-v5. */
export interface LeaveGroupResponse {
  /** v1+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** v3+. */
  members: MemberResponse[];
}

/** Element of `LeaveGroupResponse.members`. */
export interface MemberResponse {
  memberId: string;
  /** Default ''. */
  groupInstanceId: string | null;
  /** See `ErrorCodes`. */
  errorCode: number;
}

const memberIdentity: Fields<MemberIdentity> = {
  memberId: 'string',
  groupInstanceId: { type: 'string', nullable: true, default: null },
  reason: { type: 'string', since: 5, nullable: true, default: null, ignorable: true },
};

const leaveGroupRequest: Fields<LeaveGroupRequest> = {
  groupId: 'string',
  memberId: { type: 'string', until: 2 },
  members: { type: [memberIdentity], since: 3 },
};

const memberResponse: Fields<MemberResponse> = {
  memberId: 'string',
  groupInstanceId: { type: 'string', nullable: true },
  errorCode: 'int16',
};

const leaveGroupResponse: Fields<LeaveGroupResponse> = {
  throttleTimeMs: { type: 'int32', since: 1, ignorable: true },
  errorCode: 'int16',
  members: { type: [memberResponse], since: 3 },
};

/** Takes members out of a classic group. */
export const leaveGroupApi: Api<LeaveGroupRequest, LeaveGroupResponse> = /* @__PURE__ */ defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: leaveGroupRequest,
  response: leaveGroupResponse,
});
