/** Reading partitions from an embedded cluster: where reading begins, what heals by itself, what bounds it. */
import { describe, expect, test } from 'vitest';
import { fetchApi } from '../../../src/protocol/api/01-fetch.ts';
import { listOffsetsApi } from '../../../src/protocol/api/02-list-offsets.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import {
  batchOf,
  compactedTo,
  concat,
  emptyBatch,
  endOfTransaction,
  gzipped,
  range,
  transactional,
} from './batches.ts';
import { read, withRig } from './rig.ts';

const orders = { topic: 'orders', partition: 0 };

const texts = (values: readonly number[]): string[] => values.map(String);

describe('where reading begins', () => {
  test('at the earliest record by default, at the next one with latest', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, batchOf([0, 1]));
      expect(await read(reader(orders), 2)).toEqual(['0', '1']);
      const late = reader({ ...orders, startOffset: 'latest' });
      const next = late.fetchMessage();
      await world.advance(100);
      cluster.appendRaw('orders', 0, batchOf([2]));
      expect((await next).offset).toBe(2);
    }));

  test('at an offset, also in the middle of a batch', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.appendRaw('orders', 0, batchOf(range(0, 10)));
      expect(await read(reader({ ...orders, offset: 7 }), 3)).toEqual(['7', '8', '9']);
      expect(await read(reader({ ...orders, startOffset: 8 }), 2)).toEqual(['8', '9']);
      expect(await read(reader({ ...orders, startOffset: 8, offset: 9 }), 1)).toEqual(['9']);
    }));

  test('at the first record of a time, or at the next one when none is so late', () =>
    withRig(async ({ cluster, reader, world }) => {
      const records = (from: number, to: number): Uint8Array => batchOf(range(from, to), {}, 1000 * from);
      cluster.appendRaw('orders', 0, concat(records(1, 3), records(3, 5), records(5, 7)));
      expect(await read(reader({ ...orders, startOffset: new Date(2000) }), 1)).toEqual(['3']);
      const next = reader({ ...orders, startOffset: new Date(9000) }).fetchMessage();
      await world.advance(1000);
      cluster.appendRaw('orders', 0, records(7, 8));
      expect((await next).text()).toBe('7');
    }));

  test('in each of several partitions where it was told to', () =>
    withRig(
      async ({ cluster, reader }) => {
        for (const partition of range(0, 3)) cluster.appendRaw('many', partition, batchOf(range(0, 5)));
        const partitions = [
          { topic: 'many', partition: 0, offset: 3 },
          { topic: 'many', partition: 2, offset: 4 },
        ];
        const several = reader({ partitions });
        const places: string[] = [];
        for (let count = 0; count < 3; count++) {
          const { partition, offset } = await several.fetchMessage();
          places.push(`${partition}:${offset}`);
        }
        expect(places.sort()).toEqual(['0:3', '0:4', '2:4']);
        expect(several.position({ topic: 'many', partition: 2 })).toBe(5);
      },
      { topics: [{ name: 'many', partitions: 3 }] },
    ));

  test('a topic named like a member of Object.prototype is a topic', () =>
    withRig(
      async ({ cluster, reader }) => {
        for (const name of ['__proto__', 'constructor']) {
          cluster.appendRaw(name, 0, batchOf([name]));
          expect(await read(reader({ topic: name, partition: 0 }), 1)).toEqual([name]);
        }
      },
      { topics: [{ name: '__proto__' }, { name: 'constructor' }] },
    ));
});

