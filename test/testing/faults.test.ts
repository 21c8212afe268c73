/** Scripted faults and hooks: each where it belongs, as often as it says, and the record of requests. */
import { describe, expect, it } from 'vitest';
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  apiVersionsApi,
  createTopicsApi,
  deleteTopicsApi,
  describeGroupsApi,
  describeTransactionsApi,
  endTxnApi,
  ErrorCodes,
  fetchApi,
  encodeRequest,
  findCoordinatorApi,
  heartbeatApi,
  initProducerIdApi,
  joinGroupApi,
  leaveGroupApi,
  listGroupsApi,
  listTransactionsApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  produceApi,
  syncGroupApi,
  txnOffsetCommitApi,
  type Api,
  type Input,
} from '../../src/protocol/index.ts';
import { ScriptedProducer } from './scripted-producer.ts';
import { batchOf, fetch, fetchOf, inCluster, produce, sequenced, valuesIn } from './cluster-world.ts';

const topics = [{ name: 'orders', partitions: 2 }, { name: 'other' }];
const group = { groupId: 'g', memberId: 'm', generationId: 1 };

function twoTopics(partitions: readonly number[] = [0]) {
  const topicData = ['orders', 'other'].map((name) => ({
    name,
    partitionData: partitions.map((index) => ({ index, records: batchOf(['a']) })),
  }));
  return { acks: -1, timeoutMs: 1, topicData };
}

/** One request per API, and where its first error stands. */
function request<Req, Res>(
  api: Api<Req, Res>,
  version: number,
  body: Input<Req>,
  errorOf: (answer: Res) => number | undefined,
) {
  return {
    name: api.name,
    key: api.key,
    call: async (client: { call: <A, B>(api: Api<A, B>, version: number, body: Input<A>) => Promise<B> }) =>
      errorOf(await client.call(api, version, body)),
  };
}

const requests = [
  request(produceApi, 9, twoTopics(), (a) => a.responses[0]?.partitionResponses[0]?.errorCode),
  request(fetchApi, 12, fetchOf('orders', 0), (a) => a.responses[0]?.partitions[0]?.errorCode),
  request(
    listOffsetsApi,
    4,
    { topics: [{ name: 'orders', partitions: [{ timestamp: -1 }] }] },
    (a) => a.topics[0]?.partitions[0]?.errorCode,
  ),
  request(metadataApi, 9, { topics: [{ name: 'orders' }] }, (a) => a.topics[0]?.errorCode),
  request(metadataApi, 9, { topics: [{ name: 'new' }] }, (a) => a.topics[0]?.errorCode),
  request(
    offsetCommitApi,
    8,
    { groupId: 'g', topics: [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }] },
    (a) => a.topics[0]?.partitions[0]?.errorCode,
  ),
  request(offsetFetchApi, 8, { groups: [{ groupId: 'g', topics: null }] }, (a) => a.groups[0]?.errorCode),
  request(offsetFetchApi, 5, { groupId: 'g', topics: null }, (a) => a.errorCode),
  request(findCoordinatorApi, 4, { coordinatorKeys: ['g'] }, (a) => a.coordinators[0]?.errorCode),
  request(findCoordinatorApi, 3, { key: 'g' }, (a) => a.errorCode),
  request(joinGroupApi, 7, { groupId: 'g', protocols: [{ name: 'range' }] }, (a) => a.errorCode),
  request(heartbeatApi, 4, group, (a) => a.errorCode),
  request(leaveGroupApi, 4, { groupId: 'g', members: [{ memberId: 'm' }] }, (a) => a.errorCode),
  request(syncGroupApi, 5, group, (a) => a.errorCode),
  request(describeGroupsApi, 5, { groups: ['g'] }, (a) => a.groups[0]?.errorCode),
  request(listGroupsApi, 5, {}, (a) => a.errorCode),
  request(apiVersionsApi, 3, {}, (a) => a.errorCode),
  request(createTopicsApi, 7, { topics: [{ name: 'made' }] }, (a) => a.topics[0]?.errorCode),
  request(deleteTopicsApi, 5, { topicNames: ['orders'] }, (a) => a.responses[0]?.errorCode),
  request(initProducerIdApi, 4, { transactionalId: null }, (a) => a.errorCode),
  request(
    addPartitionsToTxnApi,
    3,
    { v3AndBelowTransactionalId: 'tx', v3AndBelowTopics: [{ name: 'orders', partitions: [0] }] },
    (a) => a.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode,
  ),
  request(addOffsetsToTxnApi, 3, { transactionalId: 'tx', groupId: 'g' }, (a) => a.errorCode),
  request(endTxnApi, 4, { transactionalId: 'tx' }, (a) => a.errorCode),
  request(
    txnOffsetCommitApi,
    5,
    {
      transactionalId: 'tx',
      groupId: 'g',
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 0 }] }],
    },
    (a) => a.topics[0]?.partitions[0]?.errorCode,
  ),
  request(describeTransactionsApi, 0, { transactionalIds: ['tx'] }, (a) => a.transactionStates[0]?.errorCode),
  request(listTransactionsApi, 1, {}, (a) => a.errorCode),
];

