/** The life of a transaction: what is refused outside and after it, signals, disposal, and the end of the Writer in each
 * state of it.
 */
import { describe, expect, it } from 'vitest';
import { KafkaError, UsageError } from '../../../src/errors.ts';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { endTxnApi } from '../../../src/protocol/api/26-end-txn.ts';
import {
  resolveSettings,
  type WriterOptions,
  type WriterSettings,
} from '../../../src/client/writer/options.ts';
import type { Transaction } from '../../../src/client/writer/transaction.ts';
import { failureOf } from './scene.ts';
import { playTransactions, spread } from './transaction-scene.ts';

const tx = { transactionalId: 'tx' };

function settings(given: WriterSettings): ReturnType<typeof resolveSettings> {
  return resolveSettings({ brokers: 'localhost', ...given } as WriterOptions);
}

describe('the options of a transactional Writer', () => {
  it.each<[WriterSettings, RegExp]>([
    [{ transactionalId: '' }, /transactionalId/],
    [{ ...tx, requiredAcks: 1 }, /transactionalId needs requiredAcks: 'all'/],
    [{ ...tx, idempotent: false }, /transactionalId and idempotent: false exclude each other/],
    [{ transactionTimeoutMs: 1000 }, /transactionTimeoutMs needs transactionalId/],
    [{ ...tx, deliveryTimeoutMs: 60_000 }, /deliveryTimeoutMs \(60000\) must be below transactionTimeoutMs/],
    [{ ...tx, transactionTimeoutMs: 10 }, /deliveryTimeoutMs \(9\) must be above batchTimeoutMs/],
    [{ ...tx, transactionTimeoutMs: 0 }, /transactionTimeoutMs/],
  ])('%o are refused by name', (given, message) => {
    expect(() => settings(given)).toThrow(UsageError);
    expect(() => settings(given)).toThrow(message);
  });

  it('have a delivery timeout that ends before the transaction does (P13)', () => {
    expect(settings({}).deliveryTimeoutMs).toBe(120_000);
    expect(settings(tx).deliveryTimeoutMs).toBe(59_999);
    expect(settings({ ...tx, transactionTimeoutMs: 600_000 }).deliveryTimeoutMs).toBe(120_000);
  });
});

describe('a transactional Writer', () => {
  it('writes in transactions only, one at a time, each ended once', () =>
    playTransactions({}, async ({ writer, committed }) => {
      const one = writer(tx);
      expect(await failureOf(one.writeMessages({ value: 'a' }))).toBeInstanceOf(UsageError);
      expect(() => one.enqueue({ value: 'a' })).toThrow(/transactionalId/);
      expect(await failureOf(writer().beginTransaction())).toBeInstanceOf(UsageError);
      const transaction = await one.beginTransaction();
      expect(await failureOf(one.beginTransaction())).toBeInstanceOf(UsageError);
      await transaction.writeMessages({ value: 'a' });
      const [committing, again, aborting] = [
        transaction.commit(),
        failureOf(transaction.commit()),
        failureOf(transaction.abort()),
      ];
      expect(await again).toBeInstanceOf(UsageError);
      expect(await aborting).toBeInstanceOf(UsageError);
      await committing;
      expect(await failureOf(transaction.writeMessages({ value: 'b' }))).toMatchObject({ stored: 'no' });
      expect(await failureOf(transaction.commit())).toBeInstanceOf(UsageError);
      await transaction.abort();
      expect(await committed()).toEqual(['a']);
    }));

  it('commits or aborts in `transaction` what its function did not', () =>
    playTransactions({}, async ({ writer, committed }) => {
      const one = writer(tx);
      const messages = (value: string) => (transaction: Transaction) => transaction.writeMessages({ value });
      await one.transaction(messages('a'));
      await one.transaction(async (transaction) => {
        await messages('b')(transaction);
        await transaction.abort();
      });
      await one.transaction(async (transaction) => {
        void messages('c')(transaction);
        await transaction.commit();
      });
      expect(await committed()).toEqual(['a', 'c']);
    }));

  it('aborts by disposal what was not ended', () =>
    playTransactions({}, async ({ writer, committed, cluster }) => {
      const one = writer(tx);
      {
        await using transaction = await one.beginTransaction();
        await transaction.writeMessages({ value: 'a' });
      }
      {
        await using transaction = await one.beginTransaction();
        await transaction.writeMessages({ value: 'b' });
        await transaction.commit();
      }
      expect(await committed()).toEqual(['b']);
      expect(cluster.faults.requests(endTxnApi).map(({ request }) => request.committed)).toEqual([
        false,
        true,
      ]);
    }));

  it('takes a refused message for the end of the transaction', () =>
    playTransactions({}, async ({ writer, committed }) => {
      const one = writer(tx);
      const transaction = await one.beginTransaction();
      void transaction.writeMessages({ value: 'a' });
      void transaction.writeMessages([{ value: 'b' }, { value: 'c', topic: 'other' }]);
      expect(await failureOf(transaction.commit())).toMatchObject({
        message: expect.stringMatching(/can only be aborted/),
      });
      await transaction.abort();
      expect(await committed()).toEqual([]);
    }));

  it('aborts on a signal, whatever its function does, and gives its reason', () =>
    playTransactions({}, async ({ writer, committed, world }) => {
      const one = writer(tx);
      const reason = new Error('enough');
      const early = failureOf(
        one.transaction(() => Promise.resolve(), { signal: AbortSignal.abort(reason) }),
      );
      expect(await early).toMatchObject({ code: 'ABORTED', cause: reason });
      const controller = new AbortController();
      const late = failureOf(
        one.transaction(
          async (transaction) => {
            await transaction.writeMessages({ value: 'a' });
            controller.abort(reason);
            await world.advance(100);
          },
          { signal: controller.signal },
        ),
      );
      expect(await late).toMatchObject({ code: 'ABORTED', message: expect.stringMatching(/signal/) });
      await one.transaction((transaction) => transaction.writeMessages({ value: 'b' }), {
        signal: new AbortController().signal,
      });
      expect(await committed()).toEqual(['b']);
    }));

  it('gives a failed write up with everything else, and says what may be in the log', () =>
    playTransactions({ partitions: 2 }, async ({ cluster, writer, world }) => {
      const one = writer({ ...tx, requestTimeoutMs: 20_000 });
      const transaction = await one.beginTransaction();
      await transaction.writeMessages([0, 1].map((partition) => ({ partition, value: 'a' })));
      cluster.faults.inject({ api: produceApi, outcome: 'silence', topic: 't', partition: 0 });
      const sent = failureOf(transaction.writeMessages({ partition: 0, value: 'b' }));
      const behind = failureOf(transaction.writeMessages(spread(2, 1)));
      await world.advance(10);
      await transaction.abort();
      expect(await sent).toMatchObject({ stored: 'maybe' });
      expect(await behind).toMatchObject({ code: 'WRITE' });
      // The abort comes after everything that was on its way.
      const atMs = (api: Parameters<typeof cluster.faults.requests>[0]): number =>
        cluster.faults.requests(api).at(-1)?.atMs ?? 0;
      expect(atMs(endTxnApi) - atMs(produceApi)).toBeGreaterThanOrEqual(20_000);
    }));
});

