/**
 * A Writer through three SIGKILL-and-restart cycles of the only broker: 300,000 records, every write settled, every
 * acknowledged record in the log exactly once, at the offset of its receipt and in order per partition. The log is read by
 * our Reader and by kcat, which must agree line by line.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { KafkaCluster } from '../../tools/kafka/cluster.ts';
import { run } from '../../tools/kafka/process.ts';
import { Reader, Writer } from '../../src/index.ts';
import { useKafka } from './support/kafka.ts';
import { randomFrom, runSeed } from './support/random.ts';
import { difference } from './support/sameness.ts';
import { describeWith } from './support/tools.ts';
import { createTopic, endOffsets } from './support/topics.ts';

const count = 300_000;
const partitions = 4;
const topic = 'restarts';
// calls of very different sizes, some in flight at any time
const largestCall = 400;
const recordsUnderWay = 20_000;
// small ones, so that a kill meets several requests on their way
const batchSize = 500;
const kills = 3;

/** A record of the load. */
interface LoadRecord {
  /** Its place in the order of sending. */
  readonly index: number;
  readonly partition: number;
  readonly value: string;
}

/** What became of a record. */
interface Written {
  readonly record: LoadRecord;
  readonly partition: number;
  /** Undefined when the broker only knows that it has the record. */
  readonly offset: number | undefined;
}

/** What became of the load. */
interface Outcome {
  /** In the order of sending. */
  readonly acknowledged: readonly Written[];
  readonly failures: readonly string[];
  /** Kills that met records under way. */
  readonly restarts: number;
  /** Batches that were sent again. */
  readonly retries: number;
}

describeWith(['java', 'mvn', 'kcat'], 'a broker that is killed and comes back', () => {
  const kafka = useKafka();

  test('loses, doubles and reorders none of 300,000 acknowledged records', { timeout: 120_000 }, async () => {
    const seed = runSeed();
    console.log(`KAFKA_WIRE_SEED=${seed}`);
    const { brokers } = kafka();
    await createTopic(brokers, topic, partitions);

    const { acknowledged, failures, restarts, retries } = await writeThroughKills(kafka(), randomFrom(seed));
    expect(failures, 'writes that were rejected').toEqual([]);
    expect(acknowledged.length, 'records acknowledged').toBe(count);
    expect(restarts, 'kills while records were under way').toBe(kills);
    expect(retries, 'batches sent again').toBeGreaterThan(kills);

    const ends = await endOffsets(brokers, topic, partitions);
    expect(
      ends.reduce((sum, end) => sum + end),
      'records in the log',
    ).toBe(count);
    const log = await readLog(brokers);
    for (let partition = 0; partition < partitions; partition++) {
      const lines = log[partition] ?? [];
      const expected = acknowledged.filter((written) => written.partition === partition);
      expect(
        difference(
          lines,
          expected.map(({ record }) => record.value),
        ),
        `partition ${partition}`,
      ).toBeUndefined();
      const misplaced = expected.filter(
        ({ offset, record }) => offset !== undefined && lines[offset] !== record.value,
      );
      expect(misplaced, `receipts that name another offset of partition ${partition}`).toEqual([]);
    }

    const byKcat = await readLogWithKcat(brokers);
    for (let partition = 0; partition < partitions; partition++) {
      const parting = difference(byKcat[partition] ?? [], log[partition] ?? []);
      expect(parting, `kcat's reading of partition ${partition} and ours`).toBeUndefined();
    }
  });
});

