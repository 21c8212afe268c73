/** Reading partitions from an embedded cluster: where reading begins, what heals by itself, what bounds it. */
import { describe, expect, test } from 'vitest';
import type { Reader } from '../../../src/client/reader/index.ts';
import { BrokerError, ProtocolError } from '../../../src/errors.ts';
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
import { withRig } from './rig.ts';

const orders = { topic: 'orders', partition: 0 };

/** The values of the next `count` messages. */
async function read(reader: Reader, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) values.push((await reader.fetchMessage()).text() ?? 'null');
  return values;
}

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

describe('what the application is told', () => {
  test('an unknown topic, at once, and it is read when it comes into being', () =>
    withRig(async ({ cluster, reader, world }) => {
      const r = reader({ topic: 'nowhere', partition: 0 });
      const beganMs = world.now();
      const unknown = { code: 'UNKNOWN_TOPIC', topic: 'nowhere' };
      await expect(r.fetchMessage()).rejects.toMatchObject(unknown);
      expect(world.now() - beganMs).toBeLessThan(3000);
      await expect(r.fetchMessage()).rejects.toMatchObject(unknown);
      cluster.createTopic({ name: 'nowhere' });
      cluster.appendRaw('nowhere', 0, batchOf(['now here']));
      await world.advance(5000);
      expect(await read(r, 1)).toEqual(['now here']);
    }));

  test('a partition that the topic does not have', () =>
    withRig(async ({ reader }) => {
      const wrong = { code: 'UNKNOWN_TOPIC', topic: 'orders', partition: 9 };
      await expect(reader({ topic: 'orders', partition: 9 }).fetchMessage()).rejects.toMatchObject(wrong);
    }));

  test('that it may not read, each time, until it may', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, batchOf([0]));
      const fault = cluster.faults.inject({
        api: fetchApi,
        error: 'TOPIC_AUTHORIZATION_FAILED',
        times: 1000,
      });
      const r = reader(orders);
      for (const _ of range(0, 3)) {
        const refused = r.fetchMessage();
        await expect(refused).rejects.toBeInstanceOf(BrokerError);
        await expect(refused).rejects.toMatchObject({
          errorName: 'TOPIC_AUTHORIZATION_FAILED',
          topic: 'orders',
          partition: 0,
        });
      }
      fault.remove();
      await world.advance(3000);
      expect(await read(r, 1)).toEqual(['0']);
    }));

  test('a topic that was deleted, once it is certain', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.appendRaw('orders', 0, batchOf([0]));
      const r = reader(orders);
      await read(r, 1);
      cluster.deleteTopic('orders');
      await expect(r.fetchMessage()).rejects.toMatchObject({ topic: 'orders', partition: 0 });
    }));

  test('a damaged batch, with its place, every time, after the records before it', () =>
    withRig(async ({ cluster, reader }) => {
      const bad = batchOf([2, 3]);
      bad[bad.length - 3] = (bad.at(-3) ?? 0) ^ 1;
      cluster.appendRaw('orders', 0, concat(batchOf([0, 1]), bad, batchOf([4])));
      const r = reader(orders);
      expect(await read(r, 2)).toEqual(['0', '1']);
      for (const call of [
        () => r.fetchMessage(),
        () => r.fetchBatch(),
        () => r.readMessage(),
        () => r.fetchMessage(),
      ]) {
        const damaged = call();
        await expect(damaged).rejects.toBeInstanceOf(ProtocolError);
        await expect(damaged).rejects.toMatchObject({ code: 'CORRUPT', path: 'orders[0] at offset 2' });
        await expect(damaged).rejects.toThrow('orders[0] at offset 2');
      }
      expect(r.position()).toBe(2);
      const batches = reader(orders);
      expect(Array.from(await batches.fetchBatch(), (message) => message.text())).toEqual(['0', '1']);
      await expect(batches.fetchBatch()).rejects.toMatchObject({ code: 'CORRUPT' });
    }));

  test('what is no record batch at all', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.faults.on(fetchApi, (request) => {
        const [topic] = request.topics;
        const records = new Uint8Array(100).fill(7);
        return { responses: [{ ...topic, partitions: [{ partitionIndex: 0, highWatermark: 5, records }] }] };
      });
      await expect(reader(orders).fetchMessage()).rejects.toMatchObject({ path: 'orders[0] at offset 0' });
    }));

  test('a codec that is not there, and a batch that inflates beyond the bound', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.appendRaw('orders', 0, gzipped(batchOf(['x'.repeat(10_000)])));
      const bomb = reader({ ...orders, maxInflatedBytes: 5000 }).fetchMessage();
      await expect(bomb).rejects.toMatchObject({ path: 'orders[0] at offset 0' });
      await expect(bomb).rejects.toThrow('5000');
      const zstd = gzipped(batchOf(['x']));
      zstd[22] = 4;
      cluster.appendRaw('orders', 0, zstd);
      const lacking = reader({ ...orders, offset: 1, checkCrcs: false }).fetchMessage();
      await expect(lacking).rejects.toMatchObject({
        code: 'UNSUPPORTED_VERSION',
        path: 'orders[0] at offset 1',
      });
      await expect(lacking).rejects.toThrow('zstd');
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

describe('what bounds reading', () => {
  const hundred = range(0, 100).map((partition) => ({ topic: 'many', partition }));
  const many = { topics: [{ name: 'many', partitions: 100 }] };

  test('a hundred partitions are read through one connection, within the buffer, and each gets its turn', () =>
    withRig(async ({ cluster, reader, world }) => {
      const perPartition = 40;
      for (const partition of range(0, 100)) {
        for (const each of range(0, perPartition))
          cluster.appendRaw('many', partition, batchOf([`${each}`.padEnd(1000)]));
      }
      const maxBufferedBytes = 400_000;
      const r = reader({ partitions: hundred, maxBufferedBytes, maxPartitionBytes: 4000 });
      const seen = new Map<number, number>();
      let most = 0;
      for (let count = 0; count < 100 * perPartition; count++) {
        const { partition, offset } = await r.fetchMessage();
        expect(offset).toBe(seen.get(partition) ?? 0);
        seen.set(partition, offset + 1);
        most = Math.max(most, r.stats().bufferedBytes);
        // Slowly at first, so that the buffer fills up.
        if (count < 100) await world.advance(50);
        if (count === 1000) expect(seen.size).toBe(100);
      }
      expect(most).toBeLessThanOrEqual(maxBufferedBytes);
      expect(most).toBeGreaterThan(maxBufferedBytes / 4);
      expect([...seen.values()].every((count) => count === perPartition)).toBe(true);
      expect(world.network.openConnections()).toBe(2);
      const sizes = cluster.faults
        .requests(fetchApi)
        .map(({ request }) => request.topics[0]?.partitions.length ?? 0);
      expect(Math.max(...sizes)).toBe(100);
    }, many));

  test('a full partition is left out, and others go on being read', () =>
    withRig(
      async ({ cluster, reader, world }) => {
        for (const each of range(0, 100)) cluster.appendRaw('many', 0, batchOf([`${each}`.padEnd(1000)]));
        const partitions = range(0, 2).map((partition) => ({ topic: 'many', partition }));
        const r = reader({ partitions, maxPartitionBytes: 5000 });
        await read(r, 1);
        await world.advance(5000);
        expect(r.stats().bufferedBytes).toBeLessThan(12_000);
        cluster.appendRaw('many', 1, batchOf(['the other']));
        await world.advance(600);
        const values = await read(r, 3);
        expect(values).toContain('the other');
      },
      { topics: [{ name: 'many', partitions: 2 }] },
    ));

  test('a busy partition beside idle ones is read without their long polls in between', () =>
    withRig(
      async ({ cluster, reader, world }) => {
        for (const each of range(0, 200)) cluster.appendRaw('many', 0, batchOf([`${each}`.padEnd(1000)]));
        const partitions = range(0, 6).map((partition) => ({ topic: 'many', partition }));
        const beganMs = world.now();
        await read(reader({ partitions, maxPartitionBytes: 5000 }), 200);
        expect(world.now() - beganMs).toBeLessThan(100);
      },
      { topics: [{ name: 'many', partitions: 6 }] },
    ));

  test('the next fetch is under way while the last one is being read', () =>
    withRig(async ({ cluster, reader, world }) => {
      for (const each of range(0, 30)) cluster.appendRaw('orders', 0, batchOf([`${each}`.padEnd(1000)]));
      world.network.setLatencyMs(100);
      const r = reader({ ...orders, maxPartitionBytes: 5000 });
      await read(r, 1);
      const waits: number[] = [];
      for (const _ of range(0, 24)) {
        await world.advance(100);
        const beganMs = world.now();
        await read(r, 1);
        waits.push(world.now() - beganMs);
      }
      // A segment of the log that ends gives a short answer, and that a short wait.
      expect(waits.reduce((sum, wait) => sum + wait)).toBeLessThanOrEqual(200);
    }));

  test('an idle reader asks twice a second, also when a broker does not wait as it should', () =>
    withRig(async ({ cluster, reader, world }) => {
      const r = reader(orders);
      void r.fetchMessage().catch(() => undefined);
      await world.advance(10_000);
      const patient = r.stats().fetches;
      expect(patient).toBeGreaterThan(15);
      expect(patient).toBeLessThan(25);
      cluster.faults.on(fetchApi, ({ topics }) => {
        const partitions = [{ partitionIndex: 0, highWatermark: 0, lastStableOffset: 0 }];
        return { responses: topics.map((topic) => ({ ...topic, partitions })) };
      });
      await world.advance(10_000);
      expect(r.stats().fetches - patient).toBeLessThan(600);
    }));

  test('an answer that lacks the partition, or names another one, does no harm', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, batchOf([0]));
      let lies = 0;
      cluster.faults.on(fetchApi, ({ topics }) => {
        if (lies++ > 5) return undefined;
        const partitions = [{ partitionIndex: 5, highWatermark: 9, records: batchOf(['lie']) }];
        return { responses: lies % 2 === 0 ? [] : topics.map((topic) => ({ ...topic, partitions })) };
      });
      const beganMs = world.now();
      expect(await read(reader(orders), 1)).toEqual(['0']);
      expect(world.now() - beganMs).toBeGreaterThan(100);
    }));

  test('several fetchers share the buffer', () =>
    withRig(
      async ({ cluster, reader, world }) => {
        for (const partition of range(0, 6)) {
          for (const each of range(0, 50))
            cluster.appendRaw('many', partition, batchOf([`${each}`.padEnd(1000)]));
        }
        const partitions = range(0, 6).map((partition) => ({ topic: 'many', partition }));
        const r = reader({ partitions, maxBufferedBytes: 30_000 });
        await read(r, 1);
        await world.advance(3000);
        expect(r.stats().bufferedBytes).toBeLessThanOrEqual(30_000);
        const next = new Map<number, number>();
        for (let count = 1; count < 300; count++) {
          const { partition, offset } = await r.fetchMessage();
          expect(offset).toBe(next.get(partition) ?? offset);
          next.set(partition, offset + 1);
        }
        expect(r.lag()).toBe(0);
      },
      { brokers: 3, topics: [{ name: 'many', partitions: 6 }] },
    ));
});
