/** 09 OffsetFetch, v1-v10, flexible from v6.
 * v2 null topics ask for all, errorCode (KIP-88). v5 leader epochs (KIP-320). v7 requireStable (KIP-447). v8
 * several groups (KIP-709). v9 member epochs, v10 topic ids (KIP-848).
 * Generated from fixtures/definitions/09-offset-fetch.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** OffsetFetch request, v1-v10. */
export interface OffsetFetchRequest {
  /** Up to v7. */
  groupId: string;
  /** Up to v7, default []. Null asks for all. */
  topics: OffsetFetchRequestTopic[] | null;
  /** v8+. */
  groups: OffsetFetchRequestGroup[];
  /** v7+. Answer UNSTABLE_OFFSET_COMMIT while a transaction holds offsets. */
  requireStable: boolean;
}

/** Element of `OffsetFetchRequest.topics`. */
export interface OffsetFetchRequestTopic {
  name: string;
  partitionIndexes: number[];
}

/** Element of `OffsetFetchRequest.groups`. */
export interface OffsetFetchRequestGroup {
  groupId: string;
  /** v9+, default null. */
  memberId: string | null;
  /** v9+, default -1. */
  memberEpoch: number;
  /** Default []. Null asks for all. */
  topics: OffsetFetchRequestTopics[] | null;
}

/** Element of `OffsetFetchRequest.groups.topics`. */
export interface OffsetFetchRequestTopics {
  /** Up to v9. */
  name: string;
  /** v10+. */
  topicId: string;
  partitionIndexes: number[];
}

/** OffsetFetch response, v1-v10. */
export interface OffsetFetchResponse {
  /** v3+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** Up to v7. */
  topics: OffsetFetchResponseTopic[];
  /** v2-v7. See `ErrorCodes`. */
  errorCode: number;
  /** v8+. */
  groups: OffsetFetchResponseGroup[];
}

/** Element of `OffsetFetchResponse.topics`. */
export interface OffsetFetchResponseTopic {
  name: string;
  partitions: OffsetFetchResponsePartition[];
}

/** Element of `OffsetFetchResponse.topics.partitions`. */
export interface OffsetFetchResponsePartition {
  partitionIndex: number;
  /** -1 none. */
  committedOffset: number;
  /** v5+, default -1. */
  committedLeaderEpoch: number;
  /** Default ''. */
  metadata: string | null;
  /** See `ErrorCodes`. */
  errorCode: number;
}

/** Element of `OffsetFetchResponse.groups`. */
export interface OffsetFetchResponseGroup {
  groupId: string;
  topics: OffsetFetchResponseTopics[];
  /** See `ErrorCodes`. */
  errorCode: number;
}

/** Element of `OffsetFetchResponse.groups.topics`. */
export interface OffsetFetchResponseTopics {
  /** Up to v9. */
  name: string;
  /** v10+. */
  topicId: string;
  partitions: OffsetFetchResponsePartitions[];
}

/** Element of `OffsetFetchResponse.groups.topics.partitions`. */
export interface OffsetFetchResponsePartitions {
  partitionIndex: number;
  /** -1 none. */
  committedOffset: number;
  /** Default -1. */
  committedLeaderEpoch: number;
  /** Default ''. */
  metadata: string | null;
  /** See `ErrorCodes`. */
  errorCode: number;
}

const offsetFetchRequestTopic: Fields<OffsetFetchRequestTopic> = {
  name: 'string',
  partitionIndexes: ['int32'],
};

const offsetFetchRequestTopics: Fields<OffsetFetchRequestTopics> = {
  name: { type: 'string', until: 9, ignorable: true },
  topicId: { type: 'uuid', since: 10, ignorable: true },
  partitionIndexes: ['int32'],
};

const offsetFetchRequestGroup: Fields<OffsetFetchRequestGroup> = {
  groupId: 'string',
  memberId: { type: 'string', since: 9, nullable: true, default: null, ignorable: true },
  memberEpoch: { type: 'int32', since: 9, default: -1, ignorable: true },
  topics: { type: [offsetFetchRequestTopics], nullable: true },
};

const offsetFetchRequest: Fields<OffsetFetchRequest> = {
  groupId: { type: 'string', until: 7 },
  topics: { type: [offsetFetchRequestTopic], until: 7, nullable: 2 },
  groups: { type: [offsetFetchRequestGroup], since: 8 },
  requireStable: { type: 'bool', since: 7 },
};

const offsetFetchResponsePartition: Fields<OffsetFetchResponsePartition> = {
  partitionIndex: 'int32',
  committedOffset: 'int64',
  committedLeaderEpoch: { type: 'int32', since: 5, default: -1, ignorable: true },
  metadata: { type: 'string', nullable: true },
  errorCode: 'int16',
};

const offsetFetchResponseTopic: Fields<OffsetFetchResponseTopic> = {
  name: 'string',
  partitions: [offsetFetchResponsePartition],
};

const offsetFetchResponsePartitions: Fields<OffsetFetchResponsePartitions> = {
  partitionIndex: 'int32',
  committedOffset: 'int64',
  committedLeaderEpoch: { type: 'int32', default: -1, ignorable: true },
  metadata: { type: 'string', nullable: true },
  errorCode: 'int16',
};

const offsetFetchResponseTopics: Fields<OffsetFetchResponseTopics> = {
  name: { type: 'string', until: 9, ignorable: true },
  topicId: { type: 'uuid', since: 10, ignorable: true },
  partitions: [offsetFetchResponsePartitions],
};

const offsetFetchResponseGroup: Fields<OffsetFetchResponseGroup> = {
  groupId: 'string',
  topics: [offsetFetchResponseTopics],
  errorCode: 'int16',
};

const offsetFetchResponse: Fields<OffsetFetchResponse> = {
  throttleTimeMs: { type: 'int32', since: 3, ignorable: true },
  topics: { type: [offsetFetchResponseTopic], until: 7 },
  errorCode: { type: 'int16', since: 2, until: 7, ignorable: true },
  groups: { type: [offsetFetchResponseGroup], since: 8 },
};

/** Reads a group's committed offsets, on the group's coordinator. */
export const offsetFetchApi: Api<OffsetFetchRequest, OffsetFetchResponse> = /* @__PURE__ */ defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexibleSince: 6,
  request: offsetFetchRequest,
  response: offsetFetchResponse,
});
