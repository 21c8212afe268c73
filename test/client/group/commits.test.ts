/** Commits and committed offsets: the ownership fence, merging, healing, and answers that come too late. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OffsetToCommit, OwnedPartition } from '../../../src/client/group/index.ts';
import { BrokerError, TimeoutError } from '../../../src/errors.ts';
import { ErrorCodes } from '../../../src/protocol/error-codes.ts';
import { commitAnswer, refusal } from './fake-cluster.ts';
import { groupWorld, member, type GroupWorld, type TestMember } from './member.ts';

let world: GroupWorld;
let a: TestMember;

function at(owned: OwnedPartition | undefined, offset: number, metadata?: string): OffsetToCommit {
  if (owned === undefined) throw new Error('the partition is not owned');
  return { ...owned, offset, leaderEpoch: 3, ...(metadata === undefined ? {} : { metadata }) };
}

/** Makes the coordinator form the group anew. */
async function rebalance(): Promise<void> {
  world.broker.script('Heartbeat', { errorCode: ErrorCodes.REBALANCE_IN_PROGRESS });
  await world.advance(4000);
}

function later(ms: number, what: (body: object, serve: () => Promise<object>) => object | Promise<object>) {
  return async (body: object, serve: () => Promise<object>): Promise<object> => {
    await new Promise<void>((resolve) => void world.platform.setTimer(ms, resolve));
    return what(body, serve);
  };
}

beforeEach(async () => {
  world = groupWorld();
  a = member(world.broker);
  a.session.start();
  await world.advance(1000);
});

afterEach(() => world.run(() => a.session.close({ timeoutMs: 5000 })));

