/** How a member joins, shares, gives up and joins again, against a coordinator of a few lines on virtual time. */
import { afterEach, describe, expect, it } from 'vitest';
import { KafkaError, UsageError } from '../../../src/errors.ts';
import { decodeSubscription } from '../../../src/protocol/embedded/subscription.ts';
import { ErrorCodes } from '../../../src/protocol/error-codes.ts';
import { groupWorld, member, type GroupWorld, type TestMember } from './member.ts';

let world: GroupWorld = groupWorld();
let members: TestMember[] = [];

function start(topics?: Record<string, number>): GroupWorld {
  world = groupWorld(topics);
  members = [];
  return world;
}

function join(options?: Parameters<typeof member>[1]): TestMember {
  const made = member(world.broker, options);
  members.push(made);
  made.session.start();
  return made;
}

afterEach(async () => {
  await world.run(() => Promise.all(members.map(({ session }) => session.close({ timeoutMs: 5000 }))));
  expect(world.openHolds()).toBe(0);
  for (const { cluster, session } of members) {
    expect(cluster.topicsInUse).toBe(0);
    expect(session.owned()).toEqual([]);
  }
});

describe('joining', () => {
  it('asks for a member id first, joins with it, leads the group and owns every partition', async () => {
    const { broker, advance } = start();
    const { session, events } = join();
    await advance(1000);
    expect(events).toEqual(['assigned orders:0,1,2,3']);
    expect(broker.requests.slice(0, 3).map(({ api, version, duty }) => [api, version, duty])).toEqual([
      ['JoinGroup', 9, 'group'],
      ['JoinGroup', 9, 'group'],
      ['SyncGroup', 5, 'group'],
    ]);
    expect(broker.sent('JoinGroup').map(({ body }) => body['memberId'])).toEqual(['', 'member-1']);
    expect(session.metadata()).toEqual({
      groupId: 'group',
      memberId: 'member-1',
      generationId: 1,
      groupInstanceId: null,
    });
  });

  it('waits for JoinGroup 5 s longer than the rebalance may take', async () => {
    const { broker, advance } = start();
    join({ rebalanceTimeoutMs: 90_000 });
    await advance(1000);
    const { body, timeoutMs } = broker.sent('JoinGroup')[0] ?? {};
    expect(timeoutMs).toBe(95_000);
    expect(body).toMatchObject({
      rebalanceTimeoutMs: 90_000,
      sessionTimeoutMs: 45_000,
      protocolType: 'consumer',
    });
  });

  it('sorts its topics in the subscription, says the generation it comes from, and owns nothing while it joins', async () => {
    const { broker, advance } = start({ b: 1, a: 1, B: 1 });
    const { events } = join({ topics: ['b', 'a', 'B', 'a'] });
    await advance(1000);
    join({ topics: ['a'] });
    await advance(5000);
    const subscriptions = broker.sent('JoinGroup').map(({ body }) => {
      const [protocol] = body['protocols'] as { readonly name: string; readonly metadata: Uint8Array }[];
      expect(protocol?.name).toBe('range');
      expect([...(protocol?.metadata ?? [])].slice(0, 2)).toEqual([0, 3]);
      return decodeSubscription(protocol?.metadata ?? new Uint8Array());
    });
    expect(subscriptions[0]).toMatchObject({
      topics: ['B', 'a', 'b'],
      ownedPartitions: [],
      generationId: -1,
    });
    expect(subscriptions.find(({ generationId }) => generationId === 1)?.topics).toEqual(['B', 'a', 'b']);
    expect(events[1]).toBe('revoked B:0 a:0 b:0');
  });

  it('joins a broker that gives the member id at once, as before JoinGroup v4', async () => {
    const { broker, advance } = start();
    for (const api of ['JoinGroup', 'SyncGroup', 'Heartbeat', 'LeaveGroup']) broker.maxVersions.set(api, 0);
    const { events } = join();
    await advance(60_000);
    expect(events).toEqual(['assigned orders:0,1,2,3']);
  });

  it('gives an empty assignment to a member for whom there is no partition', async () => {
    const { advance } = start({ orders: 1 });
    const [first, second] = [join(), join()];
    await advance(10_000);
    expect([first.events.at(-1), second.events.at(-1)].toSorted()).toEqual([
      'assigned nothing',
      'assigned orders:0',
    ]);
  });

  it('works with topics and groups named like members of Object.prototype (B31)', async () => {
    const { advance } = start(
      Object.fromEntries([
        ['constructor', 1],
        ['toString', 1],
      ]),
    );
    const { events } = join({ groupId: '__proto__', topics: ['toString', 'constructor', '__proto__'] });
    await advance(1000);
    expect(events).toEqual(['assigned constructor:0 toString:0']);
  });

  it('refuses wrong options at once and names them', () => {
    const { broker } = start();
    expect(() => member(broker, { topics: [] })).toThrow(/topics must be at least one topic/);
    expect(() => member(broker, { groupId: '' })).toThrow(/groupId/);
    expect(() => member(broker, { heartbeatIntervalMs: 45_000 })).toThrow(UsageError);
    expect(() => member(broker, { sessionTimeoutMs: 0 })).toThrow(
      /sessionTimeoutMs must be an integer from 1/,
    );
  });
});

