/**
 * kafkajs as a peer of the cross-client tests.
 *   kafkajs.mjs write BROKERS TOPIC               writes "key<TAB>value" lines of stdin
 *   kafkajs.mjs read BROKERS GROUP COUNT TOPIC...
 *       reads COUNT records as a member of GROUP, commits them, leaves, and prints them as
 *       "topic<TAB>partition<TAB>offset<TAB>key<TAB>value"
 *   kafkajs.mjs transactions BROKERS TOPIC
 *       goes through the life of transactional producers and prints of each step whether it worked or its error
 */
import { readFileSync } from 'node:fs';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';

const batchRecords = 2000;

const [command, brokers, ...args] = process.argv.slice(2);
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
const kafka = new Kafka({ clientId: 'peer', brokers: brokers.split(','), logLevel: logLevel.ERROR });

const commands = { write, read, transactions };
await commands[command](...args);

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

async function transactions(topic) {
  const groupId = `${topic}-group`;
  const admin = kafka.admin();
  await admin.connect();
  const settings = {
    transactionalId: topic,
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { retries: 3 },
  };
  const old = kafka.producer(settings);
  const next = kafka.producer(settings);
  await tell('the old one comes', () => old.connect());
  for (const end of ['commit', 'abort', 'commit']) {
    const transaction = await old.transaction();
    for (let i = 0; i < 4; i++) {
      const messages = [{ partition: i % 2, value: `to ${end} ${i}` }];
      await tell(`send ${i}`, () => transaction.send({ topic, messages }));
    }
    const topics = [{ topic, partitions: [{ partition: 0, offset: end === 'commit' ? '3' : '9' }] }];
    await tell('offsets', () => transaction.sendOffsets({ consumerGroupId: groupId, topics }));
    await tell(end, () => transaction[end]());
    const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
    console.log(`committed: ${partitions.find(({ partition }) => partition === 0)?.offset}`);
  }
  const open = await old.transaction();
  await tell('send', () => open.send({ topic, messages: [{ partition: 0, value: 'of the old one' }] }));
  await next.connect();
  // kafkajs asks for its id with the first transaction
  const last = await next.transaction();
  await tell('send too late', () => open.send({ topic, messages: [{ partition: 0, value: 'late' }] }));
  await tell('commit too late', () => open.commit());
  await tell('send', () => last.send({ topic, messages: [{ partition: 1, value: 'of the new one' }] }));
  await tell('commit', () => last.commit());
  await Promise.all([old, next, admin].map((client) => client.disconnect()));
}

async function tell(what, step) {
  try {
    await step();
    console.log(`${what}: done`);
  } catch (error) {
    console.log(`${what}: ${error.name} ${error.type ?? error.message}`);
  }
}
