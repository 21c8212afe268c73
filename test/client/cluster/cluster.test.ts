/** The cluster room on the virtual network: metadata, routing, reconnecting, idle sockets. */
import { describe, expect, test } from 'vitest';
import { anyBroker, Cluster } from '../../../src/client/cluster/index.ts';
import { heartbeatApi } from '../../../src/protocol/api/12-heartbeat.ts';
import { virtualWorld } from '../../../src/runtime/virtual.ts';
import { answer } from '../../support/scripted-broker.ts';
import { askedTopics, rejection, soon, topic, withRig } from './rig.ts';

describe('metadata', () => {
  test('making a cluster does no I/O, and the first topic asks for the topics in use only', async () => {
    await withRig(
      () => ({ topics: [topic('a', [{ partitionIndex: 0, leaderId: 2, leaderEpoch: 1 }])] }),
      async ({ world, cluster, requests }) => {
        await world.advance(1000);
        expect(world.network.openConnections()).toBe(0);
        const release = cluster.useTopics(['a', '__proto__']);
        const found = await cluster.topic('a', soon(world));
        expect(found.partitions).toMatchObject([{ partition: 0, leader: 2, leaderEpoch: 1 }]);
        expect(requests(3).map(askedTopics)).toEqual([['a', '__proto__']]);
        expect(await cluster.topic('a', soon(world))).toBe(found);
        release();
        release();
        await cluster.refresh('test');
        expect(requests(3).map(askedTopics)).toEqual([['a', '__proto__'], []]);
      },
    );
  });

  test('an unknown topic is doubted until the deadline, or as long as is asked', async () => {
    await withRig(
      () => ({ topics: [topic('a', [], 3)] }),
      async ({ world, cluster }) => {
        const began = world.now();
        const error = await rejection(cluster.topic('a', { ...soon(world, 60_000), doubtMs: 300 }));
        expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC', errorCode: 3, topic: 'a', stored: 'no' });
        expect(world.now() - began).toBeLessThan(600);
        expect(await rejection(cluster.topic('a', soon(world, 2000)))).toMatchObject({
          code: 'UNKNOWN_TOPIC',
        });
        expect(world.now() - began).toBeLessThan(3000);
      },
    );
  });

  test('an invalid topic name fails at once', async () => {
    await withRig(
      () => ({ topics: [topic('a b', [], 17)] }),
      async ({ world, cluster, requests }) => {
        const error = await rejection(cluster.topic('a b', soon(world)));
        expect(error).toMatchObject({ code: 'BROKER', errorName: 'INVALID_TOPIC_EXCEPTION' });
        expect(requests(3)).toHaveLength(1);
      },
    );
  });

  test('a topic that is briefly unknown keeps its partitions (B2), and a lagging answer does not take a leader back', async () => {
    const answers = [
      [topic('a', [{ partitionIndex: 0, leaderId: 2, leaderEpoch: 5 }])],
      [topic('a', [], 3)],
      [topic('a', [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 4 }])],
      [topic('a', [{ partitionIndex: 0, leaderId: 3, leaderEpoch: 6 }])],
    ];
    await withRig(
      () => ({ topics: answers.shift() ?? [] }),
      async ({ world, cluster }) => {
        cluster.useTopics(['a']);
        await cluster.topic('a', soon(world));
        const leaders: unknown[] = [];
        cluster.onSnapshot(({ topics }) =>
          leaders.push([topics.get('a')?.errorCode, topics.get('a')?.partitions[0]?.leader]),
        );
        for (let i = 0; i < 3; i++) await cluster.refresh('test');
        expect(leaders).toEqual([
          [3, 2],
          [0, 2],
          [0, 3],
        ]);
      },
    );
  });

  test('refreshes are coalesced, begin after they are asked for, and lie 80 ms apart at least', async () => {
    await withRig(
      () => ({ topics: [] }),
      async ({ world, cluster, requests }) => {
        const began = world.now();
        const first = cluster.refresh('1');
        const others = [cluster.refresh('2'), cluster.refresh('3')];
        const versions = (await Promise.all([first, ...others])).map(({ version }) => version);
        expect(versions).toEqual([1, 2, 2]);
        expect(world.now() - began).toBeGreaterThanOrEqual(80);
        expect(requests(3)).toHaveLength(2);
      },
    );
  });

  test('brokers that ask for it are forgotten, and the bootstrap addresses are asked (KIP-1102)', async () => {
    const moved: number[] = [];
    await withRig(
      (request) => {
        moved.push(request.connection);
        if (moved.length === 2) return { errorCode: 129 };
        return moved.length === 1 ? {} : { topics: [topic('a', [{ partitionIndex: 0 }])] };
      },
      async ({ world, cluster, rig }) => {
        await cluster.refresh('test');
        world.network.cut('127.0.0.1:9091');
        const found = await cluster.topic('a', soon(world));
        expect(found.partitions).toHaveLength(1);
        expect(rig[0]?.requests.at(-1)?.apiKey).toBe(3);
        expect(moved).toHaveLength(3);
      },
    );
  });

  test('metadata in use is asked for again at metadataMaxAgeMs', async () => {
    await withRig(
      () => ({ topics: [] }),
      async ({ world, cluster, requests }) => {
        cluster.useTopics(['a']);
        await cluster.refresh('test');
        await world.advance(3500);
        expect(requests(3)).toHaveLength(4);
      },
      undefined,
      { metadataMaxAgeMs: 1000 },
    );
  });
});