describe('sharing', () => {
  it('shares between two, then three; when one is killed the others take over after its session', async () => {
    const { advance, broker } = start({ orders: 6 });
    const a = join();
    await advance(1000);
    const b = join();
    await advance(5000);
    expect([a.events.at(-1), b.events.at(-1)]).toEqual(['assigned orders:0,1,2', 'assigned orders:3,4,5']);
    const c = join();
    await advance(5000);
    expect([a, b, c].map(({ events }) => events.at(-1))).toEqual([
      'assigned orders:0,1',
      'assigned orders:2,3',
      'assigned orders:4,5',
    ]);
    b.cluster.dead = true;
    await advance(40_000);
    expect(a.events.at(-1)).toBe('assigned orders:0,1');
    expect(b.session.owned()).toHaveLength(2);
    await advance(6000);
    expect([a.events.at(-1), c.events.at(-1)]).toEqual(['assigned orders:0,1,2', 'assigned orders:3,4,5']);
    // The killed one has noticed by itself, and not later than the others could read its partitions.
    expect(b.events.at(-1)).toBe('lost orders:2,3');
    expect(broker.memberCount()).toBe(2);
    b.cluster.dead = false;
    await advance(75_000);
    expect([a, b, c].map(({ session }) => session.owned().length)).toEqual([2, 2, 2]);
  });

  it('never lets two members own a partition at the same time', async () => {
    const { advance } = start({ orders: 6 });
    const all = [join(), join()];
    for (let step = 0; step < 60; step++) {
      await advance(500);
      if (step === 15 || step === 30) all.push(join());
      if (step === 40) void all[1]?.session.close({ timeoutMs: 5000 });
      const owned = all.flatMap(({ session }) => session.owned().map(({ partition }) => partition));
      expect(new Set(owned).size).toBe(owned.length);
    }
  });

  it('gives up its partitions to those that stay when it is closed', async () => {
    const { advance, run } = start();
    const [a, b] = [join(), join()];
    await advance(5000);
    await run(() => a.session.close({ timeoutMs: 5000 }));
    expect(a.events.at(-1)).toBe('revoked orders:0,1');
    await advance(3500);
    expect(b.events.at(-1)).toBe('assigned orders:0,1,2,3');
  });

  it('gives every assignment an ownership number of its own, also when the partitions stay', async () => {
    const { advance } = start();
    const a = join();
    await advance(1000);
    const [first] = a.assigned;
    join();
    await advance(5000);
    const [second] = a.assigned;
    expect(second).toMatchObject({ topic: 'orders', partition: 0 });
    expect(second?.ownership).not.toBe(first?.ownership);
  });

  it('waits for onRevoked before it joins again, and keeps its heart beating meanwhile', async () => {
    const { advance, broker, platform } = start();
    const a = join();
    a.whenRevoked = () => new Promise<void>((resolve) => void platform.setTimer(20_000, resolve));
    await advance(1000);
    const b = join();
    await advance(19_000);
    expect(a.events.at(-1)).toBe('revoked orders:0,1,2,3');
    expect(a.session.owned()).toHaveLength(4);
    expect(b.events).toEqual([]);
    expect(broker.sent('Heartbeat').length).toBeGreaterThanOrEqual(5);
    await advance(5000);
    expect(a.events.at(-1)).toBe('assigned orders:0,1');
    expect(b.events).toEqual(['assigned orders:2,3']);
  });

  it('goes on without a callback that takes longer than the rebalance timeout, and says so', async () => {
    const { advance } = start();
    const a = join({ rebalanceTimeoutMs: 10_000 });
    a.whenRevoked = () => new Promise<void>(() => undefined);
    await advance(1000);
    const b = join({ rebalanceTimeoutMs: 10_000 });
    await advance(30_000);
    expect(a.events).toContain('error TIMEOUT');
    expect(a.errors[0]?.message).toMatch(/onRevoked took longer than the rebalance timeout of 10000 ms/);
    expect(a.session.owned().length + b.session.owned().length).toBe(4);
    a.whenRevoked = undefined;
  });

  it('reports what a callback throws and goes on', async () => {
    const { advance } = start();
    const a = join();
    a.whenAssigned = a.whenRevoked = () => {
      throw new RangeError('mine');
    };
    await advance(1000);
    join();
    await advance(5000);
    expect(a.session.owned()).toHaveLength(2);
    expect(a.errors.map(({ cause, retriable }) => [String(cause), retriable])).toEqual(
      Array.from({ length: 3 }, () => ['RangeError: mine', true]),
    );
  });
});

