/** Every API by key or name. It imports all tables, so no client does: it is for testing, cli and tools.
 * Generated; change fixtures/definitions and run tools/generate-api.ts.
 */
import type { Api } from '../schema.ts';
import { produceApi } from './00-produce.ts';
import { fetchApi } from './01-fetch.ts';
import { listOffsetsApi } from './02-list-offsets.ts';
import { metadataApi } from './03-metadata.ts';
import { offsetCommitApi } from './08-offset-commit.ts';
import { offsetFetchApi } from './09-offset-fetch.ts';
import { findCoordinatorApi } from './10-find-coordinator.ts';
import { joinGroupApi } from './11-join-group.ts';
import { heartbeatApi } from './12-heartbeat.ts';
import { leaveGroupApi } from './13-leave-group.ts';
import { syncGroupApi } from './14-sync-group.ts';
import { describeGroupsApi } from './15-describe-groups.ts';
import { listGroupsApi } from './16-list-groups.ts';
import { apiVersionsApi } from './18-api-versions.ts';
import { createTopicsApi } from './19-create-topics.ts';
import { deleteTopicsApi } from './20-delete-topics.ts';
import { initProducerIdApi } from './22-init-producer-id.ts';

/** All APIs, by ascending key. */
export const apis: readonly Api<unknown, unknown>[] = [
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
];

/** The API with this key, or with this name as Kafka writes it (`ListOffsets`); undefined if it is not known. */
export function api(keyOrName: number | string): Api<unknown, unknown> | undefined {
  return apis.find(({ key, name }) => key === keyOrName || name === keyOrName);
}
