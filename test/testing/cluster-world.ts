/** What the tests of the embedded broker share: a cluster in a virtual world, and short ways to write and to read. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Platform } from '../../src/platform.ts';
import {
  fetchApi,
  metadataApi,
  produceApi,
  type FetchRequest,
  type Input,
  type ProduceRequest,
} from '../../src/protocol/index.ts';
import { nextBatch } from '../../src/protocol/records/batch.ts';
import {
  decodeRecordBatch,
  encodeRecordBatch,
  type RecordBatchInput,
  type RecordInput,
} from '../../src/protocol/records/plain-batch.ts';
import {
  EmbeddedCluster,
  virtualWorld,
  type EmbeddedClusterOptions,
  type VirtualWorld,
} from '../../src/testing/index.ts';
import { RawClient } from './raw-client.ts';

export interface Scene {
  readonly world: VirtualWorld;
  readonly platform: Platform;
  readonly cluster: EmbeddedCluster;
  /** A new connection to a broker, closed when the test ends. */
  connect(nodeId?: number): Promise<RawClient>;
}

export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Runs a test in a world of its own and checks that the cluster leaves no timer and no connection behind, and that
 * it had no problem with its clients other than `problems`.
 */
export async function inCluster(
  options: EmbeddedClusterOptions,
  test: (scene: Scene) => Promise<void>,
  problems: readonly unknown[] = [],
): Promise<void> {
  const gzip = (bytes: Uint8Array): Uint8Array => plain(gzipSync(bytes));
  const gunzip = (bytes: Uint8Array, maxOutputLength: number): Uint8Array =>
    plain(gunzipSync(bytes, { maxOutputLength }));
  const world = virtualWorld({ gzip, gunzip });
  const timers = new Set<object>();
  const platform: Platform = {
    ...world.platform,
    setTimer(delayMs, callback) {
      const timer = world.platform.setTimer(delayMs, () => {
        timers.delete(timer);
        callback();
      });
      timers.add(timer);
      return {
        cancel: () => {
          timers.delete(timer);
          timer.cancel();
        },
      };
    },
  };
  await world.run(async () => {
    const cluster = await EmbeddedCluster.start({ platform, ...options });
    const clients: RawClient[] = [];
    const connect = async (nodeId = 1): Promise<RawClient> => {
      const client = await RawClient.connect(world.platform, cluster.brokers[nodeId - 1] ?? '');
      clients.push(client);
      return client;
    };
    try {
      await test({ world, platform, cluster, connect });
      expect(cluster.problems).toEqual(problems);
    } finally {
      await cluster.close();
      for (const client of clients) client.close();
    }
  });
  await world.advance(1_000);
  expect(timers.size).toBe(0);
  expect(world.network.openConnections()).toBe(0);
}

/** A batch of records with these values, as a producer sends it. */
export function batchOf(values: readonly string[], more: Partial<RecordBatchInput> = {}): Uint8Array {
  const records = values.map((value, i): RecordInput => ({ key: `k${i}`, value, timestamp: 1_000 + i }));
  return encodeRecordBatch({ records, ...more });
}

/** A batch of an idempotent producer, with as many records as `count`. */
export function sequenced(baseSequence: number, count = 1, producerEpoch = 0, producerId = 7n): Uint8Array {
  const values = Array.from({ length: count }, (_, i) => `${baseSequence + i}`);
  return batchOf(values, { producerId, producerEpoch, baseSequence });
}

/** Writes `records` to a partition; the answer for that partition. */
export async function produce(
  client: RawClient,
  topic: string,
  records: Uint8Array | null,
  more: Partial<ProduceRequest> & { version?: number; partition?: number } = {},
) {
  const { version = 9, partition = 0, ...fields } = more;
  const answer = await client.call(produceApi, version, {
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    ...fields,
  });
  const found = answer.responses[0]?.partitionResponses[0];
  if (found === undefined) throw new Error('no partition in the answer');
  return found;
}

/** A Fetch request for one partition. */
export function fetchOf(
  topic: string,
  fetchOffset: number,
  more: Input<FetchRequest> & {
    partition?: number;
    partitionMaxBytes?: number;
    currentLeaderEpoch?: number;
  } = {},
): Input<FetchRequest> {
  const { partition = 0, partitionMaxBytes = 1 << 20, currentLeaderEpoch = -1, ...fields } = more;
  const wanted = { partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch };
  return { maxWaitMs: 0, minBytes: 1, topics: [{ topic, partitions: [wanted] }], ...fields };
}

/** Fetches from one partition; the answer for that partition. */
export async function fetch(
  client: RawClient,
  topic: string,
  fetchOffset: number,
  more: Parameters<typeof fetchOf>[2] & { version?: number } = {},
) {
  const { version = 12, ...fields } = more;
  const answer = await client.call(fetchApi, version, fetchOf(topic, fetchOffset, fields));
  const found = answer.responses[0]?.partitions[0];
  if (found === undefined) throw new Error(`no partition in the answer, error ${answer.errorCode}`);
  return found;
}

/** The values of the whole batches in the bytes of a fetch, gzip or not. */
export function valuesIn(records: Uint8Array | null): string[] {
  const values: string[] = [];
  const bytes = records ?? new Uint8Array(0);
  for (let at = nextBatch(bytes, 0); at !== undefined; at = nextBatch(bytes, at.end)) {
    const inflated = at.codecId === 1 ? plain(gunzipSync(at.payload)) : at.payload;
    const { records: decoded } = decodeRecordBatch(bytes.subarray(at.start, at.end), {
      inflate: () => inflated,
    });
    for (const { value } of decoded) values.push(new TextDecoder().decode(value ?? new Uint8Array(0)));
  }
  return values;
}

/** A topic's id as Metadata tells it. */
export async function topicIdOf(client: RawClient, name: string): Promise<string> {
  const { topics } = await client.call(metadataApi, 12, { topics: [{ name }] });
  return topics[0]?.topicId ?? '';
}
