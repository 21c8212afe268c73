/**
 * Transactions on real Kafka, with an epoch for each (transaction.version 2) and before that: what is committed is read
 * once, as Java's console consumer reads it; what is aborted, or of a producer that was fenced, never.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFailed, test } from 'vitest';
import { BrokerError, KafkaError, Reader, Writer, type Transaction } from '../../src/index.ts';
import { endTxnApi } from '../../src/protocol/index.ts';
import { FaultProxy } from '../../src/testing/index.ts';
import type { KafkaCluster } from '../../tools/kafka/cluster.ts';
import { consoleConsume } from './support/java.ts';
import { useKafka } from './support/kafka.ts';
import { randomFrom, runSeed } from './support/random.ts';
import { describeWith } from './support/tools.ts';
import { createTopic, endOffsets } from './support/topics.ts';

const timeout = 120_000;

/** What a test is given. */
interface Release {
  readonly brokers: readonly string[];
  readonly version: string;
  readonly cluster: KafkaCluster;
}

for (const [version, level] of [
  ['4.3.1', 2],
  ['3.9.2', 1],
] as const) {
  describeWith(['java', 'mvn'], `Kafka ${version}, at transaction.version ${level}`, () => {
    const kafka = useKafka({ version });
    test.each([
      ['shows what was committed, and nothing of what was aborted', visibility],
      ['reads, processes and writes each record once, whatever is aborted on the way', readProcessWrite],
      ['lets nothing of a fenced producer be seen, in 50 trials', fencing],
      ['lets no EndTxn that comes late end another transaction, in 200 trials (B8)', lateEnds],
      ['goes on where it was when its only broker was killed in a transaction (B9)', killedCoordinator],
    ])('%s', { timeout }, (_, feature) => feature({ brokers: kafka().brokers, version, cluster: kafka() }));
  });
}

async function visibility(release: Release): Promise<void> {
  const { brokers } = release;
  const topic = 'visibility';
  await createTopic(brokers, topic, 2);
  await using writer = new Writer({ brokers, topic, transactionalId: topic });
  for (let round = 0; round < 10; round++) {
    const values = Array.from({ length: 20 }, (_, index) => ({
      key: `k${index}`,
      value: `${round}/${index}`,
    }));
    const fails = round % 3 === 1;
    const done = writer.transaction(async (transaction) => {
      await transaction.writeMessages(values);
      if (fails) throw new Error('processing failed');
    });
    if (fails) await expect(done).rejects.toThrow('processing failed');
    else await done;
  }
  const rounds = [0, 2, 3, 5, 6, 8, 9];
  const expected = rounds.flatMap((round) => Array.from({ length: 20 }, (_, index) => `${round}/${index}`));
  expect((await committedValues(release, topic, expected.length)).sort()).toEqual([...expected].sort());
}

