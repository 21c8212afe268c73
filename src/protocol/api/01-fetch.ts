/** 01 Fetch, v4-v18, flexible from v12.
 * v4 isolationLevel (KIP-98). v5 logStartOffset (KIP-107). v7 sessions (KIP-227). v9 leader epochs (KIP-320).
 * v10 zstd (KIP-110). v11 closest replica (KIP-392). v12 divergence by epoch (KIP-595). v13 topic ids
 * (KIP-516). v15 replicaState (KIP-903). v16 nodeEndpoints (KIP-951). v17 directory ids (KIP-853). v18
 * highWatermark (KIP-1166).
 * Generated from fixtures/definitions/01-fetch.json and tools/generate-overlay.ts by tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** Fetch request, v4-v18. */
export interface FetchRequest {
  /** v12+, default null. */
  clusterId: string | null;
  /** Up to v14, default -1. A follower's broker id; a client sends -1. */
  replicaId: number;
  /** v15+. */
  replicaState: ReplicaState;
  maxWaitMs: number;
  /** The answer waits for so many bytes. */
  minBytes: number;
  /** Default 2147483647. The first batch is returned whole even if it is larger (KIP-74). */
  maxBytes: number;
  /** 0 read_uncommitted, 1 read_committed. */
  isolationLevel: number;
  /** v7+. 0 starts a session or uses none. */
  sessionId: number;
  /** v7+, default -1. -1 no session, 0 a new one, then one more each time. */
  sessionEpoch: number;
  topics: FetchTopic[];
  /** v7+. Partitions to drop from the session. */
  forgottenTopicsData: ForgottenTopic[];
  /** v11+. */
  rackId: string;
}

/** Value of `FetchRequest.replicaState`. */
export interface ReplicaState {
  /** Default -1. */
  replicaId: number;
  /** Default -1. */
  replicaEpoch: number;
}

/** Element of `FetchRequest.topics`. */
export interface FetchTopic {
  /** Up to v12. */
  topic: string;
  /** v13+. */
  topicId: string;
  partitions: FetchPartition[];
}

/** Element of `FetchRequest.topics.partitions`. */
export interface FetchPartition {
  partition: number;
  /** v9+, default -1. -1 unknown; else the leader checks it. */
  currentLeaderEpoch: number;
  fetchOffset: number;
  /** v12+, default -1. */
  lastFetchedEpoch: number;
  /** v5+, default -1. */
  logStartOffset: number;
  partitionMaxBytes: number;
  /** v17+. */
  replicaDirectoryId: string;
  /** v18+, default 9223372036854775807n. Only from followers. */
  highWatermark: bigint;
}

/** Element of `FetchRequest.forgottenTopicsData`. */
export interface ForgottenTopic {
  /** Up to v12. */
  topic: string;
  /** v13+. */
  topicId: string;
  partitions: number[];
}

/** Fetch response, v4-v18. */
export interface FetchResponse {
  /** Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** v7+. See `ErrorCodes`. */
  errorCode: number;
  /** v7+. */
  sessionId: number;
  responses: FetchableTopicResponse[];
  /** v16+. */
  nodeEndpoints: NodeEndpoint[];
}

/** Element of `FetchResponse.responses`. */
export interface FetchableTopicResponse {
  /** Up to v12. */
  topic: string;
  /** v13+. */
  topicId: string;
  partitions: PartitionData[];
}

/** Element of `FetchResponse.responses.partitions`. */
export interface PartitionData {
  partitionIndex: number;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** Offset behind the last replicated record. */
  highWatermark: number;
  /** Default -1. Offset before which every transaction is decided: the end for read_committed. */
  lastStableOffset: number;
  /** v5+, default -1. */
  logStartOffset: number;
  /** v12+. Set when the log was truncated below the fetch offset. */
  divergingEpoch: EpochEndOffset;
  /** v12+. */
  currentLeader: LeaderIdAndEpoch;
  /** v12+. */
  snapshotId: SnapshotId;
  /** Default []. Only for read_committed; null or empty if there are none. */
  abortedTransactions: AbortedTransaction[] | null;
  /** v11+, default -1. Broker to read from instead; -1 none. */
  preferredReadReplica: number;
  /** Batches back to back; the last one may be cut off. */
  records: Uint8Array | null;
}

/** Value of `FetchResponse.responses.partitions.divergingEpoch`. */
export interface EpochEndOffset {
  /** Default -1. */
  epoch: number;
  /** Default -1. */
  endOffset: number;
}

/** Value of `FetchResponse.responses.partitions.currentLeader`. */
export interface LeaderIdAndEpoch {
  /** Default -1. */
  leaderId: number;
  /** Default -1. */
  leaderEpoch: number;
}

/** Value of `FetchResponse.responses.partitions.snapshotId`. */
export interface SnapshotId {
  /** Default -1. */
  endOffset: number;
  /** Default -1. */
  epoch: number;
}

