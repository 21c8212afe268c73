/** The public entry `kafka-wire/protocol`: Kafka's messages as bytes and back, with no client around them.
 * The registry of all APIs is an entry of its own, so that importing one API bundles one table.
 * Invariant: every public name is listed here, one by one.
 */
export {
  produceApi,
  fetchApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  findCoordinatorApi,
  joinGroupApi,
  heartbeatApi,
  leaveGroupApi,
  syncGroupApi,
  describeGroupsApi,
  listGroupsApi,
  apiVersionsApi,
  createTopicsApi,
  deleteTopicsApi,
  initProducerIdApi,
} from './api/traced.ts';
export type { ProduceRequest, ProduceResponse } from './api/00-produce.ts';
export type { FetchRequest, FetchResponse } from './api/01-fetch.ts';
export type { ListOffsetsRequest, ListOffsetsResponse } from './api/02-list-offsets.ts';
export type { MetadataRequest, MetadataResponse } from './api/03-metadata.ts';
export type { OffsetCommitRequest, OffsetCommitResponse } from './api/08-offset-commit.ts';
export type { OffsetFetchRequest, OffsetFetchResponse } from './api/09-offset-fetch.ts';
export type { FindCoordinatorRequest, FindCoordinatorResponse } from './api/10-find-coordinator.ts';
export type { JoinGroupRequest, JoinGroupResponse } from './api/11-join-group.ts';
export type { HeartbeatRequest, HeartbeatResponse } from './api/12-heartbeat.ts';
export type { LeaveGroupRequest, LeaveGroupResponse } from './api/13-leave-group.ts';
export type { SyncGroupRequest, SyncGroupResponse } from './api/14-sync-group.ts';
export type { DescribeGroupsRequest, DescribeGroupsResponse } from './api/15-describe-groups.ts';
export type { ListGroupsRequest, ListGroupsResponse } from './api/16-list-groups.ts';
export type { ApiVersionsRequest, ApiVersionsResponse } from './api/18-api-versions.ts';
export type { CreateTopicsRequest, CreateTopicsResponse } from './api/19-create-topics.ts';
export type { DeleteTopicsRequest, DeleteTopicsResponse } from './api/20-delete-topics.ts';
export type { InitProducerIdRequest, InitProducerIdResponse } from './api/22-init-producer-id.ts';
export { crc32c, crc32cPure } from './crc32c.ts';
export { decodeAssignment, encodeAssignment, type Assignment } from './embedded/assignment.ts';
export {
  decodeSubscription,
  encodeSubscription,
  type Subscription,
  type TopicPartitions,
} from './embedded/subscription.ts';
export { errorCode, ErrorCodes, type ErrorInfo, type ErrorName } from './error-codes.ts';
export { encodeRequest, encodeResponse, FrameReader } from './frame.ts';
export {
  requestHeaderVersion,
  responseHeaderVersion,
  type RequestHeader,
  type ResponseHeader,
} from './header.ts';
export { ByteReader } from './reader.ts';
export {
  decodeRecordBatch,
  encodeRecordBatch,
  type DecodedBatch,
  type DecodedRecord,
  type RecordBatchInput,
  type RecordInput,
} from './records/plain-batch.ts';
export type { Api, DecodeOptions, Input, Message, VersionRange } from './schema.ts';
export { ZERO_UUID } from './text.ts';
export type { Trace, TracedApi, TracedMessage, TraceNode, TraceOptions } from './trace.ts';
export { assignment, requestHeader, responseHeader, subscription } from './traced.ts';
export { negotiate } from './versions.ts';
export { ByteWriter } from './writer.ts';
