/** Waiting that ends: delivery timeouts, aborts, a full buffer, and close in every state (W5, W9, B6, B7, B26). */
import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { gzip, type Codec } from '../../../src/compression/index.ts';
import type { BatchOutcome } from '../../../src/client/writer/options.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import { failureOf, numbered, play, type Scene } from './scene.ts';

type Trouble = (scene: Scene) => void;

/** Ways in which a cluster leaves a Writer alone. */
const troubles: [string, Trouble][] = [
  [
    'every broker is down',
    ({ world, cluster }) =>
      cluster.brokers.forEach((address) => (world.network.block(address), world.network.cut(address))),
  ],
  [
    'every broker is paused',
    ({ world, cluster }) => cluster.brokers.forEach((address) => world.network.freeze(address)),
  ],
  [
    'the produce answers never come',
    ({ cluster }) =>
      void cluster.faults.inject({ api: produceApi, outcome: 'silence', effect: false, times: 1000 }),
  ],
  [
    'every produce request is refused for now',
    ({ cluster }) =>
      void cluster.faults.inject({ api: produceApi, error: 'NOT_ENOUGH_REPLICAS', times: 1_000_000 }),
  ],
  [
    'every answer asks for silence',
    ({ cluster }) =>
      void cluster.faults.inject({
        api: produceApi,
        error: 'NOT_ENOUGH_REPLICAS',
        throttleMs: 60_000,
        times: 1_000_000,
      }),
  ],
  [
    'no producer id is given',
    ({ cluster }) =>
      void cluster.faults.inject({
        api: initProducerIdApi,
        error: 'COORDINATOR_LOAD_IN_PROGRESS',
        times: 1_000_000,
      }),
  ],
  [
    'metadata has no leader',
    ({ cluster }) =>
      void cluster.faults.inject({ api: metadataApi, error: 'LEADER_NOT_AVAILABLE', times: 1_000_000 }),
  ],
];

