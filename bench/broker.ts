/** The one real broker of a benchmark, its topics, and how many records they hold. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'kafka-wire';
import { createTopicsApi, deleteTopicsApi, listOffsetsApi } from 'kafka-wire/protocol';
import { startKafka } from '../tools/kafka/launcher.ts';

/** Partitions of every topic. */
export const partitions = 6;

/** A broker with an address and a client of our own to look after it. */
export class Broker implements AsyncDisposable {
  readonly version: string;
  /** `host:port`. */
  readonly address: string;
  readonly #client: Client;
  readonly #close: () => Promise<void>;

  private constructor(version: string, address: string, close: () => Promise<void>) {
    this.version = version;
    this.address = address;
    this.#client = new Client({ brokers: address });
    this.#close = close;
  }

  static async start(): Promise<Broker> {
    // A benchmark writes more than a disk is to keep: what is deleted goes at once.
    const properties = { 'file.delete.delay.ms': 1000, 'log.segment.delete.delay.ms': 1000 };
    const { version, brokers, close } = await startKafka({ properties });
    return new Broker(version, brokers[0] ?? '', () => close());
  }

  async createTopic(name: string): Promise<void> {
    const topics = [{ name, numPartitions: partitions, replicationFactor: 1 }];
    const { topics: created } = await this.#client.request(createTopicsApi, { topics, timeoutMs: 10_000 });
    if (created[0]?.errorCode !== 0) throw new Error(`cannot create ${name}: error ${created[0]?.errorCode}`);
    while (Number.isNaN(await this.records(name))) await delay(20);
  }

  async deleteTopic(name: string): Promise<void> {
    const { responses } = await this.#client.request(deleteTopicsApi, {
      topics: [{ name }],
      topicNames: [name],
      timeoutMs: 10_000,
    });
    if (responses[0]?.errorCode !== 0)
      throw new Error(`cannot delete ${name}: error ${responses[0]?.errorCode}`);
  }

  /** The sum of all end offsets; NaN while a partition has no leader that knows it. */
  async records(topic: string): Promise<number> {
    const offsets = Array.from({ length: partitions }, async (_, partition) => {
      const answer = await this.#client.request(
        listOffsetsApi,
        {
          replicaId: -1,
          topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
        },
        { topicPartition: { topic, partition } },
      );
      const found = answer.topics[0]?.partitions[0];
      return found?.errorCode === 0 ? found.offset : Number.NaN;
    });
    return (await Promise.all(offsets)).reduce((sum, offset) => sum + offset, 0);
  }

  /** Fails the benchmark unless the topic holds so many records. */
  async check(who: string, topic: string, expected: number): Promise<void> {
    const found = await this.records(topic);
    if (found !== expected) throw new Error(`${who}: ${found} records in the log, not ${expected}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#close();
  }
}
