/** Faults of a link: how everything travels until the fault is removed. */
import { describe, expect, it } from 'vitest';
import { metadataApi } from '../../../src/protocol/index.ts';
import { batchOf, produce } from '../cluster-world.ts';
import { behindProxy, introduce, took, type ProxiedScene } from './proxied.ts';

async function ask(scene: ProxiedScene, nodeId = 1): Promise<number> {
  const client = await scene.dial(nodeId);
  return await took(scene, () => client.call(metadataApi, 12, { topics: [] }));
}

describe('a link fault', () => {
  it('adds latency in both directions, or in one, until it is removed', async () => {
    await behindProxy(async (scene) => {
      const { faults } = scene.proxy;
      const both = faults.inject({ latencyMs: 100 });
      expect(await ask(scene)).toBeCloseTo(201, 0);
      const one = faults.inject({ latencyMs: 20, direction: 'to-client' });
      expect(await ask(scene)).toBeCloseTo(121, 0);
      one.remove();
      expect(await ask(scene)).toBeCloseTo(201, 0);
      both.remove();
      expect(await ask(scene)).toBeLessThan(2);
    });
  });

  it('lets requests travel side by side, however long they take', async () => {
    await behindProxy(async (scene) => {
      scene.proxy.faults.inject({ latencyMs: 100 });
      const client = await scene.dial();
      const all = async (): Promise<void> => {
        const asked: (() => Promise<unknown>)[] = [];
        for (let i = 0; i < 5; i++) asked.push(await client.send(metadataApi, 12, { topics: [] }));
        for (const receive of asked) await receive();
      };
      expect(await took(scene, all)).toBeCloseTo(201, 0);
    });
  });

  it('adds jitter by the seed, and nothing overtakes', async () => {
    await behindProxy(async (scene) => {
      scene.proxy.faults.inject({ jitterMs: 50 });
      const client = await scene.dial();
      const asked: (() => Promise<unknown>)[] = [];
      for (let i = 0; i < 20; i++) asked.push(await client.send(metadataApi, 12, { topics: [] }));
      // Each call expects its own correlation id, so a wrong order fails here.
      const tookMs = await took(scene, async () => {
        for (const receive of asked) await receive();
      });
      expect(tookMs).toBeGreaterThan(20);
      expect(tookMs).toBeLessThan(101);
    });
  });

  it('narrows the link', async () => {
    await behindProxy(async (scene) => {
      const client = await scene.dial();
      await client.call(metadataApi, 12, { topics: [] });
      scene.proxy.faults.inject({ bytesPerSecond: 10_000, direction: 'to-broker' });
      const records = batchOf(['x'.repeat(5_000)]);
      const tookMs = await took(scene, () => produce(client, 'orders', records));
      expect(tookMs).toBeGreaterThan(500);
      expect(tookMs).toBeLessThan(600);
    });
  });

  it('writes byte by byte', async () => {
    await behindProxy(async (scene) => {
      scene.proxy.faults.inject({ chunking: 'one-byte' });
      const client = await scene.dial();
      await client.send(metadataApi, 12, { topics: [] });
      const chunks: number[] = [];
      for (let left = 40; left > 0; left--) chunks.push((await client.transport.read())?.length ?? 0);
      expect(new Set(chunks)).toEqual(new Set([1]));
    });
  });

  it('joins what comes within a time', async () => {
    await behindProxy(async (scene) => {
      const client = await scene.dial();
      const bytesOfOne = async (): Promise<number> => {
        await client.send(metadataApi, 12, { topics: [] });
        return (await client.transport.read())?.length ?? 0;
      };
      const alone = await bytesOfOne();
      scene.proxy.faults.inject({ coalesceMs: 50, direction: 'to-client' });
      await client.send(metadataApi, 12, { topics: [] });
      await client.send(metadataApi, 12, { topics: [] });
      expect(await bytesOfOne()).toBe(3 * alone);
    });
  });

  it('refuses connections to one broker until it is removed, and leaves open ones alone', async () => {
    await behindProxy(
      async (scene) => {
        await introduce(scene);
        const open = await scene.dial(2);
        const refusal = scene.proxy.faults.inject({ connections: 'refused', nodeId: 2 });
        await expect(scene.dial(2)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
        expect(await ask(scene, 1)).toBeLessThan(2);
        await open.call(metadataApi, 12, { topics: [] });
        refusal.remove();
        expect(await ask(scene, 2)).toBeLessThan(2);
      },
      { brokers: 2 },
    );
  });

  it('freezes a broker: bytes are accepted and arrive when it is removed', async () => {
    await behindProxy(async (scene) => {
      const { proxy, world, cluster, dial } = scene;
      const client = await dial();
      const frozen = proxy.faults.inject({ connections: 'frozen' });
      const producing = produce(client, 'orders', batchOf(['a']));
      const late = dial().then((other) => other.call(metadataApi, 12, { topics: [] }));
      await world.advance(5_000);
      expect(await cluster.records('orders', 0)).toHaveLength(0);
      frozen.remove();
      expect((await producing).errorCode).toBe(0);
      expect((await late).brokers).toHaveLength(1);
    });
  });
});
