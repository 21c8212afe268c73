/** 20 DeleteTopics, v1-v6, flexible from v4.
 * v3 TOPIC_DELETION_DISABLED (KIP-322). v5 errorMessage, THROTTLING_QUOTA_EXCEEDED (KIP-599). v6 by name or
 * id (KIP-516).
 * Generated from fixtures/definitions/20-delete-topics.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** DeleteTopics request, v1-v6. */
export interface DeleteTopicsRequest {
  /** v6+. */
  topics: DeleteTopicState[];
  /** Up to v5. */
  topicNames: string[];
  timeoutMs: number;
}

/** Element of `DeleteTopicsRequest.topics`. */
export interface DeleteTopicState {
  /** Default null. */
  name: string | null;
  topicId: string;
}

/** DeleteTopics response, v1-v6. */
export interface DeleteTopicsResponse {
  /** Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  responses: DeletableTopicResult[];
}

/** Element of `DeleteTopicsResponse.responses`. */
export interface DeletableTopicResult {
  /** Default ''. */
  name: string | null;
  /** v6+. */
  topicId: string;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** v5+, default null. */
  errorMessage: string | null;
}

const deleteTopicState: Fields<DeleteTopicState> = {
  name: { type: 'string', nullable: true, default: null },
  topicId: 'uuid',
};

const deleteTopicsRequest: Fields<DeleteTopicsRequest> = {
  topics: { type: [deleteTopicState], since: 6 },
  topicNames: { type: ['string'], until: 5, ignorable: true },
  timeoutMs: 'int32',
};

const deletableTopicResult: Fields<DeletableTopicResult> = {
  name: { type: 'string', nullable: 6 },
  topicId: { type: 'uuid', since: 6, ignorable: true },
  errorCode: 'int16',
  errorMessage: { type: 'string', since: 5, nullable: true, default: null, ignorable: true },
};

const deleteTopicsResponse: Fields<DeleteTopicsResponse> = {
  throttleTimeMs: { type: 'int32', ignorable: true },
  responses: [deletableTopicResult],
};

/** Deletes topics, on the controller; brokers of KRaft clusters forward it. */
export const deleteTopicsApi: Api<DeleteTopicsRequest, DeleteTopicsResponse> = /* @__PURE__ */ defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleSince: 4,
  request: deleteTopicsRequest,
  response: deleteTopicsResponse,
});