describe('an injected error', () => {
  it.each(requests)('stands where $name has its errors', ({ key, call }) =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      const fault = cluster.faults.inject({ api: { key }, error: 'COORDINATOR_LOAD_IN_PROGRESS' });
      expect(await call(client)).toBe(ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS);
      expect(fault.remaining).toBe(0);
      expect(await call(client)).not.toBe(ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS);
    }),
  );

  it('meets as many requests as it says, in the order of injection, and prevents the effect', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      cluster.faults.inject({ api: produceApi, error: 'NOT_LEADER_OR_FOLLOWER', times: 2 });
      cluster.faults.inject({ api: produceApi, error: 999 });
      const codes = [];
      for (let i = 0; i < 4; i++) codes.push((await produce(client, 'orders', batchOf(['a']))).errorCode);
      expect(codes).toEqual([ErrorCodes.NOT_LEADER_OR_FOLLOWER, ErrorCodes.NOT_LEADER_OR_FOLLOWER, 999, 0]);
      expect(cluster.partition('orders', 0).endOffset).toBe(1);
    }));

  it('refuses all partitions of AddPartitionsToTxn with one, and adds them all the same when it is told to', () =>
    inCluster({ topics, transactionVersion: 1 }, async ({ cluster, connect }) => {
      const producer = new ScriptedProducer(await connect(), 'tx', 1);
      await producer.init();
      const both = [
        ['orders', 0],
        ['orders', 1],
      ] as const;
      const fault = { api: addPartitionsToTxnApi, topic: 'orders', partition: 1 };
      const error = 'TOPIC_AUTHORIZATION_FAILED';
      cluster.faults.inject({ ...fault, error });
      const { OPERATION_NOT_ATTEMPTED, TOPIC_AUTHORIZATION_FAILED } = ErrorCodes;
      expect(await producer.add(both)).toEqual([OPERATION_NOT_ATTEMPTED, TOPIC_AUTHORIZATION_FAILED]);
      expect(cluster.transaction('tx')).toMatchObject({ state: 'Empty', partitions: [] });
      cluster.faults.inject({ ...fault, error, effect: true });
      expect(await producer.add(both)).toEqual([0, TOPIC_AUTHORIZATION_FAILED]);
      expect(cluster.transaction('tx')).toMatchObject({ state: 'Ongoing' });
      expect(cluster.transaction('tx')?.partitions).toHaveLength(2);
    }));

  it('lets a transaction end whose answer it spoils', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const producer = new ScriptedProducer(await connect());
      await producer.init();
      await producer.write('orders', ['a']);
      cluster.faults.inject({ api: endTxnApi, error: 'REQUEST_TIMED_OUT', effect: true });
      expect(await producer.commit()).toBe(ErrorCodes.REQUEST_TIMED_OUT);
      expect(cluster.transaction('tx')?.state).toBe('CompleteCommit');
      expect(await producer.commit()).toBe(0);
      expect(producer.producerEpoch).toBe(1);
    }));

  it('lets the effect happen when it is told to: the next attempt is a repetition', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      cluster.faults.inject({ api: produceApi, error: 'REQUEST_TIMED_OUT', effect: true });
      expect(await produce(client, 'orders', sequenced(0))).toMatchObject({
        errorCode: ErrorCodes.REQUEST_TIMED_OUT,
        baseOffset: -1,
      });
      expect(cluster.partition('orders', 0).endOffset).toBe(1);
      expect(await produce(client, 'orders', sequenced(0))).toMatchObject({ errorCode: 0, baseOffset: 0 });
      expect(cluster.partition('orders', 0).endOffset).toBe(1);
    }));

  it('for a topic or a partition leaves the others alone, and waits for a request that names it', () =>
    inCluster(
      {
        topics: [
          { name: 'orders', partitions: 2 },
          { name: 'other', partitions: 2 },
        ],
      },
      async ({ cluster, connect }) => {
        const client = await connect();
        const fault = cluster.faults.inject({
          api: produceApi,
          topic: 'other',
          partition: 1,
          error: 'CORRUPT_MESSAGE',
        });
        await produce(client, 'orders', batchOf(['a']));
        await produce(client, 'other', batchOf(['a']));
        expect(fault.remaining).toBe(1);
        const answer = await client.call(produceApi, 9, twoTopics([0, 1]));
        const codes = answer.responses.map(({ partitionResponses }) =>
          partitionResponses.map(({ errorCode }) => errorCode),
        );
        expect(codes).toEqual([
          [0, 0],
          [0, ErrorCodes.CORRUPT_MESSAGE],
        ]);
        expect(fault.remaining).toBe(0);
        expect(cluster.partition('other', 1).endOffset).toBe(0);
        expect(cluster.partition('orders', 1).endOffset).toBe(1);
      },
    ));

  it('for a topic counts a request once, however many of its partitions are in it', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      const fault = cluster.faults.inject({
        api: fetchApi,
        topic: 'orders',
        error: 'UNKNOWN_LEADER_EPOCH',
        times: 2,
      });
      const partitions = [0, 1].map((partition) => ({ partition, partitionMaxBytes: 1 }));
      for (const remaining of [1, 0]) {
        const answer = await client.call(fetchApi, 12, {
          minBytes: 1,
          topics: [{ topic: 'orders', partitions }],
        });
        const codes = answer.responses[0]?.partitions.map(({ errorCode }) => errorCode);
        expect(codes).toEqual([ErrorCodes.UNKNOWN_LEADER_EPOCH, ErrorCodes.UNKNOWN_LEADER_EPOCH]);
        expect(fault.remaining).toBe(remaining);
      }
    }));

  it('for a broker leaves the others alone, and can be taken back', () =>
    inCluster({ brokers: 2, topics }, async ({ cluster, connect }) => {
      const [one, two] = [await connect(1), await connect(2)];
      const fault = cluster.faults.inject({
        api: metadataApi,
        nodeId: 2,
        error: 'LEADER_NOT_AVAILABLE',
        times: 9,
      });
      const ask = async (client: typeof one) =>
        (await client.call(metadataApi, 9, { topics: [{ name: 'orders' }] })).topics[0]?.errorCode;
      expect(await ask(one)).toBe(0);
      expect(await ask(two)).toBe(ErrorCodes.LEADER_NOT_AVAILABLE);
      fault.remove();
      expect(await ask(two)).toBe(0);
    }));

  it('can hit one partition of an OffsetFetch, and the whole of a Metadata (KIP-1102)', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      cluster.faults.inject({
        api: offsetFetchApi,
        topic: 'orders',
        partition: 1,
        error: 'UNSTABLE_OFFSET_COMMIT',
      });
      const wanted = { groupId: 'g', topics: [{ name: 'orders', partitionIndexes: [0, 1] }] };
      const { groups } = await client.call(offsetFetchApi, 8, { groups: [wanted] });
      expect(groups[0]).toMatchObject({
        errorCode: 0,
        topics: [{ partitions: [{ errorCode: 0 }, { errorCode: ErrorCodes.UNSTABLE_OFFSET_COMMIT }] }],
      });
      cluster.faults.inject({ api: metadataApi, error: 'REBOOTSTRAP_REQUIRED' });
      expect(await client.call(metadataApi, 13, { topics: null })).toMatchObject({
        errorCode: ErrorCodes.REBOOTSTRAP_REQUIRED,
        topics: [],
      });
    }));
});

