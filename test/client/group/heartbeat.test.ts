/** What each answer to a heartbeat, and none, does to a member. */
import { afterEach, describe, expect, it } from 'vitest';
import { ErrorCodes } from '../../../src/protocol/error-codes.ts';
import { groupWorld, member, type GroupWorld, type TestMember } from './member.ts';

let world: GroupWorld;
let a: TestMember;

async function stableMember(options?: Parameters<typeof member>[1]): Promise<void> {
  world = groupWorld();
  a = member(world.broker, options);
  a.session.start();
  await world.advance(1000);
  expect(a.events).toEqual(['assigned orders:0,1,2,3']);
}

afterEach(() => world.run(() => a.session.close({ timeoutMs: 5000 })));

describe('heartbeats', () => {
  it('go out every interval on the control connection with generation and member id', async () => {
    await stableMember({ heartbeatIntervalMs: 2000 });
    await world.advance(20_000);
    const beats = world.broker.sent('Heartbeat');
    expect(beats).toHaveLength(10);
    expect(beats[0]).toMatchObject({ duty: 'control', body: { generationId: 1, memberId: 'member-1' } });
    expect(a.events).toHaveLength(1);
  });

  it('go on while onAssigned is at work', async () => {
    world = groupWorld();
    a = member(world.broker);
    a.whenAssigned = () =>
      new Promise((resolve) => void world.platform.setTimer(50_000, () => resolve(undefined)));
    a.session.start();
    await world.advance(60_000);
    expect(world.broker.sent('Heartbeat').length).toBeGreaterThan(15);
    expect(world.broker.memberCount()).toBe(1);
  });

  it('answered UNKNOWN_MEMBER_ID lose the partitions at once and join as a new member', async () => {
    await stableMember();
    world.broker.remove('member-1');
    await world.advance(5000);
    expect(a.events.slice(1)).toEqual(['lost orders:0,1,2,3', 'assigned orders:0,1,2,3']);
    expect(a.session.metadata()).toMatchObject({ memberId: 'member-2', generationId: 2 });
  });

  it('answered ILLEGAL_GENERATION lose the partitions and join with the same member id', async () => {
    await stableMember();
    world.broker.script('Heartbeat', { errorCode: ErrorCodes.ILLEGAL_GENERATION });
    await world.advance(5000);
    expect(a.events.slice(1)).toEqual(['lost orders:0,1,2,3', 'assigned orders:0,1,2,3']);
    expect(a.session.metadata()).toMatchObject({ memberId: 'member-1', generationId: 2 });
  });

  it('answered REBALANCE_IN_PROGRESS give the partitions up in order', async () => {
    await stableMember();
    world.broker.script('Heartbeat', { errorCode: ErrorCodes.REBALANCE_IN_PROGRESS });
    await world.advance(5000);
    expect(a.events.slice(1)).toEqual(['revoked orders:0,1,2,3', 'assigned orders:0,1,2,3']);
    expect(world.broker.sent('JoinGroup').at(-1)?.body).toMatchObject({
      reason: 'Heartbeat: REBALANCE_IN_PROGRESS',
    });
  });

  it('ignore REBALANCE_IN_PROGRESS while the assignment is on its way, as old brokers call that wait', async () => {
    world = groupWorld();
    a = member(world.broker);
    const { broker, platform } = world;
    broker.script('SyncGroup', async (_body, serve) => {
      await new Promise<void>((resolve) => void platform.setTimer(10_000, resolve));
      return serve();
    });
    broker.script(
      'Heartbeat',
      ...Array.from({ length: 3 }, () => ({ errorCode: ErrorCodes.REBALANCE_IN_PROGRESS })),
    );
    a.session.start();
    await world.advance(15_000);
    expect(a.events).toEqual(['assigned orders:0,1,2,3']);
    expect(broker.sent('JoinGroup')).toHaveLength(2);
  });

  it.each(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'] as const)(
    'answered %s look for the coordinator',
    async (name) => {
      await stableMember();
      const { lookUps } = world.broker;
      world.broker.script('Heartbeat', { errorCode: ErrorCodes[name] });
      await world.advance(4000);
      expect(world.broker.lookUps).toBe(lookUps + 1);
      expect(world.broker.sent('Heartbeat')).toHaveLength(2);
      expect(a.events).toHaveLength(1);
    },
  );

  it('answered COORDINATOR_LOAD_IN_PROGRESS are sent again soon', async () => {
    await stableMember();
    world.broker.script('Heartbeat', ...Array.from({ length: 5 }, () => ({ errorCode: 14 })));
    await world.advance(9000);
    expect(a.events).toHaveLength(1);
    expect(a.session.owned()).toHaveLength(4);
  });

  it('answered GROUP_AUTHORIZATION_FAILED end the session', async () => {
    await stableMember();
    world.broker.script('Heartbeat', { errorCode: ErrorCodes.GROUP_AUTHORIZATION_FAILED });
    await world.advance(60_000);
    expect(a.events.slice(1)).toEqual(['lost orders:0,1,2,3', 'error GROUP_AUTHORIZATION_FAILED']);
    expect(world.broker.sent('JoinGroup')).toHaveLength(2);
    expect(world.broker.sent('LeaveGroup')).toHaveLength(1);
  });

  it('survive a broker that is away for less than the session', async () => {
    await stableMember();
    world.broker.down.add(1);
    await world.advance(40_000);
    world.broker.down.clear();
    await world.advance(5000);
    expect(a.events).toEqual(['assigned orders:0,1,2,3']);
    expect(world.broker.memberCount()).toBe(1);
  });

  it.each(['down', 'frozen'] as const)(
    'unanswered for a session by a broker that is %s lose the partitions',
    async (how) => {
      await stableMember({ sessionTimeoutMs: 20_000 });
      await world.advance(3000);
      const last = world.broker.sent('Heartbeat').at(-1)?.timeMs ?? 0;
      world.broker[how].add(1);
      await world.advance(last + 19_900 - world.platform.monotonicNow());
      expect(a.session.owned()).toHaveLength(4);
      await world.advance(101);
      expect(a.session.owned()).toHaveLength(0);
      expect(a.events[1]).toBe('lost orders:0,1,2,3');
      world.broker[how].clear();
      await world.advance(90_000);
      expect(a.events.at(-1)).toBe('assigned orders:0,1,2,3');
    },
  );

  it('whose answers are dropped lose the partitions before the coordinator gives them away (B32)', async () => {
    await stableMember({ sessionTimeoutMs: 20_000 });
    // The broker counts them, only the answers never arrive: it would keep the member for ever.
    const silence = (_body: object, serve: () => Promise<object>): Promise<object> =>
      serve().then(() => new Promise<object>(() => undefined));
    world.broker.script('Heartbeat', ...Array.from({ length: 20 }, () => silence));
    await world.advance(21_000);
    expect(a.events[1]).toBe('lost orders:0,1,2,3');
  });
});