describe('what heals by itself', () => {
  test('a leader moves: nothing is skipped or read twice', () =>
    withRig(
      async ({ cluster, reader, world }) => {
        const r = reader(orders);
        let turn = 0;
        for (const leader of [2, 3, 1, 2]) {
          cluster.appendRaw('orders', 0, batchOf(range(turn * 3, turn * 3 + 3)));
          expect(await read(r, 3)).toEqual(texts(range(turn * 3, turn * 3 + 3)));
          cluster.moveLeader('orders', 0, leader);
          turn++;
          await world.advance(turn === 2 ? 0 : 1200);
        }
        cluster.appendRaw('orders', 0, batchOf(['last']));
        const beganMs = world.now();
        expect(await read(r, 1)).toEqual(['last']);
        expect(world.now() - beganMs).toBeLessThan(2000);
      },
      { brokers: 3 },
    ));

  test('a leader that is frozen, with another one elected, is left soon', () =>
    withRig(
      async ({ cluster, reader, world }) => {
        cluster.appendRaw('orders', 0, batchOf([0]));
        const r = reader(orders);
        expect(await read(r, 1)).toEqual(['0']);
        const old = cluster.partition('orders', 0).leader;
        world.network.freeze(cluster.brokers[old - 1] ?? '');
        await world.advance(9000);
        cluster.moveLeader('orders', 0, old === 2 ? 3 : 2);
        cluster.appendRaw('orders', 0, batchOf([1]));
        const electedMs = world.now();
        expect(await read(r, 1)).toEqual(['1']);
        expect(world.now() - electedMs).toBeLessThan(3000);
      },
      { brokers: 3, topics: [{ name: 'orders', partitions: 1, replicationFactor: 3 }] },
    ));

  test('what the old leader answers after the partition has moved does not count', () =>
    withRig(
      async ({ cluster, reader, world }) => {
        for (const partition of [0, 1]) cluster.moveLeader('many', partition, 1);
        const partitions = [0, 1].map((partition) => ({ topic: 'many', partition }));
        const r = reader({ partitions, maxWaitMs: 5000 });
        const first = r.fetchMessage();
        await world.advance(1000);
        cluster.faults.inject({ api: fetchApi, nodeId: 1, delayMs: 8000 });
        cluster.appendRaw('many', 1, batchOf(['x']));
        expect((await first).text()).toBe('x');
        await world.advance(100);
        cluster.appendRaw('many', 0, batchOf(['a', 'b']));
        await world.advance(100);
        cluster.moveLeader('many', 0, 2);
        expect(await read(r, 2)).toEqual(['a', 'b']);
        await world.advance(6000);
        cluster.appendRaw('many', 0, batchOf(['c']));
        expect(await read(r, 1)).toEqual(['c']);
      },
      { brokers: 2, topics: [{ name: 'many', partitions: 2 }] },
    ));

  test('the only broker restarts, again and again', () =>
    withRig(async ({ cluster, reader, world }) => {
      const r = reader(orders);
      for (const turn of range(0, 3)) {
        cluster.appendRaw('orders', 0, batchOf([turn]));
        expect(await read(r, 1)).toEqual([String(turn)]);
        const next = r.fetchMessage();
        await cluster.stopBroker(1);
        await world.advance(3000);
        await cluster.startBroker(1);
        cluster.appendRaw('orders', 0, batchOf([`${turn} again`]));
        expect((await next).text()).toBe(`${turn} again`);
      }
    }));

  test.each([
    'NOT_LEADER_OR_FOLLOWER',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'LEADER_NOT_AVAILABLE',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'OFFSET_NOT_AVAILABLE',
    'KAFKA_STORAGE_ERROR',
    'UNKNOWN_TOPIC_ID',
  ] as const)('%s is retried with pauses, by Fetch and by ListOffsets', (error) =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, batchOf([0, 1]));
      const fetch = cluster.faults.inject({ api: fetchApi, error, times: 5 });
      const list = cluster.faults.inject({ api: listOffsetsApi, error, times: 3 });
      const beganMs = world.now();
      expect(await read(reader(orders), 2)).toEqual(['0', '1']);
      expect([fetch.remaining, list.remaining]).toEqual([0, 0]);
      expect(world.now() - beganMs).toBeGreaterThan(500);
      expect(world.now() - beganMs).toBeLessThan(20_000);
    }),
  );

  test.each([
    { outcome: 'disconnect' as const, times: 3 },
    { error: 'FETCH_SESSION_ID_NOT_FOUND' as const, times: 3 },
    { outcome: 'silence' as const },
  ])('an answer of Fetch that fails as a whole: %o', (fault) =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, batchOf([0, 1]));
      cluster.faults.inject({ api: fetchApi, ...fault });
      const beganMs = world.now();
      expect(await read(reader(orders), 2)).toEqual(['0', '1']);
      expect(world.now() - beganMs).toBeLessThan(35_000);
      expect(cluster.faults.requests(fetchApi).length).toBeLessThan(10);
    }),
  );

  test('an offset below the log is reset to the earliest, with a warning that says from where to where', () =>
    withRig(async ({ cluster, reader, warnings }) => {
      for (const each of range(0, 4)) cluster.appendRaw('orders', 0, batchOf(range(each * 5, each * 5 + 5)));
      const r = reader(orders);
      expect(await read(r, 1)).toEqual(['0']);
      cluster.deleteRecords('orders', 0, 15);
      expect(await read(reader({ ...orders, offset: 3 }), 2)).toEqual(['15', '16']);
      const reset = warnings.filter(({ message }) => message.includes('out of range'));
      expect(reset.map(({ fields }) => fields)).toEqual([{ partition: 'orders[0]', from: 3, to: 15 }]);
    }));

  test('with startOffset latest an offset out of range goes to the end', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, batchOf(range(0, 5)));
      const next = reader({ ...orders, offset: 77, startOffset: 'latest' }).fetchMessage();
      await world.advance(1000);
      cluster.appendRaw('orders', 0, batchOf([5]));
      expect((await next).offset).toBe(5);
    }));

  test('a broker that throttles is left alone for as long', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, batchOf([0]));
      cluster.faults.inject({ api: fetchApi, throttleMs: 2000 });
      const r = reader(orders);
      await read(r, 1);
      cluster.appendRaw('orders', 0, batchOf([1]));
      const beganMs = world.now();
      await read(r, 1);
      expect(world.now() - beganMs).toBeGreaterThanOrEqual(1999);
    }));
});

