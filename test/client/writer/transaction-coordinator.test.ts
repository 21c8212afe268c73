/** Coordinators that are busy, gone, silent or that refuse: what a transaction makes of it, and the one after it
 * (W10, B9, P10, KIP-1050).
 */
import { describe, expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { findCoordinatorApi } from '../../../src/protocol/api/10-find-coordinator.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../../src/protocol/api/24-add-partitions-to-txn.ts';
import { endTxnApi } from '../../../src/protocol/api/26-end-txn.ts';
import type { Writer } from '../../../src/client/writer/writer.ts';
import { failureOf } from './scene.ts';
import { playTransactions } from './transaction-scene.ts';

const tx = { transactionalId: 'tx' };
const saying = (pattern: RegExp): { message: unknown } => ({ message: expect.stringMatching(pattern) });

/** Writes one value in a transaction of its own. */
function write(writer: Writer, value: string): Promise<unknown> {
  return writer.transaction((transaction) => transaction.writeMessages({ value }));
}

describe.each([1, 2] as const)('at transaction.version %d', (transactionVersion) => {
  const level = { transactionVersion };

  it('a transaction begins while the markers of the one before are still being written', () =>
    playTransactions({ ...level, markerDelayMs: 300 }, async ({ writer, committed, world }) => {
      const one = writer(tx);
      for (const value of ['a', 'b', 'c']) await write(one, value);
      await world.advance(1000);
      expect(await committed()).toEqual(['a', 'b', 'c']);
    }));

  it('waits while its coordinator loads, and finds one that moved', () =>
    playTransactions({ ...level, brokers: 3 }, async ({ cluster, writer, committed }) => {
      const one = writer(tx);
      cluster.faults.inject({ api: findCoordinatorApi, error: 'COORDINATOR_NOT_AVAILABLE', times: 2 });
      cluster.faults.inject({ api: initProducerIdApi, error: 'COORDINATOR_LOAD_IN_PROGRESS', times: 2 });
      cluster.faults.inject({ api: endTxnApi, error: 'COORDINATOR_LOAD_IN_PROGRESS' });
      await write(one, 'a');
      const transaction = await one.beginTransaction();
      await transaction.writeMessages({ value: 'b' });
      const next = ((cluster.coordinator('tx', 'transaction') ?? 0) % 3) + 1;
      cluster.moveCoordinator('tx', next, { type: 'transaction', loadingMs: 500 });
      await transaction.commit();
      expect(await committed()).toEqual(['a', 'b']);
      expect(cluster.faults.requests(endTxnApi).at(-1)?.nodeId).toBe(next);
    }));

  it('goes on when its coordinator is killed in a transaction, and in the next ones (B9)', () =>
    playTransactions({ ...level, brokers: 3 }, async ({ cluster, writer, committed }) => {
      const one = writer(tx);
      const values: string[] = [];
      for (let round = 0; round < 6; round++) {
        const transaction = await one.beginTransaction();
        await transaction.writeMessages({ value: `${round} before` });
        const coordinator = cluster.coordinator('tx', 'transaction') ?? 0;
        await cluster.stopBroker(coordinator);
        await transaction.writeMessages({ value: `${round} after` });
        if (round % 2 === 0) {
          await transaction.commit();
          values.push(`${round} before`, `${round} after`);
        } else await transaction.abort();
        await cluster.startBroker(coordinator);
      }
      expect(await committed()).toEqual(values);
    }));

  it('asks again while the transaction before is not over (B9)', () =>
    playTransactions(level, async ({ cluster, writer, committed }) => {
      const one = writer(tx);
      cluster.faults.inject({ api: initProducerIdApi, error: 'CONCURRENT_TRANSACTIONS', times: 3 });
      cluster.faults.inject({ api: addPartitionsToTxnApi, error: 'CONCURRENT_TRANSACTIONS', times: 3 });
      cluster.faults.inject({ api: produceApi, error: 'CONCURRENT_TRANSACTIONS', times: 3 });
      cluster.faults.inject({ api: endTxnApi, error: 'CONCURRENT_TRANSACTIONS', times: 3 });
      await write(one, 'a');
      expect(await committed()).toEqual(['a']);
    }));

  it.each(['commit', 'abort', 'write'] as const)('fencing shows at %s, is fatal and says so', (step) =>
    playTransactions(level, async ({ cluster, writer, committed }) => {
      const [first, second] = [writer(tx), writer(tx)];
      const transaction = await first.beginTransaction();
      await transaction.writeMessages({ value: 'lost' });
      await write(second, 'kept');
      if (step === 'write') {
        expect(await failureOf(transaction.writeMessages({ value: 'late' }))).toBeInstanceOf(Error);
        expect(await failureOf(transaction.commit())).toMatchObject(saying(/can only be aborted/));
      }
      const fenced = {
        code: 'FENCED',
        retriable: false,
        ...saying(/another producer has this transactional id/),
      };
      const ended = step === 'commit' ? transaction.commit() : transaction.abort();
      expect(await failureOf(ended)).toMatchObject(fenced);
      expect(transaction.ended).toBe(true);
      await transaction.abort();
      const asked = cluster.faults.requests(initProducerIdApi).length;
      expect(await failureOf(write(first, 'later'))).toMatchObject(fenced);
      expect(cluster.faults.requests(initProducerIdApi)).toHaveLength(asked);
      await write(second, 'kept too');
      expect(await committed()).toEqual(['kept', 'kept too']);
    }),
  );

  it('a transaction that outlives its time is aborted by the coordinator, and its Writer fenced', () =>
    playTransactions(level, async ({ writer, committed, world }) => {
      const one = writer({ ...tx, transactionTimeoutMs: 5000 });
      const transaction = await one.beginTransaction();
      await transaction.writeMessages({ value: 'a' });
      await world.advance(6000);
      expect(await failureOf(transaction.commit())).toMatchObject({ code: 'FENCED' });
      expect(await committed()).toEqual([]);
    }));

  it.each([true, false])(
    'a commit that is never answered is `maybe`, and then undone by the next (done: %s)',
    (effect) =>
      playTransactions(level, async ({ cluster, writer, committed, world }) => {
        const one = writer({ ...tx, transactionTimeoutMs: 600_000, requestTimeoutMs: 5000 });
        const fault = cluster.faults.inject({ api: endTxnApi, outcome: 'silence', effect, times: 1000 });
        const beganMs = world.platform.monotonicNow();
        expect(await failureOf(write(one, 'a'))).toMatchObject({ code: 'TIMEOUT', stored: 'maybe' });
        expect(world.platform.monotonicNow() - beganMs).toBeLessThan(61_000);
        fault.remove();
        await write(one, 'b');
        expect(await committed()).toEqual(effect ? ['a', 'b'] : ['b']);
        expect(cluster.faults.requests(endTxnApi).at(-1)?.request).toMatchObject({ committed: true });
      }),
  );

  it('an abort that is never answered rejects, and the next transaction makes it good', () =>
    playTransactions(level, async ({ cluster, writer, committed }) => {
      const one = writer({ ...tx, transactionTimeoutMs: 600_000, requestTimeoutMs: 5000 });
      const fault = cluster.faults.inject({ api: endTxnApi, outcome: 'silence', effect: false, times: 1000 });
      const transaction = await one.beginTransaction();
      await transaction.writeMessages({ value: 'a' });
      expect(await failureOf(transaction.abort())).toMatchObject({ code: 'TIMEOUT' });
      expect(transaction.ended).toBe(true);
      fault.remove();
      await write(one, 'b');
      expect(await committed()).toEqual(['b']);
    }));

  it('a refusal that is not fatal leaves the Writer usable', () =>
    playTransactions(level, async ({ cluster, writer, committed }) => {
      const one = writer(tx);
      cluster.faults.inject({ api: endTxnApi, error: 'TRANSACTION_ABORTABLE' });
      const transaction = await one.beginTransaction();
      await transaction.writeMessages({ value: 'a' });
      expect(await failureOf(transaction.commit())).toMatchObject({ stored: 'no', ...saying(/ABORTABLE/) });
      expect(transaction.ended).toBe(false);
      await transaction.abort();
      await write(one, 'b');
      expect(await committed()).toEqual(['b']);
    }));

  it.each(['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'UNKNOWN_SERVER_ERROR'] as const)(
    'a commit refused by %s ends the Writer',
    (error) =>
      playTransactions(level, async ({ cluster, writer, committed }) => {
        const one = writer(tx);
        cluster.faults.inject({ api: endTxnApi, error });
        expect(await failureOf(write(one, 'a'))).toMatchObject(saying(new RegExp(error)));
        expect(await failureOf(one.beginTransaction())).toMatchObject(saying(new RegExp(error)));
        expect(await committed()).toEqual([]);
      }),
  );

  it('a transaction that cannot begin may be tried again', () =>
    playTransactions(level, async ({ cluster, writer, committed }) => {
      const one = writer(tx);
      cluster.faults.inject({ api: initProducerIdApi, error: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' });
      expect(await failureOf(one.beginTransaction())).toMatchObject(saying(/AUTHORIZATION/));
      await write(one, 'a');
      expect(await committed()).toEqual(['a']);
    }));
});