describe('an injected outcome', () => {
  it('delays the answer, not the effect', () =>
    inCluster({ topics }, async ({ cluster, connect, world }) => {
      const client = await connect();
      cluster.faults.inject({ api: produceApi, delayMs: 3_000 });
      const startMs = world.now();
      const answer = produce(client, 'orders', batchOf(['a']));
      await world.advance(10);
      expect(cluster.partition('orders', 0).endOffset).toBe(1);
      expect((await answer).errorCode).toBe(0);
      expect(Math.round(world.now() - startMs)).toBe(3_000);
    }));

  it('drops the answer after the effect, and the connection is silent from then on', () =>
    inCluster({ topics }, async ({ cluster, connect, world }) => {
      const client = await connect();
      cluster.faults.inject({ api: produceApi, outcome: 'silence' });
      const later = encodeRequest(metadataApi, 9, 1, 'raw', { topics: null });
      await client.transport.write([...encodeRequest(produceApi, 9, 0, 'raw', twoTopics()), ...later]);
      let answered = false;
      const silent = client.nextFrame().then((frame) => (answered = frame !== undefined));
      await world.advance(60_000);
      expect(answered).toBe(false);
      expect(cluster.partition('orders', 0).endOffset).toBe(1);
      expect(cluster.faults.requests(metadataApi)).toHaveLength(0);
      client.close();
      await silent;
      await world.advance(10);
      expect(cluster.faults.requests(metadataApi)).toHaveLength(0);
    }));

  it.each([
    ['after the effect', {}, 1],
    ['before it', { effect: false }, 0],
  ])('closes the connection %s', (_, more, endOffset) =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      cluster.faults.inject({ api: produceApi, outcome: 'disconnect', ...more });
      await client.send(produceApi, 9, twoTopics());
      expect(await client.nextFrame()).toBeUndefined();
      expect(cluster.partition('orders', 0).endOffset).toBe(endOffset);
      expect((await produce(await connect(), 'orders', batchOf(['a']))).errorCode).toBe(0);
    }),
  );

  it('throttles: the answer says so at once, and the connection is not read for as long (KIP-219)', () =>
    inCluster({ topics }, async ({ cluster, connect, world }) => {
      const client = await connect();
      cluster.faults.inject({ api: metadataApi, throttleMs: 2_000 });
      const startMs = world.now();
      expect((await client.call(metadataApi, 9, { topics: null })).throttleTimeMs).toBe(2_000);
      expect(world.now() - startMs).toBeLessThan(5);
      expect((await client.call(metadataApi, 9, { topics: null })).throttleTimeMs).toBe(0);
      expect(Math.round(world.now() - startMs)).toBe(2_000);
    }));

  it.each([
    ['nothing', {}, /does nothing/],
    ['nothing, and that without effect', { effect: false }, /needs an error or an outcome/],
    ['an error that is not answered', { error: 3, outcome: 'silence' as const }, /cannot answer an error/],
    ['no request', { error: 3, times: 0 }, /at least 1/],
    ['a partition of no topic', { error: 3, partition: 1 }, /without a topic/],
  ])('must not be %s', (_, fault, message) =>
    inCluster({}, async ({ cluster }) => {
      expect(() => cluster.faults.inject({ api: produceApi, ...fault })).toThrow(message);
    }),
  );
});

