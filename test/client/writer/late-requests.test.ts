/** Requests that reach the broker after their Writer has given up on them and their connection. While no batch expires,
 * each record is stored once; behind one that expired, Kafka leaves open whether it is (docs/decisions/0012).
 */
import { expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/index.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import { sleep } from '../../../src/client/cluster/retry.ts';
import { batchEvents, FaultProxy } from '../../../src/testing/index.ts';
import { failureOf, play, type Scene } from './scene.ts';

interface LateScene extends Scene {
  readonly proxy: FaultProxy;
}

/** A scene in which the Writers are behind a proxy. */
function playLate(act: (scene: LateScene) => Promise<void>): Promise<void> {
  return play({}, async (scene) => {
    const { cluster, world } = scene;
    const proxy = await FaultProxy.start({ brokers: cluster.brokers, platform: world.platform });
    const writer: Scene['writer'] = (settings) =>
      scene.writer({ brokers: proxy.brokers, batchSize: 1, requestTimeoutMs: 1_000, ...settings });
    try {
      await act({ ...scene, proxy, writer });
    } finally {
      await proxy.close();
    }
  });
}

it('stores once what was sent again', () =>
  playLate(async ({ world, proxy, writer, values }) => {
    const one = writer();
    await one.writeMessages({ value: 'warm' });
    proxy.faults.inject({ api: produceApi, delayMs: 3_000, frame: 'request' });
    const calls = [one.writeMessages({ value: 'a' })];
    await world.advance(900);
    calls.push(one.writeMessages({ value: 'b' }));
    await Promise.all(calls);
    await world.advance(5_000);
    expect(await values()).toEqual(['warm', 'a', 'b']);
  }));

it('may store twice what followed a batch that expired on its way', () =>
  playLate(async ({ world, proxy, writer, values }) => {
    const { platform } = world;
    const one = writer({ deliveryTimeoutMs: 2_500, retryBackoffMaxMs: 200 });
    await one.writeMessages({ value: 'warm' });
    // `a` is held back, and `b` behind it on the same connection, until `b` comes again in the next epoch.
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let requests = 0;
    proxy.faults.on(produceApi, async (request) => {
      const [batch] = batchEvents(request, 'one');
      if (requests++ === 0) await held;
      if (batch?.kind !== 'batch' || batch.producerEpoch === 0) return undefined;
      letGo();
      await sleep(platform, 100);
      return undefined;
    });
    const expired = failureOf(one.writeMessages({ value: 'a' }));
    await world.advance(900);
    const doubled = one.writeMessages({ value: 'b' });
    await world.advance(10);
    const lost = proxy.faults.inject({ api: produceApi, outcome: 'disconnect', effect: false, times: 99 });
    expect(((await expired) as WriteErrors).errors[0]).toMatchObject({ stored: 'maybe' });
    lost.remove();
    const receipt = await doubled;
    expect(await values()).toEqual(['warm', 'a', 'b', 'b']);
    expect(receipt.at(0).offset).toBe(3);
  }));
