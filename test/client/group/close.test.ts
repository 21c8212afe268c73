/** close() settles within its deadline in every state, broker up, down or silent, and leaves the group where it can. */
import { describe, expect, it } from 'vitest';
import { groupWorld, member, type GroupWorld, type TestMember } from './member.ts';

interface State {
  readonly name: string;
  /** Brings the member there. */
  reach(world: GroupWorld, a: TestMember): Promise<void>;
  /** Whether the coordinator knows the member, so that it has to be told. */
  readonly leaves: boolean;
}

function never(): Promise<never> {
  return new Promise<never>(() => undefined);
}

const states: readonly State[] = [
  { name: 'before start', leaves: false, reach: () => Promise.resolve() },
  {
    name: 'while it looks for the coordinator',
    leaves: false,
    async reach({ broker, advance }, a) {
      broker.down.add(1);
      a.session.start();
      await advance(1000);
      broker.down.clear();
    },
  },
  {
    name: 'while it waits for a member id',
    leaves: true,
    async reach({ broker, platform, advance }, a) {
      broker.script('JoinGroup', async (_body, serve) => {
        await new Promise<void>((resolve) => void platform.setTimer(500, resolve));
        return serve();
      });
      a.session.start();
      await advance(100);
    },
  },
  {
    name: 'while it joins',
    leaves: true,
    async reach({ broker, advance }, a) {
      broker.script('JoinGroup', (_body, serve) => serve(), never);
      a.session.start();
      await advance(1000);
    },
  },
  {
    name: 'while it waits for its assignment',
    leaves: true,
    async reach({ broker, advance }, a) {
      broker.script('SyncGroup', never);
      a.session.start();
      await advance(1000);
    },
  },
  {
    name: 'when stable',
    leaves: true,
    async reach({ advance }, a) {
      a.session.start();
      await advance(10_000);
    },
  },
  {
    name: 'while onAssigned hangs',
    leaves: true,
    async reach({ advance }, a) {
      a.whenAssigned = never;
      a.session.start();
      await advance(1000);
    },
  },
  {
    name: 'while onRevoked hangs',
    leaves: true,
    async reach({ broker, advance }, a) {
      a.whenRevoked = never;
      a.session.start();
      await advance(1000);
      broker.script('Heartbeat', { errorCode: 27 });
      await advance(4000);
      expect(a.events.at(-1)).toMatch(/^revoked/);
    },
  },
  {
    name: 'while it waits after an error',
    leaves: true,
    async reach({ broker, advance }, a) {
      broker.script(
        'JoinGroup',
        (_body, serve) => serve(),
        ...Array.from({ length: 9 }, () => ({ errorCode: 14 })),
      );
      a.session.start();
      await advance(2050);
    },
  },
];

describe.each(['up', 'down', 'frozen'] as const)('close with the broker %s', (broker) => {
  it.each(states)('settles within its deadline $name', async (state) => {
    const world = groupWorld();
    const a = member(world.broker);
    await state.reach(world, a);
    if (broker !== 'up') world.broker[broker].add(1);
    const startMs = world.platform.monotonicNow();
    const closing = a.session.close({ timeoutMs: 3000 });
    expect(a.session.close({ timeoutMs: 1 })).toBe(closing);
    await world.run(() => closing);
    expect(world.platform.monotonicNow() - startMs).toBeLessThanOrEqual(3000);
    expect(a.session.owned()).toEqual([]);
    expect(world.openHolds()).toBe(0);
    expect(a.session.metadata().memberId).toBe('');
    await expect(a.session.commit([])).rejects.toMatchObject({ code: 'CLOSED' });
    a.session.start();
    const { length } = world.broker.requests;
    await world.advance(120_000);
    expect(world.broker.requests).toHaveLength(length);
    expect(a.cluster.topicsInUse).toBe(0);
    if (broker !== 'up') return;
    expect(world.broker.sent('LeaveGroup')).toHaveLength(state.leaves ? 1 : 0);
    expect(world.broker.memberCount()).toBe(0);
  });
});

describe('close', () => {
  it('gives the partitions up with onRevoked, in which they can be committed, before it leaves', async () => {
    const { broker, advance, run } = groupWorld();
    const a = member(broker);
    a.session.start();
    await advance(1000);
    a.whenRevoked = ([first]) =>
      a.session.commit(first === undefined ? [] : [{ ...first, offset: 5, leaderEpoch: -1 }]);
    await run(() => a.session.close({ timeoutMs: 5000 }));
    expect(a.events.slice(1)).toEqual(['revoked orders:0,1,2,3']);
    expect(broker.committed.get('orders:0')).toBe(5);
    expect(broker.requests.slice(-2).map(({ api }) => api)).toEqual(['OffsetCommit', 'LeaveGroup']);
    expect(broker.requests.at(-1)?.body['members']).toMatchObject([
      { memberId: 'member-1', reason: 'closed' },
    ]);
  });
});
