/** Transactions of a Writer: all or nothing, at both levels of transaction.version, through whatever a coordinator does
 * (W10, B4, B8, B9, KIP-98, KIP-360, KIP-447, KIP-890).
 */
import { describe, expect, it } from 'vitest';
import { KafkaError } from '../../../src/errors.ts';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../../src/protocol/api/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from '../../../src/protocol/api/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../../../src/protocol/api/26-end-txn.ts';
import { txnOffsetCommitApi } from '../../../src/protocol/api/28-txn-offset-commit.ts';
import { nextBatch } from '../../../src/protocol/records/batch.ts';
import type { EmbeddedCluster } from '../../../src/testing/index.ts';
import { failureOf, numbered } from './scene.ts';
import { playTransactions, spread } from './transaction-scene.ts';

const tx = { transactionalId: 'tx' };
const texts = (count: number, prefix?: string): string[] => numbered(count, prefix).map(({ value }) => value);

/** Epoch and first sequence of every batch that reached a broker. */
function places(cluster: EmbeddedCluster): [number, number][] {
  return cluster.faults.requests(produceApi).flatMap(({ request }) =>
    request.topicData.flatMap(({ partitionData }) =>
      partitionData.map(({ records }): [number, number] => {
        const batch = nextBatch(records ?? new Uint8Array(0), 0);
        return [batch?.producerEpoch ?? -1, batch?.baseSequence ?? -1];
      }),
    ),
  );
}

