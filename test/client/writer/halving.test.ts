/** Batches that are too large for the broker: they go out again in halves, and only a message too large for itself fails. */
import { describe, expect, it } from 'vitest';
import { gzip, type Codec } from '../../../src/compression/index.ts';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import type { BatchOutcome } from '../../../src/client/writer/options.ts';
import { failureOf, noise, numbered, play } from './scene.ts';

const limited = { config: { 'max.message.bytes': '1000' } };

describe('a batch that is too large', () => {
  it('goes out in halves, which keep order, offsets and sequences', () =>
    play(limited, async ({ cluster, writer, values }) => {
      const one = writer();
      await one.writeMessages({ value: 'before' });
      const messages = Array.from({ length: 100 }, (_, i) => ({
        value: `${i}`.padEnd(50),
        timestamp: 1000 + i,
      }));
      const receipt = await one.writeMessages(messages);
      expect(await values()).toEqual(['before', ...messages.map(({ value }) => value)]);
      for (const [index, { timestamp }] of messages.entries()) {
        expect(receipt.at(index)).toEqual({ topic: 't', partition: 0, offset: index + 1, timestamp });
      }
      const records = await cluster.records('t', 0);
      expect(records.slice(1).map(({ timestamp }) => Number(timestamp))).toEqual(
        messages.map(({ timestamp }) => timestamp),
      );
      const batches = await cluster.batches('t', 0);
      expect(batches.length).toBeGreaterThan(6);
      let next = 0;
      for (const { producerEpoch, baseSequence, records: held } of batches) {
        expect([producerEpoch, baseSequence]).toEqual([0, next]);
        next += held.length;
      }
      expect(one.stats()).toMatchObject({
        bufferedBytes: 0,
        pendingMessages: 0,
        total: { errors: 0, retries: 0 },
      });
      expect(one.stats().total.splits).toBeGreaterThan(6);
    }));

  it('does not keep the ones behind it from their place', () =>
    play(limited, async ({ writer, values }) => {
      const one = writer({ batchSize: 40 });
      await one.writeMessages({ value: 'before' });
      const calls = Array.from({ length: 12 }, (_, call) =>
        one.writeMessages(numbered(40, `${call}-`.padEnd(40))),
      );
      const receipts = await Promise.all(calls);
      const expected = Array.from({ length: 12 }, (_, call) => numbered(40, `${call}-`.padEnd(40))).flat();
      expect(await values()).toEqual(['before', ...expected.map(({ value }) => value)]);
      expect(receipts.map((receipt) => receipt.at(39).offset)).toEqual(
        calls.map((_, call) => 40 * (call + 1)),
      );
    }));

  it.each([
    ['at once', undefined],
    ['later', 5],
  ])('is compressed anew, half by half, by a codec that answers %s', (_when, delayMs) =>
    play(limited, async ({ world, cluster, writer, values }) => {
      const { platform } = world;
      const answer = (bytes: Uint8Array): Uint8Array | Promise<Uint8Array> =>
        delayMs === undefined
          ? bytes
          : new Promise((resolve) => platform.setTimer(delayMs, () => resolve(bytes)));
      const codec: Codec = {
        ...gzip,
        compress: (bytes) => answer(platform.gzip(bytes) as Uint8Array),
        decompress: (bytes, { maxBytes }) => answer(platform.gunzip(bytes, maxBytes) as Uint8Array),
      };
      const one = writer({ compression: codec });
      await one.writeMessages({ value: 'before' });
      const messages = Array.from({ length: 40 }, (_, i) => ({ value: noise(100, i) }));
      await one.writeMessages(messages);
      expect(await values()).toEqual(['before', ...messages.map(({ value }) => value)]);
      const batches = await cluster.batches('t', 0);
      expect(batches.length).toBeGreaterThan(4);
      expect(batches.slice(1).every(({ codecId }) => codecId === 1)).toBe(true);
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
    }),
  );

  it.each([true, false])('fails for one message only, with the limit (idempotent: %s)', (idempotent) =>
    play(limited, async ({ writer, values }) => {
      const outcomes: BatchOutcome[] = [];
      const one = writer({ idempotent, completion: (outcome) => outcomes.push(outcome) });
      const messages = numbered(20);
      messages.splice(13, 0, { value: 'x'.repeat(2000) });
      const failure = (await failureOf(one.writeMessages(messages))) as WriteErrors;
      const failed = failure.errors.flatMap((error, index) => (error === null ? [] : [index]));
      expect(failed).toEqual([13]);
      expect(failure.errors[13]).toMatchObject({
        name: 'BrokerError',
        code: 'MESSAGE_TOO_LARGE',
        errorName: 'MESSAGE_TOO_LARGE',
        stored: 'no',
        retriable: false,
      });
      expect(failure.errors[13]?.message).toContain(
        "one message makes a batch of 2070 bytes; raise the topic's max.message.bytes, or split the message",
      );
      expect(failure.errors[13]?.message).toContain('max.message.bytes 1000');
      expect(failure.receipt.at(20)).toMatchObject({ offset: 19 });
      expect(await values()).toEqual(numbered(20).map(({ value }) => value));
      expect(outcomes.flatMap(({ messages: told }) => told.map(({ value }) => value))).toEqual(
        messages.map(({ value }) => value),
      );
      await one.writeMessages({ value: 'after' });
      expect((await values()).at(-1)).toBe('after');
    }),
  );

  it('is halved for RECORD_LIST_TOO_LARGE too, and a single message is told of segment.bytes', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer();
      cluster.faults.inject({ api: produceApi, error: 'RECORD_LIST_TOO_LARGE' });
      await one.writeMessages(numbered(4));
      expect((await cluster.batches('t', 0)).map(({ records }) => records.length)).toEqual([2, 2]);
      cluster.faults.inject({ api: produceApi, error: 'RECORD_LIST_TOO_LARGE' });
      const failure = (await failureOf(one.writeMessages({ value: 'v' }))) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ code: 'MESSAGE_TOO_LARGE', errorCode: 18, stored: 'no' });
      expect(failure.errors[0]?.message).toContain("raise the topic's segment.bytes");
      expect(await values()).toEqual(['m0', 'm1', 'm2', 'm3']);
    }));

  it('stays whole when an earlier attempt may have stored it: the broker would not know the halves again', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer();
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, outcome: 'disconnect', effect: true });
      cluster.faults.inject({ api: produceApi, error: 'MESSAGE_TOO_LARGE' });
      const failure = (await failureOf(one.writeMessages(numbered(4)))) as WriteErrors;
      expect(failure.errors.map((error) => error?.stored)).toEqual(['maybe', 'maybe', 'maybe', 'maybe']);
      await one.writeMessages({ value: 'after' });
      expect(await values()).toEqual(['before', 'm0', 'm1', 'm2', 'm3', 'after']);
    }));

  it('can be given up half way: what is said of each message is true', () =>
    play(limited, async ({ world, cluster, writer, values }) => {
      for (let delayMs = 0; delayMs < 12; delayMs++) {
        const one = writer();
        await one.writeMessages({ value: 'loaded' });
        cluster.faults.inject({ api: produceApi, delayMs: 1, times: 30 });
        const controller = new AbortController();
        const messages = numbered(60, `${delayMs}-`.padEnd(40));
        const call = one.writeMessages(messages, { signal: controller.signal }).then(
          () => [],
          (error: WriteErrors) => error.errors,
        );
        await world.advance(delayMs);
        controller.abort();
        const errors = await call;
        await one.flush();
        const log = await values();
        for (const [index, { value }] of messages.entries()) {
          const stored = errors[index]?.stored ?? 'yes';
          if (stored !== 'maybe')
            expect([delayMs, index, log.includes(value)]).toEqual([delayMs, index, stored === 'yes']);
        }
        const written = log.filter((value) => value.startsWith(`${delayMs}-`));
        expect(written).toEqual(messages.map(({ value }) => value).filter((value) => log.includes(value)));
        expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
        cluster.faults.clear();
      }
    }));

  it('expires by its deadline while a codec is at work on it', () =>
    play(limited, async ({ world, writer }) => {
      const { platform } = world;
      const one = writer({
        deliveryTimeoutMs: 1000,
        compression: {
          ...gzip,
          compress: (bytes) => platform.gzip(bytes),
          decompress: () => new Promise(() => undefined),
        },
      });
      const startedMs = world.now();
      const failure = (await failureOf(
        one.writeMessages(Array.from({ length: 40 }, (_, i) => ({ value: noise(100, i) }))),
      )) as WriteErrors;
      expect(world.now() - startedMs).toBeLessThan(2000);
      expect(failure.errors[7]).toMatchObject({ code: 'TIMEOUT', stored: 'no' });
      expect(failure.errors[7]?.message).toContain('MESSAGE_TOO_LARGE');
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
    }));

  it('is waited for as a whole by flush', () =>
    play(limited, async ({ writer, values }) => {
      const one = writer();
      for (const message of numbered(100, 'm'.padEnd(40))) one.enqueue(message);
      await one.flush();
      expect(await values()).toHaveLength(100);
    }));
});