describe('a write', () => {
  it.each(troubles)('settles by its delivery timeout + 1 s while %s', (_what, trouble) =>
    play({ brokers: 2, partitions: 3 }, async (scene) => {
      const { world } = scene;
      const one = scene.writer({ deliveryTimeoutMs: 3000, requestTimeoutMs: 10_000, batchSize: 4 });
      const outcomes: BatchOutcome[] = [];
      const other = scene.writer({
        deliveryTimeoutMs: 3000,
        completion: (outcome) => void outcomes.push(outcome),
      });
      trouble(scene);
      const startedMs = world.now();
      other.enqueue({ value: 'nobody waits' });
      const failures = await Promise.all(
        Array.from({ length: 20 }, (_, i) => failureOf(one.writeMessages(numbered(7, `${i}-`)))),
      );
      await other.flush();
      expect(world.now() - startedMs).toBeGreaterThan(2900);
      expect(world.now() - startedMs).toBeLessThan(4000);
      const stored = new Set(
        (failures as WriteErrors[]).flatMap(({ errors }) => errors.map((error) => error?.stored)),
      );
      expect([...stored].every((each) => each === 'no' || each === 'maybe')).toBe(true);
      expect((failures as WriteErrors[])[0]?.errors[0]?.message).toMatch(
        /within \w+, 3000 ms|within 3000 ms/,
      );
      expect(outcomes).toMatchObject([{ error: { code: 'TIMEOUT' } }]);
      expect(one.stats()).toMatchObject({ pendingMessages: 0 });
      expect(world.openHolds()).toBe(0);
    }),
  );

  it.each([false, true])(
    'has its own deadline, however many wait with it (metadata was known: %s)',
    (loaded) =>
      play({}, async ({ world, cluster, writer }) => {
        const [address = ''] = cluster.brokers;
        const one = writer({ deliveryTimeoutMs: 2000, maxBufferedBytes: 2000 });
        if (loaded) await one.writeMessages({ value: 'before' });
        world.network.block(address);
        world.network.cut(address);
        const waitedMs: number[] = [];
        for (let i = 0; i < 2000; i++) {
          const startedMs = world.now();
          const note = (): void => void waitedMs.push(world.now() - startedMs);
          one.writeMessages({ value: 'v' }).then(note, note);
          await world.advance(1);
        }
        await world.advance(2100);
        expect(waitedMs).toHaveLength(2000);
        // Those in batches expire with the first of their batch.
        expect(Math.min(...waitedMs)).toBeGreaterThanOrEqual(1500);
        expect(Math.max(...waitedMs)).toBeLessThan(2050);
        expect(one.stats()).toMatchObject({ pendingMessages: 0 });
      }),
  );

  it('that expired on its way does not end the connection of the others, and its late answer counts', () =>
    play({ partitions: 2 }, async ({ cluster, writer, values }) => {
      const one = writer({ deliveryTimeoutMs: 2000 });
      await one.writeMessages([0, 1].map((partition) => ({ partition, value: 'before' })));
      cluster.faults.inject({ api: produceApi, delayMs: 3000 });
      const failure = (await failureOf(one.writeMessages({ partition: 0, value: 'late' }))) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ code: 'TIMEOUT', stored: 'maybe' });
      const receipt = await one.writeMessages({ partition: 0, value: 'after' });
      expect(receipt.at(0).offset).toBe(2);
      expect(await values(0)).toEqual(['before', 'late', 'after']);
      const batches = await cluster.batches('t', 0);
      expect(batches.map(({ producerEpoch, baseSequence }) => [producerEpoch, baseSequence])).toEqual([
        [0, 0],
        [0, 1],
        [0, 2],
      ]);
      expect(cluster.faults.requests(produceApi)).toHaveLength(3);
    }));

  it('has most of its time, although a batch expires as one', () =>
    play({}, async ({ world, cluster, writer }) => {
      const failedAfterMs: number[] = [];
      const one = writer({
        deliveryTimeoutMs: 8000,
        completion: ({ messages, error }) => {
          if (error === null) return;
          for (const { context } of messages) failedAfterMs.push(world.now() - (context as number));
        },
      });
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, error: 'NOT_ENOUGH_REPLICAS', times: 1_000_000 });
      for (let i = 0; i < 200; i++) {
        one.enqueue({ value: 'v', context: world.now() });
        await world.advance(100);
      }
      await one.flush();
      expect(failedAfterMs).toHaveLength(200);
      expect(Math.min(...failedAfterMs)).toBeGreaterThanOrEqual(7000 - 1);
      expect(Math.max(...failedAfterMs)).toBeLessThan(9000);
    }));

  it('is logged only when nobody else hears of its failure', () =>
    play({ topics: [{ name: 't', config: { 'max.message.bytes': '500' } }] }, async ({ writer }) => {
      const lines: unknown[] = [];
      const one = writer({ logger: { warn: (message, fields) => lines.push({ message, ...fields }) } });
      await failureOf(one.writeMessages({ value: 'x'.repeat(1000) }));
      expect(lines).toEqual([]);
      one.enqueue({ value: 'x'.repeat(1000) });
      await one.flush();
      expect(lines).toMatchObject([
        { message: 'messages were not written', topic: 't', partition: 0, messages: 1 },
      ]);
      expect(JSON.stringify(lines)).not.toContain('xxx');
    }));

  it('leaves its bytes alone while they are on their way, whatever becomes of it (B6)', () =>
    play({ partitions: 2, chunking: 'random' }, async ({ world, cluster, writer, values }) => {
      const one = writer({ deliveryTimeoutMs: 1000, requestTimeoutMs: 60_000 });
      await one.writeMessages([0, 1].map((partition) => ({ partition, value: 'before' })));
      const [address] = cluster.brokers;
      world.network.freeze(address as string);
      const expired = failureOf(
        one.writeMessages(Array.from({ length: 50 }, () => ({ partition: 0, value: 'A'.repeat(100) }))),
      );
      await expired;
      const next = one.writeMessages(
        Array.from({ length: 50 }, () => ({ partition: 1, value: 'B'.repeat(100) })),
      );
      world.network.thaw(address as string);
      await next;
      expect(new Set(await values(0))).toEqual(new Set(['before', 'A'.repeat(100)]));
      expect(new Set(await values(1))).toEqual(new Set(['before', 'B'.repeat(100)]));
      expect(cluster.problems).toEqual([]);
    }));
});

