/** 11 JoinGroup, v0-v9, flexible from v6.
 * v1 rebalanceTimeoutMs (KIP-62). v4 MEMBER_ID_REQUIRED (KIP-394). v5 groupInstanceId (KIP-345). v7
 * protocolType (KIP-559). v8 reason (KIP-800). v9 skipAssignment (KIP-814).
 * Generated from fixtures/definitions/11-join-group.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** JoinGroup request, v0-v9. */
export interface JoinGroupRequest {
  groupId: string;
  /** The member is out after so long without a heartbeat. */
  sessionTimeoutMs: number;
  /** v1+, default -1. How long the others wait for a member to join again. */
  rebalanceTimeoutMs: number;
  /** Empty at first; the coordinator chooses one. */
  memberId: string;
  /** v5+, default null. Name of a static member (KIP-345). */
  groupInstanceId: string | null;
  /** `consumer` for consumers. */
  protocolType: string;
  /** In order of preference; the name is the assignor, the metadata its subscription. */
  protocols: JoinGroupRequestProtocol[];
  /** v8+, default null. */
  reason: string | null;
}

/** Element of `JoinGroupRequest.protocols`. */
export interface JoinGroupRequestProtocol {
  name: string;
  metadata: Uint8Array;
}

/** JoinGroup response, v0-v9. */
export interface JoinGroupResponse {
  /** v2+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** Default -1. */
  generationId: number;
  /** v7+, default null. */
  protocolType: string | null;
  /** Default ''. */
  protocolName: string | null;
  leader: string;
  /** v9+. */
  skipAssignment: boolean;
  memberId: string;
  /** Only for the leader, who assigns. */
  members: JoinGroupResponseMember[];
}

/** Element of `JoinGroupResponse.members`. */
export interface JoinGroupResponseMember {
  memberId: string;
  /** v5+, default null. */
  groupInstanceId: string | null;
  metadata: Uint8Array;
}

const joinGroupRequestProtocol: Fields<JoinGroupRequestProtocol> = {
  name: 'string',
  metadata: 'bytes',
};

const joinGroupRequest: Fields<JoinGroupRequest> = {
  groupId: 'string',
  sessionTimeoutMs: 'int32',
  rebalanceTimeoutMs: { type: 'int32', since: 1, default: -1, ignorable: true },
  memberId: 'string',
  groupInstanceId: { type: 'string', since: 5, nullable: true, default: null },
  protocolType: 'string',
  protocols: [joinGroupRequestProtocol],
  reason: { type: 'string', since: 8, nullable: true, default: null, ignorable: true },
};

const joinGroupResponseMember: Fields<JoinGroupResponseMember> = {
  memberId: 'string',
  groupInstanceId: { type: 'string', since: 5, nullable: true, default: null, ignorable: true },
  metadata: 'bytes',
};

const joinGroupResponse: Fields<JoinGroupResponse> = {
  throttleTimeMs: { type: 'int32', since: 2, ignorable: true },
  errorCode: 'int16',
  generationId: { type: 'int32', default: -1 },
  protocolType: { type: 'string', since: 7, nullable: true, default: null, ignorable: true },
  protocolName: { type: 'string', nullable: 7 },
  leader: 'string',
  skipAssignment: { type: 'bool', since: 9 },
  memberId: 'string',
  members: [joinGroupResponseMember],
};

/** Joins a classic group, or joins it again; answered when the group has a new generation. */
export const joinGroupApi: Api<JoinGroupRequest, JoinGroupResponse> = /* @__PURE__ */ defineApi({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleSince: 6,
  request: joinGroupRequest,
  response: joinGroupResponse,
});