describe.each([1, 2] as const)('at transaction.version %d a transaction', (transactionVersion) => {
  const implicit = transactionVersion === 2;

  it('is seen when it is committed, and never when it is aborted', () =>
    playTransactions({ transactionVersion, partitions: 3 }, async ({ writer, committed, allValues }) => {
      const one = writer(tx);
      const all = async (): Promise<string[]> =>
        (await Promise.all([committed(0), committed(1), committed(2)])).flat().sort();
      const messages = spread(30, 3);
      const result = await one.transaction(async (transaction) => {
        const receipt = await transaction.writeMessages(messages);
        expect(await all()).toEqual([]);
        return receipt.length;
      });
      expect(result).toBe(30);
      expect(await all()).toEqual(texts(30).sort());
      const failed = one.transaction(async (transaction) => {
        await transaction.writeMessages(numbered(10, 'lost'));
        throw new Error('processing failed');
      });
      await expect(failed).rejects.toThrow('processing failed');
      expect(await allValues()).toHaveLength(40);
      expect(await all()).toEqual(texts(30).sort());
      await one.transaction((transaction) => transaction.writeMessages({ value: 'z' }));
      expect(await all()).toEqual([...texts(30), 'z'].sort());
    }));

  it('asks its coordinator for what its level needs, in the versions of its level', () =>
    playTransactions({ transactionVersion, partitions: 2 }, async ({ cluster, writer, reader }) => {
      const source = reader({ groupId: 'g', topic: 't' });
      await writer().writeMessages(spread(4, 2));
      const batch = await source.fetchBatch();
      cluster.faults.clear();
      const { topic, partition } = batch;
      const one = writer({ ...tx, topic: undefined });
      for (let round = 1; round <= 2; round++) {
        await one.transaction(
          async (transaction) => {
            const messages = [0, 1].map((to) => ({ topic: 't', partition: to, value: 'v' }));
            await transaction.writeMessages(messages);
            await transaction.sendOffsets([{ topic, partition, offset: round }]);
          },
          { source },
        );
      }
      const versions = (api: Parameters<typeof cluster.faults.requests>[0]): number[] =>
        cluster.faults.requests(api).map(({ apiVersion }) => apiVersion);
      expect(versions(initProducerIdApi)).toEqual([5]);
      expect(versions(addPartitionsToTxnApi)).toEqual(implicit ? [] : [3, 3]);
      expect(versions(addOffsetsToTxnApi)).toHaveLength(implicit ? 0 : 2);
      expect(versions(txnOffsetCommitApi)).toEqual(implicit ? [5, 5] : [4, 4]);
      expect(versions(endTxnApi)).toEqual(implicit ? [5, 5] : [4, 4]);
      for (const version of versions(produceApi)) expect(version > 11).toBe(implicit);
      // One epoch for both, or one for each: sequences go on, or begin anew.
      const twice = (epoch: number, sequence: number): [number, number][] => [
        [epoch, sequence],
        [epoch, sequence],
      ];
      expect(places(cluster)).toEqual([...twice(0, 0), ...(implicit ? twice(1, 0) : twice(0, 1))]);
      expect(cluster.committed('g')).toMatchObject([{ partition, offset: 2 }]);
      const [commit] = cluster.faults.requests(txnOffsetCommitApi);
      const { memberId, generationId } = source.groupMetadata();
      expect(commit?.request).toMatchObject({ memberId, generationIdOrMemberEpoch: generationId });
    }));

  it('costs its coordinator nothing when there is nothing in it', () =>
    playTransactions({ transactionVersion }, async ({ cluster, writer }) => {
      const one = writer(tx);
      await one.transaction(() => Promise.resolve());
      const transaction = await one.beginTransaction();
      await transaction.abort();
      expect(cluster.faults.requests(endTxnApi)).toEqual([]);
      expect(cluster.faults.requests(initProducerIdApi)).toHaveLength(1);
    }));

  it('fails as a whole when one of its writes failed, and the next one goes through under a new epoch', () =>
    playTransactions({ transactionVersion, partitions: 2 }, async ({ cluster, writer, committed }) => {
      const one = writer(tx);
      const transaction = await one.beginTransaction();
      await transaction.writeMessages({ partition: 0, value: 'a' });
      cluster.faults.inject({ api: produceApi, error: 'TOPIC_AUTHORIZATION_FAILED' });
      // Nobody waits for it: commit tells.
      void transaction.writeMessages({ partition: 1, value: 'b' });
      const failure = await failureOf(transaction.commit());
      expect(failure).toMatchObject({
        message: expect.stringMatching(/can only be aborted.*TOPIC_AUTHORIZATION_FAILED/),
        stored: 'no',
      });
      expect(await failureOf(transaction.writeMessages({ value: 'c' }))).toMatchObject({ stored: 'no' });
      await transaction.abort();
      cluster.faults.clear();
      const messages = [0, 1].map((partition) => ({ partition, value: 'd' }));
      await one.transaction((next) => next.writeMessages(messages));
      expect(places(cluster)).toEqual([
        [1, 0],
        [1, 0],
      ]);
      expect([await committed(0), await committed(1)]).toEqual([['d'], ['d']]);
    }));

  it('can only be aborted when a sequence is refused, and asks for no new identity in it (B4)', () =>
    playTransactions({ transactionVersion }, async ({ cluster, writer, committed }) => {
      const one = writer(tx);
      const transaction = await one.beginTransaction();
      await transaction.writeMessages({ value: 'first' });
      cluster.faults.inject({ api: produceApi, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' });
      const refused = await failureOf(transaction.writeMessages({ value: 'second' }));
      expect(refused).toMatchObject({ message: expect.stringMatching(/OUT_OF_ORDER_SEQUENCE_NUMBER/) });
      expect(await failureOf(transaction.writeMessages({ value: 'third' }))).toBeInstanceOf(KafkaError);
      expect(await failureOf(transaction.commit())).toMatchObject({
        message: expect.stringMatching(/can only be aborted/),
      });
      expect(cluster.faults.requests(initProducerIdApi)).toHaveLength(1);
      expect(cluster.faults.requests(endTxnApi)).toEqual([]);
      await transaction.abort();
      expect(await committed()).toEqual([]);
      await one.transaction((next) => next.writeMessages({ value: 'fourth' }));
      expect(await committed()).toEqual(['fourth']);
    }));

  it.each(['silence', 'disconnect'] as const)(
    'commits once when EndTxn was done but answered by %s, and the next one has another epoch (B8)',
    (outcome) =>
      playTransactions({ transactionVersion }, async ({ cluster, writer, committed }) => {
        const one = writer({ ...tx, requestTimeoutMs: 1000 });
        cluster.faults.inject({ api: endTxnApi, outcome });
        await one.transaction((transaction) => transaction.writeMessages({ value: 'a' }));
        expect(await committed()).toEqual(['a']);
        const [first, second] = cluster.faults.requests(endTxnApi);
        expect(second?.request).toEqual(first?.request);
        await one.transaction((transaction) => transaction.writeMessages({ value: 'b' }));
        expect(places(cluster).map(([epoch]) => epoch)).toEqual([0, 1]);
        expect(await committed()).toEqual(['a', 'b']);
      }),
  );

  it('is not ended by an EndTxn of the one before that comes late (B8)', () =>
    playTransactions({ transactionVersion, brokers: 2 }, async ({ cluster, writer, committed, world }) => {
      const one = writer({ ...tx, requestTimeoutMs: 1000 });
      let release: () => void = () => undefined;
      let late: Promise<void> | undefined;
      const remove = cluster.faults.on(endTxnApi, async () => {
        if (late !== undefined) return undefined;
        late = new Promise((resolve) => {
          release = resolve;
        });
        await late;
        return undefined;
      });
      await one.transaction((transaction) => transaction.writeMessages({ value: 'a' }));
      const next = await one.beginTransaction();
      await next.writeMessages({ value: 'b' });
      expect(cluster.transaction('tx')).toMatchObject({ state: 'Ongoing' });
      release();
      await world.advance(100);
      expect(cluster.transaction('tx')).toMatchObject({ state: 'Ongoing' });
      expect(await committed()).toEqual(['a']);
      await next.abort();
      expect(await committed()).toEqual(['a']);
      remove();
    }));
});
