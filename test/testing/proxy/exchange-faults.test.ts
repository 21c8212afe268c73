/** Faults that meet single requests and answers on their way through the proxy: each does what it says, as often. */
import { describe, expect, it } from 'vitest';
import {
  apiVersionsApi,
  crc32c,
  encodeRequest,
  metadataApi,
  produceApi,
} from '../../../src/protocol/index.ts';
import { batchOf, produce } from '../cluster-world.ts';
import { behindProxy, introduce, took, type ProxiedScene } from './proxied.ts';

const orders = (records: Uint8Array) => ({ name: 'orders', partitionData: [{ index: 0, records }] });

const stored = async ({ cluster }: ProxiedScene): Promise<number> =>
  (await cluster.records('orders', 0)).length;

describe('an exchange fault', () => {
  it('drops the answer and the connection after the broker has done what was asked', async () => {
    await behindProxy(async (scene) => {
      const { proxy, dial } = scene;
      const fault = proxy.faults.inject({ api: produceApi, outcome: 'disconnect' });
      const client = await dial();
      await client.call(metadataApi, 12, { topics: [] });
      await expect(produce(client, 'orders', batchOf(['a']))).rejects.toThrow('closed');
      expect(await stored(scene)).toBe(1);
      expect(fault.remaining).toBe(0);
      expect((await produce(await dial(), 'orders', batchOf(['b']))).baseOffset).toBe(1);
    });
  });

  it('closes the connection before the request reaches the broker, without effect', async () => {
    await behindProxy(async (scene) => {
      scene.proxy.faults.inject({ api: produceApi, outcome: 'disconnect', effect: false });
      await expect(produce(await scene.dial(), 'orders', batchOf(['a']))).rejects.toThrow('closed');
      expect(await stored(scene)).toBe(0);
    });
  });

  it('resets the connection', async () => {
    await behindProxy(async ({ proxy, dial }) => {
      proxy.faults.inject({ api: metadataApi, outcome: 'reset' });
      const client = await dial();
      await client.send(metadataApi, 12, { topics: [] });
      await expect(client.transport.read()).rejects.toMatchObject({ code: 'ECONNRESET' });
    });
  });

  it('keeps silent on a connection that stays open', async () => {
    await behindProxy(async (scene) => {
      const { proxy, dial, world } = scene;
      proxy.faults.inject({ api: produceApi, outcome: 'silence' });
      const client = await dial();
      const answers = [
        await client.send(produceApi, 9, {
          acks: -1,
          topicData: [orders(batchOf(['a']))],
        }),
        await client.send(metadataApi, 12, { topics: [] }),
      ];
      let heard = 0;
      for (const answer of answers)
        void answer().then(
          () => heard++,
          () => undefined,
        );
      await world.advance(60_000);
      expect(heard).toBe(0);
      expect(await stored(scene)).toBe(1);
      expect(proxy.openConnections()).toBe(1);
    });
  });

  it('is a black hole without effect, for any API and as long as it is not removed', async () => {
    await behindProxy(async (scene) => {
      const hole = scene.proxy.faults.inject({ outcome: 'silence', effect: false, times: Infinity });
      for (const client of [await scene.dial(), await scene.dial()]) {
        let heard = false;
        const asked = await client.send(apiVersionsApi, 0, {});
        void asked().then(
          () => (heard = true),
          () => undefined,
        );
        await scene.world.advance(10_000);
        expect(heard).toBe(false);
      }
      hole.remove();
      expect((await produce(await scene.dial(), 'orders', batchOf(['a']))).errorCode).toBe(0);
    });
  });

  it('cuts an answer at a byte', async () => {
    await behindProxy(async ({ proxy, dial }) => {
      proxy.faults.inject({ api: metadataApi, outcome: 'disconnect', afterBytes: 7 });
      const client = await dial();
      await client.send(metadataApi, 12, { topics: [] });
      expect((await client.transport.read())?.length).toBe(7);
      expect(await client.transport.read()).toBeNull();
    });
  });

  it('cuts a request at a byte, so that the broker gets its beginning only', async () => {
    await behindProxy(async (scene) => {
      const { proxy, cluster, dial } = scene;
      proxy.faults.inject({ api: produceApi, outcome: 'reset', effect: false, afterBytes: 60 });
      await expect(produce(await dial(), 'orders', batchOf(['a']))).rejects.toThrow('closed');
      expect(await stored(scene)).toBe(0);
      expect(cluster.faults.requests(produceApi)).toEqual([]);
    });
  });

  it('turns over one bit of an answer', async () => {
    await behindProxy(async ({ proxy, dial }) => {
      const client = await dial();
      const frame = async (): Promise<Uint8Array> => {
        await client.transport.write([new Uint8Array([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 9, 255, 255])]);
        return (await client.nextFrame()) ?? new Uint8Array(0);
      };
      const good = await frame();
      proxy.faults.inject({ api: apiVersionsApi, flipByte: 4 + 9 });
      const bad = await frame();
      expect(bad.length).toBe(good.length);
      const differing = Array.from(good, (byte, index) => byte ^ (bad[index] ?? 0));
      expect(differing.filter((bits) => bits !== 0)).toEqual([1]);
      expect(differing[9]).toBe(1);
      expect(crc32c(await frame())).toBe(crc32c(good));
    });
  });

  it('turns over one bit of a request, which the broker refuses by its checksum', async () => {
    await behindProxy(async (scene) => {
      const { proxy, dial } = scene;
      const records = batchOf(['a-value-that-is-long-enough']);
      // The batch is the last of the request but for a few tag counts, so this byte is of its value.
      const request = { acks: -1, timeoutMs: 1_000, topicData: [orders(records)] };
      const bytes = encodeRequest(produceApi, 9, 0, 'raw', request).reduce(
        (sum, part) => sum + part.length,
        0,
      );
      proxy.faults.inject({ api: produceApi, frame: 'request', flipByte: bytes - 12 });
      const { errorCode } = await produce(await dial(), 'orders', records);
      expect(errorCode).toBe(2);
      expect(await stored(scene)).toBe(0);
    });
  });

  it('delays one answer, and lets the next ones of the connection wait behind it', async () => {
    await behindProxy(async (scene) => {
      const { proxy, dial } = scene;
      const client = await dial();
      const other = await dial();
      proxy.faults.inject({ api: produceApi, delayMs: 500 });
      const both = async (): Promise<void> => {
        const first = await client.send(produceApi, 9, {
          acks: -1,
          topicData: [orders(batchOf(['a']))],
        });
        const second = await client.send(metadataApi, 12, { topics: [] });
        await scene.world.advance(100);
        expect(await stored(scene)).toBe(1);
        await first();
        await second();
      };
      expect(await took(scene, both)).toBeGreaterThanOrEqual(500);
      expect(await took(scene, () => produce(other, 'orders', batchOf(['b'])))).toBeLessThan(10);
    });
  });

  it('delays one request, so that the broker acts later', async () => {
    await behindProxy(async (scene) => {
      const { proxy, dial, world } = scene;
      proxy.faults.inject({ api: produceApi, frame: 'request', delayMs: 500 });
      const producing = produce(await dial(), 'orders', batchOf(['a']));
      await world.advance(400);
      expect(await stored(scene)).toBe(0);
      await producing;
      expect(await stored(scene)).toBe(1);
    });
  });

  it('delays a request beyond the patience of its client, and the broker acts all the same', async () => {
    await behindProxy(async (scene) => {
      const { proxy, dial, world } = scene;
      proxy.faults.inject({ api: produceApi, frame: 'request', delayMs: 500 });
      const client = await dial();
      await client.send(produceApi, 9, { acks: -1, topicData: [orders(batchOf(['a']))] });
      await world.advance(100);
      client.transport.abort();
      await world.advance(300);
      expect(await stored(scene)).toBe(0);
      await world.advance(200);
      expect(await stored(scene)).toBe(1);
      expect(proxy.openConnections()).toBe(0);
    });
  });

  it('meets as many requests as it says, of its broker only', async () => {
    await behindProxy(
      async (scene) => {
        const { proxy, dial } = scene;
        await introduce(scene);
        const fault = proxy.faults.inject({ api: metadataApi, nodeId: 2, times: 2, delayMs: 1_000 });
        const ask = async (nodeId: number): Promise<number> => {
          const client = await dial(nodeId);
          return await took(scene, () => client.call(metadataApi, 12, { topics: [] }));
        };
        expect(await ask(1)).toBeLessThan(10);
        expect(await ask(2)).toBeGreaterThanOrEqual(1_000);
        expect(fault.remaining).toBe(1);
        expect(await ask(2)).toBeGreaterThanOrEqual(1_000);
        expect(await ask(2)).toBeLessThan(10);
      },
      { brokers: 2 },
    );
  });

  it('passes by requests that are never answered, and finds the later ones', async () => {
    await behindProxy(async (scene) => {
      const { proxy, dial } = scene;
      proxy.faults.inject({ api: metadataApi, delayMs: 1_000 });
      const client = await dial();
      await client.send(produceApi, 9, {
        acks: 0,
        topicData: [orders(batchOf(['a']))],
      });
      const asked = await client.send(metadataApi, 12, { topics: [] });
      expect(await took(scene, asked)).toBeGreaterThanOrEqual(1_000);
      expect(await stored(scene)).toBe(1);
    });
  });
});