describe('connections', () => {
  test('the bootstrap socket serves its broker; every other broker and duty gets its own', async () => {
    await withRig(
      () => ({}),
      async ({ cluster, rig }) => {
        await cluster.refresh('test');
        await cluster.send(1, 'control', heartbeatApi, {});
        await cluster.send(1, 'group', heartbeatApi, {});
        await cluster.send(2, 'produce', heartbeatApi, {});
        expect(rig.map(({ connections }) => connections)).toEqual([2, 1, 0]);
        expect(await rejection(cluster.send(9, 'control', heartbeatApi, {}))).toMatchObject({
          code: 'CONNECT',
          stored: 'no',
        });
      },
      (request) => answer(request, heartbeatApi, {}),
    );
  });

  test('reconnects wait 50 ms and double, and only an answer other than ApiVersions resets that (C2)', async () => {
    let lost = 0;
    const times: number[] = [];
    await withRig(
      () => ({}),
      async ({ world, cluster, rig }) => {
        await cluster.refresh('test');
        for (lost = 0; lost < 5; lost++) {
          await rejection(cluster.send(2, 'control', heartbeatApi, {}));
          times.push(world.now());
        }
        const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
        const expected = [50, 100, 200, 400];
        gaps.forEach((gap, index) => {
          expect(gap).toBeGreaterThanOrEqual((expected[index] ?? 0) * 0.8);
          expect(gap).toBeLessThanOrEqual((expected[index] ?? 0) * 1.2 + 5);
        });
        await cluster.send(2, 'control', heartbeatApi, {});
        rig[1]?.transports.at(-1)?.abort();
        await world.advance(1);
        const began = world.now();
        await cluster.send(2, 'control', heartbeatApi, {});
        expect(world.now() - began).toBeLessThanOrEqual(65);
      },
      (request) => {
        if (lost < 5) return void request.transport.abort();
        return answer(request, heartbeatApi, {});
      },
    );
  });

  test('calls keep their order across connecting and reconnecting', async () => {
    const seen: string[] = [];
    await withRig(
      () => ({}),
      async ({ world, cluster, rig }) => {
        await cluster.refresh('test');
        const call = (memberId: string): Promise<unknown> =>
          cluster.send(3, 'produce', heartbeatApi, { memberId });
        await Promise.all([call('1'), call('2'), call('3').then(() => call('4')), call('5')]);
        rig[2]?.transports.forEach((transport) => transport.abort());
        await world.advance(1);
        const late = [call('6')];
        for (let step = 0; step < 400; step++) {
          await world.advance(0.25);
          if (step % 50 === 0) late.push(call(`${7 + step / 50}`));
        }
        await Promise.all(late);
        expect(seen).toEqual(['1', '2', '3', '5', '4', '6', '7', '8', '9', '10', '11', '12', '13', '14']);
      },
      (request) => {
        seen.push(heartbeatApi.request.decode(request.body, request.apiVersion).memberId);
        return answer(request, heartbeatApi, {});
      },
    );
  });

  test('any broker is found when the bootstrap broker and others are down', async () => {
    await withRig(
      () => ({}),
      async ({ world, cluster }) => {
        await cluster.refresh('test');
        for (const port of [9091, 9092]) {
          world.network.block(`127.0.0.1:${port}`);
          world.network.cut(`127.0.0.1:${port}`);
        }
        await world.advance(5);
        await cluster.send(anyBroker, 'control', heartbeatApi, {});
        expect((await cluster.refresh('again')).version).toBe(2);
      },
      (request) => answer(request, heartbeatApi, {}),
    );
  });

  test('when no broker answers, the error says how many were asked and what the last said', async () => {
    const world = virtualWorld();
    await world.run(async () => {
      const cluster = new Cluster({ brokers: '127.0.0.1:1,127.0.0.1:2', platform: world.platform });
      const error = await rejection(cluster.refresh('test'));
      expect(error).toMatchObject({ code: 'CONNECT', retriable: true });
      expect(error.message).toMatch(/None of 2 brokers answered Metadata.*ECONNREFUSED/);
      const began = world.now();
      expect(await rejection(cluster.topic('a', soon(world, 3000)))).toMatchObject({ code: 'TIMEOUT' });
      expect(world.now() - began).toBeLessThan(3100);
      cluster.close();
    });
  });

  test('a frozen broker holds metadata up for a second at most', async () => {
    await withRig(
      () => ({}),
      async ({ world, cluster }) => {
        await cluster.refresh('test');
        world.network.freeze('127.0.0.1:9091');
        const began = world.now();
        expect((await cluster.refresh('frozen')).version).toBe(2);
        expect(world.now() - began).toBeLessThan(1200);
        world.network.thaw('127.0.0.1:9091');
      },
    );
  });

  test('an idle socket is closed after connectionMaxIdleMs', async () => {
    await withRig(
      () => ({}),
      async ({ world, cluster }) => {
        await cluster.refresh('test');
        expect(world.network.openConnections()).toBe(1);
        await world.advance(320_000);
        expect(world.network.openConnections()).toBe(0);
        await cluster.refresh('again');
      },
    );
  });

  test('after a frozen clock idle sockets are replaced, so a call does not wait for a dead one', async () => {
    await withRig(
      () => ({}),
      async ({ world, rig }) => {
        let offsetMs = 0;
        const platform = { ...world.platform, now: () => world.now() + offsetMs };
        const thawed = new Cluster({ brokers: '127.0.0.1:9091', platform });
        const connections = (): number => rig.reduce((sum, broker) => sum + broker.connections, 0);
        await thawed.refresh('test');
        await thawed.refresh('again');
        expect(connections()).toBe(1);
        offsetMs = 3_600_000;
        const began = world.now();
        await thawed.refresh('thawed');
        expect(connections()).toBe(2);
        expect(world.now() - began).toBeLessThan(200);
        thawed.close();
      },
    );
  });

  test('a socket that opens after an idle sweep is closed with the client', async () => {
    await withRig(
      () => ({}),
      async ({ world }) => {
        const { platform } = world;
        const slow = new Cluster({
          brokers: '127.0.0.1:9091,127.0.0.1:9092',
          platform,
          connectTimeoutMs: 12_000,
        });
        for (const port of [9091, 9092]) world.network.freeze(`127.0.0.1:${port}`);
        const waiting = rejection(slow.refresh('frozen'));
        await world.advance(10_500);
        for (const port of [9091, 9092]) world.network.thaw(`127.0.0.1:${port}`);
        slow.close();
        expect(await waiting).toMatchObject({ code: 'CLOSED' });
      },
    );
  });

  test('close rejects what waits, refuses what comes, and is idempotent', async () => {
    await withRig(
      () => undefined,
      async ({ world, cluster }) => {
        const waiting = rejection(cluster.topic('a', soon(world, 60_000)));
        await world.advance(10);
        cluster.close();
        cluster.close();
        expect(await waiting).toMatchObject({ code: 'CLOSED' });
        expect(await rejection(cluster.refresh('late'))).toMatchObject({ code: 'CLOSED' });
        expect(await rejection(cluster.send(1, 'control', heartbeatApi, {}))).toBeInstanceOf(Error);
      },
    );
  });
});
