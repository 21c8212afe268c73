/** Read, process, write under whatever coordinators, leaders and connections may do: each record is copied once. A run is
 * its seed, which a failure names; KAFKA_WIRE_SEED repeats it.
 */
import { describe, expect, it } from 'vitest';
import { KafkaError } from '../../../src/errors.ts';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { fetchApi } from '../../../src/protocol/api/01-fetch.ts';
import { offsetFetchApi } from '../../../src/protocol/api/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../../src/protocol/api/10-find-coordinator.ts';
import { heartbeatApi } from '../../../src/protocol/api/12-heartbeat.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../../src/protocol/api/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from '../../../src/protocol/api/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../../../src/protocol/api/26-end-txn.ts';
import { txnOffsetCommitApi } from '../../../src/protocol/api/28-txn-offset-commit.ts';
import type { Reader } from '../../../src/client/reader/index.ts';
import type { EmbeddedCluster } from '../../../src/testing/index.ts';
import type { VirtualWorld } from '../../../src/runtime/virtual.ts';
import { randomFrom, runSeed } from '../../integration/support/random.ts';
import { numbered } from './scene.ts';
import { playTransactions, spread } from './transaction-scene.ts';

const runs = 25;
const records = 40;
const apis = [
  produceApi,
  fetchApi,
  offsetFetchApi,
  findCoordinatorApi,
  heartbeatApi,
  initProducerIdApi,
  addPartitionsToTxnApi,
  addOffsetsToTxnApi,
  endTxnApi,
  txnOffsetCommitApi,
];

type Choose = (limit: number) => number;

/** One trouble more. */
function trouble(cluster: EmbeddedCluster, choose: Choose): void {
  const api = apis[choose(apis.length)] ?? produceApi;
  const node = choose(3) + 1;
  switch (choose(9)) {
    case 0:
      return cluster.moveCoordinator('tx', node, { type: 'transaction', loadingMs: choose(2) * 300 });
    case 1:
      return cluster.moveCoordinator('g', node, { loadingMs: choose(2) * 300 });
    case 2:
      return cluster.moveLeader(choose(2) === 0 ? 't' : 'out', choose(2), node);
    case 3:
      return void cluster.faults.inject({ api, delayMs: choose(3000) + 1 });
    case 4:
      return void cluster.faults.inject({ api, outcome: 'silence', effect: choose(2) === 0 });
    case 5: {
      // For so long that nobody knows how the transaction ended.
      const times = choose(6) === 0 ? 45 : 2;
      return void cluster.faults.inject({
        api: endTxnApi,
        outcome: 'silence',
        effect: choose(2) === 0,
        times,
      });
    }
    default:
      return void cluster.faults.inject({ api, outcome: 'disconnect', effect: choose(2) === 0 });
  }
}

/** A member that comes, reads without a transaction, and goes: partitions are revoked and come back. */
async function rival(member: Reader, { platform }: VirtualWorld, stayMs: number): Promise<void> {
  const stay = new AbortController();
  platform.setTimer(stayMs, () => stay.abort());
  await member.fetchMessage({ signal: stay.signal }).catch(() => undefined);
  await member.close();
}

/** Copies everything once; how many transactions failed. */
function copyAll(seed: number, transactionVersion: 1 | 2): Promise<void> {
  const random = randomFrom(seed);
  const choose: Choose = (limit) => Math.floor(random() * limit);
  const topics = [
    { name: 't', partitions: 2 },
    { name: 'out', partitions: 2 },
  ];
  const scene = {
    seed,
    limitMs: 3_600_000,
    transactionVersion,
    topics,
    brokers: 3,
    markerDelayMs: choose(2) * 50,
  };
  return playTransactions(scene, async ({ cluster, writer, reader, committed, world }) => {
    await writer().writeMessages(spread(records, 2));
    const quick = { requestTimeoutMs: 1500 };
    const member = { groupId: 'g', topic: 't', sessionTimeoutMs: 60_000, heartbeatIntervalMs: 100, ...quick };
    const source = reader(member);
    const settings = { topic: 'out', transactionalId: 'tx', transactionTimeoutMs: 900_000, ...quick };
    let one = writer(settings);
    const isDone = (): boolean =>
      cluster.committed('g').reduce((sum, { offset }) => sum + offset, 0) === records;
    // Markers are written a little later.
    for (let round = 0; !isDone(); await world.advance(60), round++) {
      if (round > 300) throw new Error('it does not come to an end');
      if (round < 40) trouble(cluster, choose);
      if (round % 10 === 5) void rival(reader(member), world, choose(1500));
      try {
        await one.transaction(
          async (transaction) => {
            const batch = await source.fetchBatch({ maxRecords: 1 + choose(4) });
            const { topic, partition, lastOffset } = batch;
            for (const { value } of batch) void transaction.writeMessages({ value, partition: choose(2) });
            if (choose(8) === 0) throw new Error('processing failed');
            await transaction.sendOffsets([{ topic, partition, offset: lastOffset + 1 }]);
          },
          { source },
        );
      } catch (error) {
        // A new process takes over.
        if (error instanceof KafkaError && error.code === 'FENCED' && !error.retriable)
          one = writer(settings);
      }
    }
    const copied = [...(await committed(0, 'out')), ...(await committed(1, 'out'))];
    expect(copied.sort()).toEqual(
      numbered(records)
        .map(({ value }) => value)
        .sort(),
    );
  });
}

describe.each([1, 2] as const)('at transaction.version %d', (transactionVersion) => {
  it(`copies each record once through ${runs} runs of troubles`, { timeout: 60_000 }, async () => {
    const first = runSeed();
    for (let run = 0; run < runs; run++) {
      const seed = first + run;
      try {
        await copyAll(seed, transactionVersion);
      } catch (cause) {
        throw new Error(`KAFKA_WIRE_SEED=${seed} (${String(cause)})`, { cause });
      }
    }
  });
});
