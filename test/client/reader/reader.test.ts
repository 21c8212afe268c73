/** The calls of a Reader without a group: their order, their ends, and what they keep alive. */
import { describe, expect, test } from 'vitest';
import { Client } from '../../../src/client/admin/client.ts';
import { Reader, type MessageBatch, type ReaderOptions } from '../../../src/client/reader/index.ts';
import { fetchApi } from '../../../src/protocol/api/01-fetch.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { batchOf, concat, gzipped, range } from '../fetch/batches.ts';
import { withRig } from '../fetch/rig.ts';

const orders = { topic: 'orders', partition: 0 };
const twoPartitions = { topics: [{ name: 'many', partitions: 2 }] };
const both = { partitions: range(0, 2).map((partition) => ({ topic: 'many', partition })) };

const textsOf = (batch: MessageBatch): (string | null)[] => Array.from(batch, (message) => message.text());

describe('calls', () => {
  test('that wait are served in their order, whatever kind they are', () =>
    withRig(async ({ cluster, reader, world }) => {
      const r = reader(orders);
      const done: string[] = [];
      const note = (text: string): number => done.push(text);
      const calls = [
        r.fetchMessage().then((message) => note(`a${message.offset}`)),
        r.fetchBatch({ maxRecords: 2 }).then((batch) => note(`b${batch.firstOffset}-${batch.lastOffset}`)),
        r.readMessage().then((message) => note(`c${message.offset}`)),
        r[Symbol.asyncIterator]()
          .next()
          .then((result) => note(`d${result.value?.offset}`)),
        r.fetchMessage().then((message) => note(`e${message.offset}`)),
      ];
      await world.advance(1000);
      cluster.appendRaw('orders', 0, batchOf(range(0, 6)));
      await Promise.all(calls);
      expect(done.sort()).toEqual(['a0', 'b1-2', 'c3', 'd4', 'e5']);
    }));

  test('that are aborted reject with the reason and take no record with them', () =>
    withRig(async ({ cluster, reader, world }) => {
      const r = reader(orders);
      const [first, second] = [new AbortController(), new AbortController()];
      const calls = [first, second].map(({ signal }) => r.fetchMessage({ signal }));
      const third = r.fetchMessage();
      await world.advance(10);
      first.abort(new Error('no longer'));
      await expect(calls[0]).rejects.toThrow('no longer');
      cluster.appendRaw('orders', 0, batchOf([0, 1]));
      expect((await calls[1])?.offset).toBe(0);
      expect((await third).offset).toBe(1);
      second.abort();
      await expect(r.fetchMessage({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
        'before',
      );
    }));

  test('that are aborted while a batch is gathered give its records back', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, batchOf(range(0, 4)));
      const r = reader(orders);
      expect((await r.fetchMessage()).offset).toBe(0);
      const aborting = new AbortController();
      const gathering = r.fetchBatch({ maxRecords: 100, maxWaitMs: 60_000, signal: aborting.signal });
      await world.advance(1000);
      aborting.abort();
      await expect(gathering).rejects.toBe(aborting.signal.reason);
      expect(r.position()).toBe(1);
      expect(textsOf(await r.fetchBatch())).toEqual(['1', '2', '3']);
    }));

  test('from a loop that never waits let timers and sockets have their turn', () =>
    withRig(async ({ cluster, world }) => {
      cluster.appendRaw('orders', 0, batchOf(range(0, 3000)));
      let slowMs = 0;
      const platform = { ...world.platform, monotonicNow: () => world.platform.monotonicNow() + slowMs };
      const r = new Reader({ brokers: cluster.brokers, platform, ...orders });
      let [count, countAtTurn] = [0, -1];
      for await (const _ of r) {
        if (count === 0) world.platform.defer(() => (countAtTurn = count));
        slowMs += 1;
        if (++count === 3000) break;
      }
      expect(countAtTurn).toBeGreaterThan(0);
      expect(countAtTurn).toBeLessThan(200);
      await r.close();
    }));
});

