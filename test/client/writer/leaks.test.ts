/** What is left of Writers that were closed, and of messages that failed: nothing (B25).
 * The brokers here keep nothing either, so that the heap tells of the client alone.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { virtualWorld, type VirtualWorld } from '../../../src/runtime/virtual.ts';
import { Client } from '../../../src/client/admin/client.ts';
import { Writer } from '../../../src/client/writer/writer.ts';
import { answer, apiVersionsAnswer, scriptedBroker, type Script } from '../../support/scripted-broker.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
const address = '127.0.0.1:9092';

/** As much of a broker as a Writer needs. */
const script: Script = (request) => {
  if (request.apiKey === 18) return apiVersionsAnswer(request, [produceApi, metadataApi, initProducerIdApi]);
  if (request.apiKey === 22) return answer(request, initProducerIdApi, { producerId: 7n, producerEpoch: 0 });
  if (request.apiKey === 0)
    return answer(request, produceApi, {
      responses: [{ topicId, partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 0 }] }],
    });
  return answer(request, metadataApi, {
    brokers: [{ nodeId: 1, host: '127.0.0.1', port: 9092 }],
    topics: [
      {
        name: 't',
        topicId,
        partitions: [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] }],
      },
    ],
  });
};

/** Runs `act` beside such a broker; `forget` drops what the world and the broker remember. */
async function beside(
  act: (world: VirtualWorld, forget: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const world = virtualWorld();
  await world.run(
    async () => {
      const broker = await scriptedBroker(world.platform, script);
      await act(world, async () => {
        // Timers that were cancelled stay in the queue until their time.
        await world.advance(600_000);
        broker.requests.length = 0;
        broker.transports.length = 0;
      });
      await broker.close();
    },
    { limitMs: 1e9 },
  );
}

/** Node hides the collector behind a flag, which may be set late. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

it.each(['of their own', 'of a client that they share'])(
  '2,000 Writers that were closed leave less than 1 kB each, with connections %s (B25)',
  { timeout: 60_000 },
  async (whose) => {
    await beside(async (world, forget) => {
      const { platform } = world;
      const client = whose === 'of their own' ? undefined : new Client({ brokers: address, platform });
      const how = client === undefined ? { brokers: address, platform } : { client };
      const gone: WeakRef<Writer>[] = [];
      const cycles = async (count: number): Promise<number> => {
        for (let cycle = 0; cycle < count; cycle++) {
          const writer = new Writer({ ...how, topic: 't' });
          await writer.writeMessages({ value: 'v' });
          writer.enqueue({ value: 'w' });
          await writer.close();
          gone.push(new WeakRef(writer));
          if (cycle % 50 === 0) await forget();
        }
        await forget();
        return heapBytes();
      };
      const before = await cycles(500);
      const after = await cycles(1500);
      expect((after - before) / 1500).toBeLessThan(1000);
      expect(gone.filter((each) => each.deref() !== undefined).length).toBeLessThan(5);
      await client?.close();
      await world.advance(1000);
      expect(world.network.openConnections()).toBe(0);
      expect(world.openHolds()).toBe(0);
    });
  },
);

it(
  '30 minutes of a broker that is away leave nothing but the counts (B25)',
  { timeout: 60_000 },
  async () => {
    await beside(async (world) => {
      const writer = new Writer({
        brokers: address,
        platform: world.platform,
        topic: 't',
        deliveryTimeoutMs: 10_000,
        maxBufferedBytes: 100_000,
        whenFull: 'fail',
      });
      await writer.writeMessages({ value: 'before' });
      world.network.block(address);
      world.network.cut(address);
      let refused = 0;
      const minutes = async (count: number): Promise<number> => {
        for (let second = 0; second < count * 60; second++) {
          for (let each = 0; each < 20; each++) {
            const call = writer.writeMessages({ value: 'x'.repeat(1000) });
            call.catch(() => refused++);
            expect(writer.stats().bufferedBytes).toBeLessThan(110_000);
          }
          await world.advance(1000);
        }
        return heapBytes();
      };
      const before = await minutes(5);
      const after = await minutes(25);
      expect(after - before).toBeLessThan(1_000_000);
      // What was on its way keeps its bytes until its request has ended.
      await world.advance(45_000);
      expect(refused).toBe(30 * 60 * 20);
      expect(writer.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
      await writer.close();
    });
  },
);