describe('the leader', () => {
  it('rebalances when a topic gains partitions', async () => {
    const { advance, broker } = start();
    const [a, b] = [join(), join()];
    await advance(5000);
    const generation = broker.generation;
    broker.setTopics({ orders: 6, others: 3 });
    await advance(4000);
    expect([a.session.owned().length, b.session.owned().length]).toEqual([3, 3]);
    expect(broker.generation).toBe(generation + 1);
    broker.setTopics({ orders: 6, others: 9 });
    await advance(10_000);
    expect(broker.generation).toBe(generation + 1);
  });

  it('assigns what exists and rebalances when a missing topic appears', async () => {
    const { advance, broker } = start({ orders: 2 });
    const { events } = join({ topics: ['orders', 'later'] });
    await advance(3000);
    expect(events).toEqual(['assigned orders:0,1']);
    broker.setTopics({ orders: 2, later: 1 });
    await advance(3000);
    expect(events.slice(1)).toEqual(['revoked orders:0,1', 'assigned later:0 orders:0,1']);
  });

  it('gives nothing to a member whose subscription it cannot read, and the rest to the others', async () => {
    const { advance, broker } = start();
    const a = join();
    await advance(1000);
    expect(a.events.at(-1)).toBe('assigned orders:0,1,2,3');
    broker.script('JoinGroup', async (_body, serve) => {
      const answer = (await serve()) as { members: object[] };
      answer.members.push({ memberId: 'zz', metadata: new Uint8Array([255, 255, 0]) });
      return answer;
    });
    broker.setTopics({ orders: 5 });
    await advance(1000);
    expect(a.events.at(-1)).toBe('assigned orders:0,1,2,3,4');
  });

  it('ends the session when its own assignor throws, and leaves the group to the others', async () => {
    const { advance, broker } = start();
    const broken = {
      name: 'range',
      assign(): never {
        throw new Error('broken assignor');
      },
    };
    const { errors, session } = join({ assignors: [broken] });
    await advance(1000);
    expect(errors[0]?.message).toMatch(/Group group failed: Error: broken assignor/);
    expect(broker.memberCount()).toBe(0);
    await expect(session.commit([])).rejects.toBe(errors[0]);
  });
});