describe('fetchBatch', () => {
  test('gives what is at hand of one partition, and the rest later', () =>
    withRig(async ({ cluster, reader }) => {
      for (const partition of [0, 1]) {
        cluster.appendRaw('many', partition, concat(batchOf(range(0, 3)), gzipped(batchOf(range(3, 5)))));
      }
      const r = reader(both);
      const [a, b] = [await r.fetchBatch(), await r.fetchBatch()];
      expect(new Set([a.partition, b.partition]).size).toBe(2);
      for (const batch of [a, b]) {
        expect(textsOf(batch)).toEqual(['0', '1', '2', '3', '4']);
        expect(batch).toMatchObject({
          topic: 'many',
          length: 5,
          firstOffset: 0,
          lastOffset: 4,
          highWatermark: 5,
        });
      }
    }, twoPartitions));

  test('gives at most maxRecords and goes on where it stopped', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.appendRaw('orders', 0, concat(batchOf(range(0, 5)), batchOf(range(5, 8))));
      const r = reader(orders);
      const sizes: number[] = [];
      for (let next = 0; next < 8;) {
        const batch = await r.fetchBatch({ maxRecords: 3 });
        expect(batch.firstOffset).toBe(next);
        next = batch.lastOffset + 1;
        sizes.push(batch.length);
      }
      expect(sizes).toEqual([3, 3, 2]);
      expect(r.position()).toBe(8);
    }));

  test('gathers until there are maxRecords or the time is over', () =>
    withRig(async ({ cluster, reader, world }) => {
      const r = reader(orders);
      const append = async (from: number, count: number): Promise<void> => {
        await world.advance(300);
        cluster.appendRaw('orders', 0, batchOf(range(from, from + count)));
      };
      const full = r.fetchBatch({ maxRecords: 4, maxWaitMs: 60_000 });
      for (const from of [0, 2, 4]) await append(from, 2);
      expect(textsOf(await full)).toEqual(['0', '1', '2', '3']);
      const beganMs = world.now();
      const late = await r.fetchBatch({ maxRecords: 100, maxWaitMs: 2000 });
      expect(textsOf(late)).toEqual(['4', '5']);
      expect(world.now() - beganMs).toBeCloseTo(2000, -1);
      const none = r.fetchBatch({ maxRecords: 100, maxWaitMs: 100 });
      await world.advance(5000);
      await append(6, 2);
      expect(textsOf(await none)).toEqual(['6', '7']);
    }));
});

describe('for await', () => {
  test('goes on after a break where it stopped', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.appendRaw('orders', 0, batchOf(range(0, 6)));
      const r = reader(orders);
      const offsets: number[] = [];
      for (const until of [2, 4, 6]) {
        for await (const { offset } of r) {
          offsets.push(offset);
          if (offsets.length === until) break;
        }
      }
      expect(offsets).toEqual(range(0, 6));
    }));

  test('ends when the reader is closed', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, batchOf([0]));
      const r = reader(orders);
      const loop = (async (): Promise<number> => {
        let count = 0;
        for await (const _ of r) count++;
        return count;
      })();
      await world.advance(1000);
      await r.close();
      expect(await loop).toBe(1);
    }));

  test('throws what fetchMessage would', () =>
    withRig(async ({ reader }) => {
      const loop = (async (): Promise<void> => {
        for await (const _ of reader({ topic: 'nowhere', partition: 0 })) continue;
      })();
      await expect(loop).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
    }));
});