describe('close', () => {
  it.each(['up', 'silent', 'down'] as const)(
    'aborts an open transaction within its deadline, the coordinator being %s',
    (state) =>
      playTransactions({}, async ({ cluster, writer, committed, world }) => {
        const one = writer(tx);
        const transaction = await one.beginTransaction();
        await transaction.writeMessages({ value: 'a' });
        if (state === 'silent') cluster.faults.inject({ api: endTxnApi, outcome: 'silence', effect: false });
        if (state === 'down') await cluster.stopBroker(1);
        const beganMs = world.platform.monotonicNow();
        await one.close();
        expect(world.platform.monotonicNow() - beganMs).toBeLessThanOrEqual(state === 'up' ? 100 : 5000);
        expect(await failureOf(transaction.writeMessages({ value: 'b' }))).toBeInstanceOf(KafkaError);
        expect(await failureOf(one.beginTransaction())).toMatchObject({ code: 'CLOSED' });
        if (state === 'up') expect(cluster.transaction('tx')).toMatchObject({ state: 'CompleteAbort' });
        expect(await committed()).toEqual([]);
      }),
  );

  it('waits for a commit that is under way, and for no longer than it may', () =>
    playTransactions({}, async ({ cluster, writer, committed, world }) => {
      const [one, two] = [writer(tx), writer({ transactionalId: 'two' })];
      const [first, second] = [await one.beginTransaction(), await two.beginTransaction()];
      await first.writeMessages({ value: 'a' });
      await second.writeMessages({ value: 'b' });
      cluster.faults.inject({ api: endTxnApi, delayMs: 1000 });
      const committing = first.commit();
      await one.close();
      await committing;
      cluster.faults.inject({ api: endTxnApi, outcome: 'silence', effect: false, times: 10 });
      const lost = failureOf(second.commit());
      const beganMs = world.platform.monotonicNow();
      await two.close({ timeoutMs: 2000 });
      expect(world.platform.monotonicNow() - beganMs).toBeLessThanOrEqual(2000);
      expect(await lost).toMatchObject({ stored: 'maybe' });
      expect(await committed()).toEqual(['a']);
    }));

  it('ends a transaction that is being begun', () =>
    playTransactions({}, async ({ cluster, writer }) => {
      const one = writer(tx);
      cluster.faults.inject({ api: initProducerIdApi, outcome: 'silence', effect: false, times: 10 });
      const beginning = failureOf(one.beginTransaction());
      await one.close({ timeoutMs: 500 });
      expect(await beginning).toMatchObject({ code: 'CLOSED' });
    }));
});
