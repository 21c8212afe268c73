/** Topics for the tests, created and measured with this project's client: a JVM per question would cost a second each.
 * A controller answers before the brokers have done as it says: who depends on what a broker does has to ask that broker.
 */
import { Client, KafkaError } from '../../../src/index.ts';
import { createTopicsApi, errorCode, listOffsetsApi } from '../../../src/protocol/index.ts';
import { until } from './until.ts';

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

/** The offset of the next record of each partition, asked of the leaders; again where there is none for the moment. */
export async function endOffsets(
  brokers: readonly string[],
  topic: string,
  partitions: number,
): Promise<number[]> {
  return await Promise.all(Array.from({ length: partitions }, (_, index) => endOf(brokers, topic, index)));
}

async function endOf(brokers: readonly string[], topic: string, partition: number): Promise<number> {
  const topics = [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }];
  let end = -1;
  await until(`${topic}[${partition}] has an end`, async () => {
    // A new one each time: it asks for the leader.
    await using client = new Client({ brokers });
    const asked = client.request(listOffsetsApi, { topics }, { topicPartition: { topic, partition } });
    const answer = await asked.catch((error: unknown) => {
      if (error instanceof KafkaError && error.retriable) return undefined;
      throw error;
    });
    const { errorCode: code, offset } = answer?.topics[0]?.partitions[0] ?? { errorCode: 0, offset: -1 };
    if (code !== 0 && !errorCode(code).retriable)
      throw new Error(`end of ${topic}[${partition}]: error ${code}`);
    if (code === 0) end = offset;
    return end >= 0;
  });
  return end;
}

/** What a broker answers to who asks for the end of partition 0: 0 when it leads it, else an error code. */
export async function answerOf(client: Client, broker: number, topic: string): Promise<number> {
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
  const answer = await client.request(listOffsetsApi, { topics }, { broker });
  return answer.topics[0]?.partitions[0]?.errorCode ?? -1;
}