describe('an abort', () => {
  it('takes back what was not sent, and only that (B7)', () =>
    play({}, async ({ writer, values }) => {
      const one = writer({ batchTimeoutMs: 60_000 });
      await one.writeMessages({ value: 'loaded' });
      one.enqueue({ value: 'a' });
      const controller = new AbortController();
      const call = one.writeMessages(numbered(3), { signal: controller.signal });
      one.enqueue({ value: 'b' });
      controller.abort(new Error('no more'));
      const failure = (await failureOf(call)) as WriteErrors;
      expect(failure.errors.map((error) => error?.stored)).toEqual(['no', 'no', 'no']);
      expect(failure.errors[0]).toMatchObject({ code: 'ABORTED', cause: { message: 'no more' } });
      await one.flush();
      expect(await values()).toEqual(['loaded', 'a', 'b']);
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
    }));

  it('of thousands of calls makes their batch anew once', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer({ batchTimeoutMs: 60_000 });
      await one.writeMessages({ value: 'loaded' });
      cluster.faults.inject({ api: produceApi, delayMs: 1000 });
      const first = one.writeMessages({ value: 'first' });
      await world.advance(5);
      const controller = new AbortController();
      setMaxListeners(0, controller.signal);
      const calls = numbered(6000).map((message) => one.writeMessages(message, controller));
      one.enqueue({ value: 'stays' });
      const startedMs = performance.now();
      controller.abort();
      const failures = (await Promise.all(calls.map(failureOf))) as WriteErrors[];
      // Once a call, it takes five seconds.
      expect(performance.now() - startedMs).toBeLessThan(2000);
      expect(new Set(failures.map(({ stored }) => stored))).toEqual(new Set(['no']));
      await Promise.all([first, one.flush()]);
      expect(await values()).toEqual(['loaded', 'first', 'stays']);
    }));

  it('of a call whose records went out says that they may be stored, and does not stop them', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer();
      await one.writeMessages({ value: 'loaded' });
      cluster.faults.inject({ api: produceApi, delayMs: 1000 });
      const controller = new AbortController();
      const call = one.writeMessages(numbered(2), { signal: controller.signal });
      await world.advance(100);
      controller.abort();
      const failure = (await failureOf(call)) as WriteErrors;
      expect(failure.errors.map((error) => error?.stored)).toEqual(['maybe', 'maybe']);
      expect(world.openHolds()).toBe(1);
      await one.flush();
      expect(await values()).toEqual(['loaded', 'm0', 'm1']);
    }));

  it('before the call sends nothing', () =>
    play({}, async ({ cluster, writer }) => {
      const failure = (await failureOf(
        writer().writeMessages(numbered(2), { signal: AbortSignal.abort() }),
      )) as WriteErrors;
      expect(failure.errors.map((error) => error?.stored)).toEqual(['no', 'no']);
      expect(cluster.faults.requests(produceApi)).toEqual([]);
    }));

  it('while metadata is on its way sends nothing', () =>
    play({}, async ({ writer, values, world }) => {
      const one = writer();
      const controller = new AbortController();
      const call = one.writeMessages(numbered(2), { signal: controller.signal });
      const behind = one.writeMessages({ value: 'behind' });
      controller.abort();
      expect(await failureOf(call)).toMatchObject({ stored: 'no' });
      await behind;
      await world.advance(100);
      expect(await values()).toEqual(['behind']);
    }));

  it('takes records out of a batch that the codec is at work on', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const slow: Codec = {
        ...gzip,
        compress: (bytes) =>
          new Promise((resolve) => world.platform.setTimer(50, () => resolve(world.platform.gzip(bytes)))),
      };
      const one = writer({ compression: slow, batchTimeoutMs: 1 });
      await one.writeMessages({ value: 'loaded' });
      one.enqueue({ value: 'a'.repeat(500) });
      const controller = new AbortController();
      const call = one.writeMessages(numbered(3), { signal: controller.signal });
      one.enqueue({ value: 'b'.repeat(500) });
      await world.advance(20);
      controller.abort();
      expect(await failureOf(call)).toMatchObject({ stored: 'no' });
      await one.flush();
      expect((await values()).map((value) => value[0])).toEqual(['l', 'a', 'b']);
      expect((await cluster.batches('t', 0)).at(-1)?.codecId).toBe(1);
      const last = new AbortController();
      const alone = one.writeMessages(numbered(3), { signal: last.signal });
      await world.advance(20);
      last.abort();
      expect(await failureOf(alone)).toMatchObject({ stored: 'no' });
      await world.advance(200);
      expect(await values()).toHaveLength(3);
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
    }));

  it('takes back a call whose broker was never reached (B7)', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer();
      await one.writeMessages({ value: 'loaded' });
      const [address] = cluster.brokers as [string];
      world.network.block(address);
      world.network.cut(address);
      await world.advance(10);
      const controller = new AbortController();
      const call = one.writeMessages(numbered(2), { signal: controller.signal });
      await world.advance(5000);
      controller.abort();
      const failure = (await failureOf(call)) as WriteErrors;
      world.network.unblock(address);
      await one.writeMessages({ value: 'after' });
      const log = await values();
      // Whether it is caught between two attempts decides what is known; never may 'no' be wrong.
      if (failure.stored === 'no') expect(log).toEqual(['loaded', 'after']);
      else expect(log).toEqual(['loaded', 'm0', 'm1', 'after']);
    }));

  it('of flush ends only the waiting', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer();
      await one.writeMessages({ value: 'loaded' });
      cluster.faults.inject({ api: produceApi, delayMs: 500 });
      one.enqueue({ value: 'a' });
      const controller = new AbortController();
      const flushed = one.flush({ signal: controller.signal });
      await world.advance(100);
      controller.abort();
      await expect(flushed).rejects.toMatchObject({ code: 'ABORTED' });
      await one.flush();
      expect(await values()).toEqual(['loaded', 'a']);
    }));
});