/** Element of `FetchResponse.responses.partitions.abortedTransactions`. */
export interface AbortedTransaction {
  producerId: bigint;
  firstOffset: number;
}

/** Element of `FetchResponse.nodeEndpoints`. */
export interface NodeEndpoint {
  nodeId: number;
  host: string;
  port: number;
  /** Default null. */
  rack: string | null;
}

const replicaState: Fields<ReplicaState> = {
  replicaId: { type: 'int32', default: -1 },
  replicaEpoch: { type: 'int64', default: -1 },
};

const fetchPartition: Fields<FetchPartition> = {
  partition: 'int32',
  currentLeaderEpoch: { type: 'int32', since: 9, default: -1, ignorable: true },
  fetchOffset: 'int64',
  lastFetchedEpoch: { type: 'int32', since: 12, default: -1 },
  logStartOffset: { type: 'int64', since: 5, default: -1, ignorable: true },
  partitionMaxBytes: 'int32',
  replicaDirectoryId: { type: 'uuid', since: 17, tag: 0, ignorable: true },
  highWatermark: { type: 'bigint', since: 18, tag: 1, default: 9223372036854775807n, ignorable: true },
};

const fetchTopic: Fields<FetchTopic> = {
  topic: { type: 'string', until: 12, ignorable: true },
  topicId: { type: 'uuid', since: 13, ignorable: true },
  partitions: [fetchPartition],
};

const forgottenTopic: Fields<ForgottenTopic> = {
  topic: { type: 'string', until: 12, ignorable: true },
  topicId: { type: 'uuid', since: 13, ignorable: true },
  partitions: ['int32'],
};

const fetchRequest: Fields<FetchRequest> = {
  clusterId: { type: 'string', since: 12, nullable: true, tag: 0, default: null, ignorable: true },
  replicaId: { type: 'int32', until: 14, default: -1 },
  replicaState: { type: replicaState, since: 15, tag: 1 },
  maxWaitMs: 'int32',
  minBytes: 'int32',
  maxBytes: { type: 'int32', default: 2147483647, ignorable: true },
  isolationLevel: { type: 'int8', ignorable: true },
  sessionId: { type: 'int32', since: 7, ignorable: true },
  sessionEpoch: { type: 'int32', since: 7, default: -1, ignorable: true },
  topics: [fetchTopic],
  forgottenTopicsData: { type: [forgottenTopic], since: 7 },
  rackId: { type: 'string', since: 11, ignorable: true },
};

const epochEndOffset: Fields<EpochEndOffset> = {
  epoch: { type: 'int32', default: -1 },
  endOffset: { type: 'int64', default: -1 },
};

const leaderIdAndEpoch: Fields<LeaderIdAndEpoch> = {
  leaderId: { type: 'int32', default: -1 },
  leaderEpoch: { type: 'int32', default: -1 },
};

const snapshotId: Fields<SnapshotId> = {
  endOffset: { type: 'int64', default: -1 },
  epoch: { type: 'int32', default: -1 },
};

const abortedTransaction: Fields<AbortedTransaction> = {
  producerId: 'bigint',
  firstOffset: 'int64',
};

const partitionData: Fields<PartitionData> = {
  partitionIndex: 'int32',
  errorCode: 'int16',
  highWatermark: 'int64',
  lastStableOffset: { type: 'int64', default: -1, ignorable: true },
  logStartOffset: { type: 'int64', since: 5, default: -1, ignorable: true },
  divergingEpoch: { type: epochEndOffset, since: 12, tag: 0 },
  currentLeader: { type: leaderIdAndEpoch, since: 12, tag: 1 },
  snapshotId: { type: snapshotId, since: 12, tag: 2 },
  abortedTransactions: { type: [abortedTransaction], nullable: true, ignorable: true },
  preferredReadReplica: { type: 'int32', since: 11, default: -1 },
  records: { type: 'records', nullable: true },
};

const fetchableTopicResponse: Fields<FetchableTopicResponse> = {
  topic: { type: 'string', until: 12, ignorable: true },
  topicId: { type: 'uuid', since: 13, ignorable: true },
  partitions: [partitionData],
};

const nodeEndpoint: Fields<NodeEndpoint> = {
  nodeId: 'int32',
  host: 'string',
  port: 'int32',
  rack: { type: 'string', nullable: true, default: null },
};

const fetchResponse: Fields<FetchResponse> = {
  throttleTimeMs: { type: 'int32', ignorable: true },
  errorCode: { type: 'int16', since: 7, ignorable: true },
  sessionId: { type: 'int32', since: 7 },
  responses: [fetchableTopicResponse],
  nodeEndpoints: { type: [nodeEndpoint], since: 16, tag: 0 },
};

/** Reads record batches from partitions; the broker holds the answer until there is enough or `maxWaitMs`
 * passed.
 */
export const fetchApi: Api<FetchRequest, FetchResponse> = /* @__PURE__ */ defineApi({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexibleSince: 12,
  request: fetchRequest,
  response: fetchResponse,
});
