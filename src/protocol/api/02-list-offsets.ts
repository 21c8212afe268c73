/** 02 ListOffsets, v1-v11, flexible from v6.
 * v2 isolationLevel (KIP-98). v4 leader epochs (KIP-320). v5 OFFSET_NOT_AVAILABLE (KIP-207). Special times:
 * v7 -3 largest timestamp (KIP-734), v8 -4 local log start (KIP-405), v9 -5 last tiered (KIP-1005), v11 -6
 * earliest pending upload (KIP-1023). v10 timeoutMs (KIP-1075).
 * Generated from fixtures/definitions/02-list-offsets.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** ListOffsets request, v1-v11. */
export interface ListOffsetsRequest {
  /** A follower's broker id; a client sends -1. The default 0 is a broker. */
  replicaId: number;
  /** v2+. 1 (read_committed) makes the latest offset the last stable one. */
  isolationLevel: number;
  topics: ListOffsetsTopic[];
  /** v10+. */
  timeoutMs: number;
}

/** Element of `ListOffsetsRequest.topics`. */
export interface ListOffsetsTopic {
  name: string;
  partitions: ListOffsetsPartition[];
}

/** Element of `ListOffsetsRequest.topics.partitions`. */
export interface ListOffsetsPartition {
  partitionIndex: number;
  /** v4+, default -1. */
  currentLeaderEpoch: number;
  /** Milliseconds since 1970; -1 latest, -2 earliest. */
  timestamp: number;
}

/** ListOffsets response, v1-v11. */
export interface ListOffsetsResponse {
  /** v2+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  topics: ListOffsetsTopicResponse[];
}

/** Element of `ListOffsetsResponse.topics`. */
export interface ListOffsetsTopicResponse {
  name: string;
  partitions: ListOffsetsPartitionResponse[];
}

/** Element of `ListOffsetsResponse.topics.partitions`. */
export interface ListOffsetsPartitionResponse {
  partitionIndex: number;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** Default -1. -1 for -1 and -2, or when no record is that late. */
  timestamp: number;
  /** Default -1. -1 when no record is that late. */
  offset: number;
  /** v4+, default -1. */
  leaderEpoch: number;
}

const listOffsetsPartition: Fields<ListOffsetsPartition> = {
  partitionIndex: 'int32',
  currentLeaderEpoch: { type: 'int32', since: 4, default: -1, ignorable: true },
  timestamp: 'int64',
};

const listOffsetsTopic: Fields<ListOffsetsTopic> = {
  name: 'string',
  partitions: [listOffsetsPartition],
};

const listOffsetsRequest: Fields<ListOffsetsRequest> = {
  replicaId: 'int32',
  isolationLevel: { type: 'int8', since: 2 },
  topics: [listOffsetsTopic],
  timeoutMs: { type: 'int32', since: 10, ignorable: true },
};

const listOffsetsPartitionResponse: Fields<ListOffsetsPartitionResponse> = {
  partitionIndex: 'int32',
  errorCode: 'int16',
  timestamp: { type: 'int64', default: -1 },
  offset: { type: 'int64', default: -1 },
  leaderEpoch: { type: 'int32', since: 4, default: -1 },
};

const listOffsetsTopicResponse: Fields<ListOffsetsTopicResponse> = {
  name: 'string',
  partitions: [listOffsetsPartitionResponse],
};

const listOffsetsResponse: Fields<ListOffsetsResponse> = {
  throttleTimeMs: { type: 'int32', since: 2, ignorable: true },
  topics: [listOffsetsTopicResponse],
};

/** Finds the offset for a time, or one end of the log, per partition, on its leader. */
export const listOffsetsApi: Api<ListOffsetsRequest, ListOffsetsResponse> = /* @__PURE__ */ defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexibleSince: 6,
  request: listOffsetsRequest,
  response: listOffsetsResponse,
});
