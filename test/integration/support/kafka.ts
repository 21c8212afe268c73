/** Real Kafka for the tests of one file: started before the first, closed after the last. One cluster per call. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { KafkaCluster, KafkaOptions } from '../../../tools/kafka/cluster.ts';
import { startKafka } from '../../../tools/kafka/launcher.ts';

// the first start of a release on a machine fetches its jars
const startTimeoutMs = 300_000;
const closeTimeoutMs = 30_000;

/**
 * Inside a suite (`describeWith(['java', 'mvn'], ...)`): its tests find the cluster in the returned function.
 * When one of the suite's tests failed, the brokers' logs are kept and their paths printed.
 */
export function useKafka(options: KafkaOptions = {}): () => KafkaCluster {
  let cluster: KafkaCluster | undefined;
  beforeAll(async () => {
    cluster = await startKafka(options);
  }, startTimeoutMs);
  let keepLogs = false;
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      keepLogs = true;
    });
  });
  afterAll(async () => {
    await cluster?.close({ keepLogs });
    if (keepLogs) console.error(`Kafka's logs: ${cluster?.nodes.map(({ logPath }) => logPath).join(' ')}`);
  }, closeTimeoutMs);
  return () => {
    if (cluster === undefined) throw new Error('the cluster exists only while tests run');
    return cluster;
  };
}
