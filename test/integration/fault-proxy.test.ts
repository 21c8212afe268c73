/**
 * The fault proxy before a real broker that advertises its own address: clients of any language stay behind the proxy, and
 * an answer that is dropped after the broker stored the batch doubles nothing. Brokers that advertise the proxy are the
 * subject of faults.test.ts.
 */
import { expect, test } from 'vitest';
import { run } from '../../tools/kafka/process.ts';
import { Writer } from '../../src/index.ts';
import { produceApi } from '../../src/protocol/index.ts';
import { FaultProxy } from '../../src/testing/index.ts';
import { useKafka } from './support/kafka.ts';
import { describeWith } from './support/tools.ts';
import { createTopic } from './support/topics.ts';

describeWith(['java', 'mvn', 'kcat'], 'a fault proxy before a real broker', () => {
  const kafka = useKafka();

  test('is all that clients see, and doubles nothing by dropped answers', { timeout: 60_000 }, async () => {
    await using proxy = await FaultProxy.start({ brokers: kafka().brokers, holdOpen: false });
    const [address = ''] = proxy.brokers;
    await createTopic(proxy.brokers, 'proxied', 1);
    const drops = ['disconnect', 'reset'] as const;
    const faults = drops.map((outcome) => proxy.faults.inject({ api: produceApi, outcome, times: 3 }));
    const values = Array.from({ length: 100 }, (_, index) => `value ${index}`);
    await using writer = new Writer({ brokers: proxy.brokers, topic: 'proxied', batchSize: 10 });
    await writer.writeMessages(values.map((value) => ({ value })));
    expect(faults.map(({ remaining }) => remaining)).toEqual([0, 0]);

    proxy.faults.inject({ latencyMs: 2 });
    proxy.faults.inject({ chunking: 'one-byte', direction: 'to-client' });
    const listed = await run('kcat', ['-L', '-J', '-b', address, '-t', 'proxied']);
    const { brokers } = JSON.parse(listed.stdout) as { brokers: readonly { readonly name: string }[] };
    expect(brokers.map(({ name }) => name)).toEqual([address]);
    const read = await run('kcat', ['-C', '-q', '-e', '-b', address, '-t', 'proxied']);
    expect(read.stdout.trimEnd().split('\n')).toEqual(values);
    expect(proxy.problems).toEqual([]);
  });
});
