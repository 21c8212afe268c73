/** The public entry `kafka-wire/protocol`: Kafka's messages as bytes and back, with no client around them.
 * The registry of all APIs is an entry of its own, so that importing one API bundles one table.
 * Invariant: every public name is listed here, one by one.
 */
export { produceApi, type ProduceRequest, type ProduceResponse } from './api/00-produce.ts';
export { fetchApi, type FetchRequest, type FetchResponse } from './api/01-fetch.ts';
export { listOffsetsApi, type ListOffsetsRequest, type ListOffsetsResponse } from './api/02-list-offsets.ts';
export { metadataApi, type MetadataRequest, type MetadataResponse } from './api/03-metadata.ts';
export {
  offsetCommitApi,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from './api/08-offset-commit.ts';
export { offsetFetchApi, type OffsetFetchRequest, type OffsetFetchResponse } from './api/09-offset-fetch.ts';
export {
  findCoordinatorApi,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from './api/10-find-coordinator.ts';
export { joinGroupApi, type JoinGroupRequest, type JoinGroupResponse } from './api/11-join-group.ts';
export { heartbeatApi, type HeartbeatRequest, type HeartbeatResponse } from './api/12-heartbeat.ts';
export { leaveGroupApi, type LeaveGroupRequest, type LeaveGroupResponse } from './api/13-leave-group.ts';
export { syncGroupApi, type SyncGroupRequest, type SyncGroupResponse } from './api/14-sync-group.ts';
export {
  describeGroupsApi,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
} from './api/15-describe-groups.ts';
export { listGroupsApi, type ListGroupsRequest, type ListGroupsResponse } from './api/16-list-groups.ts';
export { apiVersionsApi, type ApiVersionsRequest, type ApiVersionsResponse } from './api/18-api-versions.ts';
export {
  createTopicsApi,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
} from './api/19-create-topics.ts';
export {
  deleteTopicsApi,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from './api/20-delete-topics.ts';
export {
  initProducerIdApi,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from './api/22-init-producer-id.ts';
export { crc32c, crc32cPure } from './crc32c.ts';
export { assignment, decodeAssignment, encodeAssignment, type Assignment } from './embedded/assignment.ts';
export {
  decodeSubscription,
  encodeSubscription,
  subscription,
  type Subscription,
  type TopicPartitions,
} from './embedded/subscription.ts';
export { errorCode, ErrorCodes, type ErrorInfo, type ErrorName } from './error-codes.ts';
export { encodeRequest, encodeResponse, FrameReader } from './frame.ts';
export {
  requestHeader,
  requestHeaderVersion,
  responseHeader,
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
export type { Trace, TraceNode, TraceOptions } from './trace.ts';
export { negotiate } from './versions.ts';
export { ByteWriter } from './writer.ts';
