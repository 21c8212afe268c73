/**
 * What real brokers say to a Writer beyond yes and no: too large, which records are at fault, another leader, be silent,
 * and another topic under the same name.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Client, KafkaError, lz4, Reader, WriteErrors, Writer, type LogFields } from '../../src/index.ts';
import {
  alterClientQuotasApi,
  alterPartitionReassignmentsApi,
  deleteTopicsApi,
  encodeRecordBatch,
  ErrorCodes,
  metadataApi,
  produceApi,
} from '../../src/protocol/index.ts';
import { useKafka } from './support/kafka.ts';
import { describeWith } from './support/tools.ts';
import { answerOf, createTopic, endOffsets } from './support/topics.ts';
import { until } from './support/until.ts';

const timeout = 60_000;

describeWith(['java', 'mvn'], 'a Writer', () => {
  const kafka = useKafka({ nodes: 3 });

  test('halves what is too large, and fails one message alone', { timeout }, async () => {
    const { brokers } = kafka();
    const topic = 'too-large';
    await createTopic(brokers, topic, 1, { 'max.message.bytes': '5000' });
    for (const compression of [undefined, lz4]) {
      await using writer = new Writer({ brokers, topic, compression });
      const messages = Array.from({ length: 1000 }, (_, i) => ({ value: `${i}:${randomText(100)}` }));
      messages[700] = { value: `700:${randomText(20_000)}` };
      const failure = (await rejection(writer.writeMessages(messages))) as WriteErrors;
      expect(failure).toBeInstanceOf(WriteErrors);
      expect(failure.errors.filter((error) => error !== null)).toHaveLength(1);
      expect(failure.errors[700]).toMatchObject({ code: 'MESSAGE_TOO_LARGE', stored: 'no' });
      expect(writer.stats().total.splits).toBeGreaterThan(10);
      const [end = 0] = await endOffsets(brokers, topic, 1);
      const values = await readAll(brokers, topic, end);
      const kept = messages.filter((_, index) => index !== 700).map(({ value }) => value);
      expect(values.slice(-999)).toEqual(kept);
    }
    expect(await endOffsets(brokers, topic, 1)).toEqual([1998]);
  });

  test('tells which records the broker found at fault', { timeout }, async () => {
    const { brokers } = kafka();
    const topic = 'compacted';
    await createTopic(brokers, topic, 1, { 'cleanup.policy': 'compact' });
    await using writer = new Writer({ brokers, topic });
    const messages = Array.from({ length: 10 }, (_, i) => ({
      key: i === 3 || i === 7 ? null : `${i}`,
      value: 'v',
    }));
    const { errors, message } = (await rejection(writer.writeMessages(messages))) as WriteErrors;
    expect(errors.map((error) => [error?.code, error?.stored, error?.retriable])).toEqual(
      messages.map(({ key }) => ['BROKER', 'no', key !== null]),
    );
    expect(errors[3]?.message).toMatch(
      /INVALID_RECORD \(87\): Compacted topic cannot accept message without key/,
    );
    expect(errors[0]?.message).toMatch(/^Not written with 2 of the 10 messages of its batch/);
    expect(message).toContain(errors[3]?.message);
    const good = await writer.writeMessages(messages.filter(({ key }) => key !== null));
    expect(good.at(7).offset).toBe(7);
  });

  test('goes to the leader that an answer names', { timeout }, async () => {
    const { brokers } = kafka();
    const topic = 'moving';
    await createTopic(brokers, topic, 1);
    await using client = new Client({ brokers });
    const lines: string[] = [];
    const debug = (text: string, fields?: LogFields): void =>
      void lines.push(`${text} ${String(fields?.['reason'])}`);
    await using writer = new Writer({ brokers, topic, logger: { debug }, metadataMaxAgeMs: 600_000 });
    let before: number | undefined;
    for (const replica of [1, 2, 3]) {
      const moving = await client.request(alterPartitionReassignmentsApi, {
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas: [replica] }] }],
      });
      expect(moving.responses[0]?.partitions[0]?.errorCode).toBe(0);
      await writer.writeMessages({ value: `${replica}` });
      await until(`broker ${replica} leads`, async () => (await answerOf(client, replica, topic)) === 0);
      const left = before;
      if (left !== undefined)
        await until(`broker ${left} has left`, async () => (await answerOf(client, left, topic)) !== 0);
      await writer.writeMessages({ value: `${replica} again` });
      before = replica;
    }
    expect(lines.some((line) => line.includes('NOT_LEADER_OR_FOLLOWER'))).toBe(true);
    // What the Writer was told by the leader of before.
    const records = encodeRecordBatch({ records: [{ value: 'x' }] });
    await until('broker 1 names the leader and its address', async () => {
      const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }];
      const body = { acks: -1, timeoutMs: 5000, topicData };
      const answer = await client.request(produceApi, body, { broker: 1, maxVersion: 12 });
      const partition = answer.responses[0]?.partitionResponses[0];
      expect(partition?.errorCode).toBe(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
      const named = answer.nodeEndpoints.map(({ nodeId }) => nodeId);
      return partition?.currentLeader.leaderId === 3 && named.join() === '3';
    });
    expect(await readAll(brokers, topic, 6)).toEqual(['1', '1 again', '2', '2 again', '3', '3 again']);
  });

  test('leaves a broker alone that asks for silence', { timeout }, async () => {
    const { brokers } = kafka();
    const topic = 'throttled';
    await createTopic(brokers, topic, 1);
    await using client = new Client({ brokers });
    const { entries } = await client.request(alterClientQuotasApi, {
      entries: [
        {
          entity: [{ entityType: 'client-id', entityName: 'greedy' }],
          ops: [{ key: 'producer_byte_rate', value: 50_000, remove: false }],
        },
      ],
    });
    expect(entries[0]?.errorCode).toBe(0);
    await using writer = new Writer({ brokers, topic, clientId: 'greedy' });
    const value = randomText(10_000);
    let written = 0;
    const write = async (): Promise<void> => {
      await writer.writeMessages(Array.from({ length: 7 }, () => ({ value })));
      written += 7;
    };
    await until('the broker asks for silence of a second', async () => {
      await write();
      return writer.stats().total.throttleMs.sum > 1000;
    });
    await write();
    const { throttleMs, produceMs, retries } = writer.stats().total;
    // The client waits, so that no request waits at the broker.
    expect(produceMs.sum).toBeLessThan(throttleMs.sum / 2);
    expect(retries).toBe(0);
    expect(await endOffsets(brokers, topic, 1)).toEqual([written]);
  });

  test('goes on in a topic that was created anew', { timeout }, async () => {
    const { brokers } = kafka();
    const topic = 'reborn';
    await createTopic(brokers, topic, 1);
    await using client = new Client({ brokers });
    await using writer = new Writer({ brokers, topic, batchSize: 10 });
    await writer.writeMessages(Array.from({ length: 100 }, (_, i) => ({ value: `old ${i}` })));
    const { topics } = await client.request(metadataApi, { topics: [{ name: topic }] });
    const leader = topics[0]?.partitions[0]?.leaderId ?? -1;
    await client.request(deleteTopicsApi, (version) =>
      version >= 6
        ? { topics: [{ name: topic }], timeoutMs: 10_000 }
        : { topicNames: [topic], timeoutMs: 10_000 },
    );
    // Until then the old log takes records, and they go with it.
    await until(
      'the leader knows that it is deleted',
      async () => (await answerOf(client, leader, topic)) === ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    );
    const messages = Array.from({ length: 100 }, (_, i) => ({ value: `new ${i}` }));
    const call = writer.writeMessages(messages);
    await delay(1000);
    await createTopic(brokers, topic, 1);
    const receipt = await call;
    expect(receipt.at(99).offset).toBe(99);
    expect(await readAll(brokers, topic, 100)).toEqual(messages.map(({ value }) => value));
  });
});

function randomText(length: number): string {
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(Math.random() * 94))).join('');
}

async function rejection(work: Promise<unknown>): Promise<unknown> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KafkaError)) throw new Error('it should have been refused', { cause: error });
  return error;
}

async function readAll(brokers: readonly string[], topic: string, count: number): Promise<string[]> {
  await using reader = new Reader({ brokers, topic, partition: 0 });
  const values: string[] = [];
  while (values.length < count) values.push((await reader.fetchMessage()).text() ?? '');
  return values;
}
