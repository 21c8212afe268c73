/** Transactional Writers in a virtual world where requests, answers, coordinators and brokers fail, at both levels of
 * transaction.version. Readers of committed records look on, and the checker judges: nothing of an aborted transaction, nothing
 * before its commit, all of a committed one. Repeat a failing seed with KAFKA_WIRE_SEED=n; KAFKA_WIRE_SEEDS=m runs more.
 */
import { describe, expect, it } from 'vitest';
import { KafkaError, Reader, WriteErrors, Writer } from '../../../src/index.ts';
import {
  addPartitionsToTxnApi,
  endTxnApi,
  initProducerIdApi,
  produceApi,
} from '../../../src/protocol/index.ts';
import {
  checkHistory,
  EmbeddedCluster,
  FaultProxy,
  History,
  virtualWorld,
  type ExchangeFault,
  type HistoryReport,
  type SendResult,
  type VirtualWorld,
} from '../../../src/testing/index.ts';
import { randomFrom, runSeeds } from '../../integration/support/random.ts';

const topic = 'chaos';
const brokers = 3;
const partitions = 2;
const writers = 2;
const transactions = 12;
const troubles = 25;
const apis = [endTxnApi, endTxnApi, addPartitionsToTxnApi, initProducerIdApi, produceApi];
const seeds = runSeeds(15);

/** What came out of a run: the checker's report, and how many transactions ended in which way. */
interface Outcome {
  readonly report: HistoryReport;
  readonly ends: Readonly<Record<'committed' | 'aborted' | 'unknown', number>>;
}

/** One run of the world. */
class Run {
  readonly #world: VirtualWorld;
  readonly #history: History;
  readonly #random: () => number;
  readonly #cluster: EmbeddedCluster;
  readonly #proxy: FaultProxy;
  readonly #ends = { committed: 0, aborted: 0, unknown: 0 };
  #values = 0;

  private constructor(world: VirtualWorld, cluster: EmbeddedCluster, proxy: FaultProxy, seed: number) {
    this.#world = world;
    this.#cluster = cluster;
    this.#proxy = proxy;
    this.#random = randomFrom(seed);
    this.#history = new History({ now: () => world.platform.monotonicNow(), seed });
  }

