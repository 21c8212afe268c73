/** The state machine of classic groups, driven by members that do nothing by themselves. */
import { describe, expect, it } from 'vitest';
import { ErrorCodes, heartbeatApi, joinGroupApi, leaveGroupApi } from '../../src/protocol/index.ts';
import { inCluster } from './cluster-world.ts';
import {
  bytes,
  groupId,
  Member,
  rebalanceTimeoutMs,
  sessionTimeoutMs,
  settled,
  text,
} from './scripted-member.ts';

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

  it('waits once with a join that stays alone', () =>
    inCluster({ initialRebalanceDelayMs: 3_000 }, async (scene) => {
      const startMs = scene.world.now();
      expect((await new Member(scene, 'a').join()).generationId).toBe(1);
      expect(Math.round((scene.world.now() - startMs) / 100)).toBe(30);
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

  it('lets the earlier member decide between protocols with as many votes', () =>
    inCluster({ initialRebalanceDelayMs: 10 }, async (scene) => {
      const offer = (...names: string[]) => ({
        protocols: names.map((name) => ({ name, metadata: bytes(name) })),
      });
      const [a, b] = [new Member(scene, 'a'), new Member(scene, 'b')];
      const [answer] = await Promise.all([a.join(offer('x', 'y')), b.join(offer('y', 'x'))]);
      expect(answer.protocolName).toBe('x');
    }));

  it('waits with a rebalance for who was given a member id and has not joined yet', () =>
    inCluster({}, async (scene) => {
      const { world } = scene;
      const [a] = await settled(scene, 'a');
      const client = await scene.connect();
      const protocols = [{ name: 'range', metadata: bytes('b') }];
      const request = { groupId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType: 'consumer', protocols };
      const { memberId } = await client.call(joinGroupApi, 4, request);
      const startMs = world.now();
      const rejoined = a?.join();
      await world.advance(1_000);
      await client.call(joinGroupApi, 4, { ...request, memberId });
      expect((await rejoined)?.members).toHaveLength(2);
      expect(world.now() - startMs).toBeLessThan(1_010);
    }));

  it('gives a new member five minutes to see a rebalance through', () =>
    inCluster({}, async (scene) => {
      const { world } = scene;
      const a = new Member(scene, 'a');
      await a.join({ rebalanceTimeoutMs: 600_000 });
      await a.sync();
      const startMs = world.now();
      const waiting = new Member(scene, 'b').join();
      let answeredMs = 0;
      const answered = waiting.then(() => (answeredMs = world.now()));
      while (world.now() - startMs < 310_000) {
        await world.advance(5_000);
        await a.beat();
      }
      await answered;
      expect((await waiting).errorCode).toBe(ErrorCodes.UNKNOWN_MEMBER_ID);
      expect(Math.round((answeredMs - startMs) / 1_000)).toBe(300);
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

  it('tells a static member of an older version that it does not lead, so that it makes no assignment', () =>
    inCluster({}, async (scene) => {
      const groupInstanceId = 'node-1';
      const [first, again] = [new Member(scene, 'a'), new Member(scene, 'a')];
      await first.join({ groupInstanceId });
      await first.sync();
      const back = await again.join({ groupInstanceId, version: 8 });
      expect(back).toMatchObject({ errorCode: 0, leader: first.memberId, members: [] });
      const third = await new Member(scene, 'a').join({ groupInstanceId, version: 9 });
      expect(third).toMatchObject({ errorCode: 0, leader: third.memberId, skipAssignment: true });
      expect(third.members).toHaveLength(1);
    }));

  it('answers a leader that joins again before it has assigned, with the members once more', () =>
    inCluster({}, async (scene) => {
      const member = new Member(scene, 'a');
      await member.join();
      expect(await member.join()).toMatchObject({ errorCode: 0, generationId: 1, members: [{}] });
      expect(scene.cluster.group(groupId)).toMatchObject({ state: 'CompletingRebalance', generation: 1 });
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
      expect(scene.cluster.group(groupId)?.members ?? []).toEqual([]);
      if ('memberId' in fields) expect(scene.cluster.group(groupId)).toBeUndefined();
    }),
  );
});