/** Writes the whole load, and meanwhile kills and restarts the broker each time a further quarter has settled. */
async function writeThroughKills(cluster: KafkaCluster, random: () => number): Promise<Outcome> {
  const { brokers } = cluster;
  await using writer = new Writer({ brokers, topic, batchSize, balancer: ({ partition = 0 }) => partition });
  const load = new Load(writer);
  const broker = cluster.node(1);
  // drawn beforehand: the load is the same whenever they end
  const delaysMs = Array.from({ length: kills }, () => random() * 50);
  let restarts = 0;
  let restarting: Promise<void> = Promise.resolve();
  const restart = async (delayMs: number): Promise<void> => {
    await delay(delayMs);
    await broker.kill();
    if (load.underWay > 0) restarts++;
    await broker.start();
  };

  for (let next = 0; next < count;) {
    const size = Math.min(1 + Math.floor(random() * largestCall), count - next);
    const first = next;
    load.write(Array.from({ length: size }, (_, index) => recordOf(first + index, random)));
    next += size;
    await load.room();
    const quarters = 1 + kills - delaysMs.length;
    const delayMs = load.settled >= (quarters * count) / (kills + 1) ? delaysMs.shift() : undefined;
    if (delayMs !== undefined) restarting = restarting.then(() => restart(delayMs));
  }
  await Promise.all([load.end(), restarting]);
  const { acknowledged, failures } = load;
  return { acknowledged, failures, restarts, retries: writer.stats().total.retries };
}

/** Calls of writeMessages, many at a time, and what became of them. */
class Load {
  readonly acknowledged: Written[] = [];
  readonly failures: string[] = [];
  settled = 0;
  underWay = 0;
  readonly #writer: Writer;
  readonly #calls = new Set<Promise<void>>();

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  write(records: readonly LoadRecord[]): void {
    this.underWay += records.length;
    const call = this.#write(records).finally(() => this.#calls.delete(call));
    this.#calls.add(call);
  }

  /** Waits until less than `recordsUnderWay` are. */
  async room(): Promise<void> {
    while (this.underWay >= recordsUnderWay) await Promise.race(this.#calls);
  }

  async end(): Promise<void> {
    await Promise.all(this.#calls);
    this.acknowledged.sort((a, b) => a.record.index - b.record.index);
  }

  async #write(records: readonly LoadRecord[]): Promise<void> {
    try {
      const receipt = await this.#writer.writeMessages(records);
      for (const [index, record] of records.entries()) {
        const { partition, offset } = receipt.at(index);
        this.acknowledged.push({ record, partition, offset });
      }
    } catch (error) {
      this.failures.push(`${records[0]?.value}: ${String(error)}`);
    }
    this.settled += records.length;
    this.underWay -= records.length;
  }
}

function recordOf(index: number, random: () => number): LoadRecord {
  const filler = '.'.repeat(Math.floor(random() * 100));
  return { index, partition: Math.floor(random() * partitions), value: `${index} ${filler}` };
}

/** The values of each partition in the order of the log; fails when an offset is missing. */
async function readLog(brokers: readonly string[]): Promise<string[][]> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  await using reader = new Reader({ brokers, partitions: all });
  const log = all.map((): string[] => []);
  for (let left = count; left > 0;) {
    const batch = await reader.fetchBatch();
    const own = log[batch.partition] ?? [];
    expect(batch.firstOffset, `offset after ${own.length} records of partition ${batch.partition}`).toBe(
      own.length,
    );
    for (const message of batch) own.push(message.text() ?? '');
    left -= batch.length;
  }
  return log;
}

/** The same by librdkafka, which knows nothing of our code. */
async function readLogWithKcat(brokers: readonly string[]): Promise<string[][]> {
  const format = String.raw`%p\t%o\t%s\n`;
  const { stdout } = await run('kcat', ['-C', '-q', '-e', '-b', brokers.join(), '-t', topic, '-f', format]);
  const log = Array.from({ length: partitions }, (): string[] => []);
  for (const line of stdout.split('\n').slice(0, -1)) {
    const [partition, offset, value = ''] = line.split('\t');
    const own = log[Number(partition)] ?? [];
    expect(Number(offset), `offset that kcat reads in partition ${partition}`).toBe(own.length);
    own.push(value);
  }
  return log;
}
