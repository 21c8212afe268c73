/** 00 Produce, v3-v13, flexible from v9.
 * v3 batches of format v2, transactions (KIP-98). v5 logStartOffset (KIP-207). v7 zstd (KIP-110). v8
 * recordErrors (KIP-467). v10 currentLeader, nodeEndpoints (KIP-951). v11 TRANSACTION_ABORTABLE, v12
 * partitions join the transaction by themselves (KIP-890). v13 topic ids (KIP-516).
 * Generated from fixtures/definitions/00-produce.json and tools/generate-overlay.ts by tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** Produce request, v3-v13. */
export interface ProduceRequest {
  /** Default null. */
  transactionalId: string | null;
  /** 0 none, 1 the leader, -1 all in-sync replicas. */
  acks: number;
  /** How long the leader waits for its followers. */
  timeoutMs: number;
  topicData: TopicProduceData[];
}

/** Element of `ProduceRequest.topicData`. */
export interface TopicProduceData {
  /** Up to v12. */
  name: string;
  /** v13+. */
  topicId: string;
  partitionData: PartitionProduceData[];
}

/** Element of `ProduceRequest.topicData.partitionData`. */
export interface PartitionProduceData {
  index: number;
  /** Exactly one batch. */
  records: Uint8Array | null;
}

/** Produce response, v3-v13. */
export interface ProduceResponse {
  responses: TopicProduceResponse[];
  /** Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** v10+. */
  nodeEndpoints: NodeEndpoint[];
}

/** Element of `ProduceResponse.responses`. */
export interface TopicProduceResponse {
  /** Up to v12. */
  name: string;
  /** v13+. */
  topicId: string;
  partitionResponses: PartitionProduceResponse[];
}

/** Element of `ProduceResponse.responses.partitionResponses`. */
export interface PartitionProduceResponse {
  index: number;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** Offset of the first record; -1 unknown. */
  baseOffset: number;
  /** Default -1. The records' timestamp if the topic uses the broker's clock, else -1. */
  logAppendTimeMs: number;
  /** v5+, default -1. */
  logStartOffset: number;
  /** v8+. The records that made the batch fail. */
  recordErrors: BatchIndexAndErrorMessage[];
  /** v8+, default null. */
  errorMessage: string | null;
  /** v10+. Where to go after NOT_LEADER_OR_FOLLOWER. */
  currentLeader: LeaderIdAndEpoch;
}

/** Element of `ProduceResponse.responses.partitionResponses.recordErrors`. */
export interface BatchIndexAndErrorMessage {
  batchIndex: number;
  /** Default null. */
  batchIndexErrorMessage: string | null;
}

/** Value of `ProduceResponse.responses.partitionResponses.currentLeader`. */
export interface LeaderIdAndEpoch {
  /** Default -1. */
  leaderId: number;
  /** Default -1. */
  leaderEpoch: number;
}

/** Element of `ProduceResponse.nodeEndpoints`. */
export interface NodeEndpoint {
  nodeId: number;
  host: string;
  port: number;
  /** Default null. */
  rack: string | null;
}

const partitionProduceData: Fields<PartitionProduceData> = {
  index: 'int32',
  records: { type: 'records', nullable: true },
};

const topicProduceData: Fields<TopicProduceData> = {
  name: { type: 'string', until: 12, ignorable: true },
  topicId: { type: 'uuid', since: 13, ignorable: true },
  partitionData: [partitionProduceData],
};

const produceRequest: Fields<ProduceRequest> = {
  transactionalId: { type: 'string', nullable: true, default: null },
  acks: 'int16',
  timeoutMs: 'int32',
  topicData: [topicProduceData],
};

const batchIndexAndErrorMessage: Fields<BatchIndexAndErrorMessage> = {
  batchIndex: 'int32',
  batchIndexErrorMessage: { type: 'string', nullable: true, default: null },
};

const leaderIdAndEpoch: Fields<LeaderIdAndEpoch> = {
  leaderId: { type: 'int32', default: -1 },
  leaderEpoch: { type: 'int32', default: -1 },
};

const partitionProduceResponse: Fields<PartitionProduceResponse> = {
  index: 'int32',
  errorCode: 'int16',
  baseOffset: 'int64',
  logAppendTimeMs: { type: 'int64', default: -1, ignorable: true },
  logStartOffset: { type: 'int64', since: 5, default: -1, ignorable: true },
  recordErrors: { type: [batchIndexAndErrorMessage], since: 8, ignorable: true },
  errorMessage: { type: 'string', since: 8, nullable: true, default: null, ignorable: true },
  currentLeader: { type: leaderIdAndEpoch, since: 10, tag: 0 },
};

const topicProduceResponse: Fields<TopicProduceResponse> = {
  name: { type: 'string', until: 12, ignorable: true },
  topicId: { type: 'uuid', since: 13, ignorable: true },
  partitionResponses: [partitionProduceResponse],
};

const nodeEndpoint: Fields<NodeEndpoint> = {
  nodeId: 'int32',
  host: 'string',
  port: 'int32',
  rack: { type: 'string', nullable: true, default: null },
};

const produceResponse: Fields<ProduceResponse> = {
  responses: [topicProduceResponse],
  throttleTimeMs: { type: 'int32', ignorable: true },
  nodeEndpoints: { type: [nodeEndpoint], since: 10, tag: 0 },
};

/** Appends record batches to partitions, on their leaders. With `acks` 0 there is no response at all. */
export const produceApi: Api<ProduceRequest, ProduceResponse> = /* @__PURE__ */ defineApi({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  flexibleSince: 9,
  request: produceRequest,
  response: produceResponse,
});
