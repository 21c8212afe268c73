/** Brokers that stop and start, leaders that move, and what is left of a closed cluster, also on real sockets. */
import { describe, expect, it } from 'vitest';
import { platform } from '../../src/runtime/node.ts';
import { ErrorCodes, fetchApi, joinGroupApi, metadataApi, produceApi } from '../../src/protocol/index.ts';
import { EmbeddedCluster } from '../../src/testing/index.ts';
import { batchOf, fetch, fetchOf, inCluster, produce, valuesIn } from './cluster-world.ts';
import { RawClient } from './raw-client.ts';

const topics = [{ name: 'orders', partitions: 3 }];

async function leaders(client: RawClient) {
  const { topics: found, brokers } = await client.call(metadataApi, 9, { topics: [{ name: 'orders' }] });
  const partitions = found[0]?.partitions.map(({ leaderId, leaderEpoch, errorCode }) => ({
    leaderId,
    leaderEpoch,
    errorCode,
  }));
  return { partitions, nodeIds: brokers.map(({ nodeId }) => nodeId) };
}

describe('a broker that stops', () => {
  it('drops its connections and refuses new ones, others lead, and it comes back at its address', () =>
    inCluster({ brokers: 3, topics }, async ({ cluster, connect, platform: virtual }) => {
      const [one, two] = [await connect(1), await connect(2)];
      const address = cluster.brokers[0] ?? '';
      await produce(one, 'orders', batchOf(['a']));
      await cluster.stopBroker(1);
      expect(await one.nextFrame()).toBeUndefined();
      await expect(RawClient.connect(virtual, address)).rejects.toThrow(/ECONNREFUSED/);
      const { partitions, nodeIds } = await leaders(two);
      expect(nodeIds).toEqual([2, 3]);
      expect(partitions).toEqual([
        { leaderId: 2, leaderEpoch: 1, errorCode: 0 },
        { leaderId: 2, leaderEpoch: 0, errorCode: 0 },
        { leaderId: 3, leaderEpoch: 0, errorCode: 0 },
      ]);
      expect(valuesIn((await fetch(two, 'orders', 0)).records)).toEqual(['a']);
      await cluster.startBroker(1);
      expect(cluster.brokers[0]).toBe(address);
      const again = await connect(1);
      const after = await leaders(again);
      expect(after.nodeIds).toEqual([1, 2, 3]);
      expect(after.partitions?.[0]).toMatchObject({ leaderId: 2, leaderEpoch: 1 });
      expect((await produce(again, 'orders', batchOf(['b']))).errorCode).toBe(
        ErrorCodes.NOT_LEADER_OR_FOLLOWER,
      );
    }));

  it('leaves its partitions without a leader when it had the only replica', () =>
    inCluster(
      { brokers: 2, topics: [{ name: 'orders', partitions: 1, replicationFactor: 1 }] },
      async ({ cluster, connect }) => {
        await cluster.stopBroker(1);
        const client = await connect(2);
        expect((await leaders(client)).partitions).toEqual([
          { leaderId: -1, leaderEpoch: 1, errorCode: ErrorCodes.LEADER_NOT_AVAILABLE },
        ]);
        await cluster.startBroker(1);
        expect((await leaders(client)).partitions).toEqual([{ leaderId: 1, leaderEpoch: 2, errorCode: 0 }]);
      },
    ));

  it('ends a long poll and answers nothing', () =>
    inCluster({ brokers: 2, topics }, async ({ cluster, connect, world }) => {
      const client = await connect(1);
      await client.send(fetchApi, 12, fetchOf('orders', 0, { maxWaitMs: 100_000 }));
      await world.advance(10);
      const startMs = world.now();
      await cluster.stopBroker(1);
      expect(await client.nextFrame()).toBeUndefined();
      expect(world.now() - startMs).toBeLessThan(5);
    }));

  it('can be stopped and started many times, and twice', () =>
    inCluster({ brokers: 2, topics }, async ({ cluster, connect }) => {
      for (let i = 0; i < 5; i++) {
        await Promise.all([cluster.stopBroker(1), cluster.stopBroker(1)]);
        await cluster.startBroker(1);
        await cluster.startBroker(1);
      }
      expect((await leaders(await connect(1))).nodeIds).toEqual([1, 2]);
    }));
});

