/** Random joins, kills, closes and coordinator trouble: what must hold whatever happens.
 * Never two owners of a partition; a commit only from its owner; and once it is quiet, every partition has one owner.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ErrorCodes } from '../../../src/protocol/error-codes.ts';
import { groupWorld, member, type TestMember } from './member.ts';

const trouble = [
  ['JoinGroup', ErrorCodes.NOT_COORDINATOR],
  ['JoinGroup', ErrorCodes.REBALANCE_IN_PROGRESS],
  ['SyncGroup', ErrorCodes.REBALANCE_IN_PROGRESS],
  ['SyncGroup', ErrorCodes.COORDINATOR_NOT_AVAILABLE],
  ['Heartbeat', ErrorCodes.ILLEGAL_GENERATION],
  ['Heartbeat', ErrorCodes.REBALANCE_IN_PROGRESS],
  ['Heartbeat', ErrorCodes.NOT_COORDINATOR],
] as const;

type Step =
  | { readonly kind: 'join' }
  | { readonly kind: 'move' }
  | { readonly kind: 'quiet' }
  | { readonly kind: 'kill'; readonly which: number }
  | { readonly kind: 'close'; readonly which: number }
  | { readonly kind: 'trouble'; readonly what: (typeof trouble)[number] }
  | { readonly kind: 'frozen'; readonly forMs: number }
  | { readonly kind: 'down'; readonly forMs: number };

const which = fc.nat(5);
const forMs = fc.integer({ min: 1, max: 30_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>({ kind: 'join' }, { kind: 'move' }, { kind: 'quiet' }),
  which.map<Step>((which) => ({ kind: 'kill', which })),
  which.map<Step>((which) => ({ kind: 'close', which })),
  fc.constantFrom(...trouble).map<Step>((what) => ({ kind: 'trouble', what })),
  forMs.map<Step>((forMs) => ({ kind: 'frozen', forMs })),
  forMs.map<Step>((forMs) => ({ kind: 'down', forMs })),
);

interface Timed {
  readonly step: Step;
  readonly thenMs: number;
}

async function churn(steps: readonly Timed[]): Promise<void> {
  const world = groupWorld({ orders: 5 });
  const { broker } = world;
  const alive: TestMember[] = [];
  const all: TestMember[] = [];
  const join = (): void => {
    const made = member(broker, { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 8000 });
    made.whenRevoked = (partitions) =>
      made.session.commit(
        partitions.map((each) => ({ ...each, offset: 1, leaderEpoch: -1 })),
        {
          deadlineMs: world.platform.monotonicNow() + 2000,
        },
      );
    alive.push(made);
    all.push(made);
    made.session.start();
  };
  const perform = (step: Step): void => {
    switch (step.kind) {
      case 'join':
        return join();
      case 'move':
        broker.coordinatorId = 3 - broker.coordinatorId;
        return;
      case 'trouble':
        return broker.script(step.what[0], { errorCode: step.what[1] });
      case 'kill':
      case 'close': {
        const [gone] = alive.splice(step.which % Math.max(1, alive.length), 1);
        if (gone !== undefined && step.kind === 'kill') gone.cluster.dead = true;
        else void gone?.session.close({ timeoutMs: 3000 });
        return;
      }
      case 'frozen':
      case 'down': {
        const node = broker.coordinatorId;
        const nodes = broker[step.kind];
        nodes.add(node);
        world.platform.setTimer(step.forMs, () => nodes.delete(node));
      }
    }
  };
  const check = (): void => {
    const owned = all.flatMap(({ session }) => session.owned().map(({ partition }) => partition));
    expect(new Set(owned).size).toBe(owned.length);
  };
  join();
  for (const timed of steps) {
    perform(timed.step);
    for (let passedMs = 0; passedMs < timed.thenMs; passedMs += 50) {
      await world.advance(50);
      check();
    }
  }
  if (alive.length === 0) join();
  await world.advance(120_000);
  check();
  expect(alive.flatMap(({ session }) => session.owned())).toHaveLength(5);
  for (const { body } of broker.sent('OffsetCommit')) {
    expect(body['memberId']).not.toBe('');
    expect(body['generationIdOrMemberEpoch']).toBeGreaterThan(0);
  }
  await world.run(() => Promise.all(all.map(({ session }) => session.close({ timeoutMs: 5000 }))));
  await world.advance(60_000);
  expect(world.openHolds()).toBe(0);
}

it('no partition has two owners and all have one in the end, whatever happens in between', async () => {
  const timed = fc.record({ step, thenMs: fc.integer({ min: 0, max: 15_000 }) });
  await fc.assert(fc.asyncProperty(fc.array(timed, { maxLength: 12 }), churn), { numRuns: 40 });
}, 60_000);
