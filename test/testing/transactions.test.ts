/** Transactions as a producer and readers see them: what is written when, who sees it, and where it ends. */
import { describe, expect, it } from 'vitest';
import {
  addPartitionsToTxnApi,
  describeTransactionsApi,
  ErrorCodes,
  findCoordinatorApi,
  listOffsetsApi,
  listTransactionsApi,
  produceApi,
  type Input,
  type ListTransactionsRequest,
} from '../../src/protocol/index.ts';
import { EmbeddedCluster, virtualWorld } from '../../src/testing/index.ts';
import { batchOf, fetch, inCluster, valuesIn } from './cluster-world.ts';
import type { RawClient } from './raw-client.ts';
import { ScriptedProducer, transactionTimeoutMs } from './scripted-producer.ts';

const topics = [{ name: 'orders', partitions: 2 }];
const readCommitted = 1;

async function lastStable(client: RawClient): Promise<number> {
  const partitions = [{ partitionIndex: 0, timestamp: -1 }];
  const answer = await client.call(listOffsetsApi, 7, {
    isolationLevel: readCommitted,
    topics: [{ name: 'orders', partitions }],
  });
  return answer.topics[0]?.partitions[0]?.offset ?? -1;
}

describe.each([1, 2] as const)('a transaction at level %d', (level) => {
  it('is read by read_committed from its commit on, by others at once', () =>
    inCluster({ topics, transactionVersion: level }, async ({ cluster, connect }) => {
      const client = await connect();
      const producer = new ScriptedProducer(client, 'tx', level);
      expect(await producer.init()).toBe(0);
      if (level === 1) expect(await producer.add([['orders', 0]])).toEqual([0]);
      expect(await producer.write('orders', ['a', 'b'])).toBe(0);
      expect(await producer.write('orders', ['c'])).toBe(0);
      const before = await fetch(client, 'orders', 0, { isolationLevel: readCommitted });
      expect(before).toMatchObject({ highWatermark: 3, lastStableOffset: 0 });
      expect(valuesIn(before.records)).toEqual([]);
      expect(valuesIn((await fetch(client, 'orders', 0)).records)).toEqual(['a', 'b', 'c']);
      expect(await lastStable(client)).toBe(0);
      expect(cluster.transaction('tx')).toMatchObject({
        state: 'Ongoing',
        partitions: [{ topic: 'orders', partition: 0 }],
      });
      expect(await producer.commit()).toBe(0);
      const after = await fetch(client, 'orders', 0, { isolationLevel: readCommitted });
      expect(after).toMatchObject({ highWatermark: 4, lastStableOffset: 4, abortedTransactions: [] });
      expect(valuesIn(after.records).slice(0, 3)).toEqual(['a', 'b', 'c']);
      expect(await lastStable(client)).toBe(4);
      expect(cluster.transaction('tx')).toMatchObject({ state: 'CompleteCommit', partitions: [] });
    }));

  it('is listed for read_committed when it was aborted', () =>
    inCluster({ topics, transactionVersion: level }, async ({ connect }) => {
      const client = await connect();
      const producer = new ScriptedProducer(client, 'tx', level);
      await producer.init();
      const { producerId } = producer;
      for (let round = 0; round < 2; round++) {
        if (level === 1) await producer.add([['orders', 0]]);
        expect(await producer.write('orders', ['a', 'b'])).toBe(0);
        expect(await producer.abort()).toBe(0);
      }
      const read = await fetch(client, 'orders', 0, { isolationLevel: readCommitted });
      expect(read).toMatchObject({
        lastStableOffset: 6,
        abortedTransactions: [
          { producerId, firstOffset: 0 },
          { producerId, firstOffset: 3 },
        ],
      });
      expect((await fetch(client, 'orders', 0)).abortedTransactions).toBeNull();
    }));

  it('is ended by a marker in every partition it wrote to, of the epoch that ends it', () =>
    inCluster({ topics, transactionVersion: level }, async ({ cluster, connect }) => {
      const client = await connect();
      const producer = new ScriptedProducer(client, 'tx', level);
      await producer.init();
      if (level === 1) {
        await producer.add([
          ['orders', 0],
          ['orders', 1],
        ]);
      }
      await producer.write('orders', ['a']);
      await producer.write('orders', ['b'], { partition: 1 });
      await producer.commit();
      const epoch = level === 1 ? 0 : 1;
      for (const partition of [0, 1]) {
        const marker = (await cluster.batches('orders', partition)).at(-1);
        expect(marker).toMatchObject({ isControl: true, isTransactional: true, producerEpoch: epoch });
        expect(marker).toMatchObject({ baseSequence: -1, baseOffset: 1 });
        expect([...(marker?.records[0]?.key ?? [])]).toEqual([0, 0, 0, 1]);
        expect([...(marker?.records[0]?.value ?? [])]).toEqual([0, 0, 0, 0, 0, 0]);
      }
      expect(producer.producerEpoch).toBe(epoch);
    }));
});

