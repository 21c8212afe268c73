/** What each example runs on: an embedded broker, or with `--brokers host:port,...` any cluster, and a new topic that is
 * deleted at the end.
 * Not the point of any example: begin with the example.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Client, Reader } from 'kafka-wire';
import { createTopicsApi, deleteTopicsApi, errorCode } from 'kafka-wire/protocol';
import { EmbeddedCluster, type FaultControl } from 'kafka-wire/testing';

/** Where an example takes place. */
export interface Setting {
  /** Bootstrap addresses. */
  readonly brokers: string | readonly string[];
  /** A topic without messages. */
  readonly topic: string;
  /** Another one, of one partition. */
  readonly output: string;
  /** Troubles to order; undefined on a cluster that is not ours. */
  readonly faults: FaultControl | undefined;
}

const requestTimeoutMs = 10_000;

/** Runs an example on a topic with that many partitions. */
export async function play(partitions: number, example: (setting: Setting) => Promise<void>): Promise<void> {
  const { values } = parseArgs({ options: { brokers: { type: 'string' } } });
  const embedded = values.brokers === undefined ? await EmbeddedCluster.start() : undefined;
  const brokers = values.brokers ?? embedded?.brokers ?? [];
  const topic = `kafka-wire-example-${process.pid}-${Date.now()}`;
  const output = `${topic}-output`;
  await using client = new Client({ brokers });
  try {
    const { topics } = await client.request(createTopicsApi, {
      topics: [
        { name: topic, numPartitions: partitions, replicationFactor: -1 },
        { name: output, numPartitions: 1, replicationFactor: -1 },
      ],
      timeoutMs: requestTimeoutMs,
    });
    const code = topics.find((each) => each.errorCode !== 0)?.errorCode ?? 0;
    if (code !== 0) throw new Error(`cannot create topic ${topic}: ${errorCode(code).name}`);
    await example({ brokers, topic, output, faults: embedded?.faults });
    await client.request(deleteTopicsApi, {
      topicNames: [topic, output],
      topics: [{ name: topic }, { name: output }],
      timeoutMs: requestTimeoutMs,
    });
  } finally {
    await embedded?.close();
  }
}

/** The values that lie in a partition, in the order of the log. */
export async function valuesIn({ brokers, topic }: Setting, partition: number): Promise<string[]> {
  await using reader = new Reader({ brokers, topic, partition });
  const values: string[] = [];
  const end = await reader.readLag();
  // The markers of transactions have offsets too.
  while ((reader.position() ?? 0) < end)
    for (const message of await reader.fetchBatch({ maxWaitMs: 100 })) values.push(message.text() ?? '');
  return values;
}

/** Ends the example with an error if what it says is not so. */
export function check(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`not so: ${what}`);
  console.log(what);
}
