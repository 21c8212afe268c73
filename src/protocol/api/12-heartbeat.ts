/** 12 Heartbeat, v0-v4, flexible from v4.
 * v1 throttleTimeMs (KIP-124). v3 groupInstanceId (KIP-345).
 * Generated from fixtures/definitions/12-heartbeat.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** Heartbeat request, v0-v4. */
export interface HeartbeatRequest {
  groupId: string;
  generationId: number;
  memberId: string;
  /** v3+, default null. Name of a static member (KIP-345). */
  groupInstanceId: string | null;
}

/** Heartbeat response, v0-v4. */
export interface HeartbeatResponse {
  /** v1+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** See `ErrorCodes`. */
  errorCode: number;
}

const heartbeatRequest: Fields<HeartbeatRequest> = {
  groupId: 'string',
  generationId: 'int32',
  memberId: 'string',
  groupInstanceId: { type: 'string', since: 3, nullable: true, default: null },
};

const heartbeatResponse: Fields<HeartbeatResponse> = {
  throttleTimeMs: { type: 'int32', since: 1, ignorable: true },
  errorCode: 'int16',
};

/** Keeps a member of a classic group alive, and tells it about a rebalance by REBALANCE_IN_PROGRESS. */
export const heartbeatApi: Api<HeartbeatRequest, HeartbeatResponse> = /* @__PURE__ */ defineApi({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleSince: 4,
  request: heartbeatRequest,
  response: heartbeatResponse,
});