describe('a producer', () => {
  it('is shut out by the next of its transactional id, and what it had open is aborted', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const old = new ScriptedProducer(await connect());
      await old.init();
      await old.write('orders', ['a']);
      const next = new ScriptedProducer(await connect());
      expect(await next.init()).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
      expect(cluster.transaction('tx')?.state).toBe('CompleteAbort');
      expect(await next.init()).toBe(0);
      expect(next).toMatchObject({ producerId: old.producerId, producerEpoch: 2 });
      expect(await old.write('orders', ['b'])).toBe(ErrorCodes.INVALID_PRODUCER_EPOCH);
      expect(await old.commit()).toBe(ErrorCodes.PRODUCER_FENCED);
      expect(await old.end(true, 1)).toBe(ErrorCodes.INVALID_PRODUCER_EPOCH);
      expect(await next.write('orders', ['c'])).toBe(0);
      expect(await next.commit()).toBe(0);
    }));

  it('may not write what its coordinator does not know of at level 1, in the words that its version has', () =>
    inCluster({ topics, transactionVersion: 1 }, async ({ cluster, connect }) => {
      const producer = new ScriptedProducer(await connect(), 'tx', 1);
      await producer.init();
      const write = (version: number) => producer.write('orders', ['a'], { version });
      expect(await write(10)).toBe(ErrorCodes.INVALID_TXN_STATE);
      expect(await write(11)).toBe(ErrorCodes.TRANSACTION_ABORTABLE);
      await producer.add([['orders', 1]]);
      expect(await write(11)).toBe(ErrorCodes.TRANSACTION_ABORTABLE);
      expect(cluster.partition('orders', 0).endOffset).toBe(0);
    }));

  it('begins at sequence 0 in every partition of a transaction at level 2', () =>
    inCluster({ topics }, async ({ connect }) => {
      const producer = new ScriptedProducer(await connect());
      await producer.init();
      const write = (baseSequence: number) => producer.write('orders', ['a'], { baseSequence });
      expect(await write(3)).toBe(ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER);
      expect(await write(0)).toBe(0);
      expect(await write(1)).toBe(0);
      await producer.commit();
      expect(await write(2)).toBe(ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER);
      expect(await write(0)).toBe(0);
    }));

  it('may write records outside of a transaction under its name, but no request for two', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const [one, two] = [new ScriptedProducer(client, 'one'), new ScriptedProducer(client, 'two')];
      await one.init();
      await two.init();
      const batch = ({ producerId, producerEpoch }: ScriptedProducer, isTransactional: boolean) =>
        batchOf(['a'], { producerId, producerEpoch, baseSequence: 0, isTransactional });
      const write = async (records: Uint8Array[], transactionalId: string | null) => {
        const partitionData = records.map((each, index) => ({ index, records: each }));
        const topicData = [{ name: 'orders', partitionData }];
        const answer = await client.call(produceApi, 12, { acks: -1, transactionalId, topicData });
        return answer.responses[0]?.partitionResponses.map(({ errorCode }) => errorCode);
      };
      const { INVALID_PRODUCER_ID_MAPPING, TRANSACTIONAL_ID_AUTHORIZATION_FAILED } = ErrorCodes;
      const mixed = Array(2).fill(INVALID_PRODUCER_ID_MAPPING);
      expect(await write([batch(one, true), batch(two, true)], 'one')).toEqual(mixed);
      const nameless = Array(2).fill(TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
      expect(await write([batch(one, false), batch(one, true)], null)).toEqual(nameless);
      expect(await write([batch(one, false), batch(two, false)], 'one')).toEqual([0, 0]);
    }));

  it('cannot leave out a batch whose verification failed: what comes behind is out of order', () =>
    inCluster({ topics, transactionVersion: 1 }, async ({ connect }) => {
      const producer = new ScriptedProducer(await connect(), 'tx', 1);
      await producer.init();
      expect(await producer.write('orders', ['a'])).toBe(ErrorCodes.TRANSACTION_ABORTABLE);
      await producer.add([['orders', 0]]);
      const { OUT_OF_ORDER_SEQUENCE_NUMBER } = ErrorCodes;
      expect(await producer.write('orders', ['b'], { baseSequence: 1 })).toBe(OUT_OF_ORDER_SEQUENCE_NUMBER);
      expect(await producer.write('orders', ['a'])).toBe(0);
      expect(await producer.write('orders', ['b'], { baseSequence: 1 })).toBe(0);
    }));
});

