/** 08 OffsetCommit, v2-v10, flexible from v8.
 * v2-v4 retentionTimeMs. v6 committedLeaderEpoch (KIP-320). v7 groupInstanceId (KIP-345). v9 member epochs of
 * the consumer protocol, v10 topic ids (KIP-848).
 * Generated from fixtures/definitions/08-offset-commit.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** OffsetCommit request, v2-v10. */
export interface OffsetCommitRequest {
  groupId: string;
  /** Default -1. -1 for a commit from outside the group. */
  generationIdOrMemberEpoch: number;
  memberId: string;
  /** v7+, default null. Name of a static member (KIP-345). */
  groupInstanceId: string | null;
  /** Up to v4, default -1. */
  retentionTimeMs: number;
  topics: OffsetCommitRequestTopic[];
}

/** Element of `OffsetCommitRequest.topics`. */
export interface OffsetCommitRequestTopic {
  /** Up to v9. */
  name: string;
  /** v10+. */
  topicId: string;
  partitions: OffsetCommitRequestPartition[];
}

/** Element of `OffsetCommitRequest.topics.partitions`. */
export interface OffsetCommitRequestPartition {
  partitionIndex: number;
  /** Offset of the next record to read. */
  committedOffset: number;
  /** v6+, default -1. */
  committedLeaderEpoch: number;
  /** Default ''. */
  committedMetadata: string | null;
}

/** OffsetCommit response, v2-v10. */
export interface OffsetCommitResponse {
  /** v3+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  topics: OffsetCommitResponseTopic[];
}

/** Element of `OffsetCommitResponse.topics`. */
export interface OffsetCommitResponseTopic {
  /** Up to v9. */
  name: string;
  /** v10+. */
  topicId: string;
  partitions: OffsetCommitResponsePartition[];
}

/** Element of `OffsetCommitResponse.topics.partitions`. */
export interface OffsetCommitResponsePartition {
  partitionIndex: number;
  /** See `ErrorCodes`. */
  errorCode: number;
}

const offsetCommitRequestPartition: Fields<OffsetCommitRequestPartition> = {
  partitionIndex: 'int32',
  committedOffset: 'int64',
  committedLeaderEpoch: { type: 'int32', since: 6, default: -1, ignorable: true },
  committedMetadata: { type: 'string', nullable: true },
};

const offsetCommitRequestTopic: Fields<OffsetCommitRequestTopic> = {
  name: { type: 'string', until: 9, ignorable: true },
  topicId: { type: 'uuid', since: 10, ignorable: true },
  partitions: [offsetCommitRequestPartition],
};

const offsetCommitRequest: Fields<OffsetCommitRequest> = {
  groupId: 'string',
  generationIdOrMemberEpoch: { type: 'int32', default: -1, ignorable: true },
  memberId: { type: 'string', ignorable: true },
  groupInstanceId: { type: 'string', since: 7, nullable: true, default: null },
  retentionTimeMs: { type: 'int64', until: 4, default: -1, ignorable: true },
  topics: [offsetCommitRequestTopic],
};

const offsetCommitResponsePartition: Fields<OffsetCommitResponsePartition> = {
  partitionIndex: 'int32',
  errorCode: 'int16',
};

const offsetCommitResponseTopic: Fields<OffsetCommitResponseTopic> = {
  name: { type: 'string', until: 9, ignorable: true },
  topicId: { type: 'uuid', since: 10, ignorable: true },
  partitions: [offsetCommitResponsePartition],
};

const offsetCommitResponse: Fields<OffsetCommitResponse> = {
  throttleTimeMs: { type: 'int32', since: 3, ignorable: true },
  topics: [offsetCommitResponseTopic],
};

/** Stores a group's offsets, on the group's coordinator. */
export const offsetCommitApi: Api<OffsetCommitRequest, OffsetCommitResponse> = /* @__PURE__ */ defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexibleSince: 8,
  request: offsetCommitRequest,
  response: offsetCommitResponse,
});
