/** Topics for the tests, created and measured with this project's client: a JVM per question would cost a second each. */
import { Client } from '../../../src/index.ts';
import { createTopicsApi, listOffsetsApi } from '../../../src/protocol/index.ts';

/** Creates a topic. Its leaders may be on their way still: clients heal that. Rejects when it cannot be. */
export async function createTopic(
  brokers: readonly string[],
  name: string,
  partitions: number,
  config: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using client = new Client({ brokers });
  const configs = Object.entries(config).map(([name, value]) => ({ name, value }));
  const topics = [{ name, numPartitions: partitions, replicationFactor: 1, configs }];
  const answer = await client.request(createTopicsApi, { topics, timeoutMs: 20_000 });
  const [created] = answer.topics;
  if (created?.errorCode !== 0)
    throw new Error(`topic ${name}: ${created?.errorMessage ?? created?.errorCode}`);
}

/** The offset of the next record of each partition, asked of the leaders. */
export async function endOffsets(
  brokers: readonly string[],
  topic: string,
  partitions: number,
): Promise<number[]> {
  await using client = new Client({ brokers });
  const asked = Array.from({ length: partitions }, async (_, partition) => {
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }];
    const answer = await client.request(listOffsetsApi, { topics }, { topicPartition: { topic, partition } });
    const found = answer.topics[0]?.partitions[0];
    if (found?.errorCode !== 0) throw new Error(`end of ${topic}[${partition}]: error ${found?.errorCode}`);
    return found.offset;
  });
  return await Promise.all(asked);
}