describe('a hook', () => {
  it('sees every request and may answer in the place of the handler', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      const seen: string[] = [];
      const remove = cluster.faults.on(produceApi, async (request, { nodeId, apiVersion, clientId }) => {
        seen.push(`${clientId} ${apiVersion} ${nodeId} ${request.topicData[0]?.name}`);
        if (seen.length === 1) return undefined;
        return {
          responses: [{ name: 'orders', partitionResponses: [{ index: 0, errorCode: 13, baseOffset: -1 }] }],
        };
      });
      expect((await produce(client, 'orders', batchOf(['a']))).errorCode).toBe(0);
      expect((await produce(client, 'orders', batchOf(['a']))).errorCode).toBe(13);
      remove();
      expect((await produce(client, 'orders', batchOf(['a']))).errorCode).toBe(0);
      expect(seen).toEqual(['raw 9 1 orders', 'raw 9 1 orders']);
      expect(cluster.partition('orders', 0).endOffset).toBe(2);
    }));

  it('may wait for something else to happen, and end the connection or its answers', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const [reader, writer, third] = [await connect(), await connect(), await connect()];
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => (open = resolve));
      cluster.faults.on(fetchApi, async () => {
        await opened;
        return undefined;
      });
      const answer = fetch(reader, 'orders', 0);
      await produce(writer, 'orders', batchOf(['a']));
      open();
      expect(valuesIn((await answer).records)).toEqual(['a']);
      cluster.faults.on(metadataApi, () => 'disconnect');
      await third.send(metadataApi, 9, { topics: null });
      expect(await third.nextFrame()).toBeUndefined();
    }));

  it('that throws ends the connection, and says why in the problems', () =>
    inCluster(
      { topics },
      async ({ cluster, connect }) => {
        const client = await connect();
        cluster.faults.on(metadataApi, () => {
          throw new Error('no such luck');
        });
        await client.send(metadataApi, 9, { topics: null });
        expect(await client.nextFrame()).toBeUndefined();
        cluster.faults.clear();
        expect((await produce(await connect(), 'orders', batchOf(['a']))).errorCode).toBe(0);
      },
      ['API 3 version 9: no such luck'],
    ));
});

describe('the record of requests', () => {
  it('tells what came, when, where and from whom', () =>
    inCluster({ brokers: 2, topics }, async ({ cluster, connect, world }) => {
      await produce(await connect(1), 'orders', batchOf(['a']), { acks: 1 });
      await world.advance(1_000);
      await produce(await connect(2), 'orders', batchOf(['a']));
      const [first, second] = cluster.faults.requests(produceApi);
      expect(first).toMatchObject({
        apiKey: 0,
        apiVersion: 9,
        nodeId: 1,
        clientId: 'raw',
        correlationId: 0,
        request: { acks: 1 },
      });
      expect(second?.nodeId).toBe(2);
      expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(1_000);
      expect(cluster.faults.requests(fetchApi)).toEqual([]);
    }));

  it('is bounded by the bytes of the requests', () =>
    inCluster(
      { topics: [{ name: 'orders', config: { 'max.message.bytes': '3000000' } }] },
      async ({ cluster, connect }) => {
        const client = await connect();
        const batch = batchOf(['x'.repeat(2_500_000)]);
        for (let i = 0; i < 10; i++) await produce(client, 'orders', batch);
        expect(cluster.faults.requests(produceApi)).toHaveLength(6);
      },
    ));
});