describe('a reader', () => {
  test('does nothing before the first call for records', () =>
    withRig(async ({ cluster, reader, world }) => {
      const r = reader(orders);
      const other = reader({ groupId: 'g', topic: 'orders' });
      await world.advance(5000);
      expect(world.network.openConnections()).toBe(0);
      expect([r.lag(), other.lag(), r.position()]).toEqual([undefined, undefined, undefined]);
      await Promise.all([r.close(), other.close()]);
      expect(cluster.faults.requests(metadataApi)).toEqual([]);
    }));

  test('keeps the process alive while a call waits, and only then', () =>
    withRig(async ({ cluster, reader, world }) => {
      const before = world.openHolds();
      const r = reader(orders);
      const calls = [r.fetchMessage(), r.fetchBatch(), r.fetchMessage()];
      expect(world.openHolds()).toBe(before + 1);
      await world.advance(1000);
      expect(world.openHolds()).toBe(before + 1);
      cluster.appendRaw('orders', 0, batchOf([0]));
      await calls[0];
      expect(world.openHolds()).toBe(before + 1);
      cluster.appendRaw('orders', 0, batchOf([1]));
      await calls[1];
      cluster.appendRaw('orders', 0, batchOf([2]));
      await calls[2];
      expect(world.openHolds()).toBe(before);
      await world.advance(1000);
      expect(world.openHolds()).toBe(before);
    }));

  test('counts a frame as buffered until the call after its last record (R9)', () =>
    withRig(async ({ cluster, reader, world }) => {
      cluster.appendRaw('orders', 0, gzipped(batchOf(range(0, 100))));
      const r = reader(orders);
      const batch = await r.fetchBatch();
      expect(batch.length).toBe(100);
      const { bytes, bufferedBytes } = r.stats();
      expect(bufferedBytes).toBeGreaterThan(bytes + 1000);
      void r.fetchMessage().catch(() => undefined);
      await world.advance(100);
      expect(r.stats().bufferedBytes).toBe(0);
    }));

  test('knows its lag before and after reading', () =>
    withRig(async ({ cluster, reader }) => {
      for (const partition of [0, 1]) cluster.appendRaw('many', partition, batchOf(range(0, 10)));
      const r = reader(both);
      expect(await r.readLag()).toBe(20);
      expect(await reader({ ...both, startOffset: 'latest' }).readLag()).toBe(0);
      expect(await reader({ ...both, startOffset: 7 }).readLag()).toBe(6);
      await r.fetchBatch({ maxRecords: 4 });
      expect(await r.readLag()).toBe(16);
      const lags = r.stats().partitions.map(({ lag }) => lag);
      expect(lags.reduce((sum = 0, lag = 0) => sum + lag, 0)).toBe(16);
      expect(r.lag()).toBe(16);
      expect(r.stats()).toMatchObject({ messages: 4, rebalances: 0, commits: 0, errors: 0 });
    }, twoPartitions));

  test('that is closed rejects waiting and later calls with CLOSED', () =>
    withRig(async ({ reader, world }) => {
      const r = reader(orders);
      const waiting = [r.fetchMessage(), r.fetchBatch({ maxWaitMs: 5000, maxRecords: 5 })];
      const settled = Promise.allSettled(waiting);
      await world.advance(1000);
      await r.close();
      for (const each of await settled)
        expect(each).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
      await expect(r.fetchMessage()).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(r.readMessage()).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(r.readLag()).rejects.toMatchObject({ code: 'CLOSED' });
      await r.close();
    }));

  test('shares a client, and ends with it', () =>
    withRig(async ({ cluster, world }) => {
      cluster.appendRaw('orders', 0, batchOf([0, 1]));
      const { platform } = world;
      const client = new Client({ brokers: cluster.brokers, platform });
      const [a, b] = [1, 2].map(() => new Reader({ client, ...orders } as ReaderOptions));
      expect((await a?.fetchMessage())?.offset).toBe(0);
      expect((await b?.fetchMessage())?.offset).toBe(0);
      await a?.close();
      expect((await b?.fetchMessage())?.offset).toBe(1);
      const waiting = b?.fetchMessage();
      const settled = Promise.allSettled([waiting]);
      await world.advance(100);
      await client.close();
      expect((await settled)[0]).toMatchObject({ reason: { code: 'CLOSED' } });
      await expect(b?.fetchMessage()).rejects.toMatchObject({ code: 'CLOSED' });
      await b?.close();
    }));

  test('that is left alone with a full buffer stops asking', () =>
    withRig(async ({ cluster, reader, world }) => {
      for (const each of range(0, 50)) cluster.appendRaw('orders', 0, batchOf([`${each}`.padEnd(1000)]));
      const r = reader({ ...orders, maxPartitionBytes: 5000 });
      await r.fetchMessage();
      await world.advance(2000);
      const { length } = cluster.faults.requests(fetchApi);
      await world.advance(60_000);
      expect(cluster.faults.requests(fetchApi).length).toBe(length);
    }));
});
