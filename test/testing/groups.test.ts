/** The state machine of classic groups, driven by members that do nothing by themselves. */
import { describe, expect, it } from 'vitest';
import {
  describeGroupsApi,
  ErrorCodes,
  findCoordinatorApi,
  heartbeatApi,
  joinGroupApi,
  leaveGroupApi,
  listGroupsApi,
  syncGroupApi,
  type Input,
  type JoinGroupRequest,
  type JoinGroupResponse,
} from '../../src/protocol/index.ts';
import { inCluster, type Scene } from './cluster-world.ts';
import type { RawClient } from './raw-client.ts';

const groupId = 'g';
const sessionTimeoutMs = 10_000;
const rebalanceTimeoutMs = 30_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (of: Uint8Array | undefined): string => new TextDecoder().decode(of);

/** A member that does what it is told, on a connection of its own for each request that waits. */
class Member {
  readonly scene: Scene;
  readonly name: string;
  memberId = '';
  generation = -1;
  leader = '';
  members: JoinGroupResponse['members'] = [];

  constructor(scene: Scene, name: string) {
    this.scene = scene;
    this.name = name;
  }

  async join(more: Input<JoinGroupRequest> & { version?: number } = {}): Promise<JoinGroupResponse> {
    const { version = 5, ...fields } = more;
    const client = await this.scene.connect();
    const ask = async (): Promise<JoinGroupResponse> => {
      const answer = await client.call(joinGroupApi, version, {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: bytes(this.name) }],
        ...fields,
      });
      if (answer.errorCode === ErrorCodes.MEMBER_ID_REQUIRED || answer.errorCode === 0)
        this.memberId = answer.memberId;
      return answer;
    };
    const first = await ask();
    const answer = first.errorCode === ErrorCodes.MEMBER_ID_REQUIRED ? await ask() : first;
    if (answer.errorCode === 0) {
      this.generation = answer.generationId;
      this.leader = answer.leader;
      this.members = answer.members;
    }
    return answer;
  }

  /** The leader gives every member the name that it joined with. */
  async sync(more: { generationId?: number; version?: number } = {}) {
    const { version = 3, generationId = this.generation } = more;
    const client = await this.scene.connect();
    const assignments = this.members.map(({ memberId, metadata }) => ({ memberId, assignment: metadata }));
    const protocol = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {};
    return client.call(syncGroupApi, version, {
      groupId,
      generationId,
      memberId: this.memberId,
      assignments,
      ...protocol,
    });
  }

  async beat(generationId = this.generation): Promise<number> {
    const client = await this.scene.connect();
    const answer = await client.call(heartbeatApi, 3, { groupId, generationId, memberId: this.memberId });
    return answer.errorCode;
  }

  async leave(): Promise<number> {
    const client = await this.scene.connect();
    const answer = await client.call(leaveGroupApi, 3, { groupId, members: [{ memberId: this.memberId }] });
    return answer.members[0]?.errorCode ?? answer.errorCode;
  }
}

/** A group with these members, all of one generation and with an assignment: they come at the same instant. */
async function settled(scene: Scene, ...names: string[]): Promise<Member[]> {
  const members = names.map((name) => new Member(scene, name));
  await Promise.all(members.map((member) => member.join()));
  await Promise.all(members.map((member) => member.sync()));
  expect(scene.cluster.group(groupId)).toMatchObject({ state: 'Stable', generation: 1 });
  return members;
}

