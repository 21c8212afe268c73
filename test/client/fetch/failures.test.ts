/** What does not heal by itself: which error the application gets, how often, and what ends it. */
import { describe, expect, test } from 'vitest';
import { BrokerError, ProtocolError } from '../../../src/errors.ts';
import { fetchApi } from '../../../src/protocol/api/01-fetch.ts';
import { listOffsetsApi } from '../../../src/protocol/api/02-list-offsets.ts';
import { batchOf, concat, gzipped, range } from './batches.ts';
import { read, withRig } from './rig.ts';

const orders = { topic: 'orders', partition: 0 };

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
      const unknown = gzipped(batchOf(['x']));
      unknown[22] = 5;
      cluster.appendRaw('orders', 0, unknown);
      const lacking = reader({ ...orders, offset: 1, checkCrcs: false }).fetchMessage();
      await expect(lacking).rejects.toMatchObject({
        code: 'UNSUPPORTED_VERSION',
        path: 'orders[0] at offset 1',
      });
      await expect(lacking).rejects.toThrow('compression 5');
    }));

  test('what readLag met', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.appendRaw('orders', 0, batchOf(range(0, 3)));
      const unknown = reader({ topic: 'nowhere', partition: 0, startOffset: 0 }).readLag();
      await expect(unknown).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC', topic: 'nowhere' });
      const r = reader(orders);
      cluster.faults.inject({ api: listOffsetsApi, error: 'NOT_LEADER_OR_FOLLOWER', times: 3 });
      expect(await r.readLag()).toBe(3);
      cluster.faults.inject({ api: listOffsetsApi, error: 'TOPIC_AUTHORIZATION_FAILED' });
      await expect(r.readLag()).rejects.toMatchObject({
        errorName: 'TOPIC_AUTHORIZATION_FAILED',
        partition: 0,
      });
      cluster.faults.inject({ api: listOffsetsApi, error: 'LEADER_NOT_AVAILABLE', times: 10_000 });
      await expect(r.readLag()).rejects.toMatchObject({ code: 'TIMEOUT' });
    }));
});
