/** What the proxy's tests share: an embedded cluster behind a proxy in a virtual world. */
import { expect } from 'vitest';
import { metadataApi } from '../../../src/protocol/index.ts';
import {
  FaultProxy,
  type EmbeddedClusterOptions,
  type FaultProxyOptions,
} from '../../../src/testing/index.ts';
import { inCluster, type Scene } from '../cluster-world.ts';
import { RawClient } from '../raw-client.ts';

export interface ProxiedScene extends Scene {
  readonly proxy: FaultProxy;
  /** A new connection through the proxy, closed when the test ends. */
  readonly dial: (nodeId?: number) => Promise<RawClient>;
}

/** Runs a test on a cluster with one topic, `orders`, behind a proxy, which must leave nothing behind. */
export async function behindProxy(
  test: (scene: ProxiedScene) => Promise<void>,
  { brokers = 1 }: EmbeddedClusterOptions = {},
  options: Partial<FaultProxyOptions> = {},
): Promise<void> {
  await inCluster({ brokers, topics: [{ name: 'orders' }] }, async (scene) => {
    const { platform, cluster } = scene;
    const proxy = await FaultProxy.start({ brokers: cluster.brokers, platform, ...options });
    const clients: RawClient[] = [];
    const dial = async (nodeId = 1): Promise<RawClient> => {
      const client = await RawClient.connect(scene.world.platform, proxy.brokers[nodeId - 1] ?? '');
      clients.push(client);
      return client;
    };
    try {
      await test({ ...scene, proxy, dial });
    } finally {
      for (const client of clients) client.close();
      await proxy.close();
    }
    expect(proxy.openConnections()).toBe(0);
  });
}

/** Milliseconds of virtual time that work takes. */
export async function took({ world }: ProxiedScene, work: () => Promise<unknown>): Promise<number> {
  const startedMs = world.now();
  await work();
  return world.now() - startedMs;
}

/** Asks for Metadata, so that the proxy knows who is who. */
export async function introduce({ dial }: ProxiedScene): Promise<void> {
  const client = await dial();
  await client.call(metadataApi, 12, { topics: [] });
}