describe('a full buffer', () => {
  it('makes enqueue wait, in order, and never holds more than maxBufferedBytes', () =>
    play({ partitions: 2 }, async ({ world, cluster, writer, allValues }) => {
      const one = writer({ maxBufferedBytes: 10_000, batchBytes: 2000 });
      await one.writeMessages([{ partition: 0, value: 'x' }]);
      cluster.faults.inject({ api: produceApi, delayMs: 50, times: 1_000_000 });
      let waited = 0;
      for (let i = 0; i < 500; i++) {
        const room = one.enqueue({ partition: i % 2, value: `${i}`.padEnd(100) });
        expect(one.stats().bufferedBytes).toBeLessThanOrEqual(10_000);
        if (room !== undefined) waited++;
        await room;
      }
      await one.flush();
      expect(waited).toBeGreaterThan(20);
      expect(waited).toBeLessThan(500);
      expect((await allValues()).length).toBe(501);
      expect(world.openHolds()).toBe(0);
    }));

  it('lets a call in piece by piece that is larger than the buffer, and those behind it after it', () =>
    play({}, async ({ writer, values }) => {
      const one = writer({ maxBufferedBytes: 5000, batchBytes: 1000 });
      const large = one.writeMessages(numbered(1000));
      const small = one.writeMessages({ value: 'behind' });
      const receipt = await large;
      expect(receipt.at(999).offset).toBe(999);
      await small;
      expect((await values()).at(-1)).toBe('behind');
      expect(one.stats().bufferedBytes).toBe(0);
    }));

  it('takes a single message that is larger than the buffer', () =>
    play({}, async ({ writer, values }) => {
      const one = writer({ maxBufferedBytes: 1024 });
      await one.writeMessages(numbered(3).map(({ value }) => ({ value: value.repeat(2000) })));
      one.enqueue({ value: 'z'.repeat(3000) });
      await one.flush();
      expect((await values()).map(({ length }) => length)).toEqual([4000, 4000, 4000, 3000]);
    }));

  it('does not grow while brokers are away, before metadata and after', () =>
    play({}, async ({ world, cluster, writer }) => {
      const [address] = cluster.brokers as [string];
      world.network.block(address);
      const one = writer({ maxBufferedBytes: 20_000, deliveryTimeoutMs: 5000 });
      let taken = 0;
      while (taken < 10_000) {
        const room = one.enqueue({ value: 'x' });
        if (room !== undefined) {
          const failure = failureOf(room);
          await world.advance(5500);
          expect(await failure).toMatchObject({ code: 'TIMEOUT', stored: 'no' });
          break;
        }
        taken++;
      }
      // What waits for metadata is an object each, and is counted as one.
      expect(taken).toBeLessThan(100);
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
    }));

  it('has batches sent before their time when others wait', () =>
    play({}, async ({ world, writer }) => {
      const one = writer({ maxBufferedBytes: 2000, batchTimeoutMs: 60_000 });
      await one.writeMessages({ value: 'loaded' });
      const startedMs = world.now();
      for (let i = 0; i < 100; i++) await one.enqueue({ value: 'v'.repeat(200) });
      expect(world.now() - startedMs).toBeLessThan(1000);
    }));
});

