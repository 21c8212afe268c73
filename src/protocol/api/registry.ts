/** Every API by key or name. It imports all tables, so no client does: it is for testing, cli and tools.
 * Generated; change fixtures/definitions and run tools/generate-api.ts.
 */
import type { TracedApi } from '../trace.ts';
import {
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
} from './traced.ts';

/** All APIs, by ascending key. */
export const apis: readonly TracedApi<unknown, unknown>[] = [
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
export function api(keyOrName: number | string): TracedApi<unknown, unknown> | undefined {
  return apis.find(({ key, name }) => key === keyOrName || name === keyOrName);
}
