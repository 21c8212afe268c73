/** What the tests of the cluster room share: three scripted brokers on a virtual network and a cluster that uses them. */
import { expect } from 'vitest';
import { Cluster } from '../../../src/client/cluster/index.ts';
import { metadataApi, type MetadataResponse } from '../../../src/protocol/api/03-metadata.ts';
import { findCoordinatorApi } from '../../../src/protocol/api/10-find-coordinator.ts';
import { heartbeatApi } from '../../../src/protocol/api/12-heartbeat.ts';
import type { Input } from '../../../src/protocol/schema.ts';
import { virtualWorld, type VirtualWorld } from '../../../src/runtime/virtual.ts';
import {
  answer,
  apiVersionsAnswer,
  scriptedBroker,
  type Script,
  type ScriptedBroker,
  type ScriptedRequest,
} from '../../support/scripted-broker.ts';

export const apis = [metadataApi, findCoordinatorApi, heartbeatApi];
const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
export const brokers = [1, 2, 3].map((nodeId) => ({
  nodeId,
  host: '127.0.0.1',
  port: 9090 + nodeId,
  rack: null,
}));

type Partition = MetadataResponse['topics'][number]['partitions'][number];

export function topic(
  name: string,
  partitions: Input<Partition>[],
  errorCode = 0,
): Input<MetadataResponse['topics'][number]> {
  return { name, topicId, errorCode, partitions };
}

export function askedTopics(request: ScriptedRequest): (string | null)[] {
  return (metadataApi.request.decode(request.body, request.apiVersion).topics ?? []).map(({ name }) => name);
}

export interface Rig {
  readonly world: VirtualWorld;
  readonly cluster: Cluster;
  /** One per broker, node id - 1 being the index. */
  readonly rig: ScriptedBroker[];
  requests(apiKey: number): ScriptedRequest[];
}

/** Runs `body` against three scripted brokers that answer Metadata by `metadata`. */
export async function withRig(
  metadata: (request: ScriptedRequest) => Input<MetadataResponse> | undefined,
  body: (rig: Rig) => Promise<void>,
  script: Script = () => undefined,
  options: object = {},
): Promise<void> {
  const world = virtualWorld();
  const reply: Script = (request) => {
    if (request.apiKey === 18) return apiVersionsAnswer(request, apis);
    if (request.apiKey !== 3) return script(request);
    const content = metadata(request);
    return content && answer(request, metadataApi, { brokers, clusterId: 'c', controllerId: 1, ...content });
  };
  await world.run(async () => {
    const rig = await Promise.all(brokers.map(({ port }) => scriptedBroker(world.platform, reply, port)));
    const cluster = new Cluster({ brokers: '127.0.0.1:9091', platform: world.platform, ...options });
    const requests = (apiKey: number): ScriptedRequest[] =>
      rig.flatMap((broker) => broker.requests.filter((request) => request.apiKey === apiKey));
    await body({ world, cluster, rig, requests });
    cluster.close();
    await Promise.all(rig.map((broker) => broker.close()));
    await world.advance(50);
    expect(world.network.openConnections()).toBe(0);
  });
}

export async function rejection(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it should have been refused');
  return error;
}

export const soon = (world: VirtualWorld, ms = 5000): { deadlineMs: number } => ({
  deadlineMs: world.platform.monotonicNow() + ms,
});
