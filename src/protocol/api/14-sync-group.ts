/** 14 SyncGroup, v0-v5, flexible from v4.
 * v3 groupInstanceId (KIP-345). v5 protocolType, protocolName (KIP-559).
 * Generated from fixtures/definitions/14-sync-group.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** SyncGroup request, v0-v5. */
export interface SyncGroupRequest {
  groupId: string;
  generationId: number;
  memberId: string;
  /** v3+, default null. Name of a static member (KIP-345). */
  groupInstanceId: string | null;
  /** v5+, default null. */
  protocolType: string | null;
  /** v5+, default null. */
  protocolName: string | null;
  /** Only from the leader. */
  assignments: SyncGroupRequestAssignment[];
}

/** Element of `SyncGroupRequest.assignments`. */
export interface SyncGroupRequestAssignment {
  memberId: string;
  assignment: Uint8Array;
}

/** SyncGroup response, v0-v5. */
export interface SyncGroupResponse {
  /** v1+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** v5+, default null. */
  protocolType: string | null;
  /** v5+, default null. */
  protocolName: string | null;
  assignment: Uint8Array;
}

const syncGroupRequestAssignment: Fields<SyncGroupRequestAssignment> = {
  memberId: 'string',
  assignment: 'bytes',
};

const syncGroupRequest: Fields<SyncGroupRequest> = {
  groupId: 'string',
  generationId: 'int32',
  memberId: 'string',
  groupInstanceId: { type: 'string', since: 3, nullable: true, default: null },
  protocolType: { type: 'string', since: 5, nullable: true, default: null, ignorable: true },
  protocolName: { type: 'string', since: 5, nullable: true, default: null, ignorable: true },
  assignments: [syncGroupRequestAssignment],
};

const syncGroupResponse: Fields<SyncGroupResponse> = {
  throttleTimeMs: { type: 'int32', since: 1, ignorable: true },
  errorCode: 'int16',
  protocolType: { type: 'string', since: 5, nullable: true, default: null, ignorable: true },
  protocolName: { type: 'string', since: 5, nullable: true, default: null, ignorable: true },
  assignment: 'bytes',
};

/** Brings the leader's assignment to the coordinator and each member's share back. */
export const syncGroupApi: Api<SyncGroupRequest, SyncGroupResponse> = /* @__PURE__ */ defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: syncGroupRequest,
  response: syncGroupResponse,
});
