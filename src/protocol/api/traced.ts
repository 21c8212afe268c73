/** Every API with `trace` on its messages, as the public entries have it; a client's bundle does without.
 * Generated; change fixtures/definitions and run tools/generate-api.ts.
 */
import { tracedApi, type TracedApi } from '../trace.ts';
import { produceApi as untracedProduce, type ProduceRequest, type ProduceResponse } from './00-produce.ts';
import { fetchApi as untracedFetch, type FetchRequest, type FetchResponse } from './01-fetch.ts';
import {
  listOffsetsApi as untracedListOffsets,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
} from './02-list-offsets.ts';
import {
  metadataApi as untracedMetadata,
  type MetadataRequest,
  type MetadataResponse,
} from './03-metadata.ts';
import {
  offsetCommitApi as untracedOffsetCommit,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from './08-offset-commit.ts';
import {
  offsetFetchApi as untracedOffsetFetch,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
} from './09-offset-fetch.ts';
import {
  findCoordinatorApi as untracedFindCoordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from './10-find-coordinator.ts';
import {
  joinGroupApi as untracedJoinGroup,
  type JoinGroupRequest,
  type JoinGroupResponse,
} from './11-join-group.ts';
import {
  heartbeatApi as untracedHeartbeat,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from './12-heartbeat.ts';
import {
  leaveGroupApi as untracedLeaveGroup,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
} from './13-leave-group.ts';
import {
  syncGroupApi as untracedSyncGroup,
  type SyncGroupRequest,
  type SyncGroupResponse,
} from './14-sync-group.ts';
import {
  describeGroupsApi as untracedDescribeGroups,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
} from './15-describe-groups.ts';
import {
  listGroupsApi as untracedListGroups,
  type ListGroupsRequest,
  type ListGroupsResponse,
} from './16-list-groups.ts';
import {
  apiVersionsApi as untracedApiVersions,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
} from './18-api-versions.ts';
import {
  createTopicsApi as untracedCreateTopics,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
} from './19-create-topics.ts';
import {
  deleteTopicsApi as untracedDeleteTopics,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from './20-delete-topics.ts';
import {
  initProducerIdApi as untracedInitProducerId,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from './22-init-producer-id.ts';

/** Produce, with `trace` on both messages. */
export const produceApi: TracedApi<ProduceRequest, ProduceResponse> =
  /* @__PURE__ */ tracedApi(untracedProduce);

/** Fetch, with `trace` on both messages. */
export const fetchApi: TracedApi<FetchRequest, FetchResponse> = /* @__PURE__ */ tracedApi(untracedFetch);

/** ListOffsets, with `trace` on both messages. */
export const listOffsetsApi: TracedApi<ListOffsetsRequest, ListOffsetsResponse> =
  /* @__PURE__ */ tracedApi(untracedListOffsets);

/** Metadata, with `trace` on both messages. */
export const metadataApi: TracedApi<MetadataRequest, MetadataResponse> =
  /* @__PURE__ */ tracedApi(untracedMetadata);

/** OffsetCommit, with `trace` on both messages. */
export const offsetCommitApi: TracedApi<OffsetCommitRequest, OffsetCommitResponse> =
  /* @__PURE__ */ tracedApi(untracedOffsetCommit);

/** OffsetFetch, with `trace` on both messages. */
export const offsetFetchApi: TracedApi<OffsetFetchRequest, OffsetFetchResponse> =
  /* @__PURE__ */ tracedApi(untracedOffsetFetch);

/** FindCoordinator, with `trace` on both messages. */
export const findCoordinatorApi: TracedApi<FindCoordinatorRequest, FindCoordinatorResponse> =
  /* @__PURE__ */ tracedApi(untracedFindCoordinator);

/** JoinGroup, with `trace` on both messages. */
export const joinGroupApi: TracedApi<JoinGroupRequest, JoinGroupResponse> =
  /* @__PURE__ */ tracedApi(untracedJoinGroup);

/** Heartbeat, with `trace` on both messages. */
export const heartbeatApi: TracedApi<HeartbeatRequest, HeartbeatResponse> =
  /* @__PURE__ */ tracedApi(untracedHeartbeat);

/** LeaveGroup, with `trace` on both messages. */
export const leaveGroupApi: TracedApi<LeaveGroupRequest, LeaveGroupResponse> =
  /* @__PURE__ */ tracedApi(untracedLeaveGroup);

/** SyncGroup, with `trace` on both messages. */
export const syncGroupApi: TracedApi<SyncGroupRequest, SyncGroupResponse> =
  /* @__PURE__ */ tracedApi(untracedSyncGroup);

/** DescribeGroups, with `trace` on both messages. */
export const describeGroupsApi: TracedApi<DescribeGroupsRequest, DescribeGroupsResponse> =
  /* @__PURE__ */ tracedApi(untracedDescribeGroups);

/** ListGroups, with `trace` on both messages. */
export const listGroupsApi: TracedApi<ListGroupsRequest, ListGroupsResponse> =
  /* @__PURE__ */ tracedApi(untracedListGroups);

/** ApiVersions, with `trace` on both messages. */
export const apiVersionsApi: TracedApi<ApiVersionsRequest, ApiVersionsResponse> =
  /* @__PURE__ */ tracedApi(untracedApiVersions);

/** CreateTopics, with `trace` on both messages. */
export const createTopicsApi: TracedApi<CreateTopicsRequest, CreateTopicsResponse> =
  /* @__PURE__ */ tracedApi(untracedCreateTopics);

/** DeleteTopics, with `trace` on both messages. */
export const deleteTopicsApi: TracedApi<DeleteTopicsRequest, DeleteTopicsResponse> =
  /* @__PURE__ */ tracedApi(untracedDeleteTopics);

/** InitProducerId, with `trace` on both messages. */
export const initProducerIdApi: TracedApi<InitProducerIdRequest, InitProducerIdResponse> =
  /* @__PURE__ */ tracedApi(untracedInitProducerId);
