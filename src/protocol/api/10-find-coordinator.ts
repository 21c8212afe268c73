/** 10 FindCoordinator, v0-v6, flexible from v3.
 * v1 keyType (KIP-98). v4 several keys (KIP-699). v5 TRANSACTION_ABORTABLE (KIP-890). v6 share groups
 * (KIP-932).
 * Generated from fixtures/definitions/10-find-coordinator.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** FindCoordinator request, v0-v6. */
export interface FindCoordinatorRequest {
  /** Up to v3. */
  key: string;
  /** v1+. 0 group, 1 transaction, 2 share (`groupId:topicId:partition`). */
  keyType: number;
  /** v4+. */
  coordinatorKeys: string[];
}

/** FindCoordinator response, v0-v6. */
export interface FindCoordinatorResponse {
  /** v1+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** Up to v3. See `ErrorCodes`. */
  errorCode: number;
  /** v1-v3, default ''. */
  errorMessage: string | null;
  /** Up to v3. */
  nodeId: number;
  /** Up to v3. */
  host: string;
  /** Up to v3. */
  port: number;
  /** v4+. */
  coordinators: Coordinator[];
}

/** Element of `FindCoordinatorResponse.coordinators`. */
export interface Coordinator {
  key: string;
  nodeId: number;
  host: string;
  port: number;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** Default ''. */
  errorMessage: string | null;
}

const findCoordinatorRequest: Fields<FindCoordinatorRequest> = {
  key: { type: 'string', until: 3 },
  keyType: { type: 'int8', since: 1 },
  coordinatorKeys: { type: ['string'], since: 4 },
};

const coordinator: Fields<Coordinator> = {
  key: 'string',
  nodeId: 'int32',
  host: 'string',
  port: 'int32',
  errorCode: 'int16',
  errorMessage: { type: 'string', nullable: true, ignorable: true },
};

const findCoordinatorResponse: Fields<FindCoordinatorResponse> = {
  throttleTimeMs: { type: 'int32', since: 1, ignorable: true },
  errorCode: { type: 'int16', until: 3 },
  errorMessage: { type: 'string', since: 1, until: 3, nullable: true, ignorable: true },
  nodeId: { type: 'int32', until: 3 },
  host: { type: 'string', until: 3 },
  port: { type: 'int32', until: 3 },
  coordinators: { type: [coordinator], since: 4 },
};

/** Finds the broker that coordinates a group, a transactional id or a share partition; any broker answers. */
export const findCoordinatorApi: Api<FindCoordinatorRequest, FindCoordinatorResponse> =
  /* @__PURE__ */ defineApi({
    key: 10,
    name: 'FindCoordinator',
    versions: [0, 6],
    flexibleSince: 3,
    request: findCoordinatorRequest,
    response: findCoordinatorResponse,
  });
