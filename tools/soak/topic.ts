/** The topic of a round: made, and read back into the history to its end. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Reader } from 'kafka-wire';
import { createTopicsApi, listOffsetsApi } from 'kafka-wire/protocol';
import type { History } from 'kafka-wire/testing';

const patienceMs = 60_000;

/** Creates a topic with three replicas of each partition. */
export async function createTopic(
  brokers: readonly string[],
  name: string,
  partitions: number,
): Promise<void> {
  await using client = new Client({ brokers });
  const topics = [{ name, numPartitions: partitions, replicationFactor: 3 }];
  const answer = await client.request(createTopicsApi, { topics, timeoutMs: 20_000 });
  const [created] = answer.topics;
  if (created?.errorCode !== 0)
    throw new Error(`topic ${name}: ${created?.errorMessage ?? created?.errorCode}`);
}

/** Reads every partition to its end, with events of one reader. */
export async function readTopic(
  brokers: readonly string[],
  topic: string,
  partitions: number,
  history: History,
): Promise<void> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = await Promise.all(all.map(({ partition }) => endOffset(brokers, topic, partition)));
  await using reader = new Reader({ brokers, partitions: all });
  for (const at of all) history.add({ kind: 'assign', actor: 'reader', ...at });
  const signal = AbortSignal.timeout(patienceMs);
  const left = new Set(
    all.map(({ partition }) => partition).filter((partition) => (ends[partition] ?? 0) > 0),
  );
  while (left.size > 0) {
    const batch = await reader.fetchBatch({ signal });
    const { partition } = batch;
    const records = Array.from(batch, (message) => [message.offset, message.text() ?? ''] as const);
    history.add({ kind: 'poll', actor: 'reader', topic, partition, records });
    if ((records.at(-1)?.[0] ?? 0) + 1 >= (ends[partition] ?? 0)) left.delete(partition);
  }
}

/** The next offset of a partition; asked again while its leader is on its way. */
async function endOffset(brokers: readonly string[], topic: string, partition: number): Promise<number> {
  await using client = new Client({ brokers });
  const topics = [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }];
  for (const giveUp = Date.now() + patienceMs; ;) {
    const answer = await client.request(listOffsetsApi, { topics }, { topicPartition: { topic, partition } });
    const found = answer.topics[0]?.partitions[0];
    if (found?.errorCode === 0) return found.offset;
    if (Date.now() > giveUp) throw new Error(`end of ${topic}[${partition}]: error ${found?.errorCode}`);
    await delay(200);
  }
}
