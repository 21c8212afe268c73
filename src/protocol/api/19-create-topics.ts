/** 19 CreateTopics, v2-v7, flexible from v5.
 * v4 the broker chooses counts given as -1 (KIP-464). v5 the configuration in the answer (KIP-525). v6
 * THROTTLING_QUOTA_EXCEEDED (KIP-599). v7 topicId (KIP-516).
 * Generated from fixtures/definitions/19-create-topics.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** CreateTopics request, v2-v7. */
export interface CreateTopicsRequest {
  topics: CreatableTopic[];
  /** Default 60000. */
  timeoutMs: number;
  validateOnly: boolean;
}

/** Element of `CreateTopicsRequest.topics`. */
export interface CreatableTopic {
  name: string;
  /** -1 for the broker's default, or with `assignments`. */
  numPartitions: number;
  /** -1 for the broker's default, or with `assignments`. */
  replicationFactor: number;
  assignments: CreatableReplicaAssignment[];
  configs: CreatableTopicConfig[];
}

/** Element of `CreateTopicsRequest.topics.assignments`. */
export interface CreatableReplicaAssignment {
  partitionIndex: number;
  brokerIds: number[];
}

/** Element of `CreateTopicsRequest.topics.configs`. */
export interface CreatableTopicConfig {
  name: string;
  /** Default ''. */
  value: string | null;
}

/** CreateTopics response, v2-v7. */
export interface CreateTopicsResponse {
  /** Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  topics: CreatableTopicResult[];
}

/** Element of `CreateTopicsResponse.topics`. */
export interface CreatableTopicResult {
  name: string;
  /** v7+. */
  topicId: string;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** Default ''. */
  errorMessage: string | null;
  /** v5+. */
  topicConfigErrorCode: number;
  /** v5+, default -1. */
  numPartitions: number;
  /** v5+, default -1. */
  replicationFactor: number;
  /** v5+, default []. */
  configs: CreatableTopicConfigs[] | null;
}

/** Element of `CreateTopicsResponse.topics.configs`. */
export interface CreatableTopicConfigs {
  name: string;
  /** Default ''. */
  value: string | null;
  readOnly: boolean;
  /** Default -1. */
  configSource: number;
  isSensitive: boolean;
}

const creatableReplicaAssignment: Fields<CreatableReplicaAssignment> = {
  partitionIndex: 'int32',
  brokerIds: ['int32'],
};

const creatableTopicConfig: Fields<CreatableTopicConfig> = {
  name: 'string',
  value: { type: 'string', nullable: true },
};

const creatableTopic: Fields<CreatableTopic> = {
  name: 'string',
  numPartitions: 'int32',
  replicationFactor: 'int16',
  assignments: [creatableReplicaAssignment],
  configs: [creatableTopicConfig],
};

const createTopicsRequest: Fields<CreateTopicsRequest> = {
  topics: [creatableTopic],
  timeoutMs: { type: 'int32', default: 60000 },
  validateOnly: 'bool',
};

const creatableTopicConfigs: Fields<CreatableTopicConfigs> = {
  name: 'string',
  value: { type: 'string', nullable: true },
  readOnly: 'bool',
  configSource: { type: 'int8', default: -1, ignorable: true },
  isSensitive: 'bool',
};

const creatableTopicResult: Fields<CreatableTopicResult> = {
  name: 'string',
  topicId: { type: 'uuid', since: 7, ignorable: true },
  errorCode: 'int16',
  errorMessage: { type: 'string', nullable: true, ignorable: true },
  topicConfigErrorCode: { type: 'int16', since: 5, tag: 0, ignorable: true },
  numPartitions: { type: 'int32', since: 5, default: -1, ignorable: true },
  replicationFactor: { type: 'int16', since: 5, default: -1, ignorable: true },
  configs: { type: [creatableTopicConfigs], since: 5, nullable: true, ignorable: true },
};

const createTopicsResponse: Fields<CreateTopicsResponse> = {
  throttleTimeMs: { type: 'int32', ignorable: true },
  topics: [creatableTopicResult],
};

/** Creates topics, on the controller; brokers of KRaft clusters forward it. */
export const createTopicsApi: Api<CreateTopicsRequest, CreateTopicsResponse> = /* @__PURE__ */ defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleSince: 5,
  request: createTopicsRequest,
  response: createTopicsResponse,
});