describe('a leader that is moved', () => {
  it('begins a new epoch, and the old one refuses writes', () =>
    inCluster({ brokers: 2, topics: [{ name: 'orders' }] }, async ({ cluster, connect }) => {
      const [one, two] = [await connect(1), await connect(2)];
      await produce(one, 'orders', batchOf(['a']));
      cluster.moveLeader('orders', 0, 2);
      expect(cluster.partition('orders', 0)).toMatchObject({ leader: 2, leaderEpoch: 1 });
      expect((await produce(one, 'orders', batchOf(['b']))).errorCode).toBe(
        ErrorCodes.NOT_LEADER_OR_FOLLOWER,
      );
      expect(await produce(two, 'orders', batchOf(['b']))).toMatchObject({ errorCode: 0, baseOffset: 1 });
      const epochs = (await cluster.batches('orders', 0)).map(
        ({ partitionLeaderEpoch }) => partitionLeaderEpoch,
      );
      expect(epochs).toEqual([0, 1]);
    }));

  it('must be a running broker and a partition that exists', () =>
    inCluster({ brokers: 2, topics: [{ name: 'orders' }] }, async ({ cluster }) => {
      await cluster.stopBroker(2);
      expect(() => cluster.moveLeader('orders', 0, 2)).toThrow(/Broker 2 is stopped/);
      expect(() => cluster.moveLeader('orders', 0, 3)).toThrow(/no broker 3/);
      expect(() => cluster.moveLeader('orders', 4, 1)).toThrow(/partitions 0 to 0, not 4/);
      expect(() => cluster.moveLeader('none', 0, 1)).toThrow(/no topic none/);
    }));
});

describe('a closed cluster', () => {
  it('leaves no timer and no connection, whatever was going on', () =>
    inCluster({ brokers: 2, topics }, async ({ cluster, connect, world }) => {
      for (const nodeId of [1, 2]) {
        const [reader, member] = [await connect(nodeId), await connect(nodeId)];
        await reader.send(fetchApi, 12, fetchOf('orders', 0, { maxWaitMs: 100_000 }));
        const protocols = [{ name: 'range', metadata: new Uint8Array(0) }];
        for (const groupId of ['a', 'b', 'c']) {
          await member.send(joinGroupApi, 4, {
            groupId,
            sessionTimeoutMs: 9_000,
            rebalanceTimeoutMs: 9_000,
            protocolType: 'consumer',
            protocols,
          });
        }
        await (await connect(nodeId)).transport.write([new Uint8Array([0, 0])]);
      }
      cluster.faults.inject({ api: produceApi, delayMs: 50_000 });
      await (
        await connect()
      ).send(produceApi, 9, {
        acks: 1,
        topicData: [{ name: 'orders', partitionData: [{ index: 0, records: batchOf(['a']) }] }],
      });
      await world.advance(100);
      await Promise.all([cluster.close(), cluster.close()]);
    }));
});

describe('a virtual cluster', () => {
  it('is the same in every run: ids, addresses and times', async () => {
    const run = async (): Promise<unknown> => {
      let told: unknown;
      await inCluster({ brokers: 2, topics }, async ({ cluster, connect, world }) => {
        const client = await connect();
        await produce(client, 'orders', batchOf(['a']));
        const metadata = await client.call(metadataApi, 12, { topics: null });
        told = [metadata, cluster.brokers, world.now(), cluster.faults.requests(produceApi)];
      });
      return told;
    };
    expect(await run()).toEqual(await run());
  });
});

describe('on real sockets', () => {
  it('a cluster serves, restarts at its port, and closes', async () => {
    await using cluster = await EmbeddedCluster.start({ platform, brokers: 2, topics });
    const [address = ''] = cluster.brokers;
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    const client = await RawClient.connect(platform, address);
    expect(await produce(client, 'orders', batchOf(['a', 'b']))).toMatchObject({
      errorCode: 0,
      baseOffset: 0,
    });
    expect(valuesIn((await fetch(client, 'orders', 1)).records)).toEqual(['a', 'b']);
    await cluster.stopBroker(1);
    expect(await client.nextFrame()).toBeUndefined();
    await expect(RawClient.connect(platform, address)).rejects.toThrow(/ECONNREFUSED/);
    await cluster.startBroker(1);
    const again = await RawClient.connect(platform, address);
    expect((await leaders(again)).nodeIds).toEqual([1, 2]);
    again.close();
    await cluster.close();
    await expect(RawClient.connect(platform, address)).rejects.toThrow(/ECONNREFUSED/);
  });
});
