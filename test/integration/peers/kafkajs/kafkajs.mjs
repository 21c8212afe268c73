/**
 * kafkajs as a peer of the cross-client tests.
 *   kafkajs.mjs write BROKERS TOPIC               writes "key<TAB>value" lines of stdin
 *   kafkajs.mjs read BROKERS GROUP COUNT TOPIC...
 *       reads COUNT records as a member of GROUP, commits them, leaves, and prints them as
 *       "topic<TAB>partition<TAB>offset<TAB>key<TAB>value"
 */
import { readFileSync } from 'node:fs';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';

const batchRecords = 2000;

const [command, brokers, ...args] = process.argv.slice(2);
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
const kafka = new Kafka({ clientId: 'peer', brokers: brokers.split(','), logLevel: logLevel.ERROR });

if (command === 'write') await write(...args);
else await read(...args);

async function write(topic) {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const lines = readFileSync(0, 'utf8').split('\n').slice(0, -1);
  const messages = lines.map((line) => {
    const [key, value] = line.split('\t');
    return { key, value };
  });
  for (let at = 0; at < messages.length; at += batchRecords) {
    const batch = messages.slice(at, at + batchRecords);
    await producer.send({ topic, messages: batch, compression: CompressionTypes.GZIP });
  }
  await producer.disconnect();
}

async function read(groupId, count, ...topics) {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  const lines = [];
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const running = consumer.run({
      // its own commits: after each batch, of what was resolved
      eachBatch({ batch: { topic, partition, messages } }) {
        for (const { offset, key, value } of messages)
          lines.push(`${topic}\t${partition}\t${offset}\t${key}\t${value}\n`);
        if (lines.length >= Number(count)) resolve();
      },
    });
    running.catch(reject);
  });
  await consumer.disconnect();
  process.stdout.write(lines.join(''));
}
