/** The proxy itself: addresses, options, its end, and what it does with a broker that is not there. */
import { describe, expect, it } from 'vitest';
import { manual, Reader, Writer } from '../../../src/index.ts';
import { fetchApi, findCoordinatorApi, metadataApi, produceApi } from '../../../src/protocol/index.ts';
import { FaultProxy, type ProxyFault } from '../../../src/testing/index.ts';
import { RawClient } from '../raw-client.ts';
import { behindProxy, introduce } from './proxied.ts';

const portOf = (address: string): number => Number(address.split(':')[1]);

describe('a proxy', () => {
  it('puts its own addresses into answers that name brokers', async () => {
    await behindProxy(
      async ({ proxy, cluster, dial }) => {
        const ports = proxy.brokers.map(portOf);
        expect(ports).not.toEqual(cluster.brokers.map(portOf));
        const client = await dial();
        const { brokers } = await client.call(metadataApi, 12, { topics: [] });
        expect(brokers.map(({ port }) => port)).toEqual(ports);
        const { coordinators } = await client.call(findCoordinatorApi, 4, { coordinatorKeys: ['g'] });
        expect(ports).toContain(coordinators[0]?.port);
        const old = await client.call(findCoordinatorApi, 3, { key: 'g' });
        expect(old.port).toBe(coordinators[0]?.port);
      },
      { brokers: 3 },
    );
  });

  it('takes a port for a broker that only an answer names', async () => {
    await behindProxy(
      async (scene) => {
        const { platform, cluster } = scene;
        const [first = ''] = cluster.brokers;
        const proxy = await FaultProxy.start({ brokers: [first], platform });
        const client = await RawClient.connect(platform, proxy.brokers[0] ?? '');
        const { brokers } = await client.call(metadataApi, 12, { topics: [] });
        expect(new Set(brokers.map(({ port }) => port)).size).toBe(2);
        const known = new Set(cluster.brokers.map(portOf));
        expect(brokers.some(({ port }) => known.has(port))).toBe(false);
        const second = await RawClient.connect(platform, `127.0.0.1:${brokers[1]?.port}`);
        await second.call(metadataApi, 12, { topics: [] });
        client.close();
        second.close();
        await proxy.close();
      },
      { brokers: 2 },
    );
  });

  it('rewrites nothing when it is told so, and knows brokers that advertise it', async () => {
    await behindProxy(
      async (scene) => {
        const { brokers } = await (await scene.dial()).call(metadataApi, 12, { topics: [] });
        expect(brokers.map(({ port }) => port)).toEqual(scene.cluster.brokers.map(portOf));
      },
      {},
      { rewriteAddresses: false },
    );
  });

  it('carries a Writer and a Reader to every broker', async () => {
    await behindProxy(
      async ({ proxy, platform, cluster }) => {
        const { brokers } = proxy;
        cluster.createTopic({ name: 'spread', partitions: 3 });
        const sent = Array.from({ length: 30 }, (_, i) => ({ partition: i % 3, value: `${i}` }));
        const writer = new Writer({ brokers, platform, topic: 'spread', balancer: manual() });
        await writer.writeMessages(sent);
        await writer.close();
        const partitions = [0, 1, 2].map((partition) => ({ topic: 'spread', partition }));
        const reader = new Reader({ brokers, platform, partitions });
        const values: (string | null)[] = [];
        while (values.length < sent.length) values.push((await reader.fetchMessage()).text());
        await reader.close();
        expect(values.toSorted()).toEqual(sent.map(({ value }) => value).toSorted());
        expect(new Set(cluster.faults.requests(produceApi).map(({ nodeId }) => nodeId)).size).toBe(3);
        expect(new Set(cluster.faults.requests(fetchApi).map(({ nodeId }) => nodeId)).size).toBe(3);
        expect(proxy.problems).toEqual([]);
      },
      { brokers: 3 },
    );
  });

  it('ends the connection of a client whose broker cannot be reached', async () => {
    await behindProxy(async ({ cluster, dial }) => {
      await cluster.stopBroker(1);
      const client = await dial();
      await expect(client.call(metadataApi, 12, { topics: [] })).rejects.toThrow('closed');
      await cluster.startBroker(1);
      await (await dial()).call(metadataApi, 12, { topics: [] });
    });
  });

  it('ends both sides when either does', async () => {
    await behindProxy(async ({ cluster, proxy, dial, world }) => {
      const client = await dial();
      await client.call(metadataApi, 12, { topics: [] });
      expect(proxy.openConnections()).toBe(1);
      client.close();
      await world.advance(10);
      expect(proxy.openConnections()).toBe(0);
      const other = await dial();
      await other.call(metadataApi, 12, { topics: [] });
      await cluster.stopBroker(1);
      await expect(other.call(metadataApi, 12, { topics: [] })).rejects.toThrow();
      await cluster.startBroker(1);
    });
  });

  it('resets the open connections to one broker', async () => {
    await behindProxy(
      async (scene) => {
        await introduce(scene);
        const [one, two] = [await scene.dial(1), await scene.dial(2)];
        scene.proxy.resetConnections(2);
        await expect(two.transport.read()).rejects.toMatchObject({ code: 'ECONNRESET' });
        await one.call(metadataApi, 12, { topics: [] });
      },
      { brokers: 2 },
    );
  });

  it('reports bytes that are no frames, and ends their connection', async () => {
    await behindProxy(async ({ proxy, dial }) => {
      const client = await dial();
      await client.transport.write([new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')]);
      expect(await client.nextFrame()).toBeUndefined();
      expect(proxy.problems).toEqual([expect.stringContaining('connection 0 to broker -1: frame of')]);
    });
  });

  it.each<[string, ProxyFault, RegExp]>([
    ['nothing', {}, /does nothing/],
    ['an unknown field', { delay: 1 } as ProxyFault, /no field delay/],
    ['two kinds', { latencyMs: 1, times: 2 } as ProxyFault, /mixes times, of exchanges, with latencyMs/],
    ['no effect and an answer', { effect: false, delayMs: 1 }, /needs an outcome/],
    ['no effect at the answer', { effect: false, outcome: 'reset', frame: 'answer' }, /no answer/],
    ['an outcome at a request', { frame: 'request', outcome: 'reset' }, /effect: false/],
    ['a cut without an end', { afterBytes: 4, delayMs: 1 }, /needs an outcome/],
    ['no request', { times: 0, outcome: 'reset' }, /at least 1/],
    ['half a request', { times: 1.5, outcome: 'reset' }, /at least 1/],
    ['a negative delay', { delayMs: -1 }, /number from 0 on as delayMs; got -1/],
    ['no bytes', { bytesPerSecond: 0 }, /above 0/],
  ])('refuses a fault with %s', async (_, fault, message) => {
    await behindProxy(async ({ proxy }) => {
      expect(() => proxy.faults.inject(fault)).toThrow(message);
    });
  });

  it('refuses options that cannot be', async () => {
    await behindProxy(async ({ platform }) => {
      await expect(FaultProxy.start({ brokers: [], platform })).rejects.toThrow('at least one broker');
      await expect(FaultProxy.start({ brokers: ['a'], platform })).rejects.toThrow('host:port; got a');
      const listen = { ports: [1] };
      const brokers = ['a:1', 'b:1'];
      await expect(FaultProxy.start({ brokers, listen, platform })).rejects.toThrow('must name 2 ports');
    });
  });
});
