/** The launcher of real Kafka: what tests rely on when they start, kill, pause and restart nodes. Source: tools/kafka. */
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { startKafka } from '../../../tools/kafka/launcher.ts';
import { aliveBrokers } from '../../../tools/kafka/probe.ts';
import { consoleConsume, consoleCreateTopic, consoleProduce } from '../support/java.ts';
import { useKafka } from '../support/kafka.ts';
import { describeWith } from '../support/tools.ts';

const records = Array.from({ length: 20 }, (_, index) => ({ key: `key-${index}`, value: `välue ${index}` }));

describeWith(['java', 'mvn'], 'the Kafka launcher', () => {
  describe.each(['4.3.1', '3.9.2'])('with one node of %s', (version) => {
    const kafka = useKafka({ version });

    test('answers on the address it names', async () => {
      expect(kafka().version).toBe(version);
      expect(kafka().brokers).toEqual([kafka().node(1).address]);
      expect(await aliveBrokers(kafka().node(1).address)).toEqual([1]);
    });

    test('keeps its data and its port through kill -9 and restart', async () => {
      const node = kafka().node(1);
      const target = { brokers: kafka().brokers, topic: 'kept', version };
      await consoleProduce({ ...target, records });
      const { pid } = node;
      await node.kill();
      expect(node.pid).toBeUndefined();
      await expect(aliveBrokers(node.address)).rejects.toThrow('ECONNREFUSED');
      await node.restart();
      expect(node.pid).not.toBe(pid);
      const stored = await consoleConsume({ ...target, count: records.length });
      expect(stored.map(({ key, value }) => ({ key, value })).sort(byKey)).toEqual(records.toSorted(byKey));
    }, 30_000);

    test('gives no answer while paused and goes on after it', async () => {
      const node = kafka().node(1);
      node.pause();
      await expect(aliveBrokers(node.address, 200)).rejects.toThrow('no answer in 200 ms');
      node.resume();
      expect(await aliveBrokers(node.address)).toEqual([1]);
    });
  });

  describe('with one node of the default release', () => {
    const kafka = useKafka({
      listeners: [{ name: 'SECOND', protocol: 'PLAINTEXT' }],
      properties: ({ nodeId }) => ({ 'broker.rack': `rack-${nodeId}` }),
      formatFlags: ['--feature', 'transaction.version=1'],
    });

    test('opens the listeners asked for, with the properties and features asked for', async () => {
      const node = kafka().node(1);
      expect(await aliveBrokers(node.addresses.get('SECOND') ?? '')).toEqual([1]);
      const log = readFileSync(node.logPath, 'utf8');
      expect(log).toContain('broker.rack = rack-1');
      expect(log).toMatch(/transaction\.version=1|transaction\.version to 1|'transaction\.version'.*1/);
    });

    test('serves as the cluster of KAFKA_BROKERS, which close leaves alone', async () => {
      vi.stubEnv('KAFKA_BROKERS', kafka().brokers.join());
      const named = await startKafka();
      vi.unstubAllEnvs();
      expect(named.brokers).toEqual(kafka().brokers);
      expect(() => named.node(1)).toThrow('runs elsewhere');
      await named.close();
      expect(await aliveBrokers(kafka().node(1).address)).toEqual([1]);
    });

    test('stops in a controlled way, with its data on disk, and comes back', async () => {
      const node = kafka().node(1);
      await node.stop();
      expect(readFileSync(node.logPath, 'utf8')).toContain('shut down completed');
      await node.restart();
      expect(await aliveBrokers(node.address)).toEqual([1]);
    }, 30_000);
  });

  describe('with three nodes', () => {
    const kafka = useKafka({ nodes: 3 });

    test('lists all of them, survives the loss of one and takes it back', async () => {
      const [first, second, third] = [1, 2, 3].map((id) => kafka().node(id).address) as [
        string,
        string,
        string,
      ];
      expect(kafka().brokers).toEqual([first, second, third]);
      expect(await aliveBrokers(third)).toEqual([1, 2, 3]);
      const topic = 'replicated';
      await consoleCreateTopic({ brokers: [second], topic, partitions: 3, replicationFactor: 3 });
      await consoleProduce({ brokers: [second], topic, records, settings: { acks: 'all' } });
      await kafka().node(1).kill();
      await expect.poll(() => aliveBrokers(third), { timeout: 15_000, interval: 100 }).toEqual([2, 3]);
      const stored = await consoleConsume({ brokers: [second, third], topic, count: records.length });
      expect(stored.length).toBe(records.length);
      await kafka().node(1).restart();
      await expect.poll(() => aliveBrokers(third), { timeout: 15_000, interval: 100 }).toEqual([1, 2, 3]);
    }, 60_000);
  });

  test('close kills the nodes and deletes their folder', async () => {
    const cluster = await startKafka();
    const { address, logPath } = cluster.node(1);
    await cluster.close();
    await expect(aliveBrokers(address)).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(dirname(dirname(logPath)))).toBe(false);
    await cluster.close();
  });

  test('a start that fails names the reason and the log, which is kept', async () => {
    const failure = await startKafka({ properties: { 'log.dirs': '/dev/null/nowhere' } }).catch(String);
    expect(failure).toMatch(/Kafka node 1 ended with exit code 1 before it was ready; log: /);
    expect(failure).toContain('/dev/null/nowhere');
    const log = /log: (.*)/.exec(String(failure))?.[1] ?? '';
    expect(existsSync(log)).toBe(true);
    await rm(dirname(dirname(log)), { recursive: true });
  });
});

function byKey(a: { key: string }, b: { key: string }): number {
  return a.key < b.key ? -1 : 1;
}