describe('a hook', () => {
  it('sees each request of its API, and may take it away', async () => {
    await behindProxy(async (scene) => {
      const { proxy, dial } = scene;
      await introduce(scene);
      const seen: string[] = [];
      const stop = proxy.faults.on(produceApi, ({ topicData }, { nodeId, clientId, connection }) => {
        seen.push(`${topicData[0]?.name} ${nodeId} ${clientId} ${connection}`);
        return seen.length === 2 ? 'disconnect' : undefined;
      });
      const client = await dial();
      await produce(client, 'orders', batchOf(['a']));
      await expect(produce(client, 'orders', batchOf(['b']))).rejects.toThrow('closed');
      stop();
      await produce(await dial(), 'orders', batchOf(['c']));
      expect(seen).toEqual(['orders 1 raw 1', 'orders 1 raw 1']);
      expect(await stored(scene)).toBe(2);
    });
  });

  it('that throws is reported, and the request goes on', async () => {
    await behindProxy(async (scene) => {
      const { proxy, dial } = scene;
      proxy.faults.on(produceApi, () => {
        throw new Error('no');
      });
      expect((await produce(await dial(), 'orders', batchOf(['a']))).errorCode).toBe(0);
      expect(proxy.problems).toEqual([expect.stringMatching(/hook of API 0 failed: Error: no/)]);
    });
  });
});