describe('errors while joining', () => {
  const heals = ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR'] as const;
  it('asks for the coordinator again after each of 14, 15 and 16 in a row (B22)', async () => {
    const { advance, broker } = start();
    broker.script('JoinGroup', ...heals.map((name) => ({ errorCode: ErrorCodes[name] })));
    broker.script('SyncGroup', ...heals.map((name) => ({ errorCode: ErrorCodes[name] })));
    const { events } = join();
    await advance(10_000);
    expect(events.at(-1)).toBe('assigned orders:0,1,2,3');
    expect(events.filter((event) => event.startsWith('error'))).toEqual(
      [...heals, ...heals].map((name) => `error ${name}`),
    );
    expect(broker.lookUps).toBe(5);
  });

  it('follows a coordinator that moves', async () => {
    const { advance, broker } = start();
    const { session, events } = join();
    await advance(1000);
    broker.coordinatorId = 2;
    await advance(10_000);
    expect(session.owned()).toHaveLength(4);
    expect(events).toEqual(['assigned orders:0,1,2,3']);
    expect(broker.sent('Heartbeat').at(-1)?.node).toBe(2);
  });

  it('joins as a new member when the coordinator does not know its id, in JoinGroup and in SyncGroup', async () => {
    const { advance, broker } = start();
    const forgets = (id: string) => () => {
      broker.remove(id);
      return { errorCode: ErrorCodes.UNKNOWN_MEMBER_ID };
    };
    broker.script('JoinGroup', (_body, serve) => serve(), forgets('member-1'));
    broker.script('SyncGroup', forgets('member-2'));
    const { events } = join();
    await advance(2000);
    const ids = broker.sent('JoinGroup').map(({ body }) => body['memberId']);
    expect(ids).toEqual(['', 'member-1', '', 'member-2', '', 'member-3']);
    expect(events).toEqual(['assigned orders:0,1,2,3']);
  });

  it.each(['ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'] as const)(
    'joins again after SyncGroup said %s',
    async (name) => {
      const { advance, broker } = start();
      broker.script('SyncGroup', { errorCode: ErrorCodes[name] });
      const { events } = join();
      await advance(1000);
      expect(events).toEqual(['assigned orders:0,1,2,3']);
      expect(broker.generation).toBe(2);
    },
  );

  it.each([
    'GROUP_AUTHORIZATION_FAILED',
    'INCONSISTENT_GROUP_PROTOCOL',
    'INVALID_SESSION_TIMEOUT',
    'INVALID_GROUP_ID',
    'GROUP_MAX_SIZE_REACHED',
  ] as const)('ends the session with %s, which only the application can heal', async (name) => {
    const { advance, broker } = start();
    broker.script('JoinGroup', { errorCode: ErrorCodes[name] });
    const { errors, events, session } = join();
    await advance(60_000);
    expect(events).toEqual([`error ${name}`]);
    expect(errors[0]?.retriable).toBe(false);
    expect(broker.sent('JoinGroup')).toHaveLength(1);
    await expect(session.committed([{ topic: 'orders', partition: 0 }])).rejects.toBe(errors[0]);
  });

  it('keeps trying while the broker is down, reports it, and joins when it is back', async () => {
    const { advance, broker } = start();
    broker.down.add(1);
    const { events, errors } = join();
    await advance(120_000);
    expect(errors.length).toBeGreaterThan(2);
    expect(errors.every((error) => error instanceof KafkaError && error.retriable)).toBe(true);
    broker.down.clear();
    await advance(2000);
    expect(events.at(-1)).toBe('assigned orders:0,1,2,3');
  });
});
