/** A full buffer for those who do not want to wait: `whenFull: 'fail'` (waiting is in deadlines.test.ts). */
import { describe, expect, it } from 'vitest';
import { KafkaError } from '../../../src/errors.ts';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import { failureOf, numbered, play } from './scene.ts';

const settings = { whenFull: 'fail', maxBufferedBytes: 4096, batchTimeoutMs: 60_000 } as const;

describe("whenFull: 'fail'", () => {
  it('refuses a call at once and as a whole, and goes on when there is room', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer(settings);
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, delayMs: 500 });
      const first = one.writeMessages(numbered(30, 'a'));
      const startedMs = world.now();
      const failure = (await failureOf(one.writeMessages(numbered(145, 'x')))) as WriteErrors;
      expect(world.now()).toBe(startedMs);
      expect(failure.errors).toHaveLength(145);
      for (const error of failure.errors) {
        expect(error).toMatchObject({ code: 'BUFFER_FULL', stored: 'no', retriable: true });
      }
      expect(failure.errors[0]?.message).toMatch(
        /^No room for \d+ bytes: \d+ of maxBufferedBytes, 4096, are taken; write later, or with whenFull: 'wait'$/,
      );
      expect(failure.receipt.at(7)).toMatchObject({ topic: 't', partition: -1, offset: undefined });
      await first;
      await one.writeMessages(numbered(100, 'c'));
      expect((await values()).filter((value) => value.startsWith('x'))).toEqual([]);
      expect(await values()).toHaveLength(131);
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0, total: { errors: 145 } });
    }));

  it('makes enqueue throw, and has what is there sent without waiting for company', () =>
    play({}, async ({ world, writer, values }) => {
      const one = writer(settings);
      await one.writeMessages({ value: 'before' });
      let taken = 0;
      let thrown: unknown;
      while (thrown === undefined && taken < 1000) {
        try {
          expect(one.enqueue({ value: 'v'.repeat(100) })).toBeUndefined();
          taken++;
        } catch (error) {
          thrown = error;
        }
      }
      expect(thrown).toBeInstanceOf(KafkaError);
      expect(thrown).toMatchObject({ code: 'BUFFER_FULL', stored: 'no', retriable: true });
      expect(taken).toBeGreaterThan(20);
      expect(one.stats().bufferedBytes).toBeLessThanOrEqual(4096);
      await world.advance(20);
      expect(await values()).toHaveLength(1 + taken);
      expect(one.enqueue({ value: 'again' })).toBeUndefined();
    }));

  it('counts what waits for metadata, calls and enqueued messages', () =>
    play({}, async ({ cluster, writer, values }) => {
      cluster.faults.inject({ api: metadataApi, delayMs: 2000 });
      const one = writer(settings);
      const first = one.writeMessages(numbered(30, 'a'));
      expect(one.stats().bufferedBytes).toBeGreaterThan(600);
      expect(await failureOf(one.writeMessages(numbered(150, 'b')))).toMatchObject({ stored: 'no' });
      let taken = 0;
      const enqueueAll = (): void => {
        for (; taken < 1000; taken++) one.enqueue({ value: `c${taken}` });
      };
      expect(enqueueAll).toThrow('No room for');
      expect(taken).toBeLessThan(20);
      await first;
      await one.flush();
      expect(await values()).toHaveLength(30 + taken);
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
    }));

  it('lets a single message in that is larger than everything, when nothing is there', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer({ ...settings, maxBufferedBytes: 1024 });
      await one.writeMessages({ value: 'x'.repeat(3000) });
      cluster.faults.inject({ api: produceApi, delayMs: 100 });
      const call = one.writeMessages({ value: 'y'.repeat(3000) });
      expect(await failureOf(one.writeMessages({ value: 'z' }))).toMatchObject({ stored: 'no' });
      await call;
      expect((await values()).map((value) => value[0])).toEqual(['x', 'y']);
    }));

  it('says of a call that can never have room that trying again is in vain', () =>
    play({}, async ({ writer }) => {
      const failure = (await failureOf(writer(settings).writeMessages(numbered(1000)))) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ code: 'BUFFER_FULL', retriable: false });
      expect(failure.retriable).toBe(false);
    }));

  it('does not refuse text that fits for what it could have been in UTF-8', () =>
    play({}, async ({ writer, values }) => {
      await writer(settings).writeMessages([{ value: 'v'.repeat(1500) }, { value: 'v'.repeat(1500) }]);
      expect(await values()).toHaveLength(2);
    }));

  it('never holds more while brokers are away, and settles each call by its deadline', () =>
    play({}, async ({ world, cluster, writer }) => {
      const [address = ''] = cluster.brokers;
      const one = writer({ ...settings, deliveryTimeoutMs: 61_000 });
      await one.writeMessages({ value: 'before' });
      world.network.block(address);
      world.network.cut(address);
      const codes = new Map<string, number>();
      const calls: Promise<void>[] = [];
      for (let i = 0; i < 1000; i++) {
        const call = one.writeMessages({ value: `${i}` }).then(
          () => undefined,
          ({ errors: [error] }: WriteErrors) =>
            void codes.set(error?.code ?? '', (codes.get(error?.code ?? '') ?? 0) + 1),
        );
        calls.push(call);
        expect(one.stats().bufferedBytes).toBeLessThanOrEqual(4096 + 61);
        if (i % 10 === 0) await world.advance(100);
      }
      await world.advance(62_000);
      await Promise.all(calls);
      expect([...codes.keys()].toSorted()).toEqual(['BUFFER_FULL', 'TIMEOUT']);
      expect(codes.get('BUFFER_FULL')).toBeGreaterThan(500);
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
    }));
});
