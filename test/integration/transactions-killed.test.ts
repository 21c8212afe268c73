/**
 * Read, process, write in transactions on three real nodes, while the transaction's coordinator, a leader and the client
 * itself are killed: each record is copied once, as Java's console consumer reads the committed ones.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client, Reader, Writer } from '../../src/index.ts';
import { createTopicsApi, findCoordinatorApi, metadataApi } from '../../src/protocol/index.ts';
import { fastFailover } from '../../tools/kafka/properties.ts';
import type { KafkaCluster } from '../../tools/kafka/cluster.ts';
import { consoleConsume } from './support/java.ts';
import { useKafka } from './support/kafka.ts';
import { bundleProgram, Program } from './support/program.ts';
import { describeWith } from './support/tools.ts';
import { endOffsets } from './support/topics.ts';
import { until, type UntilOptions } from './support/until.ts';

const [input, output, id] = ['input', 'output', 'copier'];
const [inputs, outputs, records] = [6, 3, 20_000];
const patience: UntilOptions = { patienceMs: 60_000, everyMs: 100 };

for (const version of ['4.3.1', '3.9.2']) {
  describeWith(['java', 'mvn'], `transactions on three nodes of Kafka ${version}`, () => {
    const kafka = useKafka({ nodes: 3, version, properties: fastFailover });
    let folder = '';
    let program = '';
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'kafka-wire-copier-'));
      program = await bundleProgram('transactional-copier', folder);
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    test(`copy ${records} records once, whoever is killed`, { timeout: 150_000 }, async () => {
      const { brokers } = kafka();
      await feed(brokers);
      const copiers = [new Program(program, { brokers, input, output, id })];
      try {
        await until('the copier copies', () => copied(copiers) >= 3000, patience);
        await bounce(kafka(), await coordinatorOf(brokers, id));
        await until('it goes on without its coordinator', () => copied(copiers) >= 7000, patience);
        await bounce(kafka(), await leaderOf(brokers, output));
        await until('it goes on without a leader', () => copied(copiers) >= 11_000, patience);
        await copiers[0]?.kill();
        copiers.push(new Program(program, { brokers, input, output, id }));
        await until('another one has copied the rest', async () => (await left(brokers)) === 0, patience);
      } finally {
        await Promise.all(copiers.map((copier) => copier.kill()));
      }
      const read = await readCommitted(brokers, version);
      expect(read.length).toBe(records);
      expect(read).toEqual(Array.from({ length: records }, (_, n) => n));
    });
  });
}

async function feed(brokers: readonly string[]): Promise<void> {
  await using client = new Client({ brokers });
  const topics = [
    { name: input, numPartitions: inputs, replicationFactor: 3 },
    { name: output, numPartitions: outputs, replicationFactor: 3 },
  ];
  const created = await client.request(createTopicsApi, { topics, timeoutMs: 20_000 });
  for (const { errorCode } of created.topics) expect(errorCode).toBe(0);
  await using writer = new Writer({ brokers, topic: input });
  await writer.writeMessages(Array.from({ length: records }, (_, n) => ({ key: `k${n}`, value: `${n}` })));
}

/** How much the copiers have said they have copied. */
function copied(copiers: readonly Program[]): number {
  return copiers.reduce((sum, { lines }) => sum + Number(lines.at(-1) ?? 0), 0);
}

/** How many records the group has not read. */
async function left(brokers: readonly string[]): Promise<number> {
  await using reader = new Reader({ brokers, groupId: id, topic: input });
  const ends = await endOffsets(brokers, input, inputs);
  const committed = ends.map((_, partition) => reader.committed({ topic: input, partition }));
  return (await Promise.all(committed)).reduce<number>(
    (sum, offset, partition) => sum + (ends[partition] ?? 0) - (offset ?? 0),
    0,
  );
}

async function coordinatorOf(brokers: readonly string[], transactionalId: string): Promise<number> {
  await using client = new Client({ brokers });
  const body = { keyType: 1, coordinatorKeys: [transactionalId] };
  return (await client.request(findCoordinatorApi, body)).coordinators[0]?.nodeId ?? 0;
}

async function leaderOf(brokers: readonly string[], name: string): Promise<number> {
  await using client = new Client({ brokers });
  return (await client.request(metadataApi, { topics: [{ name }] })).topics[0]?.partitions[0]?.leaderId ?? 0;
}

/** Kills a node, and starts it again when others have taken its place. */
async function bounce(cluster: KafkaCluster, nodeId: number): Promise<void> {
  const node = cluster.node(nodeId);
  await node.kill();
  await delay(3000);
  await node.start();
}

/** The numbers in the committed records of the output, in order: to a last record in each partition. */
async function readCommitted(brokers: readonly string[], version: string): Promise<number[]> {
  await using writer = new Writer({ brokers, topic: output });
  await writer.writeMessages(
    Array.from({ length: outputs }, (_, partition) => ({ partition, value: 'end' })),
  );
  const settings = { 'isolation.level': 'read_committed' };
  const count = records + outputs;
  const read = await consoleConsume({ brokers, topic: output, version, count, settings, timeoutMs: 60_000 });
  const values = read.map(({ value }) => value).filter((value) => value !== 'end');
  expect(read.length - values.length).toBe(outputs);
  return values.map(Number).sort((a, b) => a - b);
}
