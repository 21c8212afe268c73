/** `close()` ends within its deadline in every state, whatever the broker does, and leaves nothing behind (C4). */
import { describe, expect, test } from 'vitest';
import { Reader, type ReaderOptions } from '../../../src/client/reader/index.ts';
import { batchOf, range } from '../fetch/batches.ts';
import { withRig, type Rig } from '../fetch/rig.ts';

type Options = Record<string, unknown>;
type State = (reader: Reader, rig: Rig) => Promise<unknown>;

const partition: Options = { topic: 'orders', partition: 0 };
const group: Options = { groupId: 'g', topic: 'orders' };
const ignore = (): undefined => undefined;

const states: readonly [string, Options, State][] = [
  ['that was never used', partition, async () => undefined],
  [
    'that has just been asked for the first time',
    partition,
    async (reader) => void reader.fetchMessage().catch(ignore),
  ],
  ['that is idle with records buffered', partition, (reader) => reader.fetchMessage()],
  [
    'at the end of the log, with calls that wait',
    partition,
    async (reader, { world }) => {
      await reader.fetchBatch();
      for (const call of [reader.fetchMessage(), reader.fetchBatch({ maxWaitMs: 9000 })]) call.catch(ignore);
      await world.advance(1000);
    },
  ],
  [
    'whose topic does not exist',
    { topic: 'nowhere', partition: 0 },
    async (reader, { world }) => {
      reader.fetchMessage().catch(ignore);
      await world.advance(100);
    },
  ],
  ['a group that has just been asked', group, async (reader) => void reader.fetchMessage().catch(ignore)],
  [
    'a group that is joining',
    group,
    async (reader, { world }) => {
      reader.fetchMessage().catch(ignore);
      await world.advance(3);
    },
  ],
  [
    'a group with something done and not committed',
    { ...group, commitIntervalMs: 60_000 },
    async (reader) => {
      for await (const { offset } of reader) if (offset === 3) break;
    },
  ],
  [
    'a group whose commit is under way',
    group,
    async (reader) => {
      const message = await reader.fetchMessage();
      reader.commitMessages(message).catch(ignore);
    },
  ],
  [
    'a group in the middle of a rebalance',
    group,
    async (reader, rig) => {
      await reader.fetchMessage();
      rig.reader(group).fetchMessage().catch(ignore);
      await rig.world.advance(2900);
    },
  ],
];

const troubles: readonly [string, (rig: Rig) => unknown][] = [
  ['up', ignore],
  ['down', ({ cluster }) => cluster.stopBroker(1)],
  ['frozen', ({ world, cluster }) => world.network.freeze(cluster.brokers[0] ?? '')],
];

describe.each(states)('a reader %s', (_, options, enter) => {
  test.each(troubles)('closes in time with the broker %s', (__, strike) =>
    withRig(async (rig) => {
      const { cluster, world } = rig;
      cluster.appendRaw('orders', 0, batchOf(range(0, 10)));
      const { platform } = world;
      const reader = new Reader({ brokers: cluster.brokers, platform, ...options } as ReaderOptions);
      await enter(reader, rig);
      await strike(rig);
      const beganMs = world.now();
      await reader.close({ timeoutMs: 3000 });
      expect(world.now() - beganMs).toBeLessThanOrEqual(3000);
      const { fetches } = reader.stats();
      await world.advance(20_000);
      expect(reader.stats()).toMatchObject({ fetches, bufferedBytes: 0 });
    }),
  );
});

test('closed readers leave no connection and no hold', () =>
  withRig(async (rig) => {
    const { cluster, world } = rig;
    cluster.appendRaw('orders', 0, batchOf(range(0, 10)));
    const { platform } = world;
    const before = world.openHolds();
    for (const [, options, enter] of states) {
      const reader = new Reader({ brokers: cluster.brokers, platform, ...options } as ReaderOptions);
      await enter(reader, { ...rig, reader: () => reader });
      await reader.close();
    }
    await world.advance(20_000);
    expect(world.openHolds()).toBe(before);
    expect(world.network.openConnections()).toBe(0);
  }));
