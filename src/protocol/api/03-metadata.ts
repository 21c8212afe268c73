/** 03 Metadata, v0-v13, flexible from v9.
 * v1 controller, racks. v2 clusterId (KIP-78). v4 allowAutoTopicCreation (KIP-204). v5 offlineReplicas
 * (KIP-112). v7 leader epochs (KIP-320). v8 authorized operations (KIP-430). v10 topic ids, v12 questions by
 * id (KIP-516). v11 without cluster operations (KIP-700). v13 errorCode (KIP-1102).
 * Generated from fixtures/definitions/03-metadata.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** Metadata request, v0-v13. */
export interface MetadataRequest {
  /** Default []. Null asks for all topics, no elements for none; in v0 no elements ask for all. */
  topics: MetadataRequestTopic[] | null;
  /** v4+, default true. */
  allowAutoTopicCreation: boolean;
  /** v8-v10. */
  includeClusterAuthorizedOperations: boolean;
  /** v8+. */
  includeTopicAuthorizedOperations: boolean;
}

/** Element of `MetadataRequest.topics`. */
export interface MetadataRequestTopic {
  /** v10+. */
  topicId: string;
  /** Default ''. */
  name: string | null;
}

/** Metadata response, v0-v13. */
export interface MetadataResponse {
  /** v3+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  brokers: MetadataResponseBroker[];
  /** v2+, default null. */
  clusterId: string | null;
  /** v1+, default -1. */
  controllerId: number;
  topics: MetadataResponseTopic[];
  /** v8-v10, default -2147483648. Bits of what the caller may do (KIP-430); -2147483648 when it did not ask.
   */
  clusterAuthorizedOperations: number;
  /** v13+. See `ErrorCodes`. */
  errorCode: number;
}

/** Element of `MetadataResponse.brokers`. */
export interface MetadataResponseBroker {
  nodeId: number;
  host: string;
  port: number;
  /** v1+, default null. */
  rack: string | null;
}

/** Element of `MetadataResponse.topics`. */
export interface MetadataResponseTopic {
  /** See `ErrorCodes`. */
  errorCode: number;
  /** Default ''. */
  name: string | null;
  /** v10+. */
  topicId: string;
  /** v1+. */
  isInternal: boolean;
  partitions: MetadataResponsePartition[];
  /** v8+, default -2147483648. Bits of what the caller may do (KIP-430); -2147483648 when it did not ask. */
  topicAuthorizedOperations: number;
}

/** Element of `MetadataResponse.topics.partitions`. */
export interface MetadataResponsePartition {
  /** See `ErrorCodes`. */
  errorCode: number;
  partitionIndex: number;
  /** -1 if there is no leader now. */
  leaderId: number;
  /** v7+, default -1. */
  leaderEpoch: number;
  replicaNodes: number[];
  isrNodes: number[];
  /** v5+. */
  offlineReplicas: number[];
}

const metadataRequestTopic: Fields<MetadataRequestTopic> = {
  topicId: { type: 'uuid', since: 10, ignorable: true },
  name: { type: 'string', nullable: 10 },
};

const metadataRequest: Fields<MetadataRequest> = {
  topics: { type: [metadataRequestTopic], nullable: 1 },
  allowAutoTopicCreation: { type: 'bool', since: 4, default: true },
  includeClusterAuthorizedOperations: { type: 'bool', since: 8, until: 10 },
  includeTopicAuthorizedOperations: { type: 'bool', since: 8 },
};

const metadataResponseBroker: Fields<MetadataResponseBroker> = {
  nodeId: 'int32',
  host: 'string',
  port: 'int32',
  rack: { type: 'string', since: 1, nullable: true, default: null, ignorable: true },
};

const metadataResponsePartition: Fields<MetadataResponsePartition> = {
  errorCode: 'int16',
  partitionIndex: 'int32',
  leaderId: 'int32',
  leaderEpoch: { type: 'int32', since: 7, default: -1, ignorable: true },
  replicaNodes: ['int32'],
  isrNodes: ['int32'],
  offlineReplicas: { type: ['int32'], since: 5, ignorable: true },
};

const metadataResponseTopic: Fields<MetadataResponseTopic> = {
  errorCode: 'int16',
  name: { type: 'string', nullable: 12 },
  topicId: { type: 'uuid', since: 10, ignorable: true },
  isInternal: { type: 'bool', since: 1, ignorable: true },
  partitions: [metadataResponsePartition],
  topicAuthorizedOperations: { type: 'int32', since: 8, default: -2147483648 },
};

const metadataResponse: Fields<MetadataResponse> = {
  throttleTimeMs: { type: 'int32', since: 3, ignorable: true },
  brokers: [metadataResponseBroker],
  clusterId: { type: 'string', since: 2, nullable: true, default: null, ignorable: true },
  controllerId: { type: 'int32', since: 1, default: -1, ignorable: true },
  topics: [metadataResponseTopic],
  clusterAuthorizedOperations: { type: 'int32', since: 8, until: 10, default: -2147483648 },
  errorCode: { type: 'int16', since: 13, ignorable: true },
};

/** Tells brokers, topics, partitions and their leaders; any broker answers. */
export const metadataApi: Api<MetadataRequest, MetadataResponse> = /* @__PURE__ */ defineApi({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexibleSince: 9,
  request: metadataRequest,
  response: metadataResponse,
});