describe('commit', () => {
  it('stores offset, leader epoch and metadata under the member and its generation', async () => {
    const outcome = await world.run(() =>
      a.session.commit([at(a.assigned[0], 7, 'note'), at(a.assigned[1], 9)]),
    );
    expect(outcome).toEqual({ dropped: [] });
    const [request] = world.broker.sent('OffsetCommit');
    expect(request).toMatchObject({ version: 9, duty: 'control' });
    expect(request?.body).toMatchObject({
      groupId: 'group',
      memberId: 'member-1',
      generationIdOrMemberEpoch: 1,
    });
    expect(request?.body['topics']).toMatchObject([
      {
        name: 'orders',
        partitions: [
          { partitionIndex: 0, committedOffset: 7, committedLeaderEpoch: 3, committedMetadata: 'note' },
          { partitionIndex: 1, committedOffset: 9, committedLeaderEpoch: 3, committedMetadata: '' },
        ],
      },
    ]);
  });

  it('drops and reports what was revoked since it was handed out, also when it came back (B14)', async () => {
    const before = a.assigned;
    await rebalance();
    expect(a.assigned).toHaveLength(4);
    const stale = at(before[0], 5);
    const outcome = await world.run(() => a.session.commit([stale, at(a.assigned[1], 6)]));
    expect(outcome.dropped).toEqual([stale]);
    expect(Object.fromEntries(world.broker.committed)).toEqual({ 'orders:1': 6 });
    expect(await world.run(() => a.session.commit([stale]))).toEqual({ dropped: [stale] });
    expect(world.broker.sent('OffsetCommit')).toHaveLength(1);
  });

  it('drops what was lost, without asking the broker', async () => {
    const entry = at(a.assigned[0], 5);
    world.broker.script('Heartbeat', { errorCode: ErrorCodes.ILLEGAL_GENERATION });
    await world.advance(4000);
    expect(a.events[1]).toBe('lost orders:0,1,2,3');
    expect((await world.run(() => a.session.commit([entry]))).dropped).toEqual([entry]);
    expect(world.broker.sent('OffsetCommit')).toHaveLength(0);
  });

  it('is possible inside onRevoked, and fenced as soon as that has settled', async () => {
    a.whenRevoked = ([first]) => a.session.commit([at(first, 11)]);
    await rebalance();
    expect(world.broker.committed.get('orders:0')).toBe(11);
    expect(a.events.slice(1)).toEqual(['revoked orders:0,1,2,3', 'assigned orders:0,1,2,3']);
    const [request] = world.broker.sent('OffsetCommit');
    expect(request?.body).toMatchObject({ generationIdOrMemberEpoch: 1 });
  });

  it('that waits for its turn while the partition is revoked and assigned again is dropped', async () => {
    world.broker.script(
      'OffsetCommit',
      later(6000, (_body, serve) => serve()),
    );
    const first = a.session.commit([at(a.assigned[0], 1)]);
    const stale = at(a.assigned[0], 2);
    const second = a.session.commit([stale]);
    await rebalance();
    const third = a.session.commit([at(a.assigned[0], 3)]);
    const [, two, three] = await world.run(() => Promise.all([first, second, third]));
    expect(two).toEqual({ dropped: [stale] });
    expect(three).toEqual({ dropped: [] });
    expect(world.broker.committed.get('orders:0')).toBe(3);
  });

  it('never takes an offset back within one ownership, however late the call (B15)', async () => {
    await world.run(() => a.session.commit([at(a.assigned[0], 100)]));
    const late = await world.run(() => a.session.commit([at(a.assigned[0], 40)]));
    expect(late).toEqual({ dropped: [] });
    expect(world.broker.committed.get('orders:0')).toBe(100);
    await rebalance();
    await world.run(() => a.session.commit([at(a.assigned[0], 60)]));
    expect(world.broker.committed.get('orders:0')).toBe(60);
  });

  it('merges calls that wait, so that 100 calls need two requests and the highest offset wins', async () => {
    const offsets = Array.from({ length: 100 }, (_, index) => (index * 37) % 100);
    await world.run(() =>
      Promise.all(offsets.map((offset) => a.session.commit([at(a.assigned[0], offset)]))),
    );
    expect(world.broker.sent('OffsetCommit')).toHaveLength(2);
    expect(world.broker.committed.get('orders:0')).toBe(99);
  });

  it('sends again what was refused for a while, and only that', async () => {
    const { COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCodes;
    world.broker.script(
      'OffsetCommit',
      (body) => commitAnswer(body, (_, partition) => (partition === 0 ? COORDINATOR_LOAD_IN_PROGRESS : 0)),
      (body) => commitAnswer(body, () => NOT_COORDINATOR),
      (body) => commitAnswer(body, () => UNKNOWN_TOPIC_OR_PARTITION),
    );
    const outcome = await world.run(() => a.session.commit([at(a.assigned[0], 7), at(a.assigned[1], 8)]));
    expect(outcome).toEqual({ dropped: [] });
    const sizes = world.broker
      .sent('OffsetCommit')
      .map(({ body }) => (body['topics'] as { partitions: object[] }[])[0]?.partitions.length);
    expect(sizes).toEqual([2, 1, 1, 1]);
    expect(world.broker.committed.get('orders:0')).toBe(7);
  });

  it('rejects with the broker error of the partition, and not the calls for others in the same request', async () => {
    const { OFFSET_METADATA_TOO_LARGE } = ErrorCodes;
    world.broker.script(
      'OffsetCommit',
      later(50, (_body, serve) => serve()),
      (body) => commitAnswer(body, (_, partition) => (partition === 1 ? OFFSET_METADATA_TOO_LARGE : 0)),
    );
    const calls = [0, 1, 2].map((index) => a.session.commit([at(a.assigned[index], 5)]));
    const results = await world.run(() => Promise.allSettled(calls));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const error = results[1]?.status === 'rejected' ? (results[1].reason as BrokerError) : undefined;
    expect(error).toBeInstanceOf(BrokerError);
    expect(error).toMatchObject({ errorName: 'OFFSET_METADATA_TOO_LARGE', topic: 'orders', partition: 1 });
  });

  it.each(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'] as const)(
    'that is answered %s loses the partitions',
    async (name) => {
      world.broker.script('OffsetCommit', (body) => refusal('OffsetCommit', body, ErrorCodes[name]));
      const entry = at(a.assigned[0], 5);
      const outcome = await world.run(() => a.session.commit([entry]));
      expect(outcome.dropped).toEqual([entry]);
      expect(a.events[1]).toBe('lost orders:0,1,2,3');
      await world.advance(60_000);
      expect(a.events.at(-1)).toBe('assigned orders:0,1,2,3');
    },
  );

  it('that is answered REBALANCE_IN_PROGRESS fails typed and the member joins again', async () => {
    world.broker.script('OffsetCommit', (body) =>
      refusal('OffsetCommit', body, ErrorCodes.REBALANCE_IN_PROGRESS),
    );
    const failed = world.run(() => a.session.commit([at(a.assigned[0], 5)]));
    await expect(failed).rejects.toMatchObject({ errorName: 'REBALANCE_IN_PROGRESS' });
    await world.advance(1000);
    expect(a.events.slice(1)).toEqual(['revoked orders:0,1,2,3', 'assigned orders:0,1,2,3']);
  });

  it('gives up at its deadline or by its signal, and the next one works', async () => {
    world.broker.frozen.add(1);
    const deadlineMs = world.platform.monotonicNow() + 2000;
    const late = world.run(() => a.session.commit([at(a.assigned[0], 5)], { deadlineMs }));
    await expect(late).rejects.toBeInstanceOf(TimeoutError);
    expect(world.platform.monotonicNow()).toBe(deadlineMs);
    const controller = new AbortController();
    const stopped = a.session.commit([at(a.assigned[0], 6)], { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(world.run(() => stopped)).rejects.toThrow('enough');
    world.broker.frozen.clear();
    await world.run(() => a.session.commit([at(a.assigned[0], 7)]));
    expect(world.broker.committed.get('orders:0')).toBe(7);
  });

  it('keeps the process alive until it is answered, and no longer (C4)', async () => {
    expect(world.openHolds()).toBe(0);
    const commit = a.session.commit([at(a.assigned[0], 5)]);
    expect(world.openHolds()).toBe(1);
    await world.run(() => commit);
    expect(world.openHolds()).toBe(0);
  });
});

describe('committed', () => {
  const partitions = [2, 0, 1].map((partition) => ({ topic: 'orders', partition }));

  it.each([9, 7, 1])(
    'answers in the order asked, -1 where there is none, on OffsetFetch v%i',
    async (version) => {
      world.broker.maxVersions.set('OffsetFetch', version);
      world.broker.committed.set('orders:0', 42);
      const offsets = await world.run(() => a.session.committed(partitions));
      expect(offsets.map(({ offset }) => offset)).toEqual([-1, 42, -1]);
      expect(world.broker.sent('OffsetFetch')[0]?.body).toMatchObject({ requireStable: version >= 7 });
    },
  );

  it('asks again instead of taking an unstable or refused answer for "none" (B11)', async () => {
    const { UNSTABLE_OFFSET_COMMIT, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR } = ErrorCodes;
    world.broker.committed.set('orders:0', 42);
    world.broker.script(
      'OffsetFetch',
      async (_body, serve) => {
        const answer = (await serve()) as { groups: { topics: { partitions: { errorCode: number }[] }[] }[] };
        for (const partition of answer.groups[0]?.topics[0]?.partitions ?? [])
          partition.errorCode = UNSTABLE_OFFSET_COMMIT;
        return answer;
      },
      (body) => refusal('OffsetFetch', body, COORDINATOR_LOAD_IN_PROGRESS),
      (body) => refusal('OffsetFetch', body, NOT_COORDINATOR),
    );
    const offsets = await world.run(() => a.session.committed(partitions));
    expect(offsets[1]?.offset).toBe(42);
    expect(world.broker.sent('OffsetFetch')).toHaveLength(4);
  });

  it('rejects what the application has to know, with the partition', async () => {
    world.broker.script('OffsetFetch', {
      groups: [{ topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, errorCode: 29 }] }] }],
    });
    const failed = world.run(() => a.session.committed(partitions));
    await expect(failed).rejects.toMatchObject({
      errorName: 'TOPIC_AUTHORIZATION_FAILED',
      topic: 'orders',
      partition: 0,
    });
  });

  it('rejects an answer that lacks a partition', async () => {
    world.broker.script('OffsetFetch', { groups: [{ topics: [] }] });
    await expect(world.run(() => a.session.committed(partitions))).rejects.toThrow(/lacks orders\[2\]/);
  });

  it('is fenced when its generation ends first, so a slow answer never sets a position after a rebalance (B10)', async () => {
    world.broker.script(
      'OffsetFetch',
      later(20_000, (_body, serve) => serve()),
      later(20_000, (_body, serve) => serve()),
    );
    const results: unknown[] = [];
    a.whenAssigned = async () => {
      const answer = await a.session.committed(partitions).catch((error: unknown) => {
        results.push(error);
        throw error;
      });
      results.push(answer);
    };
    // 1. assigned, the question hangs; 2. and 3. a rebalance each time before the answer comes.
    await rebalance();
    await rebalance();
    world.broker.committed.set('orders:0', 42);
    await rebalance();
    await world.advance(1000);
    expect(results).toHaveLength(3);
    expect(results.slice(0, 2)).toMatchObject([{ code: 'FENCED' }, { code: 'FENCED' }]);
    expect(results[2]).toMatchObject([{ offset: -1 }, { offset: 42 }, { offset: -1 }]);
    expect(a.errors).toEqual([]);
    expect(a.events.filter((event) => event.startsWith('assigned'))).toHaveLength(4);
    await world.advance(30_000);
    expect(results).toHaveLength(3);
  });
});
