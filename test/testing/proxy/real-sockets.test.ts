/** The proxy on real sockets: a Writer delivers through every fault that a client should survive, each at least once. */
import { describe, expect, it } from 'vitest';
import { manual, Writer } from '../../../src/index.ts';
import { platform } from '../../../src/runtime/node.ts';
import { apiVersionsApi, produceApi } from '../../../src/protocol/index.ts';
import { EmbeddedCluster, FaultProxy, type ProxyFault } from '../../../src/testing/index.ts';
import { RawClient } from '../raw-client.ts';

/** What the Writer survives, and how many records it writes meanwhile. */
const survived: readonly (readonly [string, ProxyFault])[] = [
  ['latency', { latencyMs: 5, jitterMs: 5 }],
  ['a narrow link', { bytesPerSecond: 500_000 }],
  ['writes of one byte', { chunking: 'one-byte' }],
  ['joined writes', { coalesceMs: 10 }],
  ['an answer that is dropped', { api: produceApi, outcome: 'disconnect', times: 2 }],
  ['a request that is dropped', { api: produceApi, outcome: 'disconnect', effect: false }],
  ['a reset', { api: produceApi, outcome: 'reset' }],
  ['a silence', { api: produceApi, outcome: 'silence' }],
  ['an answer that is cut', { api: produceApi, outcome: 'disconnect', afterBytes: 10 }],
  ['a request that is cut', { api: produceApi, outcome: 'reset', effect: false, afterBytes: 100 }],
  ['an answer that is late', { api: produceApi, delayMs: 50 }],
  ['a request that is late', { api: produceApi, frame: 'request', delayMs: 50 }],
  ['a corrupted batch', { api: produceApi, frame: 'request', flipByte: 200 }],
];

describe('a Writer on real sockets', () => {
  it.each(survived)('loses and doubles nothing by %s', async (_, fault) => {
    await using cluster = await EmbeddedCluster.start({ topics: [{ name: 'orders' }], holdOpen: false });
    await using proxy = await FaultProxy.start({ brokers: cluster.brokers, holdOpen: false });
    const injected = proxy.faults.inject(fault);
    const { brokers } = proxy;
    const values = Array.from({ length: 50 }, (_, i) => `value ${i}`);
    await using writer = new Writer({
      brokers,
      topic: 'orders',
      balancer: manual(),
      batchSize: 10,
      requestTimeoutMs: 300,
    });
    await writer.writeMessages(values.map((value) => ({ partition: 0, value })));
    const records = await cluster.records('orders', 0);
    expect(records.map(({ value }) => new TextDecoder().decode(value ?? new Uint8Array(0)))).toEqual(values);
    if (Number.isFinite(injected.remaining)) expect(injected.remaining).toBe(0);
  });

  it('survives a broker that refuses and freezes', { timeout: 10_000 }, async () => {
    await using cluster = await EmbeddedCluster.start({ topics: [{ name: 'orders' }], holdOpen: false });
    await using proxy = await FaultProxy.start({ brokers: cluster.brokers, holdOpen: false });
    await using writer = new Writer({ brokers: proxy.brokers, topic: 'orders', requestTimeoutMs: 300 });
    for (const connections of ['refused', 'frozen'] as const) {
      const fault = proxy.faults.inject({ connections });
      proxy.resetConnections();
      const writing = writer.writeMessages({ value: connections });
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await cluster.records('orders', 0)).toHaveLength(connections === 'refused' ? 0 : 1);
      fault.remove();
      await writing;
    }
    expect(await cluster.records('orders', 0)).toHaveLength(2);
  });
});

describe('on real sockets', () => {
  it('refused means that nobody listens', async () => {
    await using cluster = await EmbeddedCluster.start({ holdOpen: false });
    const proxy = await FaultProxy.start({ brokers: cluster.brokers, holdOpen: false });
    const [address = ''] = proxy.brokers;
    const ask = async (): Promise<void> => {
      const client = await RawClient.connect(platform, address);
      await client.call(apiVersionsApi, 0, {});
      client.close();
    };
    await ask();
    const refusal = proxy.faults.inject({ connections: 'refused' });
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    refusal.remove();
    await expect.poll(ask, { timeout: 5_000 }).toBeUndefined();
    await proxy.close();
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
