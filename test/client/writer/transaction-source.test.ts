/** Transactions that read: offsets go with them, and after one that was not committed the reader goes back
 * (R1-R3, W10, P12, KIP-447).
 */
import { describe, expect, it } from 'vitest';
import { KafkaError, UsageError } from '../../../src/errors.ts';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { offsetCommitApi } from '../../../src/protocol/api/08-offset-commit.ts';
import { offsetFetchApi } from '../../../src/protocol/api/09-offset-fetch.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { addOffsetsToTxnApi } from '../../../src/protocol/api/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../../../src/protocol/api/26-end-txn.ts';
import { txnOffsetCommitApi } from '../../../src/protocol/api/28-txn-offset-commit.ts';
import type { Reader } from '../../../src/client/reader/index.ts';
import type { OffsetToSend } from '../../../src/client/writer/transaction-coordinator.ts';
import type { Transaction } from '../../../src/client/writer/transaction.ts';
import { failureOf, numbered } from './scene.ts';
import { playTransactions, spread } from './transaction-scene.ts';

const tx = { transactionalId: 'tx', topic: 'out' };
const group = { groupId: 'g', topic: 't' };
const topics = [
  { name: 't', partitions: 1 },
  { name: 'out', partitions: 1 },
];
const at = (offset: number, partition = 0): OffsetToSend => ({ topic: 't', partition, offset });
const broken = new Error('processing failed');

async function next(reader: Reader, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) values.push((await reader.fetchMessage()).text() ?? '');
  return values;
}

/** Copies what comes next, in one transaction. */
async function copy(transaction: Transaction, reader: Reader, maxRecords: number): Promise<void> {
  const batch = await reader.fetchBatch({ maxRecords });
  await transaction.writeMessages(Array.from(batch, (message) => ({ value: message.value })));
  await transaction.sendOffsets([
    { topic: batch.topic, partition: batch.partition, offset: batch.lastOffset + 1 },
  ]);
}

describe.each([1, 2] as const)(
  'at transaction.version %d a transaction with a source',
  (transactionVersion) => {
    const scene = { transactionVersion, topics };

    it('commits its offsets with what it writes, or neither', () =>
      playTransactions(scene, async ({ cluster, writer, reader, committed }) => {
        await writer().writeMessages(numbered(6));
        const [source, one] = [reader(group), writer(tx)];
        const failed = one.transaction(
          async (transaction) => {
            await copy(transaction, source, 4);
            throw broken;
          },
          { source },
        );
        await expect(failed).rejects.toBe(broken);
        expect(cluster.committed('g')).toEqual([]);
        await one.transaction((transaction) => copy(transaction, source, 4), { source });
        expect(cluster.committed('g')).toMatchObject([{ partition: 0, offset: 4 }]);
        await one.transaction((transaction) => copy(transaction, source, 4), { source });
        expect(cluster.committed('g')).toMatchObject([{ partition: 0, offset: 6 }]);
        expect(await committed(0, 'out')).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5']);
      }));

    it('is hidden from the next owner until it is decided: offsets are fetched stable', () =>
      playTransactions(scene, async ({ cluster, writer, reader, world }) => {
        await writer().writeMessages(numbered(4));
        const [source, one] = [reader(group), writer(tx)];
        const transaction = await one.beginTransaction({ source });
        await next(source, 3);
        await transaction.sendOffsets([at(3)]);
        const second = reader(group);
        const asked = cluster.faults.requests(offsetFetchApi).length;
        void source.close();
        const first = next(second, 1);
        await world.advance(3000);
        expect(cluster.faults.requests(offsetFetchApi).length).toBeGreaterThan(asked);
        for (const { request } of cluster.faults.requests(offsetFetchApi))
          expect(request.requireStable).toBe(true);
        await transaction.commit();
        expect(await first).toEqual(['m3']);
      }));
  },
);