describe('a group', () => {
  it('hands out a member id first from version 4 on (KIP-394)', () =>
    inCluster({}, async ({ connect, cluster }) => {
      const client = await connect();
      const request = {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: bytes('') }],
      };
      const asked = await client.call(joinGroupApi, 4, request);
      expect(asked.errorCode).toBe(ErrorCodes.MEMBER_ID_REQUIRED);
      expect(asked.memberId).toMatch(/^raw-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
      expect(cluster.group(groupId)?.members).toEqual([]);
      const joined = await client.call(joinGroupApi, 4, { ...request, memberId: asked.memberId });
      expect(joined).toMatchObject({
        errorCode: 0,
        generationId: 1,
        memberId: asked.memberId,
        leader: asked.memberId,
      });
      const old = await connect();
      const without = await old.call(joinGroupApi, 3, { ...request, groupId: 'other' });
      expect(without).toMatchObject({ errorCode: 0, generationId: 1 });
    }));

  it.each([0, 2, 5, 7, 9])(
    'takes a member through join, sync, heartbeat and leave in version %d of JoinGroup',
    (version) =>
      inCluster({}, async (scene) => {
        const member = new Member(scene, 'a');
        const joined = await member.join({ version });
        expect(joined).toMatchObject({
          errorCode: 0,
          generationId: 1,
          protocolName: 'range',
          leader: member.memberId,
        });
        expect(joined.members.map(({ metadata }) => text(metadata))).toEqual(['a']);
        const synced = await member.sync({ version: version >= 7 ? 5 : 0 });
        expect([synced.errorCode, text(synced.assignment)]).toEqual([0, 'a']);
        expect(await member.beat()).toBe(0);
        expect(scene.cluster.group(groupId)).toMatchObject({
          state: 'Stable',
          generation: 1,
          protocol: 'range',
        });
        expect(await member.leave()).toBe(0);
        expect(scene.cluster.group(groupId)).toMatchObject({
          state: 'Empty',
          generation: 2,
          members: [],
          leader: null,
        });
      }),
  );

  it('gives only the leader the members, and everybody what the leader assigned', () =>
    inCluster({}, async (scene) => {
      const [a, b, c] = await settled(scene, 'a', 'b', 'c');
      const members = [a, b, c].filter((m) => m !== undefined);
      expect(new Set(members.map(({ generation }) => generation)).size).toBe(1);
      const leaders = members.filter(({ memberId, leader }) => memberId === leader);
      expect(leaders).toHaveLength(1);
      expect(leaders[0]?.members.map(({ metadata }) => text(metadata)).sort()).toEqual(['a', 'b', 'c']);
      expect(members.filter((m) => m !== leaders[0]).every((m) => m.members.length === 0)).toBe(true);
      const assigned = scene.cluster
        .group(groupId)
        ?.members.map(({ metadata, assignment }) => [text(metadata), text(assignment)]);
      expect(assigned?.every(([offered, given]) => offered === given)).toBe(true);
    }));

  it('waits with the first join for as long as it is told, and for more members for as long again', () =>
    inCluster({ initialRebalanceDelayMs: 3_000 }, async (scene) => {
      const { world, cluster } = scene;
      const [a, b] = [new Member(scene, 'a'), new Member(scene, 'b')];
      const startMs = world.now();
      const joins = [a.join()];
      await world.advance(2_000);
      joins.push(b.join());
      await Promise.all(joins);
      expect(Math.round((world.now() - startMs) / 100)).toBe(60);
      expect([a.generation, b.generation]).toEqual([1, 1]);
      expect(cluster.group(groupId)?.state).toBe('CompletingRebalance');
    }));

  it('rebalances when a third joins: the others learn it by heartbeat', () =>
    inCluster({}, async (scene) => {
      const [a, b] = await settled(scene, 'a', 'b');
      const { generation } = scene.cluster.group(groupId) ?? { generation: -1 };
      const c = new Member(scene, 'c');
      const third = c.join();
      await scene.world.advance(10);
      expect(scene.cluster.group(groupId)?.state).toBe('PreparingRebalance');
      expect(await a?.beat()).toBe(ErrorCodes.REBALANCE_IN_PROGRESS);
      expect((await b?.sync())?.errorCode).toBe(ErrorCodes.REBALANCE_IN_PROGRESS);
      await Promise.all([a?.join(), b?.join(), third]);
      expect(c.generation).toBe(generation + 1);
      expect(await b?.beat(generation)).toBe(ErrorCodes.ILLEGAL_GENERATION);
    }));

  it('drops a member whose session ends, and a rebalance begins', () =>
    inCluster({}, async (scene) => {
      const [a, b] = await settled(scene, 'a', 'b');
      for (let i = 0; i < 4; i++) {
        await scene.world.advance(3_000);
        const code = await a?.beat();
        expect(code).toBe(i < 3 ? 0 : ErrorCodes.REBALANCE_IN_PROGRESS);
      }
      expect(scene.cluster.group(groupId)?.members.map(({ memberId }) => memberId)).toEqual([a?.memberId]);
      expect(await b?.beat()).toBe(ErrorCodes.UNKNOWN_MEMBER_ID);
      expect((await a?.join())?.members).toHaveLength(1);
    }));

  it('goes on without a member that does not join again within the rebalance timeout', () =>
    inCluster({}, async (scene) => {
      const { world, cluster } = scene;
      const [a, b] = await settled(scene, 'a', 'b');
      const c = new Member(scene, 'c');
      const startMs = world.now();
      const joins = [c.join(), a?.join()];
      // b lives, but never joins.
      for (let i = 0; i < 6; i++) {
        await world.advance(4_900);
        expect(await b?.beat()).toBe(ErrorCodes.REBALANCE_IN_PROGRESS);
      }
      await Promise.all(joins);
      expect(world.now() - startMs).toBeLessThan(30_100);
      expect(cluster.group(groupId)?.members).toHaveLength(2);
      expect(await b?.beat()).toBe(ErrorCodes.UNKNOWN_MEMBER_ID);
    }));

  it('drops members that never ask for their assignment', () =>
    inCluster({}, async (scene) => {
      const { world, cluster } = scene;
      const [a, b] = await settled(scene, 'a', 'b');
      await Promise.all([a?.join(), b?.join()]);
      const leader = a?.memberId === a?.leader ? a : b;
      const other = leader === a ? b : a;
      expect((await leader?.sync())?.errorCode).toBe(0);
      for (let i = 0; i < 7; i++) {
        await world.advance(5_000);
        await leader?.beat();
        await other?.beat();
      }
      expect(cluster.group(groupId)?.members.map(({ memberId }) => memberId)).toEqual([leader?.memberId]);
      expect(cluster.group(groupId)?.state).toBe('PreparingRebalance');
    }));

  it('forgets a member id that is never used', () =>
    inCluster({}, async ({ connect, world, cluster }) => {
      const client = await connect();
      const request = {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: bytes('') }],
      };
      const { memberId } = await client.call(joinGroupApi, 4, request);
      await world.advance(sessionTimeoutMs + 1);
      expect((await client.call(joinGroupApi, 4, { ...request, memberId })).errorCode).toBe(
        ErrorCodes.UNKNOWN_MEMBER_ID,
      );
      expect(cluster.group(groupId)?.state).toBe('Empty');
    }));

  it('answers a repeated join of a follower at once, and rebalances for the leader or for new metadata', () =>
    inCluster({}, async (scene) => {
      const [a, b] = await settled(scene, 'a', 'b');
      const [leader, follower] = a?.memberId === a?.leader ? [a, b] : [b, a];
      const before = scene.cluster.group(groupId)?.generation ?? 0;
      expect(await follower?.join()).toMatchObject({ errorCode: 0, generationId: before, members: [] });
      expect(scene.cluster.group(groupId)?.state).toBe('Stable');
      await Promise.all([leader?.join(), scene.world.advance(5).then(() => follower?.join())]);
      expect(scene.cluster.group(groupId)).toMatchObject({
        generation: before + 1,
        state: 'CompletingRebalance',
      });
      await Promise.all([leader?.sync(), follower?.sync()]);
      const changed = follower?.join({ protocols: [{ name: 'range', metadata: bytes('changed') }] });
      await scene.world.advance(5);
      expect(scene.cluster.group(groupId)?.state).toBe('PreparingRebalance');
      await Promise.all([changed, leader?.join()]);
      expect(leader?.members.map(({ metadata }) => text(metadata)).sort()).toContain('changed');
    }));

  it('elects the protocol that most members put first among those that all offer', () =>
    inCluster({ initialRebalanceDelayMs: 10 }, async (scene) => {
      const offer = (...names: string[]) => ({
        protocols: names.map((name) => ({ name, metadata: bytes(name) })),
      });
      const members = ['a', 'b', 'c'].map((name) => new Member(scene, name));
      const offers = [offer('only-a', 'x', 'y'), offer('y', 'x'), offer('y', 'x', 'z')];
      const answers = await Promise.all(members.map((member, i) => member.join(offers[i])));
      expect(answers.map(({ protocolName }) => protocolName)).toEqual(['y', 'y', 'y']);
      const stranger = new Member(scene, 'd');
      expect((await stranger.join(offer('z'))).errorCode).toBe(ErrorCodes.INCONSISTENT_GROUP_PROTOCOL);
      expect((await stranger.join({ ...offer('x'), protocolType: 'connect' })).errorCode).toBe(
        ErrorCodes.INCONSISTENT_GROUP_PROTOCOL,
      );
    }));

  it('makes a member that joined the leader when the old one does not come', () =>
    inCluster({}, async (scene) => {
      const [a, b] = await settled(scene, 'a', 'b');
      const [leader, follower] = a?.memberId === a?.leader ? [a, b] : [b, a];
      const joined = follower?.join({ protocols: [{ name: 'range', metadata: bytes('new') }] });
      await scene.world.advance(5);
      expect(await leader?.leave()).toBe(0);
      expect(await joined).toMatchObject({ errorCode: 0, leader: follower?.memberId });
    }));

  it('keeps the place of a static member that comes back, and fences the old one (KIP-345)', () =>
    inCluster({ initialRebalanceDelayMs: 50 }, async (scene) => {
      const [first, again, other] = [new Member(scene, 'a'), new Member(scene, 'a'), new Member(scene, 'b')];
      const groupInstanceId = 'node-1';
      await Promise.all([first.join({ groupInstanceId }), other.join()]);
      await Promise.all([first.sync(), other.sync()]);
      const { generation } = scene.cluster.group(groupId) ?? {};
      const back = await again.join({ groupInstanceId, version: 9 });
      expect(back).toMatchObject({ errorCode: 0, generationId: generation });
      expect(again.memberId).not.toBe(first.memberId);
      expect(scene.cluster.group(groupId)).toMatchObject({ state: 'Stable', generation });
      expect(text((await again.sync()).assignment)).toBe('a');
      const client = await scene.connect();
      const old = { groupId, generationId: first.generation, memberId: first.memberId, groupInstanceId };
      expect((await client.call(heartbeatApi, 3, old)).errorCode).toBe(ErrorCodes.FENCED_INSTANCE_ID);
      const byInstance = await client.call(leaveGroupApi, 3, {
        groupId,
        members: [{ memberId: '', groupInstanceId }],
      });
      expect(byInstance.members[0]?.errorCode).toBe(0);
      expect(scene.cluster.group(groupId)?.members.map(({ memberId }) => memberId)).toEqual([other.memberId]);
    }));

  it('answers each of several that leave, in versions 0 and 5', () =>
    inCluster({}, async (scene) => {
      const [a, b] = await settled(scene, 'a', 'b');
      const client = await scene.connect();
      const members = [{ memberId: a?.memberId ?? '' }, { memberId: 'nobody' }];
      const answer = await client.call(leaveGroupApi, 5, { groupId, members });
      expect(answer.members.map(({ errorCode }) => errorCode)).toEqual([0, ErrorCodes.UNKNOWN_MEMBER_ID]);
      expect((await client.call(leaveGroupApi, 0, { groupId, memberId: b?.memberId ?? '' })).errorCode).toBe(
        0,
      );
      expect((await client.call(leaveGroupApi, 0, { groupId, memberId: 'nobody' })).errorCode).toBe(
        ErrorCodes.UNKNOWN_MEMBER_ID,
      );
      await scene.world.advance(1);
      expect(scene.cluster.group(groupId)?.state).toBe('Empty');
    }));

  it.each([
    ['a group without a name', { groupId: '' }, 'INVALID_GROUP_ID'],
    ['a session that is too short', { sessionTimeoutMs: 99 }, 'INVALID_SESSION_TIMEOUT'],
    ['a session that is too long', { sessionTimeoutMs: 1_800_001 }, 'INVALID_SESSION_TIMEOUT'],
    ['no protocol', { protocols: [] }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['a member it does not know', { memberId: 'nobody' }, 'UNKNOWN_MEMBER_ID'],
  ] as const)('refuses %s', (_, fields, name) =>
    inCluster({}, async (scene) => {
      const { errorCode } = await new Member(scene, 'a').join(fields);
      expect(errorCode).toBe(ErrorCodes[name]);
    }),
  );
});

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
      const transaction = await here.call(findCoordinatorApi, 3, { key: 'tx', keyType: 1 });
      expect(transaction.errorCode).toBe(ErrorCodes.INVALID_REQUEST);
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
      const [missing] = (await client.call(describeGroupsApi, 6, { groups: ['none'] })).groups;
      expect(missing?.errorCode).toBe(ErrorCodes.GROUP_ID_NOT_FOUND);
      const list = async (statesFilter: string[], typesFilter: string[]) =>
        (await client.call(listGroupsApi, 5, { statesFilter, typesFilter })).groups.map((g) => [
          g.groupId,
          g.groupState,
          g.groupType,
        ]);
      expect(await list([], [])).toEqual([[groupId, 'Stable', 'classic']]);
      expect(await list(['empty', 'stable'], ['Classic'])).toHaveLength(1);
      expect(await list(['Empty'], [])).toEqual([]);
      expect(await list([], ['consumer'])).toEqual([]);
      expect((await client.call(listGroupsApi, 0, {})).groups).toMatchObject([
        { groupId, protocolType: 'consumer' },
      ]);
    }));
});
