/** Random trouble while reading: leaders move, brokers stop, connections break, answers go astray. Whatever happens,
 * each partition's committed records come out once and in order.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fetchApi } from '../../../src/protocol/api/01-fetch.ts';
import { listOffsetsApi } from '../../../src/protocol/api/02-list-offsets.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { batchOf, concat, endOfTransaction, gzipped, range, transactional } from './batches.ts';
import { withRig, type Rig } from './rig.ts';

const partitionCount = 4;
const perPartition = 30;

/** Appends to a random partition; returns what readers are to see of it. */
function appendSomething({ cluster }: Rig, random: () => number, partition: number, next: number): string[] {
  const values = [`${partition}/${next}`, `${partition}/${next + 1}`];
  const producer = BigInt(partition);
  const kind = Math.floor(random() * 5);
  if (kind === 0) {
    const type = random() < 0.5 ? 'commit' : 'abort';
    cluster.appendRaw(
      'many',
      partition,
      concat(transactional(producer, values), endOfTransaction(producer, type)),
    );
    return type === 'commit' ? values : [];
  }
  cluster.appendRaw('many', partition, kind === 1 ? gzipped(batchOf(values)) : batchOf(values));
  return values;
}

/** Something goes wrong. */
async function disturb({ cluster, world }: Rig, random: () => number): Promise<void> {
  const any = (count: number): number => Math.floor(random() * count);
  const address = cluster.brokers[any(3)] ?? '';
  switch (any(8)) {
    case 0: {
      const nodeId = 1 + any(3);
      await cluster.stopBroker(nodeId);
      await world.advance(any(1500));
      return cluster.startBroker(nodeId);
    }
    case 1:
      return world.network.cut(address);
    case 2:
      world.network.freeze(address);
      await world.advance(any(3000));
      return world.network.thaw(address);
    case 3:
      return cluster.moveLeader('many', any(partitionCount), 1 + any(3));
    case 4:
      cluster.faults.inject({ api: fetchApi, error: 'NOT_LEADER_OR_FOLLOWER', times: 1 + any(5) });
      return;
    case 5:
      cluster.faults.inject({
        api: [metadataApi, listOffsetsApi][any(2)] ?? fetchApi,
        outcome: 'disconnect',
        times: 1 + any(3),
      });
      return;
    case 6:
      cluster.faults.inject({ api: fetchApi, delayMs: any(4000) });
      return;
    default:
      cluster.faults.inject({ api: fetchApi, outcome: 'disconnect', times: 1 + any(3) });
  }
}

test('each committed record comes out once and in order, whatever happens', async () => {
  const run = (seed: number, limits: object): Promise<void> =>
    withRig(
      async (rig) => {
        const { world, cluster, reader } = rig;
        const { random } = world.platform;
        const expected = range(0, partitionCount).map((): string[] => []);
        const partitions = range(0, partitionCount).map((partition) => ({ topic: 'many', partition }));
        const r = reader({ partitions, ...limits });
        const seen = range(0, partitionCount).map((): string[] => []);
        const reading = (async (): Promise<void> => {
          for await (const message of r) {
            seen[message.partition]?.push(message.text() ?? '');
            if (random() < 0.1) await world.advance(random() * 200).catch(() => undefined);
          }
        })();
        for (let next = 0; next < perPartition; next += 2) {
          for (const partition of range(0, partitionCount)) {
            expected[partition]?.push(...appendSomething(rig, random, partition, next));
          }
          if (random() < 0.7) await disturb(rig, random);
          await world.advance(random() * 400);
        }
        for (const address of cluster.brokers) world.network.thaw(address);
        cluster.faults.clear();
        const total = expected.flat().length;
        for (let waited = 0; seen.flat().length < total && waited < 60; waited++) await world.advance(1000);
        await r.close();
        await reading;
        expect(seen).toEqual(expected);
      },
      { brokers: 3, topics: [{ name: 'many', partitions: partitionCount, replicationFactor: 3 }] },
      seed,
    );
  const limits = fc.constantFrom(
    {},
    { maxPartitionBytes: 150 },
    { maxBufferedBytes: 500 },
    { maxBytes: 200, maxWaitMs: 50 },
  );
  await fc.assert(fc.asyncProperty(fc.nat(1_000_000), limits, run), { numRuns: 20 });
}, 60_000);
