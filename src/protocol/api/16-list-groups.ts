/** 16 ListGroups, v0-v5, flexible from v3.
 * v4 states (KIP-518). v5 types (KIP-848).
 * Generated from fixtures/definitions/16-list-groups.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** ListGroups request, v0-v5. */
export interface ListGroupsRequest {
  /** v4+. No elements: all states. */
  statesFilter: string[];
  /** v5+. No elements: all types. */
  typesFilter: string[];
}

/** ListGroups response, v0-v5. */
export interface ListGroupsResponse {
  /** v1+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** See `ErrorCodes`. */
  errorCode: number;
  groups: ListedGroup[];
}

/** Element of `ListGroupsResponse.groups`. */
export interface ListedGroup {
  groupId: string;
  protocolType: string;
  /** v4+. */
  groupState: string;
  /** v5+. */
  groupType: string;
}

const listGroupsRequest: Fields<ListGroupsRequest> = {
  statesFilter: { type: ['string'], since: 4 },
  typesFilter: { type: ['string'], since: 5 },
};

const listedGroup: Fields<ListedGroup> = {
  groupId: 'string',
  protocolType: 'string',
  groupState: { type: 'string', since: 4, ignorable: true },
  groupType: { type: 'string', since: 5, ignorable: true },
};

const listGroupsResponse: Fields<ListGroupsResponse> = {
  throttleTimeMs: { type: 'int32', since: 1, ignorable: true },
  errorCode: 'int16',
  groups: [listedGroup],
};

/** Lists the groups that a broker coordinates. */
export const listGroupsApi: Api<ListGroupsRequest, ListGroupsResponse> = /* @__PURE__ */ defineApi({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleSince: 3,
  request: listGroupsRequest,
  response: listGroupsResponse,
});
