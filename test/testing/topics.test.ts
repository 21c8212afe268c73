/** Metadata, CreateTopics, DeleteTopics, and the options of a cluster. */
import { describe, expect, it } from 'vitest';
import {
  createTopicsApi,
  deleteTopicsApi,
  ErrorCodes,
  fetchApi,
  metadataApi,
  produceApi,
} from '../../src/protocol/index.ts';
import { EmbeddedCluster, virtualWorld } from '../../src/testing/index.ts';
import { batchOf, inCluster, produce, topicIdOf } from './cluster-world.ts';

describe('Metadata', () => {
  it.each([0, 1, 4, 7, 9, 12, 13])('tells brokers, leaders and replicas in version %d', (version) =>
    inCluster({ brokers: 3, topics: [{ name: 'orders', partitions: 2 }] }, async ({ cluster, connect }) => {
      const client = await connect(2);
      const answer = await client.call(metadataApi, version, { topics: [{ name: 'orders' }] });
      expect(answer.brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`])).toEqual(
        cluster.brokers.map((address, i) => [i + 1, address]),
      );
      expect(answer.clusterId).toBe(version >= 2 ? cluster.clusterId : null);
      const [topic] = answer.topics;
      expect(topic).toMatchObject({ errorCode: 0, name: 'orders', isInternal: false });
      expect(
        topic?.partitions.map((p) => [p.partitionIndex, p.leaderId, p.replicaNodes, p.isrNodes]),
      ).toEqual([
        [0, 1, [1, 2, 3], [1, 2, 3]],
        [1, 2, [2, 3, 1], [2, 3, 1]],
      ]);
    }),
  );

  it('gives all topics for null, none for an empty list, and all for an empty list in version 0', () =>
    inCluster({ topics: [{ name: 'a' }, { name: 'b' }] }, async ({ connect }) => {
      const client = await connect();
      const names = async (version: number, topics: null | []) =>
        (await client.call(metadataApi, version, { topics })).topics.map(({ name }) => name);
      expect(await names(9, null)).toEqual(['a', 'b']);
      expect(await names(9, [])).toEqual([]);
      expect(await names(0, [])).toEqual(['a', 'b']);
    }));

  it('finds topics by id from version 12 on', () =>
    inCluster({ topics: [{ name: 'a' }] }, async ({ connect }) => {
      const client = await connect();
      const byName = await client.call(metadataApi, 12, { topics: [{ name: 'a' }] });
      const topicId = byName.topics[0]?.topicId ?? '';
      expect(topicId).toMatch(/^[\w-]{22}$/);
      const byId = await client.call(metadataApi, 12, {
        topics: [
          { name: null, topicId },
          { name: null, topicId: 'B'.repeat(21) + 'A' },
        ],
      });
      expect(byId.topics.map(({ errorCode, name }) => [errorCode, name])).toEqual([
        [0, 'a'],
        [ErrorCodes.UNKNOWN_TOPIC_ID, null],
      ]);
      const early = await client.call(metadataApi, 10, { topics: [{ name: 'a', topicId }] });
      expect(early.topics[0]?.errorCode).toBe(ErrorCodes.INVALID_REQUEST);
    }));

  it('creates an unknown topic if both sides allow, and calls it unknown that once', () =>
    inCluster({ defaultPartitions: 4 }, async ({ connect }) => {
      const client = await connect();
      const ask = async (allowAutoTopicCreation: boolean) =>
        (await client.call(metadataApi, 9, { topics: [{ name: 'new' }], allowAutoTopicCreation })).topics[0];
      expect((await ask(false))?.errorCode).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      expect((await ask(true))?.errorCode).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      expect(await ask(false)).toMatchObject({ errorCode: 0, name: 'new' });
      expect((await ask(true))?.partitions).toHaveLength(4);
    }));

  it('creates nothing when the cluster does not allow it', () =>
    inCluster({ autoCreateTopics: false }, async ({ connect }) => {
      const client = await connect();
      for (let i = 0; i < 2; i++) {
        const answer = await client.call(metadataApi, 9, { topics: [{ name: 'new' }] });
        expect(answer.topics[0]?.errorCode).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      }
    }));

  it.each(['', '.', '..', 'a b', 'ä', 'x'.repeat(250)])('calls the name %j invalid', (name) =>
    inCluster({}, async ({ connect }) => {
      const client = await connect();
      const answer = await client.call(metadataApi, 9, { topics: [{ name }] });
      expect(answer.topics[0]).toMatchObject({ errorCode: ErrorCodes.INVALID_TOPIC_EXCEPTION, name });
    }),
  );

  it('tells what may be done when asked (KIP-430)', () =>
    inCluster({ topics: [{ name: 'a' }] }, async ({ connect }) => {
      const client = await connect();
      const ask = {
        topics: [{ name: 'a' }],
        includeTopicAuthorizedOperations: true,
        includeClusterAuthorizedOperations: true,
      };
      const answer = await client.call(metadataApi, 9, ask);
      expect(answer.topics[0]?.topicAuthorizedOperations).toBe(3576);
      expect(answer.clusterAuthorizedOperations).toBe(8096);
      const without = await client.call(metadataApi, 9, { topics: [{ name: 'a' }] });
      expect(without.topics[0]?.topicAuthorizedOperations).toBe(-2_147_483_648);
    }));
});

describe('CreateTopics', () => {
  it.each([2, 4, 5, 7])('creates in version %d', (version) =>
    inCluster({ brokers: 2 }, async ({ cluster, connect }) => {
      const client = await connect(2);
      const configs = [{ name: 'max.message.bytes', value: '5000' }];
      const topics = [{ name: 'made', numPartitions: 3, replicationFactor: 2, configs }];
      const answer = await client.call(createTopicsApi, version, { topics });
      expect(answer.topics[0]).toMatchObject({ name: 'made', errorCode: 0, errorMessage: null });
      if (version >= 5)
        expect(answer.topics[0]).toMatchObject({ numPartitions: 3, replicationFactor: 2, configs });
      expect(cluster.partition('made', 2).leader).toBe(1);
      const again = await client.call(createTopicsApi, version, { topics });
      expect(again.topics[0]?.errorCode).toBe(ErrorCodes.TOPIC_ALREADY_EXISTS);
    }),
  );

  it.each([
    ['a bad name', { name: 'a/b' }, 'INVALID_TOPIC_EXCEPTION'],
    ['no partitions', { name: 'x', numPartitions: 0 }, 'INVALID_PARTITIONS'],
    ['more replicas than brokers', { name: 'x', replicationFactor: 3 }, 'INVALID_REPLICATION_FACTOR'],
    [
      'a setting that is no number',
      { name: 'x', configs: [{ name: 'max.message.bytes', value: 'many' }] },
      'INVALID_CONFIG',
    ],
    [
      'a broker that is none',
      { name: 'x', assignments: [{ partitionIndex: 0, brokerIds: [9] }] },
      'INVALID_REPLICA_ASSIGNMENT',
    ],
    [
      'a gap in the assignment',
      { name: 'x', assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
      'INVALID_REPLICA_ASSIGNMENT',
    ],
    [
      'both ways at once',
      { name: 'x', numPartitions: 2, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      'INVALID_REQUEST',
    ],
  ] as const)('refuses %s', (_, topic, name) =>
    inCluster({ brokers: 2 }, async ({ cluster, connect }) => {
      const client = await connect();
      const answer = await client.call(createTopicsApi, 5, {
        topics: [{ numPartitions: -1, replicationFactor: -1, ...topic }],
      });
      expect(answer.topics[0]?.errorCode).toBe(ErrorCodes[name]);
      expect(() => cluster.partition('x', 0)).toThrow(/no topic x/);
    }),
  );

  it('takes an assignment, and only looks when asked to', () =>
    inCluster({ brokers: 3 }, async ({ cluster, connect }) => {
      const client = await connect();
      const assignments = [
        { partitionIndex: 1, brokerIds: [3, 1] },
        { partitionIndex: 0, brokerIds: [2] },
      ];
      const topics = [{ name: 'x', numPartitions: -1, replicationFactor: -1, assignments }];
      await client.call(createTopicsApi, 5, { topics, validateOnly: true });
      expect(() => cluster.partition('x', 0)).toThrow(/no topic x/);
      await client.call(createTopicsApi, 5, { topics });
      expect([cluster.partition('x', 0).leader, cluster.partition('x', 1).leader]).toEqual([2, 3]);
    }));

  it('refuses a name that is there twice', () =>
    inCluster({}, async ({ connect }) => {
      const client = await connect();
      const topic = { name: 'x', numPartitions: 1, replicationFactor: 1 };
      const answer = await client.call(createTopicsApi, 5, { topics: [topic, topic] });
      expect(answer.topics.map(({ errorCode }) => errorCode)).toEqual([
        ErrorCodes.INVALID_REQUEST,
        ErrorCodes.INVALID_REQUEST,
      ]);
    }));
});

describe('DeleteTopics', () => {
  it('deletes by name and by id, and a new topic of the name begins empty with another id', () =>
    inCluster({ topics: [{ name: 'a' }, { name: 'b' }] }, async ({ cluster, connect }) => {
      const client = await connect();
      const ids = async () =>
        (await client.call(metadataApi, 12, { topics: null })).topics.map(({ name, topicId }) => ({
          name,
          topicId,
        }));
      const [a, b] = await ids();
      await produce(client, 'a', batchOf(['x']));
      expect((await client.call(deleteTopicsApi, 3, { topicNames: ['a', 'no'] })).responses).toMatchObject([
        { name: 'a', errorCode: 0 },
        { name: 'no', errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION },
      ]);
      const byId = await client.call(deleteTopicsApi, 6, {
        topics: [{ name: null, topicId: b?.topicId ?? '' }],
      });
      expect(byId.responses).toMatchObject([{ name: 'b', errorCode: 0 }]);
      expect(await ids()).toEqual([]);
      cluster.createTopic({ name: 'a' });
      expect(cluster.partition('a', 0).endOffset).toBe(0);
      expect((await ids())[0]?.topicId).not.toBe(a?.topicId);
    }));
});

describe('EmbeddedCluster.start', () => {
  it.each([
    ['an unknown option', { broker: 3 }, /no option broker/],
    ['no broker', { brokers: 0 }, /brokers must be an integer from 1 to 100; got 0/],
    ['too few ports', { brokers: 2, listen: { ports: [1] } }, /2 ports/],
    ['a topic that cannot be', { topics: [{ name: 'a b' }] }, /INVALID_TOPIC_EXCEPTION/],
    ['a topic twice', { topics: [{ name: 'a' }, { name: 'a' }] }, /TOPIC_ALREADY_EXISTS/],
  ])('refuses %s', async (_, options, message) => {
    const world = virtualWorld();
    await world.run(async () => {
      await expect(EmbeddedCluster.start({ platform: world.platform, ...options })).rejects.toThrow(message);
    });
    expect(world.openHolds()).toBe(0);
  });

  it('says so where the runtime cannot listen', async () => {
    const { listen: _, ...deaf } = virtualWorld().platform;
    await expect(EmbeddedCluster.start({ platform: deaf })).rejects.toThrow(/virtual cannot listen/);
  });

  it('keeps the process alive when told to, until it is closed', async () => {
    const world = virtualWorld();
    await world.run(async () => {
      await using cluster = await EmbeddedCluster.start({ platform: world.platform, holdOpen: true });
      expect(world.openHolds()).toBe(1);
      await cluster.close();
      expect(world.openHolds()).toBe(0);
    });
  });
});

describe('a topic that is created anew', () => {
  it('has another id, empty logs and leader epoch 0, and whoever names the old id is told so', () =>
    inCluster({ brokers: 2, topics: [{ name: 'orders', partitions: 2 }] }, async ({ cluster, connect }) => {
      const leader = cluster.partition('orders', 1).leader;
      const client = await connect(leader);
      const oldId = await topicIdOf(client, 'orders');
      cluster.moveLeader('orders', 1, 3 - leader);
      cluster.moveLeader('orders', 1, leader);
      expect(cluster.partition('orders', 1).leaderEpoch).toBe(2);
      const write = async (topicId: string): Promise<number | undefined> => {
        const partitionData = [{ index: 1, records: batchOf(['a']) }];
        const request = { acks: -1, timeoutMs: 1_000, topicData: [{ topicId, partitionData }] };
        const answer = await client.call(produceApi, 13, request);
        return answer.responses[0]?.partitionResponses[0]?.errorCode;
      };
      expect(await write(oldId)).toBe(0);
      cluster.recreateTopic('orders');
      expect(cluster.partition('orders', 1)).toMatchObject({ leader, leaderEpoch: 0, endOffset: 0 });
      const newId = await topicIdOf(client, 'orders');
      expect(newId).not.toBe(oldId);
      expect(await write(oldId)).toBe(ErrorCodes.UNKNOWN_TOPIC_ID);
      expect(await write(newId)).toBe(0);
      const wanted = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }];
      const request = { maxWaitMs: 0, minBytes: 1, topics: [{ topicId: oldId, partitions: wanted }] };
      const fetched = await client.call(fetchApi, 13, request);
      expect(fetched.responses[0]?.partitions[0]?.errorCode).toBe(ErrorCodes.UNKNOWN_TOPIC_ID);
    }));
});