describe('close', () => {
  const moments: [string, (scene: Scene) => Promise<unknown>][] = [
    ['nothing was ever written', async () => undefined],
    ['something was written', async ({ writer }) => writer().writeMessages(numbered(3))],
  ];

  it.each(moments)('resolves at once after %s', (_what, moment) =>
    play({}, async (scene) => {
      await moment(scene);
      const one = scene.writer();
      await one.writeMessages({ value: 'v' });
      const startedMs = scene.world.now();
      await one.close();
      expect(scene.world.now() - startedMs).toBeLessThan(20);
    }),
  );

  it('delivers what was taken', () =>
    play({ partitions: 3 }, async ({ writer, allValues }) => {
      const one = writer({ batchTimeoutMs: 60_000 });
      for (const message of numbered(100)) one.enqueue(message);
      const call = one.writeMessages(numbered(10));
      await one.close();
      expect((await call).length).toBe(10);
      expect(await allValues()).toHaveLength(110);
    }));

  it.each(troubles)('settles within its deadline while %s', (_what, trouble) =>
    play({ brokers: 2, partitions: 3 }, async (scene) => {
      const { world } = scene;
      for (const loaded of [false, true]) {
        const one = scene.writer({ batchSize: 4, maxBufferedBytes: 1024 });
        if (loaded) await one.writeMessages(numbered(3));
        trouble(scene);
        const calls = [20, 1, 7].map((count) =>
          one.writeMessages(numbered(count)).catch((error: unknown) => error),
        );
        const room = one.enqueue({ value: 'v' });
        const refused = room?.catch((error: unknown) => error);
        await world.advance(loaded ? 0 : 300);
        const startedMs = world.now();
        await one.close({ timeoutMs: 2000 });
        expect(world.now() - startedMs).toBeLessThan(2100);
        for (const failure of (await Promise.all(calls)) as WriteErrors[]) {
          // A producer id or leader that was there before is not missed.
          if (loaded && failure.errors === undefined) continue;
          expect(failure.errors.every((error) => error?.stored === 'no' || error?.stored === 'maybe')).toBe(
            true,
          );
        }
        if (!loaded && refused !== undefined) expect(await refused).toMatchObject({ stored: 'no' });
        expect(one.stats()).toMatchObject({ pendingMessages: 0 });
        expect(world.openHolds()).toBe(0);
        scene.cluster.faults.clear();
        for (const address of scene.cluster.brokers) {
          world.network.unblock(address);
          world.network.thaw(address);
        }
        await world.advance(200);
      }
    }),
  );

  it('ends its waiting at a signal', () =>
    play({}, async ({ world, cluster, writer }) => {
      const one = writer();
      await one.writeMessages({ value: 'loaded' });
      cluster.faults.inject({ api: produceApi, outcome: 'silence', effect: false, times: 100 });
      const call = failureOf(one.writeMessages({ value: 'v' }));
      const controller = new AbortController();
      const startedMs = world.now();
      const closed = one.close({ signal: controller.signal });
      await world.advance(100);
      controller.abort();
      await closed;
      expect(world.now() - startedMs).toBeLessThan(200);
      expect(await call).toMatchObject({ stored: 'maybe', errors: [{ code: 'CLOSED' }] });
    }));

  it('leaves no connection, timer or hold behind', () =>
    play({ brokers: 3, partitions: 6 }, async ({ world, writer }) => {
      for (let cycle = 0; cycle < 20; cycle++) {
        const one = writer();
        await one.writeMessages(numbered(20));
        one.enqueue({ value: 'last' });
        await one.close();
      }
      await world.advance(100);
      expect(world.network.openConnections()).toBe(0);
      expect(world.openHolds()).toBe(0);
    }));
});
