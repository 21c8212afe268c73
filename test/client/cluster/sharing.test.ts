/** Coordinators, shared clients, raw requests and options. */
import { describe, expect, test } from 'vitest';
import { Client } from '../../../src/client/admin/client.ts';
import { acquireCluster, Coordinators } from '../../../src/client/cluster/index.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { findCoordinatorApi } from '../../../src/protocol/api/10-find-coordinator.ts';
import { heartbeatApi } from '../../../src/protocol/api/12-heartbeat.ts';
import { virtualWorld } from '../../../src/runtime/virtual.ts';
import { answer, apiVersionsAnswer, scriptedBroker, type Script } from '../../support/scripted-broker.ts';
import { apis, brokers, rejection, topic, withRig } from './rig.ts';

describe('coordinators', () => {
  test('are looked up once, retried while loading, kept by address, and forgotten when told', async () => {
    const codes = [15, 14, 0, 0];
    await withRig(
      () => ({ brokers: brokers.slice(0, 1) }),
      async ({ cluster, requests }) => {
        const coordinators = new Coordinators(cluster);
        await cluster.refresh('test');
        expect(await coordinators.find('group', 'g')).toBe(3);
        expect(await coordinators.find('group', 'g')).toBe(3);
        expect(requests(10)).toHaveLength(3);
        await cluster.send(3, 'group', heartbeatApi, {});
        coordinators.forget('group', 'g', 2);
        await coordinators.find('group', 'g');
        expect(requests(10)).toHaveLength(3);
        coordinators.forget('group', 'g', 3);
        await coordinators.find('group', 'g');
        expect(requests(10)).toHaveLength(4);
      },
      (request) => {
        if (request.apiKey !== 10) return answer(request, heartbeatApi, {});
        const errorCode = codes.shift() ?? 0;
        const coordinators = [{ key: 'g', nodeId: 3, host: '127.0.0.1', port: 9093, errorCode }];
        return answer(request, findCoordinatorApi, { coordinators });
      },
    );
  });

  test('an authorization error is not retried', async () => {
    await withRig(
      () => ({}),
      async ({ cluster, requests }) => {
        const coordinators = new Coordinators(cluster);
        expect(await rejection(coordinators.find('group', 'g'))).toMatchObject({
          errorName: 'GROUP_AUTHORIZATION_FAILED',
        });
        expect(requests(10)).toHaveLength(1);
      },
      (request) => answer(request, findCoordinatorApi, { coordinators: [{ key: 'g', errorCode: 30 }] }),
    );
  });
});

describe('sharing', () => {
  test('a lease of a shared client leaves it open, a lease of its own closes it', async () => {
    const { platform } = virtualWorld();
    const client = new Client({ brokers: 'b:9092', platform });
    const shared = acquireCluster({ client });
    shared.release();
    expect(shared.cluster.closed).toBe(false);
    await client.close();
    expect(shared.cluster.closed).toBe(true);
    const own = acquireCluster({ brokers: 'b:9092', platform });
    own.release();
    expect(own.cluster.closed).toBe(true);
  });

  test('a raw request goes to the broker, leader or coordinator that is named', async () => {
    const world = virtualWorld();
    await world.run(async () => {
      const reply: Script = (request) => {
        if (request.apiKey === 18) return apiVersionsAnswer(request, apis);
        if (request.apiKey === 12) return answer(request, heartbeatApi, {});
        const topics = [topic('a', [{ partitionIndex: 0, leaderId: 2, leaderEpoch: 1 }])];
        return answer(request, metadataApi, { brokers, topics });
      };
      const rig = await Promise.all(brokers.map(({ port }) => scriptedBroker(world.platform, reply, port)));
      await using client = new Client({ brokers: '127.0.0.1:9091', platform: world.platform });
      await client.request(heartbeatApi, {}, { broker: 3 });
      await client.request(heartbeatApi, {}, { topicPartition: { topic: 'a', partition: 0 } });
      const heartbeats = rig.map(({ requests }) => requests.filter(({ apiKey }) => apiKey === 12).length);
      expect(heartbeats).toEqual([0, 1, 1]);
      const missing = client.request(heartbeatApi, {}, { topicPartition: { topic: 'a', partition: 5 } });
      expect(await rejection(missing)).toMatchObject({ code: 'UNKNOWN_TOPIC', partition: 5 });
      const both = client.request(heartbeatApi, {}, { broker: 1, group: 'g' });
      expect(await rejection(both)).toMatchObject({ code: 'USAGE' });
      expect(world.openHolds()).toBe(0);
    });
  });
});

describe('options', () => {
  const { platform } = virtualWorld();
  const wrong: [string, object, RegExp][] = [
    ['no brokers', { brokers: [] }, /brokers must be at least one/],
    ['an address without a host', { brokers: ':9092' }, /not host:port/],
    ['a port beyond 65535', { brokers: 'a:70000' }, /1-65535/],
    [
      'a fraction',
      { brokers: 'a', requestTimeoutMs: 1.5 },
      /requestTimeoutMs must be an integer from 1 to 2147483647; got 1.5/,
    ],
    [
      'a string for a number',
      { brokers: 'a', maxFrameBytes: 'secret' },
      /maxFrameBytes .* got a string of 6 characters/,
    ],
    ['an empty clientId', { brokers: 'a', clientId: '' }, /clientId/],
    ['a misspelt option', { brokers: 'a', requestTimeout: 5 }, /no option requestTimeout/],
  ];
  for (const [what, options, message] of wrong) {
    test(`${what} is a UsageError at once`, () => {
      expect(() => new Client({ platform, ...options } as never)).toThrowError(message);
      expect(() => new Client({ platform, ...options } as never)).toThrowError(
        expect.objectContaining({ code: 'USAGE' }),
      );
    });
  }

  test('a client and brokers exclude each other', () => {
    const client = new Client({ brokers: 'a', platform });
    expect(() => acquireCluster({ client, brokers: 'a' } as never)).toThrowError(
      /client and brokers exclude/,
    );
    expect(() => acquireCluster({ client: {} } as never)).toThrowError(/client must be a Client/);
  });
});