describe('a transaction', () => {
  it('that is too old is aborted by the clock, and its producer is shut out', () =>
    inCluster({ topics }, async ({ cluster, connect, world }) => {
      const client = await connect();
      const producer = new ScriptedProducer(client);
      await producer.init({ timeoutMs: 5_000 });
      await producer.write('orders', ['a']);
      await world.advance(4_000);
      expect(cluster.transaction('tx')?.state).toBe('Ongoing');
      await world.advance(1_000);
      expect(cluster.transaction('tx')).toMatchObject({ state: 'CompleteAbort', producerEpoch: 1 });
      expect(await lastStable(client)).toBe(2);
      expect(await producer.write('orders', ['b'])).toBe(ErrorCodes.INVALID_PRODUCER_EPOCH);
      expect(await producer.commit()).toBe(ErrorCodes.INVALID_TXN_STATE);
      // The epoch that shut it out was not given to anybody, so it gets that one.
      expect(await producer.init({ goOn: true })).toBe(0);
      expect(producer.producerEpoch).toBe(1);
      expect(await producer.write('orders', ['b'])).toBe(0);
    }));

  it('wakes who waits for committed records when it commits', () =>
    inCluster({ topics }, async ({ connect, world }) => {
      const producer = new ScriptedProducer(await connect());
      await producer.init();
      await producer.write('orders', ['a']);
      const reader = await connect();
      const reading = fetch(reader, 'orders', 0, { isolationLevel: readCommitted, maxWaitMs: 60_000 });
      await world.advance(1_000);
      await producer.commit();
      expect(valuesIn((await reading).records)[0]).toBe('a');
    }));

  it('begins its age anew each time', () =>
    inCluster({ topics }, async ({ cluster, connect, world }) => {
      const producer = new ScriptedProducer(await connect());
      await producer.init({ timeoutMs: 5_000 });
      for (let i = 0; i < 3; i++) {
        expect(await producer.write('orders', ['a'])).toBe(0);
        await world.advance(3_000);
        expect(await producer.commit()).toBe(0);
      }
      await world.advance(10_000);
      expect(cluster.transaction('tx')?.state).toBe('CompleteCommit');
    }));

  it('waits for its markers as long as the cluster was told, and the next one is told to wait', () =>
    inCluster({ topics, markerDelayMs: 500 }, async ({ cluster, connect, world }) => {
      const client = await connect();
      const producer = new ScriptedProducer(client);
      await producer.init();
      await producer.write('orders', ['a']);
      expect(await producer.commit()).toBe(0);
      expect(cluster.transaction('tx')?.state).toBe('PrepareCommit');
      expect(await lastStable(client)).toBe(0);
      expect(await producer.write('orders', ['b'])).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
      expect(await producer.init()).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
      await world.advance(500);
      expect(await lastStable(client)).toBe(2);
      expect(await producer.write('orders', ['b'])).toBe(0);
    }));

  it('ends where a partition has no leader once it has one again', () =>
    inCluster(
      {
        brokers: 2,
        topics: [
          { name: 'orders', replicationFactor: 1 },
          { name: 'other', replicationFactor: 1 },
        ],
      },
      async ({ cluster, connect }) => {
        cluster.moveCoordinator('tx', 2, { type: 'transaction' });
        const ends = (topic: string): number => cluster.partition(topic, 0).endOffset;
        const [one, two] = [await connect(1), await connect(2)];
        const producer = new ScriptedProducer(two);
        const there = new ScriptedProducer(one);
        await producer.init();
        Object.assign(there, { producerId: producer.producerId, producerEpoch: producer.producerEpoch });
        expect(await there.write('orders', ['a'])).toBe(0);
        expect(await producer.write('other', ['b'])).toBe(0);
        await cluster.stopBroker(1);
        expect(await producer.commit()).toBe(0);
        expect([ends('orders'), ends('other')]).toEqual([1, 2]);
        expect(cluster.transaction('tx')).toMatchObject({
          state: 'PrepareCommit',
          partitions: [{ topic: 'orders', partition: 0 }],
        });
        await cluster.startBroker(1);
        expect([ends('orders'), ends('other')]).toEqual([2, 2]);
        expect(cluster.transaction('tx')?.state).toBe('CompleteCommit');
      },
    ));

  it('ends though one of its topics is gone', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const producer = new ScriptedProducer(await connect());
      await producer.init();
      await producer.write('orders', ['a']);
      cluster.deleteTopic('orders');
      expect(await producer.commit()).toBe(0);
      expect(cluster.transaction('tx')?.state).toBe('CompleteCommit');
    }));

  it('is verified and joined by brokers in version 4', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const producer = new ScriptedProducer(client);
      await producer.init();
      const { transactionalId, producerId, producerEpoch } = producer;
      const ask = async (verifyOnly: boolean, partition: number) => {
        const asked = [{ name: 'orders', partitions: [partition] }];
        const transaction = { transactionalId, producerId, producerEpoch, verifyOnly, topics: asked };
        const answer = await client.call(addPartitionsToTxnApi, 4, { transactions: [transaction] });
        const [result] = answer.resultsByTransaction;
        return result?.topicResults[0]?.resultsByPartition[0]?.partitionErrorCode;
      };
      expect(await ask(true, 1)).toBe(ErrorCodes.TRANSACTION_ABORTABLE);
      expect(await ask(false, 1)).toBe(0);
      expect(await ask(true, 1)).toBe(0);
      expect(await ask(true, 0)).toBe(ErrorCodes.TRANSACTION_ABORTABLE);
    }));

  it('is described and listed', () =>
    inCluster({ topics }, async ({ connect, world }) => {
      const client = await connect();
      const open = new ScriptedProducer(client, 'open');
      const done = new ScriptedProducer(client, 'done');
      for (const producer of [open, done]) {
        await producer.init();
        await producer.write('orders', ['a'], { partition: 1 });
      }
      await done.commit();
      const { transactionStates } = await client.call(describeTransactionsApi, 0, {
        transactionalIds: ['open', 'done', 'never', ''],
      });
      expect(transactionStates).toMatchObject([
        { errorCode: 0, transactionState: 'Ongoing', transactionTimeoutMs, producerEpoch: 0 },
        { errorCode: 0, transactionState: 'CompleteCommit', producerEpoch: 1, topics: [] },
        { errorCode: ErrorCodes.TRANSACTIONAL_ID_NOT_FOUND },
        { errorCode: ErrorCodes.INVALID_REQUEST },
      ]);
      expect(transactionStates[0]?.topics).toEqual([{ topic: 'orders', partitions: [1] }]);
      await world.advance(1_000);
      const list = async (filter: Input<ListTransactionsRequest>) => {
        const answer = await client.call(listTransactionsApi, 2, filter);
        return answer.transactionStates.map(({ transactionalId }) => transactionalId);
      };
      expect(await list({})).toEqual(['open', 'done']);
      expect(await list({ stateFilters: ['Ongoing', 'Unheard'] })).toEqual(['open']);
      expect(await list({ producerIdFilters: [done.producerId] })).toEqual(['done']);
      expect(await list({ durationFilter: 500 })).toEqual(['open', 'done']);
      expect(await list({ durationFilter: 5_000 })).toEqual([]);
      expect(await list({ transactionalIdPattern: 'o.*' })).toEqual(['open']);
      const unheard = await client.call(listTransactionsApi, 2, { stateFilters: ['Unheard'] });
      expect(unheard).toMatchObject({ unknownStateFilters: ['Unheard'], transactionStates: [] });
      const broken = await client.call(listTransactionsApi, 2, { transactionalIdPattern: '(' });
      expect(broken.errorCode).toBe(ErrorCodes.INVALID_REGULAR_EXPRESSION);
    }));
});

