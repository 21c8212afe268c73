/** What a Writer does on a healthy cluster: where records go, when batches are sent, what a receipt says. */
import { describe, expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { gzip } from '../../../src/compression/index.ts';
import { acquireCluster } from '../../../src/client/cluster/index.ts';
import { Client } from '../../../src/client/admin/client.ts';
import { murmur2Hash } from '../../../src/client/writer/balancer/murmur2.ts';
import type { BatchOutcome } from '../../../src/client/writer/options.ts';
import { Writer } from '../../../src/client/writer/writer.ts';
import { numbered, play } from './scene.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a Writer', () => {
  it('writes a message and says where it went', () =>
    play({}, async ({ world, cluster, writer }) => {
      const startedMs = Math.floor(world.now());
      const receipt = await writer().writeMessages({ key: 'k', value: 'v', headers: { trace: bytes('1') } });
      expect(receipt.length).toBe(1);
      expect(receipt.at(0)).toEqual({ topic: 't', partition: 0, offset: 0, timestamp: startedMs });
      const [record] = await cluster.records('t', 0);
      expect(record).toMatchObject({ key: bytes('k'), value: bytes('v'), timestamp: startedMs });
      expect(record?.headers).toEqual([{ key: 'trace', value: bytes('1') }]);
      expect(cluster.problems).toEqual([]);
    }));

  it('keeps the order of a call, and tells each message its offset', () =>
    play({ partitions: 4, brokers: 3 }, async ({ cluster, writer }) => {
      const messages = Array.from({ length: 500 }, (_, i) => ({
        key: `key-${i % 37}`,
        value: `${i}`,
        timestamp: 1000 + i,
      }));
      const receipt = await writer().writeMessages(messages);
      const logs = await Promise.all([0, 1, 2, 3].map((partition) => cluster.records('t', partition)));
      for (const [index, { key, value, timestamp }] of messages.entries()) {
        const at = receipt.at(index);
        expect(at.partition).toBe((murmur2Hash(bytes(key)) & 0x7fffffff) % 4);
        expect(at.timestamp).toBe(timestamp);
        const record = logs[at.partition]?.find(({ offset }) => Number(offset) === at.offset);
        expect(record?.value).toEqual(bytes(value));
      }
      for (const log of logs) {
        const written = log.map(({ value }) => Number(new TextDecoder().decode(value ?? undefined)));
        expect(written).toEqual(written.toSorted((a, b) => a - b));
      }
    }));

  it('writes to topics named like members of Object.prototype, and to several in one call', () =>
    play(
      { topics: ['__proto__', 'constructor', 't'].map((name) => ({ name })) },
      async ({ cluster, writer }) => {
        const names = ['__proto__', 'constructor', 't'];
        const messages = names.map((topic) => ({
          topic,
          key: '__proto__',
          value: topic,
          headers: [{ key: 'toString', value: topic }],
        }));
        const receipt = await writer({ topic: undefined }).writeMessages(messages);
        for (const [index, topic] of names.entries()) {
          expect(receipt.at(index)).toMatchObject({ topic, offset: 0 });
          expect((await cluster.records(topic, 0))[0]?.headers).toEqual([
            { key: 'toString', value: bytes(topic) },
          ]);
        }
      },
    ));

  it('sends nulls as nulls and empty text as empty', () =>
    play({}, async ({ cluster, writer }) => {
      await writer().writeMessages([
        { value: null },
        { key: '', value: '' },
        { key: null, value: new Uint8Array(0) },
      ]);
      const records = await cluster.records('t', 0);
      expect(records.map(({ key, value }) => [key?.length, value?.length])).toEqual([
        [undefined, undefined],
        [0, 0],
        [undefined, 0],
      ]);
    }));

  it('resolves an empty call without asking anybody', () =>
    play({}, async ({ cluster, writer }) => {
      const receipt = await writer().writeMessages([]);
      expect(receipt.length).toBe(0);
      expect(() => receipt.at(0)).toThrow('A receipt of 0 messages has no message 0');
      expect(cluster.faults.requests(produceApi)).toEqual([]);
    }));

  it('takes the timestamps of a log that has its own', () =>
    play({ config: { 'message.timestamp.type': 'LogAppendTime' } }, async ({ cluster, writer }) => {
      const receipt = await writer().writeMessages([{ value: 'v', timestamp: 5 }]);
      const [record] = await cluster.records('t', 0);
      expect(receipt.at(0).timestamp).toBe(record?.timestamp);
      expect(receipt.at(0).timestamp).toBeGreaterThan(5);
    }));

  it('sends all calls of one turn of the event loop in one batch', () =>
    play({}, async ({ cluster, writer }) => {
      const shared = writer();
      const receipts = await Promise.all(numbered(50).map((message) => shared.writeMessages(message)));
      expect(receipts.map((receipt) => receipt.at(0).offset)).toEqual(receipts.map((_, index) => index));
      expect(await cluster.batches('t', 0)).toHaveLength(1);
    }));

  it('does not let an awaited write wait for company', () =>
    play({}, async ({ world, writer }) => {
      const patient = writer({ batchTimeoutMs: 10_000 });
      await patient.writeMessages({ value: 'first' });
      const startedMs = world.now();
      await patient.writeMessages({ value: 'second' });
      expect(world.now() - startedMs).toBeLessThan(5);
    }));

  it('gathers awaited writes while their partition is busy, until it rests or batchTimeoutMs', () =>
    play({}, async ({ world, cluster, writer }) => {
      for (const [batchTimeoutMs, sentAfterMs] of [
        [30, 30],
        [60_000, 100],
      ] as const) {
        const sentMs: number[] = [];
        const one = writer({
          batchTimeoutMs,
          dial: async (address, options) => {
            const transport = await world.platform.dial(address, options);
            const { write } = transport;
            transport.write = (parts) => {
              sentMs.push(world.now());
              return write.call(transport, parts);
            };
            return transport;
          },
        });
        await one.writeMessages({ value: 'warm' });
        sentMs.length = 0;
        cluster.faults.inject({ api: produceApi, delayMs: 100 });
        const calls = [one.writeMessages({ value: 'a' })];
        await world.advance(5);
        for (let i = 0; i < 5; i++) {
          calls.push(one.writeMessages({ value: 'b' }));
          await world.advance(1);
        }
        await Promise.all(calls);
        expect(sentMs).toHaveLength(2);
        const waitedMs = (sentMs[1] ?? 0) - (sentMs[0] ?? 0);
        expect(waitedMs).toBeGreaterThan(sentAfterMs);
        expect(waitedMs).toBeLessThan(sentAfterMs + 10);
      }
    }));

  it('lets enqueued messages wait for company until batchTimeoutMs', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer({ batchTimeoutMs: 40 });
      await one.writeMessages({ value: 'warm' });
      one.enqueue({ value: 'a' });
      await world.advance(20);
      one.enqueue({ value: 'b' });
      await world.advance(15);
      expect(await values()).toEqual(['warm']);
      await world.advance(10);
      expect(await values()).toEqual(['warm', 'a', 'b']);
      expect(await cluster.batches('t', 0)).toHaveLength(2);
    }));

  it('sends a batch of batchSize records at once', () =>
    play({}, async ({ world, cluster, writer }) => {
      const one = writer({ batchSize: 2, batchTimeoutMs: 60_000 });
      for (const message of numbered(5)) one.enqueue(message);
      await world.advance(100);
      expect((await cluster.batches('t', 0)).map(({ records }) => records.length)).toEqual([2, 2]);
      await one.flush();
      expect((await cluster.batches('t', 0)).map(({ records }) => records.length)).toEqual([2, 2, 1]);
    }));

  it('never puts more than batchBytes into a batch', () =>
    play({}, async ({ cluster, writer }) => {
      const one = writer({ batchBytes: 61 + 4 * 124 });
      await one.writeMessages(Array.from({ length: 40 }, () => ({ value: new Uint8Array(100) })));
      const sizes = cluster.faults
        .requests(produceApi)
        .flatMap(
          ({ request }) =>
            request.topicData[0]?.partitionData.map(({ records }) => records?.length ?? 0) ?? [],
        );
      expect(sizes.every((size) => size <= 61 + 4 * 124)).toBe(true);
      expect((await cluster.batches('t', 0)).map(({ records }) => records.length)).toEqual(Array(10).fill(4));
    }));

  it('splits four messages over two batches when only two fit, as kafka-go does', () =>
    play({}, async ({ cluster, writer }) => {
      const two = writer({ batchBytes: 61 + 2 * 30 });
      await two.writeMessages(numbered(4).map(({ value }) => ({ value: `${value}------` })));
      expect((await cluster.batches('t', 0)).map(({ records }) => records.length)).toEqual([2, 2]);
    }));

  it('puts all ready partitions of a broker into one request', () =>
    play({ partitions: 12, brokers: 3 }, async ({ cluster, writer }) => {
      const one = writer({
        balancer: (_message, _key, { partitions }) => Number(_message.key) % partitions.length,
      });
      await one.writeMessages(Array.from({ length: 12 }, (_, i) => ({ key: `${i}`, value: 'x' })));
      const requests = cluster.faults.requests(produceApi);
      expect(requests.map(({ request }) => request.topicData[0]?.partitionData.length)).toEqual([4, 4, 4]);
    }));

  it('goes by an explicit partition before the balancer', () =>
    play({ partitions: 3 }, async ({ writer }) => {
      const one = writer({ balancer: () => 0 });
      const receipt = await one.writeMessages([0, 1, 2].map((partition) => ({ partition, value: 'v' })));
      expect([0, 1, 2].map((index) => receipt.at(index).partition)).toEqual([0, 1, 2]);
    }));

  it('tells a balancer the bytes that wait, earlier messages of the call included', () =>
    play({ partitions: 2 }, async ({ writer }) => {
      const seen: number[] = [];
      const one = writer({
        balancer: (_message, _key, topic) => {
          seen.push(topic.bufferedBytes(1));
          expect(topic.recordBytes).toBeGreaterThan(5);
          expect(topic.random()).toBeLessThan(1);
          return 1;
        },
      });
      await one.writeMessages(numbered(3));
      expect(seen[0]).toBe(0);
      expect(seen[1]).toBeGreaterThan(0);
      expect(seen[2]).toBe(2 * (seen[1] ?? 0));
    }));

  it('compresses with gzip, and leaves a batch alone that gains nothing', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer({ compression: gzip });
      await one.writeMessages([{ value: 'a'.repeat(5000) }]);
      await one.writeMessages([{ value: 'b' }]);
      expect((await cluster.batches('t', 0)).map(({ codecId }) => codecId)).toEqual([1, 0]);
      expect((await values()).map((value) => value.length)).toEqual([5000, 1]);
    }));

  it('asks for a producer id once, and not at all when it is not idempotent', () =>
    play({}, async ({ cluster, writer }) => {
      const one = writer();
      await one.writeMessages(numbered(10));
      await one.writeMessages(numbered(10));
      expect(cluster.faults.requests(initProducerIdApi)).toHaveLength(1);
      const leader = writer({ requiredAcks: 1 });
      await leader.writeMessages(numbered(10));
      expect(cluster.faults.requests(initProducerIdApi)).toHaveLength(1);
      expect(one.stats()).toMatchObject({ idempotent: true, requiredAcks: 'all' });
      expect(leader.stats()).toMatchObject({ idempotent: false, requiredAcks: 1 });
    }));

  it('knows no offsets with requiredAcks 0', () =>
    play({}, async ({ world, writer, values }) => {
      const one = writer({ requiredAcks: 0 });
      const receipt = await one.writeMessages(numbered(3));
      expect(receipt.at(2)).toMatchObject({ topic: 't', partition: 0, offset: undefined });
      await world.advance(50);
      expect(await values()).toEqual(['m0', 'm1', 'm2']);
    }));

  it.each([3, 7, 9, 12, 13])('speaks Produce v%i', (version) =>
    play({ maxVersions: [[produceApi, version]] }, async ({ cluster, writer, values }) => {
      await writer().writeMessages(numbered(3));
      expect(await values()).toEqual(['m0', 'm1', 'm2']);
      expect(cluster.faults.requests(produceApi)[0]?.apiVersion).toBe(version);
    }),
  );

  it('shares the connections of a client, and leaves them to it', () =>
    play({}, async ({ world, cluster }) => {
      const client = new Client({ brokers: cluster.brokers, platform: world.platform });
      const one = new Writer({ client, topic: 't' });
      const two = new Writer({ client, topic: 't' });
      await Promise.all([one.writeMessages(numbered(3)), two.writeMessages(numbered(3))]);
      const open = world.network.openConnections();
      await one.close();
      expect(world.network.openConnections()).toBe(open);
      await two.writeMessages(numbered(1));
      await two.close();
      expect(acquireCluster({ client }).cluster.snapshot.topics.has('t')).toBe(true);
      await client.close();
      await world.advance(100);
      expect(world.network.openConnections()).toBe(0);
    }));

  it('flushes what was taken before, also while metadata is on its way', () =>
    play({ partitions: 3 }, async ({ writer, allValues }) => {
      const one = writer({ batchTimeoutMs: 60_000 });
      for (const message of numbered(20)) expect(one.enqueue(message)).toBeUndefined();
      await one.flush();
      expect((await allValues()).length).toBe(20);
      await one.flush();
    }));

  it('keeps its own copy of what is enqueued', () =>
    play({}, async ({ writer, values }) => {
      const one = writer({ batchTimeoutMs: 60_000 });
      const value = bytes('before');
      one.enqueue({ value });
      value.fill(0);
      await one.flush();
      value.set(bytes('second'));
      one.enqueue({ value });
      value.fill(0);
      await one.flush();
      expect(await values()).toEqual(['before', 'second']);
    }));

  it('tells the completion about each batch, before the calls that wait, with what belongs to the messages', () =>
    play({}, async ({ writer }) => {
      const outcomes: BatchOutcome[] = [];
      const order: string[] = [];
      const one = writer({
        completion: (outcome) => {
          outcomes.push(outcome);
          order.push('completion');
        },
      });
      await one
        .writeMessages([
          { value: 'a', context: 1 },
          { value: 'b', context: 2 },
        ])
        .then(() => order.push('call'));
      one.enqueue({ value: 'c', context: 3 });
      await one.flush();
      expect(order).toEqual(['completion', 'call', 'completion']);
      expect(outcomes).toMatchObject([
        { topic: 't', partition: 0, baseOffset: 0, error: null, messages: [{ context: 1 }, { context: 2 }] },
        { topic: 't', partition: 0, baseOffset: 2, error: null, messages: [{ value: 'c', context: 3 }] },
      ]);
    }));

  it('goes on when a completion throws, and logs it', () =>
    play({}, async ({ writer }) => {
      const lines: string[] = [];
      const one = writer({
        logger: { error: (message) => lines.push(message) },
        completion: () => {
          throw new Error('mine');
        },
      });
      await one.writeMessages(numbered(2));
      expect(lines).toEqual(['completion threw']);
    }));

  it('counts in windows and in total', () =>
    play({}, async ({ writer }) => {
      const one = writer();
      expect(one.stats().window.batchSize).toEqual({ count: 0, sum: 0, min: 0, max: 0, avg: 0 });
      await one.writeMessages(numbered(3));
      await one.writeMessages(numbered(5));
      const first = one.stats();
      expect(first.window).toMatchObject({ writes: 2, messages: 8, batches: 2, errors: 0, retries: 0 });
      expect(first.window.batchSize).toEqual({ count: 2, sum: 8, min: 3, max: 5, avg: 4 });
      await one.writeMessages(numbered(1));
      const second = one.stats();
      expect(second.window).toMatchObject({ writes: 1, messages: 1, batches: 1 });
      expect(second.total).toMatchObject({ writes: 3, messages: 9, batches: 3 });
      expect(second.total.batchSize).toEqual({ count: 3, sum: 9, min: 1, max: 5, avg: 3 });
      expect(second).toMatchObject({ bufferedBytes: 0, pendingMessages: 0, topic: 't' });
    }));

  it('holds the process open while it waits, and not a moment longer', () =>
    play({}, async ({ world, writer }) => {
      const one = writer({ batchTimeoutMs: 100 });
      expect(world.openHolds()).toBe(0);
      one.enqueue({ value: 'a' });
      expect(world.openHolds()).toBe(1);
      await one.flush();
      expect(world.openHolds()).toBe(0);
      const call = one.writeMessages(numbered(2));
      expect(world.openHolds()).toBe(1);
      await call;
      expect(world.openHolds()).toBe(0);
    }));

  it('can be disposed of', () =>
    play({}, async ({ world, cluster, values }) => {
      {
        await using one = new Writer({ brokers: cluster.brokers, platform: world.platform, topic: 't' });
        one.enqueue({ value: 'a' });
      }
      expect(await values()).toEqual(['a']);
      await world.advance(100);
      expect(world.network.openConnections()).toBe(0);
    }));
});