describe('a source', () => {
  const scene = { topics };

  it('commits nothing by itself, from the first transaction on (R1, R2)', () =>
    playTransactions(scene, async ({ cluster, writer, reader, world }) => {
      await writer().writeMessages(numbered(5));
      const [source, one] = [reader({ ...group, commitIntervalMs: 10 }), writer(tx)];
      let count = 0;
      for await (const message of source) {
        await one.transaction((transaction) => transaction.sendOffsets([at(message.offset + 1)]), { source });
        await world.advance(100);
        if (++count === 3) break;
      }
      expect(await next(source, 1)).toEqual(['m3']);
      const refused = await failureOf(source.commitMessages([]));
      expect(refused).toBeInstanceOf(UsageError);
      expect(refused).toMatchObject({ message: expect.stringMatching(/sendOffsets/) });
      expect(await failureOf(source.readMessage())).toBeInstanceOf(UsageError);
      await source.close();
      expect(cluster.faults.requests(offsetCommitApi)).toEqual([]);
      expect(cluster.committed('g')).toMatchObject([{ offset: 3 }]);
    }));

  it('that is closed on its way back gives up at once, and holds nothing open', () =>
    playTransactions(scene, async ({ cluster, writer, reader, world }) => {
      await writer().writeMessages(numbered(3));
      const source = reader(group);
      expect(await next(source, 1)).toEqual(['m0']);
      cluster.faults.inject({ api: offsetFetchApi, error: 'COORDINATOR_LOAD_IN_PROGRESS', times: 1000 });
      const failed = failureOf(source.rewindToCommitted());
      await world.advance(2000);
      await source.close();
      expect(await failed).toMatchObject({ code: 'CLOSED' });
    }));

  it('goes back to where it began when there is no commit, also after an abort before any offsets', () =>
    playTransactions(scene, async ({ writer, reader, world }) => {
      const plain = writer();
      await plain.writeMessages(numbered(3, 'old'));
      const [source, one] = [reader({ ...group, startOffset: 'latest' }), writer(tx)];
      const transaction = await one.beginTransaction({ source });
      const first = next(source, 3);
      await world.advance(2000);
      await plain.writeMessages(numbered(5));
      expect(await first).toEqual(['m0', 'm1', 'm2']);
      await transaction.abort();
      expect(await next(source, 5)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
    }));

  it('is not moved forward by a loop that an aborted transaction was in', () =>
    playTransactions(scene, async ({ writer, reader }) => {
      await writer().writeMessages(numbered(5));
      const [source, one] = [reader(group), writer(tx)];
      const failed = (async (): Promise<void> => {
        for await (const message of source) {
          if (message.offset < 3) continue;
          await one.transaction(() => Promise.reject(broken), { source });
        }
      })();
      await expect(failed).rejects.toBe(broken);
      expect(await next(source, 5)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
    }));

  it('lets a batch that is being gathered begin anew', () =>
    playTransactions(scene, async ({ writer, reader, world }) => {
      await writer().writeMessages(numbered(4));
      const [source, one] = [reader(group), writer(tx)];
      const transaction = await one.beginTransaction({ source });
      expect(await next(source, 2)).toEqual(['m0', 'm1']);
      const gathering = source.fetchBatch({ maxRecords: 100, maxWaitMs: 5000 });
      await world.advance(100);
      await transaction.abort();
      expect(Array.from(await gathering, (message) => message.text())).toEqual(['m0', 'm1', 'm2', 'm3']);
    }));

  it('sends offsets past what nobody is to see, so that its lag reaches 0 (R2)', () =>
    playTransactions(scene, async ({ cluster, writer, reader, world }) => {
      const feed = writer({ transactionalId: 'feed' });
      await feed.transaction((transaction) => transaction.writeMessages(numbered(2)));
      const [source, one] = [reader(group), writer(tx)];
      expect(await next(source, 2)).toEqual(['m0', 'm1']);
      const waiting = next(source, 1);
      await world.advance(1000);
      await one.transaction((transaction) => transaction.sendOffsets([at(2)]), { source });
      expect(cluster.committed('g')).toMatchObject([{ offset: 3 }]);
      await feed.transaction((transaction) => transaction.writeMessages({ value: 'x' }));
      expect(await waiting).toEqual(['x']);
    }));

  it('refuses offsets of a partition that was revoked since, even when it has come back (R3)', () =>
    playTransactions({ topics: [{ name: 't', partitions: 2 }, ...topics.slice(1)] }, async (given) => {
      const { cluster, writer, reader, world, committed } = given;
      await writer().writeMessages(spread(8, 2));
      const [source, one] = [reader({ ...group, heartbeatIntervalMs: 100 }), writer(tx)];
      const transaction = await one.beginTransaction({ source });
      const values = await next(source, 8);
      await transaction.writeMessages(values.map((value) => ({ value })));
      const other = reader({ ...group, heartbeatIntervalMs: 100 });
      const [taken] = await next(other, 1);
      await other.close();
      await world.advance(2000);
      expect(taken).toBeDefined();
      // All of it was handed out again meanwhile, but the transaction holds what came before.
      expect(await next(source, 8)).toHaveLength(8);
      const refused = await failureOf(transaction.sendOffsets([at(4, 0), at(4, 1)]));
      expect(refused).toMatchObject({ code: 'FENCED', retriable: true });
      expect(await failureOf(transaction.commit())).toBeInstanceOf(KafkaError);
      expect(cluster.faults.requests(txnOffsetCommitApi)).toEqual([]);
      await transaction.abort();
      const seen = await one.transaction(
        async (again) => {
          const all = await next(source, 8);
          await again.writeMessages(all.map((value) => ({ value })));
          await again.sendOffsets([at(4, 0), at(4, 1)]);
          return all;
        },
        { source },
      );
      expect(seen.sort()).toEqual(numbered(8).map(({ value }) => value));
      expect((await committed(0, 'out')).sort()).toEqual(seen);
    }));

  it('keeps the process alive while anything of its transaction is under way (C4)', () =>
    playTransactions({ topics, transactionVersion: 1 }, async ({ cluster, writer, reader, world }) => {
      await writer().writeMessages(numbered(2));
      const [source, one] = [reader(group), writer(tx)];
      await next(source, 1);
      const holds: number[] = [];
      const count = (): undefined => void holds.push(world.openHolds());
      for (const api of [
        initProducerIdApi,
        addOffsetsToTxnApi,
        txnOffsetCommitApi,
        endTxnApi,
        offsetFetchApi,
      ])
        cluster.faults.on<unknown, unknown>(api, count);
      await one.transaction((transaction) => transaction.sendOffsets([at(1)]), { source });
      const transaction = await one.beginTransaction({ source });
      await next(source, 1);
      await transaction.sendOffsets([at(2)]);
      await transaction.abort();
      expect(holds).toHaveLength(8);
      for (const held of holds) expect(held).toBeGreaterThan(0);
      expect(world.openHolds()).toBe(0);
    }));

  it('whose group has gone on has its transaction aborted, and the next one goes through', () =>
    playTransactions(scene, async ({ cluster, writer, reader, committed }) => {
      await writer().writeMessages(numbered(3));
      const [source, one] = [reader(group), writer(tx)];
      cluster.faults.inject({ api: txnOffsetCommitApi, error: 'ILLEGAL_GENERATION' });
      const failed = one.transaction((transaction) => copy(transaction, source, 3), { source });
      expect(await failureOf(failed)).toMatchObject({ message: expect.stringMatching(/ILLEGAL_GENERATION/) });
      await one.transaction((transaction) => copy(transaction, source, 3), { source });
      expect(await committed(0, 'out')).toEqual(['m0', 'm1', 'm2']);
    }));

  it.each([true, false])(
    'waits for the next transaction when nobody says how one ended (done: %s)',
    (effect) =>
      playTransactions(scene, async ({ cluster, writer, reader, committed, world }) => {
        await writer().writeMessages(numbered(4));
        const [source, one] = [
          reader(group),
          writer({ ...tx, transactionTimeoutMs: 600_000, requestTimeoutMs: 5000 }),
        ];
        const fault = cluster.faults.inject({ api: endTxnApi, outcome: 'silence', effect, times: 1000 });
        const beganMs = world.platform.monotonicNow();
        const failed = one.transaction((transaction) => copy(transaction, source, 2), { source });
        expect(await failureOf(failed)).toMatchObject({ code: 'TIMEOUT', stored: 'maybe' });
        expect(world.platform.monotonicNow() - beganMs).toBeLessThan(61_000);
        fault.remove();
        await one.transaction((transaction) => copy(transaction, source, 2), { source });
        if (!effect) await one.transaction((transaction) => copy(transaction, source, 2), { source });
        expect(await committed(0, 'out')).toEqual(['m0', 'm1', 'm2', 'm3']);
        expect(cluster.committed('g')).toMatchObject([{ offset: 4 }]);
      }),
  );

  it('that cannot go back holds up the next transaction, not its records', () =>
    playTransactions(scene, async ({ cluster, writer, reader, committed }) => {
      await writer().writeMessages(numbered(3));
      const [source, one] = [reader(group), writer(tx)];
      const transaction = await one.beginTransaction({ source });
      await next(source, 2);
      const fault = cluster.faults.inject({
        api: offsetFetchApi,
        error: 'GROUP_AUTHORIZATION_FAILED',
        times: 100,
      });
      expect(await failureOf(transaction.abort())).toMatchObject({
        message: expect.stringMatching(/GROUP_AUTHORIZATION_FAILED/),
      });
      expect(await failureOf(one.beginTransaction({ source }))).toMatchObject({
        message: expect.stringMatching(/GROUP_AUTHORIZATION_FAILED/),
      });
      fault.remove();
      await one.transaction((again) => copy(again, source, 3), { source });
      expect(await committed(0, 'out')).toEqual(['m0', 'm1', 'm2']);
    }));

  it('is asked for, needs a group, and takes offsets only', () =>
    playTransactions(scene, async ({ writer, reader, cluster }) => {
      await writer().writeMessages(numbered(2));
      const one = writer(tx);
      const alone = reader({ topic: 't', partition: 0 });
      expect(() => alone.groupMetadata()).toThrow(UsageError);
      expect(await failureOf(one.beginTransaction({ source: alone }))).toBeInstanceOf(UsageError);
      const without = await one.beginTransaction();
      expect(await failureOf(without.sendOffsets([at(1)]))).toBeInstanceOf(UsageError);
      await without.abort();
      const source = reader(group);
      for (const wrong of [
        at(-1),
        at(0.5),
        { ...at(1), topic: 7 },
        { ...at(1), partition: undefined },
        null,
      ]) {
        const transaction = await one.beginTransaction({ source });
        await next(source, 1);
        const offsets = [wrong] as readonly OffsetToSend[];
        expect(await failureOf(transaction.sendOffsets(offsets))).toBeInstanceOf(UsageError);
        await transaction.abort();
      }
      const transaction = await one.beginTransaction({ source });
      expect(await failureOf(transaction.sendOffsets([at(1)]))).toMatchObject({ code: 'FENCED' });
      await transaction.abort();
      expect(cluster.faults.requests(produceApi)).toHaveLength(1);
    }));
});