describe('the coordinator of a transaction', () => {
  it('is found by key type 1, apart from that of a group of the same name', () =>
    inCluster({ brokers: 3, topics }, async ({ cluster, connect }) => {
      const client = await connect(2);
      cluster.moveCoordinator('same', 1);
      cluster.moveCoordinator('same', 3, { type: 'transaction' });
      const find = async (keyType: number) => {
        const answer = await client.call(findCoordinatorApi, 4, { keyType, coordinatorKeys: ['same'] });
        return answer.coordinators[0]?.nodeId;
      };
      expect([await find(0), await find(1)]).toEqual([1, 3]);
      expect([cluster.coordinator('same'), cluster.coordinator('same', 'transaction')]).toEqual([1, 3]);
      expect(await new ScriptedProducer(client, 'same').init()).toBe(ErrorCodes.NOT_COORDINATOR);
    }));

  it('moves: the old one refuses, the new one loads for a while, then the transaction goes on', () =>
    inCluster({ brokers: 2, topics, transactionVersion: 1 }, async ({ cluster, connect, world }) => {
      const leader = cluster.partition('orders', 0).leader;
      const other = 3 - leader;
      cluster.moveCoordinator('tx', leader, { type: 'transaction' });
      const producer = new ScriptedProducer(await connect(leader), 'tx', 1);
      await producer.init();
      await producer.add([['orders', 0]]);
      cluster.moveCoordinator('tx', other, { type: 'transaction', loadingMs: 2_000 });
      expect(await producer.add([['orders', 1]])).toEqual([ErrorCodes.NOT_COORDINATOR]);
      // The leader cannot ask: it answers what every version retries.
      expect(await producer.write('orders', ['a'])).toBe(ErrorCodes.NOT_ENOUGH_REPLICAS);
      const there = new ScriptedProducer(await connect(other), 'tx', 1);
      Object.assign(there, { producerId: producer.producerId, producerEpoch: producer.producerEpoch });
      expect(await there.commit()).toBe(ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS);
      await world.advance(2_000);
      expect(await producer.write('orders', ['a'])).toBe(0);
      expect(await there.commit()).toBe(0);
      const marker = (await cluster.batches('orders', 0)).at(-1);
      expect([...(marker?.records[0]?.value ?? [])]).toEqual([0, 0, 0, 0, 0, 1]);
    }));

  it('moves when its broker stops, with what it had open', () =>
    inCluster({ brokers: 2, topics }, async ({ cluster, connect, world }) => {
      cluster.moveCoordinator('tx', 1, { type: 'transaction' });
      cluster.moveLeader('orders', 0, 2);
      const producer = new ScriptedProducer(await connect(1));
      await producer.init({ timeoutMs: 5_000 });
      const there = new ScriptedProducer(await connect(2));
      Object.assign(there, { producerId: producer.producerId, producerEpoch: producer.producerEpoch });
      expect(await there.write('orders', ['a'])).toBe(0);
      await cluster.stopBroker(1);
      expect(cluster.coordinator('tx', 'transaction')).toBe(2);
      await world.advance(5_000);
      expect(cluster.transaction('tx')?.state).toBe('CompleteAbort');
    }));
});

it.each([
  [{ transactionVersion: 3 }, /transactionVersion must be an integer from 1 to 2/],
  [{ markerDelayMs: -1 }, /markerDelayMs must be an integer from 0/],
  [{ maxTransactionTimeoutMs: 0 }, /maxTransactionTimeoutMs must be an integer from 1/],
])('an option that cannot be is refused by name: %j', async (options, message) => {
  const { platform } = virtualWorld();
  await expect(EmbeddedCluster.start({ platform, ...(options as object) })).rejects.toThrow(message);
});

it('a transaction may be as long as the cluster was told', () =>
  inCluster({ maxTransactionTimeoutMs: 1_000 }, async ({ connect }) => {
    const producer = new ScriptedProducer(await connect());
    expect(await producer.init({ timeoutMs: 1_001 })).toBe(ErrorCodes.INVALID_TRANSACTION_TIMEOUT);
    expect(await producer.init({ timeoutMs: 1_000 })).toBe(0);
  }));
