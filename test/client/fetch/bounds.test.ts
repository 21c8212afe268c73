/** What bounds reading: memory, requests, and the share of each partition. */
import { describe, expect, test } from 'vitest';
import { fetchApi } from '../../../src/protocol/api/01-fetch.ts';
import { batchOf, range } from './batches.ts';
import { read, withRig } from './rig.ts';

const orders = { topic: 'orders', partition: 0 };

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
