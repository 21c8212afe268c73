/** What a Writer counts and when, and the settings and outcomes that kafka-go's Writer has too (docs/kafka-go.md). */
import { describe, expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { sleep } from '../../../src/client/cluster/index.ts';
import type { KafkaError } from '../../../src/errors.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import type { BatchOutcome } from '../../../src/client/writer/options.ts';
import { StatsCounter, type Summary } from '../../../src/client/writer/stats.ts';
import { failureOf, numbered, play } from './scene.ts';

const nothing: Summary = { count: 0, sum: 0, min: 0, max: 0, avg: 0 };

describe('a summary', () => {
  it('has the least and the greatest of its values, in the first window and in every later one', () => {
    const stats = new StatsCounter();
    expect(stats.take().window.produceMs).toEqual(nothing);
    for (const value of [7, 3, 5]) stats.add('produceMs', value);
    const first = { count: 3, sum: 15, min: 3, max: 7, avg: 5 };
    expect(stats.take()).toMatchObject({ window: { produceMs: first }, total: { produceMs: first } });
    stats.add('produceMs', 9);
    expect(stats.take()).toMatchObject({
      window: { produceMs: { count: 1, sum: 9, min: 9, max: 9, avg: 9 } },
      total: { produceMs: { count: 4, sum: 24, min: 3, max: 9, avg: 6 } },
    });
    expect(stats.take().window.produceMs).toEqual(nothing);
  });

  it('that was handed out stays as it is', () => {
    const stats = new StatsCounter();
    stats.add('batchSize', 2);
    const { total } = stats.take();
    stats.add('batchSize', 8);
    stats.count('writes', 1);
    expect(total).toMatchObject({ writes: 0, messages: 2, batches: 1, batchSize: { max: 2 } });
  });
});

describe('a Writer measures', () => {
  it('how long a batch took records, and no wait for one that goes out at its time', () =>
    play({}, async ({ world, writer }) => {
      const one = writer({ batchTimeoutMs: 100 });
      await one.writeMessages({ value: 'to know the topic' });
      one.stats();
      one.enqueue({ value: 'a' });
      await sleep(world.platform, 40);
      one.enqueue({ value: 'b' });
      await one.flush();
      one.enqueue({ value: 'c' });
      await sleep(world.platform, 150);
      const { batchMs, queueMs, batchSize } = one.stats().window;
      expect(batchSize).toEqual({ count: 2, sum: 3, min: 1, max: 2, avg: 1.5 });
      expect(batchMs.count).toBe(2);
      expect(batchMs.min).toBeGreaterThanOrEqual(40);
      expect(batchMs.min).toBeLessThan(45);
      expect(batchMs.max).toBeGreaterThanOrEqual(100);
      expect(batchMs.max).toBeLessThan(105);
      expect(queueMs.max).toBeLessThan(1);
    }));

  it('how long a full batch waited for its turn', () =>
    play({}, async ({ cluster, writer }) => {
      const one = writer({ idempotent: false, batchSize: 3 });
      await one.writeMessages({ value: 'to know the topic' });
      one.stats();
      cluster.faults.inject({ api: produceApi, delayMs: 200 });
      await Promise.all([one.writeMessages(numbered(3)), one.writeMessages(numbered(3))]);
      const { batchMs, queueMs, produceMs } = one.stats().window;
      expect(batchMs).toMatchObject({ count: 2, max: 0 });
      expect(queueMs.count).toBe(2);
      expect(queueMs.min).toBeLessThan(5);
      expect(queueMs.max).toBeGreaterThanOrEqual(200);
      expect(produceMs.max).toBeGreaterThanOrEqual(200);
      expect(produceMs.min).toBeLessThan(50);
    }));

  it('a batch that is sent again once, however often that is, and its retries', () =>
    play({}, async ({ cluster, writer }) => {
      const one = writer();
      cluster.faults.inject({ api: produceApi, error: 'NOT_ENOUGH_REPLICAS', times: 2 });
      await one.writeMessages(numbered(4));
      const { total } = one.stats();
      expect(total).toMatchObject({ retries: 2, batches: 1, messages: 4, errors: 0 });
      expect(total).toMatchObject({ batchMs: { count: 1 }, queueMs: { count: 1 }, produceMs: { count: 3 } });
    }));

  it('a batch that is halved once', () =>
    play({ config: { 'max.message.bytes': '400' } }, async ({ writer }) => {
      const one = writer();
      await one.writeMessages(Array.from({ length: 10 }, () => ({ value: 'x'.repeat(60) })));
      const { splits, batches, batchMs } = one.stats().total;
      expect(splits).toBeGreaterThan(0);
      expect(batches).toBe(splits + 1);
      expect(batchMs.count).toBe(1);
    }));

  it('what was taken back by a signal as failed, and what was on its way by its outcome', () =>
    play({}, async ({ world, cluster, writer }) => {
      const one = writer({ idempotent: false });
      await one.writeMessages({ value: 'to know the topic' });
      cluster.faults.inject({ api: produceApi, delayMs: 200 });
      const abort = new AbortController();
      const sent = one.writeMessages(numbered(2), { signal: abort.signal });
      await sleep(world.platform, 100);
      const waiting = one.writeMessages(numbered(3), { signal: abort.signal });
      abort.abort();
      expect(((await failureOf(sent)) as WriteErrors).stored).toBe('maybe');
      expect(((await failureOf(waiting)) as WriteErrors).stored).toBe('no');
      await one.flush();
      expect(one.stats().total).toMatchObject({ writes: 3, messages: 3, errors: 3 });
    }));
});

describe('as with kafka-go', () => {
  it('WriteErrors count the messages that were not written', () =>
    play({ partitions: 2 }, async ({ cluster, writer }) => {
      cluster.faults.inject({
        api: produceApi,
        topic: 't',
        partition: 1,
        error: 'TOPIC_AUTHORIZATION_FAILED',
      });
      const messages = [0, 1, 0, 1, 1].map((partition) => ({ partition, value: 'v' }));
      const failure = (await failureOf(writer().writeMessages(messages))) as WriteErrors;
      expect(failure).toMatchObject({ count: 3, stored: 'no', retriable: false });
      expect(failure.errors.map((error) => error === null)).toEqual([true, false, true, false, false]);
    }));

  it.each(['LogAppendTime', 'CreateTime'])('completion tells the time of the log under %s', (type) =>
    play({ config: { 'message.timestamp.type': type } }, async ({ world, writer }) => {
      const outcomes: BatchOutcome[] = [];
      const one = writer({ completion: (outcome) => outcomes.push(outcome) });
      const receipt = await one.writeMessages({ value: 'v', timestamp: 5 });
      const isLogs = type === 'LogAppendTime';
      expect(receipt.at(0).timestamp).toBe(isLogs ? outcomes[0]?.appendTimeMs : 5);
      expect(outcomes[0]?.appendTimeMs).toBe(isLogs ? Math.floor(world.platform.now()) : undefined);
    }),
  );

  it('a batch is sent again after retryBackoffMs, then twice that, up to retryBackoffMaxMs', () =>
    play({}, async ({ cluster, writer }) => {
      const one = writer({ retryBackoffMs: 1000, retryBackoffMaxMs: 3000 });
      await one.writeMessages({ value: 'to know the topic' });
      cluster.faults.inject({ api: produceApi, error: 'NOT_ENOUGH_REPLICAS', times: 4 });
      await one.writeMessages({ value: 'v' });
      const times = cluster.faults.requests(produceApi).map(({ atMs }) => atMs);
      const waits = times.slice(2).map((atMs, index) => atMs - (times[index + 1] as number));
      expect(waits).toHaveLength(4);
      for (const [index, expected] of [1000, 2000, 3000, 3000].entries()) {
        expect(waits[index]).toBeGreaterThanOrEqual(expected * 0.8 - 1);
        expect(waits[index]).toBeLessThanOrEqual(expected * 1.2 + 100);
      }
    }));

  it('the longest backoff follows the shortest, and is never below it', () =>
    play({}, async ({ writer }) => {
      expect(() => writer({ retryBackoffMs: 5000 })).not.toThrow();
      expect(() => writer({ retryBackoffMs: 500, retryBackoffMaxMs: 499 })).toThrow(
        'Option retryBackoffMaxMs must be an integer from 500 to 2147483647; got 499',
      );
      expect(() => writer({ retryBackoffMs: 0 })).toThrow('Option retryBackoffMs');
    }));

  it('a topic is created by the first write only where allowAutoTopicCreation says so', () =>
    play({}, async ({ cluster, writer }) => {
      const failure = (await failureOf(
        writer({ topic: 'fresh' }).writeMessages({ value: 'v' }),
      )) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ code: 'UNKNOWN_TOPIC', stored: 'no' } as Partial<KafkaError>);
      const allowed = writer({ topic: 'fresh', allowAutoTopicCreation: true });
      expect((await allowed.writeMessages({ value: 'v' })).at(0)).toMatchObject({
        topic: 'fresh',
        offset: 0,
      });
      expect(await cluster.records('fresh', 0)).toHaveLength(1);
    }));
});