  static async judge(seed: number, transactionVersion: 1 | 2): Promise<Outcome> {
    const world = virtualWorld({ seed });
    const { platform } = world;
    return await world.run(
      async () => {
        const topics = [{ name: topic, partitions, replicationFactor: brokers }];
        const cluster = await EmbeddedCluster.start({ platform, brokers, topics, transactionVersion });
        const proxy = await FaultProxy.start({ brokers: cluster.brokers, platform });
        const run = new Run(world, cluster, proxy, seed);
        const looking = new AbortController();
        const reading = run.#read('onlooker', looking.signal);
        const writing = Array.from({ length: writers }, (_, index) => run.#write(`writer-${index}`));
        await run.#makeTrouble();
        await Promise.all(writing);
        looking.abort();
        await reading;
        // Longer than what a Writer left open may stay open.
        await world.advance(70_000);
        await run.#readAll();
        await proxy.close();
        await cluster.close();
        return { report: checkHistory(run.#history), ends: run.#ends };
      },
      { limitMs: 3_600_000 },
    );
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  async #write(actor: string): Promise<void> {
    const writer = new Writer({
      brokers: this.#proxy.brokers,
      platform: this.#world.platform,
      topic,
      transactionalId: actor,
      balancer: ({ partition = 0 }) => partition,
      requestTimeoutMs: 1_000,
      deliveryTimeoutMs: 20_000,
    });
    for (let count = 0; count < transactions; count++) {
      await this.#transaction(writer, actor, `${actor}#${count}`);
      await this.#world.advance(this.#below(500));
    }
    await writer.close();
  }

  async #transaction(writer: Writer, actor: string, transaction: string): Promise<void> {
    const tx = await writer.beginTransaction();
    const calls: Promise<void>[] = [];
    for (let left = 1 + this.#below(4); left > 0; left--) {
      calls.push(this.#call((messages) => tx.writeMessages(messages), actor, transaction));
      if (this.#random() < 0.5) await this.#world.advance(this.#below(300));
    }
    const end = (state: 'committing' | keyof Outcome['ends']): void => {
      this.#history.add({ kind: 'transaction', actor, transaction, state });
      if (state !== 'committing') this.#ends[state]++;
    };
    let doubt: 'aborted' | 'unknown' = 'aborted';
    try {
      if (this.#random() < 0.7) {
        end('committing');
        await tx.commit();
        await Promise.all(calls);
        return end('committed');
      }
    } catch (error) {
      if (error instanceof KafkaError && error.stored !== 'no') doubt = 'unknown';
    }
    try {
      await tx.abort();
    } catch {
      // Whether the abort arrived is not known; that its records are not seen, only a commit could change.
    }
    await Promise.all(calls);
    end(doubt);
  }

  async #call(
    write: (messages: readonly { partition: number; value: string }[]) => ReturnType<Writer['writeMessages']>,
    actor: string,
    transaction: string,
  ): Promise<void> {
    const messages = Array.from({ length: 1 + this.#below(3) }, () => ({
      partition: this.#below(partitions),
      value: `${transaction}-${this.#values++}`,
    }));
    const call = this.#history.nextCall();
    const values = messages.map(({ value }) => value);
    this.#history.add({ kind: 'send', actor, call, topic, values, transaction });
    const results = await write(messages).then(
      (receipt) =>
        messages.map((_, at): SendResult => {
          const { partition, offset } = receipt.at(at);
          return { stored: 'yes', partition, offset };
        }),
      (error: unknown) =>
        messages.map((_, at): SendResult => {
          const each = error instanceof WriteErrors ? error.errors[at] : undefined;
          return { stored: each === null ? 'yes' : (each?.stored ?? 'maybe'), partition: -1 };
        }),
    );
    this.#history.add({ kind: 'settled', actor, call, results });
  }

  async #makeTrouble(): Promise<void> {
    for (let left = troubles; left > 0; left--) {
      await this.#world.advance(this.#below(600));
      const kind = this.#random();
      const nodeId = 1 + this.#below(brokers);
      if (kind < 0.7) this.#proxy.faults.inject(this.#fault());
      else if (kind < 0.8) this.#cluster.moveLeader(topic, this.#below(partitions), nodeId);
      else if (kind < 0.9) this.#proxy.resetConnections();
      else {
        await this.#cluster.stopBroker(nodeId);
        await this.#world.advance(this.#below(2_000));
        await this.#cluster.startBroker(nodeId);
      }
    }
    this.#proxy.faults.clear();
  }

  #fault(): ExchangeFault {
    const api = apis[this.#below(apis.length)] ?? endTxnApi;
    const outcome = (['disconnect', 'reset', 'silence'] as const)[this.#below(3)] ?? 'reset';
    const kind = this.#random();
    if (kind < 0.4) return { api, outcome };
    if (kind < 0.6) return { api, outcome, effect: false };
    if (kind < 0.8) return { api, delayMs: 1 + this.#below(3_000) };
    // Behind its repetition: what Jepsen found of EndTxn (KAFKA-17754). An InitProducerId or AddPartitionsToTxn that late
    // fences its own producer, as Kafka has it.
    const isEnd = api.key === endTxnApi.key || api.key === produceApi.key;
    if (!isEnd) return { api, outcome };
    return { api, delayMs: 1 + this.#below(3_000), frame: 'request' };
  }

  /** Reads committed records as they come. */
  async #read(actor: string, signal: AbortSignal): Promise<void> {
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    for (const at of all) this.#history.add({ kind: 'assign', actor, ...at });
    const { platform } = this.#world;
    await using reader = new Reader({ brokers: this.#cluster.brokers, platform, partitions: all });
    while (!signal.aborted) {
      const batch = await reader.fetchBatch({ signal }).catch(() => undefined);
      if (batch === undefined) continue;
      const records = Array.from(batch, (message) => [message.offset, message.text() ?? ''] as const);
      this.#history.add({ kind: 'poll', actor, topic, partition: batch.partition, records });
    }
  }

  /** Reads until nothing has come for a while. */
  async #readAll(): Promise<void> {
    const end = new AbortController();
    this.#world.platform.setTimer(10_000, () => end.abort());
    await this.#read('reader', end.signal);
  }
}

describe.each([1, 2] as const)('transactions at transaction.version %i, in trouble', (version) => {
  it.each(seeds)('are visible as a whole, after their commit, or not at all (seed %i)', async (seed) => {
    const { report, ends } = await Run.judge(seed, version);
    expect(report.anomalies).toEqual([]);
    expect(ends.committed).toBeGreaterThan(0);
    expect(ends.committed + ends.aborted + ends.unknown).toBe(writers * transactions);
  });
});