describe('progress', () => {
  test('past batches larger than every limit', () =>
    withRig(
      async ({ cluster, reader }) => {
        for (const partition of range(0, 3)) {
          for (const each of range(0, 3))
            cluster.appendRaw('many', partition, batchOf([`${each}`.repeat(5000)]));
        }
        const partitions = range(0, 3).map((partition) => ({ topic: 'many', partition }));
        const limits = { maxBytes: 10, maxPartitionBytes: 10, maxBufferedBytes: 10 };
        expect(new Set(await read(reader({ partitions, ...limits }), 9)).size).toBe(3);
      },
      { topics: [{ name: 'many', partitions: 3 }] },
    ));

  test('past compacted holes, empty batches, markers and aborted records, up to a lag of 0', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw(
        'orders',
        0,
        concat(
          compactedTo(batchOf(['a', 'b']), 9),
          emptyBatch(10, 4),
          transactional(7n, ['x', 'y'], 15),
          endOfTransaction(7n, 'abort', 17),
        ),
        { keepOffsets: true },
      );
      const r = reader(orders);
      expect(await read(r, 2)).toEqual(['a', 'b']);
      void r.fetchMessage().catch(() => undefined);
      await world.advance(1000);
      expect([r.position(), r.lag()]).toEqual([18, 0]);
      expect(await r.readLag()).toBe(0);
    }));

  test('of an undecided transaction: records wait for the end of it, and then come', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, concat(batchOf(['a']), transactional(7n, ['b']), batchOf(['c'])));
      const r = reader(orders);
      expect(await read(r, 1)).toEqual(['a']);
      const next = r.fetchMessage();
      await world.advance(3000);
      expect(r.lag()).toBe(2);
      cluster.appendRaw('orders', 0, endOfTransaction(7n, 'commit'));
      expect((await next).text()).toBe('b');
      expect(await read(reader({ ...orders, isolationLevel: 'read_uncommitted' }), 3)).toEqual([
        'a',
        'b',
        'c',
      ]);
    }));

  test.each([4, 11, 12, 13, 18])('with Fetch v%i', (version) =>
    withRig(
      async ({ cluster, reader }) => {
        cluster.appendRaw('orders', 0, concat(batchOf([0, 1]), gzipped(batchOf([2]))));
        expect(await read(reader(orders), 3)).toEqual(['0', '1', '2']);
        expect(cluster.faults.requests(fetchApi)[0]?.apiVersion).toBe(version);
      },
      { maxVersions: [[fetchApi, version]] },
    ),
  );

  test('without topic ids, from a broker whose metadata has none', () =>
    withRig(
      async ({ cluster, reader }) => {
        cluster.appendRaw('orders', 0, batchOf([0]));
        expect(await read(reader(orders), 1)).toEqual(['0']);
        expect(cluster.faults.requests(fetchApi)[0]?.apiVersion).toBe(12);
      },
      { maxVersions: [[metadataApi, 9]] },
    ));
});
