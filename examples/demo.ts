/** The main job as a program: orders are written with keys at a steady pace, two readers of one group share them, and the
 * lag goes to 0. `npm run demo` starts an embedded broker; `-- --brokers host:port` runs the same on any cluster.
 */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, styleText } from 'node:util';
import { Client, KafkaError, Reader, Writer, type OutgoingMessage } from 'kafka-wire';
import { createTopicsApi, errorCode, ErrorCodes, listOffsetsApi } from 'kafka-wire/protocol';
import { EmbeddedCluster } from 'kafka-wire/testing';

const partitions = 6;
const runId = `run-${process.pid}-${Date.now()}`;

const { values } = parseArgs({
  options: {
    brokers: { type: 'string' },
    records: { type: 'string', default: '3000' },
    topic: { type: 'string', default: 'kafka-wire-demo' },
    group: { type: 'string', default: 'kafka-wire-demo' },
    help: { type: 'boolean', default: false },
  },
});
const { topic, group: groupId } = values;
const records = Number(values.records);

interface Order {
  readonly number: number;
  readonly total: number;
}

interface Member {
  readonly name: string;
  readonly reader: Reader;
  /** Orders of this run that it has handled. */
  handled: number;
}

/** Creates the topic; one that is there already will do. */
async function createTopic(client: Client): Promise<void> {
  const { topics } = await client.request(createTopicsApi, {
    topics: [{ name: topic, numPartitions: partitions, replicationFactor: -1 }],
    timeoutMs: 10_000,
  });
  const code = topics[0]?.errorCode ?? 0;
  if (code !== ErrorCodes.NONE && code !== ErrorCodes.TOPIC_ALREADY_EXISTS) {
    throw new Error(`cannot create topic ${topic}: ${errorCode(code).name}`);
  }
}

async function endOffset(client: Client, partition: number): Promise<number> {
  const { topics } = await client.request(
    listOffsetsApi,
    { replicaId: -1, topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }] },
    { topicPartition: { topic, partition } },
  );
  return topics[0]?.partitions[0]?.offset ?? -1;
}

/** Writes all orders over about four seconds, a handful of calls at a time. */
async function writeOrders(writer: Writer, onWritten: (count: number) => void): Promise<void> {
  const ticks = 40;
  const writes: Promise<void>[] = [];
  for (let tick = 0, next = 0; tick < ticks; tick++) {
    const until = Math.round((records * (tick + 1)) / ticks);
    const orders: OutgoingMessage[] = [];
    for (; next < until; next++) {
      const order: Order = { number: next, total: (next * 37) % 500 };
      const value = JSON.stringify(order);
      orders.push({ key: `customer-${(next * 7919) % 1000}`, value, headers: { run: runId } });
    }
    if (orders.length === 0) continue;
    writes.push(writer.writeMessages(orders).then((receipt) => onWritten(receipt.length)));
    await delay(100);
  }
  await Promise.all(writes);
}

/** Handles messages until the reader is closed. */
async function handleOrders(member: Member): Promise<void> {
  try {
    for await (const message of member.reader) {
      const isOurs = message.headers.some(
        ({ key, value }) => key === 'run' && value !== null && new TextDecoder().decode(value) === runId,
      );
      if (isOurs && message.json<Order>().total >= 0) member.handled++;
    }
  } catch (error) {
    if (!(error instanceof KafkaError && error.code === 'CLOSED')) throw error;
  }
}

function progress(members: readonly Member[], written: number): string {
  const parts = members.map(({ name, reader, handled }) => {
    const owned = reader.stats().partitions.map(({ partition }) => partition);
    return `${styleText('cyan', name)} ${String(handled).padStart(5)} of [${owned.toSorted((a, b) => a - b).join(' ')}]`;
  });
  const lags = members.map(({ reader }) => reader.lag());
  const lag = lags.some((each) => each === undefined)
    ? '?'
    : String(lags.reduce((a, b) => (a ?? 0) + (b ?? 0), 0));
  return `written ${String(written).padStart(5)}   ${parts.join('   ')}   lag ${styleText('yellow', lag)}`;
}

/** Shows the line again and again until told to stop. */
function showProgress(line: () => string): () => void {
  const print = process.stdout.isTTY
    ? () => process.stdout.write(`\r\x1b[2K${line()}`)
    : () => process.stdout.write(`${line()}\n`);
  const timer = setInterval(print, process.stdout.isTTY ? 100 : 500);
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    clearInterval(timer);
    print();
    if (process.stdout.isTTY) process.stdout.write('\n');
  };
}

/** Who owns a partition, what is committed, and what is left: one row a partition. */
async function table(client: Client, members: readonly Member[]): Promise<{ rows: object[]; lag: number }> {
  const owners = new Map<number, Member>();
  for (const member of members) {
    for (const { partition } of member.reader.stats().partitions) owners.set(partition, member);
  }
  let lag = 0;
  const rows: object[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const owner = owners.get(partition);
    const end = await endOffset(client, partition);
    const committed = (await owner?.reader.committed({ topic, partition })) ?? 0;
    lag += Math.max(0, end - committed);
    rows.push({ partition, owner: owner?.name ?? '-', committed, end, lag: end - committed });
  }
  return { rows, lag };
}

async function run(brokers: string | readonly string[]): Promise<void> {
  await using client = new Client({ brokers });
  await createTopic(client);
  await using writer = new Writer({ client, topic });
  const members = ['alice', 'bob'].map((name): Member => {
    const reader = new Reader({
      client,
      groupId,
      topics: [topic],
      commitIntervalMs: 250,
      heartbeatIntervalMs: 500,
    });
    return { name, reader, handled: 0 };
  });
  let written = 0;
  const handling = Promise.all(members.map(handleOrders));
  const stop = showProgress(() => progress(members, written));
  try {
    await writeOrders(writer, (count) => (written += count));
    const deadline = Date.now() + 60_000;
    const handled = (): number => members.reduce((sum, member) => sum + member.handled, 0);
    while (handled() < records && Date.now() < deadline) await delay(50);
    let state = await table(client, members);
    while (state.lag > 0 && Date.now() < deadline) {
      await delay(50);
      state = await table(client, members);
    }
    stop();
    console.table(state.rows);
    const { batches, bytes, batchSize } = writer.stats().total;
    console.log(
      `writer: ${written} orders in ${batches} batches of ${Math.round(batchSize.avg)}, ${bytes} bytes`,
    );
    for (const { name, reader } of members) {
      const { messages, fetches, commits, rebalances } = reader.stats();
      console.log(
        `${name}: ${messages} messages, ${fetches} fetches, ${commits} commits, ${rebalances} rebalances`,
      );
    }
    if (handled() !== records || state.lag > 0)
      throw new Error(`${handled()} of ${records} orders, lag ${state.lag}`);
    console.log(styleText('green', `every order was handled exactly once, and the lag is 0`));
  } finally {
    stop();
    await Promise.all(members.map(({ reader }) => reader.close()));
    await handling;
  }
}

async function main(): Promise<void> {
  if (values.help || !Number.isInteger(records) || records < 1) {
    console.log('usage: npm run demo -- [--brokers host:port,...] [--records n] [--topic name] [--group id]');
    return;
  }
  if (values.brokers !== undefined) return run(values.brokers);
  await using cluster = await EmbeddedCluster.start({ brokers: 3 });
  console.log(`embedded cluster of 3 brokers at ${cluster.brokers.join(', ')}`);
  await run(cluster.brokers);
}

await main();