async function readProcessWrite(release: Release): Promise<void> {
  const { brokers } = release;
  const [input, output, count] = ['input', 'output', 2000];
  await createTopic(brokers, input, 4);
  await createTopic(brokers, output, 3);
  await using feed = new Writer({ brokers, topic: input });
  await feed.writeMessages(Array.from({ length: count }, (_, n) => ({ key: `k${n}`, value: `${n}` })));
  const random = chooser();

  const quick = { sessionTimeoutMs: 6000, heartbeatIntervalMs: 300 };
  await using reader = new Reader({ brokers, groupId: 'g', topic: input, ...quick });
  await using writer = new Writer({ brokers, topic: output, transactionalId: 'rpw' });
  let aborts = 0;
  for (let left = count; left > 0;) {
    const fails = aborts === 0 || random(5) === 0;
    const sends = !fails || random(2) === 0;
    try {
      left -= await writer.transaction(
        async (transaction) => {
          const copied = await copy(transaction, reader, sends);
          if (fails) throw new Error('processing failed');
          return copied;
        },
        { source: reader },
      );
    } catch (error) {
      expect(error).toEqual(new Error('processing failed'));
      aborts++;
    }
  }
  expect(aborts).toBeGreaterThan(0);
  const read = await committedValues(release, output, count);
  expect(read.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
  const committed = await Promise.all(
    [0, 1, 2, 3].map((partition) => reader.committed({ topic: input, partition })),
  );
  expect(committed).toEqual(await endOffsets(brokers, input, 4));
}

/** Writes what comes next, and maybe sends its offset; how much that was. */
async function copy(transaction: Transaction, reader: Reader, sends: boolean): Promise<number> {
  const batch = await reader.fetchBatch({ maxRecords: 100 });
  const { topic, partition, lastOffset, length } = batch;
  void transaction.writeMessages(Array.from(batch, ({ key, value }) => ({ key, value })));
  if (sends) await transaction.sendOffsets([{ topic, partition, offset: lastOffset + 1 }]);
  return length;
}

async function fencing(release: Release): Promise<void> {
  const { brokers } = release;
  const topic = 'fencing';
  await createTopic(brokers, topic, 1);
  const random = chooser();
  const expected: string[] = [];
  for (let trial = 0; trial < 50; trial++) {
    const transactionalId = `fenced-${trial}`;
    await using first = new Writer({ brokers, topic, transactionalId });
    await using second = new Writer({ brokers, topic, transactionalId });
    const doomed = await first.beginTransaction();
    await doomed.writeMessages({ value: `first ${trial}` });
    const later = random(2) === 0 ? [] : [{ value: `late ${trial}` }];
    const takeOver = second.transaction((transaction) =>
      transaction.writeMessages({ value: `second ${trial}` }),
    );
    await delay(random(20));
    const failure = await Promise.resolve()
      .then(() => doomed.writeMessages(later))
      .then(() => doomed.commit())
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    await takeOver;
    expected.push(`second ${trial}`);
    // It may have been the first to commit: then it was not fenced yet.
    if (failure === undefined) expected.push(`first ${trial}`, ...later.map(({ value }) => value));
    else await doomed.abort().catch(() => undefined);
    const after = await first
      .transaction((transaction) => transaction.writeMessages({ value: 'fenced' }))
      .catch((error: unknown) => error);
    expect(after).toBeInstanceOf(KafkaError);
    // Brokers fail with an IllegalStateException on an EndTxn that arrives while they write the fence: the Writer ends by
    // what it was told.
    const isBrokerBug =
      failure !== undefined && after instanceof BrokerError && after.errorName === 'UNKNOWN_SERVER_ERROR';
    const code = isBrokerBug ? 'BROKER' : 'FENCED';
    expect(after, `${String(after)}; failure: ${String(failure)}`).toMatchObject({ code });
  }
  expect((await committedValues(release, topic, expected.length)).sort()).toEqual(expected.sort());
}

async function lateEnds(release: Release): Promise<void> {
  const { brokers } = release;
  const topic = 'late';
  await createTopic(brokers, topic, 3);
  const [ids, rounds, lateMs] = [20, 10, 900];
  const random = chooser();
  await using proxy = await FaultProxy.start({ brokers });
  // The first EndTxn of each round is held back for longer than the client waits.
  const held = new Set<string>();
  let late = 0;
  proxy.faults.on(endTxnApi, async ({ transactionalId }) => {
    if (!held.delete(transactionalId)) return undefined;
    await delay(lateMs);
    late++;
    return undefined;
  });
  const expected: string[] = [];
  const all = Array.from({ length: ids }, async (_, id) => {
    const transactionalId = `late-${id}`;
    await using writer = new Writer({
      brokers: proxy.brokers,
      topic,
      transactionalId,
      requestTimeoutMs: 500,
    });
    const end = async (transaction: Transaction, values: readonly string[]): Promise<void> => {
      const commits = random(2) === 0;
      if (commits) expected.push(...values);
      await (commits ? transaction.commit() : transaction.abort());
    };
    for (let round = 0; round < rounds; round++) {
      const name = `${id}/${round}`;
      const first = await writer.beginTransaction();
      await first.writeMessages({ value: `${name} first` });
      held.add(transactionalId);
      await end(first, [`${name} first`]);
      const second = await writer.beginTransaction();
      await second.writeMessages([{ value: `${name} second` }, { key: 'k', value: `${name} with it` }]);
      await delay(lateMs);
      await second.writeMessages({ value: `${name} later` });
      await end(second, [`${name} second`, `${name} with it`, `${name} later`]);
    }
  });
  await Promise.all(all);
  expect(late).toBe(ids * rounds);
  expect((await committedValues(release, topic, expected.length)).sort()).toEqual(expected.sort());
}

async function killedCoordinator(release: Release): Promise<void> {
  const { brokers, cluster } = release;
  const topic = 'killed';
  await createTopic(brokers, topic, 1);
  await using writer = new Writer({ brokers, topic, transactionalId: topic });
  const expected: string[] = [];
  for (const outcome of ['abort', 'commit'] as const) {
    const transaction = await writer.beginTransaction();
    const values = [`${expected.length} ${outcome} before`, `${expected.length} ${outcome} after`];
    await transaction.writeMessages({ value: values[0] ?? null });
    await cluster.nodes[0]?.kill();
    const after = transaction.writeMessages({ value: values[1] ?? null });
    await cluster.nodes[0]?.start();
    await after;
    await transaction[outcome]();
    if (outcome === 'commit') expected.push(...values);
  }
  expect(await committedValues(release, topic, expected.length)).toEqual(expected);
}

/** The values of the first committed records, as Java's console consumer reads them. */
async function committedValues({ brokers, version }: Release, topic: string, count: number) {
  const settings = { 'isolation.level': 'read_committed' };
  const read = await consoleConsume({ brokers, topic, version, count, settings });
  return read.map(({ value }) => value);
}

/** Integers from 0 to below a limit, as a seed has them that a failing run prints. */
function chooser(): (limit: number) => number {
  const seed = runSeed();
  const random = randomFrom(seed);
  onTestFailed(() => console.error(`KAFKA_WIRE_SEED=${seed}`));
  return (limit) => Math.floor(random() * limit);
}
