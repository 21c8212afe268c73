/** Which broker coordinates a group, what happens when it changes, and what it tells of its groups. */
import { describe, expect, it } from 'vitest';
import {
  describeGroupsApi,
  ErrorCodes,
  findCoordinatorApi,
  heartbeatApi,
  listGroupsApi,
  offsetFetchApi,
} from '../../src/protocol/index.ts';
import { inCluster } from './cluster-world.ts';
import type { RawClient } from './raw-client.ts';
import { bytes, groupId, Member, sessionTimeoutMs, settled, text } from './scripted-member.ts';

describe('the coordinator', () => {
  const find = async (client: RawClient, version: number, keys: string[]) => {
    const answer = await client.call(findCoordinatorApi, version, {
      coordinatorKeys: version >= 4 ? keys : [],
      key: version < 4 ? (keys[0] ?? '') : '',
    });
    return version < 4 ? [answer] : answer.coordinators;
  };

  it('is the same whichever broker is asked, and spreads the groups', () =>
    inCluster({ brokers: 3 }, async ({ cluster, connect }) => {
      const keys = Array.from({ length: 30 }, (_, i) => `group-${i}`);
      const [here, there] = [await connect(1), await connect(3)];
      const found = await find(here, 6, keys);
      expect(found).toEqual(await find(there, 6, keys));
      expect(found.map(({ nodeId }) => nodeId)).toEqual(keys.map((key) => cluster.coordinator(key)));
      expect(new Set(found.map(({ nodeId }) => nodeId)).size).toBe(3);
      const [single] = await find(here, 0, ['group-0']);
      expect(single).toMatchObject({ errorCode: 0, nodeId: cluster.coordinator('group-0') });
      const share = await here.call(findCoordinatorApi, 6, { coordinatorKeys: ['s'], keyType: 2 });
      expect(share.coordinators[0]?.errorCode).toBe(ErrorCodes.INVALID_REQUEST);
    }));

  it('alone serves its groups', () =>
    inCluster({ brokers: 2 }, async (scene) => {
      scene.cluster.moveCoordinator(groupId, 2);
      expect((await new Member(scene, 'a').join()).errorCode).toBe(ErrorCodes.NOT_COORDINATOR);
      const client = await scene.connect(1);
      const [described] = (await client.call(describeGroupsApi, 5, { groups: [groupId] })).groups;
      expect(described?.errorCode).toBe(ErrorCodes.NOT_COORDINATOR);
    }));

  it('moves: what waits is told, members stay, and a rebalance begins again', () =>
    inCluster({ brokers: 2 }, async (scene) => {
      scene.cluster.moveCoordinator(groupId, 1);
      const [a] = await settled(scene, 'a', 'b');
      const waiting = a?.join({ protocols: [{ name: 'range', metadata: bytes('new') }] });
      await scene.world.advance(10);
      scene.cluster.moveCoordinator(groupId, 2);
      expect((await waiting)?.errorCode).toBe(ErrorCodes.NOT_COORDINATOR);
      const client = await scene.connect(2);
      const beat = { groupId, generationId: a?.generation ?? -1, memberId: a?.memberId ?? '' };
      expect((await client.call(heartbeatApi, 3, beat)).errorCode).toBe(ErrorCodes.REBALANCE_IN_PROGRESS);
    }));

  it('begins the sessions anew when it moves, also of members that waited beyond theirs', () =>
    inCluster({ brokers: 2 }, async (scene) => {
      const { cluster, world } = scene;
      cluster.moveCoordinator(groupId, 1);
      const [a, b] = await settled(scene, 'a', 'b');
      const waiting = a?.join({ protocols: [{ name: 'range', metadata: bytes('new') }] });
      for (let i = 0; i < 3; i++) {
        await world.advance(5_000);
        await b?.beat();
      }
      cluster.moveCoordinator(groupId, 2);
      await waiting;
      expect(cluster.group(groupId)?.members).toHaveLength(2);
      await world.advance(sessionTimeoutMs + 1);
      expect(cluster.group(groupId)).toMatchObject({ state: 'Empty', members: [] });
    }));

  it('moves when its broker stops: a stable group goes on where it was', () =>
    inCluster({ brokers: 2 }, async (scene) => {
      scene.cluster.moveCoordinator(groupId, 1);
      const [a] = await settled(scene, 'a');
      await scene.cluster.stopBroker(1);
      expect(scene.cluster.coordinator(groupId)).toBe(2);
      const client = await scene.connect(2);
      const beat = { groupId, generationId: a?.generation ?? -1, memberId: a?.memberId ?? '' };
      expect((await client.call(heartbeatApi, 3, beat)).errorCode).toBe(0);
    }));

  it('answers COORDINATOR_LOAD_IN_PROGRESS for as long as it was told to load, but does not trouble members', () =>
    inCluster({ brokers: 2 }, async (scene) => {
      scene.cluster.moveCoordinator(groupId, 1);
      const [a] = await settled(scene, 'a');
      scene.cluster.moveCoordinator(groupId, 2, { loadingMs: 1_000 });
      const client = await scene.connect(2);
      const ask = async () => {
        const [fetched] = (await client.call(offsetFetchApi, 8, { groups: [{ groupId, topics: null }] }))
          .groups;
        const beat = { groupId, generationId: a?.generation ?? -1, memberId: a?.memberId ?? '' };
        return [fetched?.errorCode, (await client.call(heartbeatApi, 3, beat)).errorCode];
      };
      expect(await ask()).toEqual([ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS, 0]);
      await scene.world.advance(1_000);
      expect(await ask()).toEqual([0, 0]);
    }));

  it('describes and lists its groups', () =>
    inCluster({}, async (scene) => {
      const [a] = await settled(scene, 'a', 'b');
      const client = await scene.connect();
      const [stable, none] = (
        await client.call(describeGroupsApi, 5, {
          groups: [groupId, 'none'],
          includeAuthorizedOperations: true,
        })
      ).groups;
      expect(stable).toMatchObject({
        errorCode: 0,
        groupState: 'Stable',
        protocolType: 'consumer',
        protocolData: 'range',
        authorizedOperations: 328,
      });
      const described = stable?.members.find(({ memberId }) => memberId === a?.memberId);
      expect(described).toMatchObject({ clientId: 'raw', clientHost: '/127.0.0.1' });
      expect([text(described?.memberMetadata), text(described?.memberAssignment)]).toEqual(['a', 'a']);
      expect(none).toMatchObject({ errorCode: 0, groupState: 'Dead' });
      const joining = new Member(scene, 'c').join();
      await scene.world.advance(10);
      const [rebalancing] = (await client.call(describeGroupsApi, 5, { groups: [groupId] })).groups;
      expect(rebalancing).toMatchObject({ groupState: 'PreparingRebalance', protocolData: '' });
      expect(rebalancing?.members.map(({ memberMetadata }) => memberMetadata.length)).toEqual([0, 0, 0]);
      const [missing] = (await client.call(describeGroupsApi, 6, { groups: ['none'] })).groups;
      expect(missing?.errorCode).toBe(ErrorCodes.GROUP_ID_NOT_FOUND);
      const list = async (statesFilter: string[], typesFilter: string[]) =>
        (await client.call(listGroupsApi, 5, { statesFilter, typesFilter })).groups.map((g) => [
          g.groupId,
          g.groupState,
          g.groupType,
        ]);
      expect(await list([], [])).toEqual([[groupId, 'PreparingRebalance', 'classic']]);
      expect(await list(['empty', 'preparingrebalance'], ['Classic'])).toHaveLength(1);
      expect(await list(['Empty'], [])).toEqual([]);
      expect(await list([], ['consumer'])).toEqual([]);
      expect((await client.call(listGroupsApi, 0, {})).groups).toMatchObject([
        { groupId, protocolType: 'consumer' },
      ]);
      await scene.world.advance(sessionTimeoutMs);
      expect((await joining).errorCode).toBe(0);
    }));
});
