/** ListOffsets: both ends of a log, and records by their time. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ErrorCodes, listOffsetsApi } from '../../src/protocol/index.ts';
import { compressedBatch } from '../../src/protocol/records/batch-builder.ts';
import { encodeEndMarker } from '../../src/protocol/records/control.ts';
import { encodeRecordBatch } from '../../src/protocol/records/plain-batch.ts';
import { batchOf, inCluster, plain, produce } from './cluster-world.ts';
import type { RawClient } from './raw-client.ts';

const topics = [{ name: 'orders' }];
const [latest, earliest, maxTimestamp] = [-1, -2, -3];

function batchAt(...timestamps: number[]): Uint8Array {
  return encodeRecordBatch({ records: timestamps.map((timestamp) => ({ value: 'v', timestamp })) });
}

async function ask(
  client: RawClient,
  timestamp: number,
  more: { version?: number; isolationLevel?: number; currentLeaderEpoch?: number } = {},
) {
  const { version = 8, isolationLevel = 0, currentLeaderEpoch = -1 } = more;
  const answer = await client.call(listOffsetsApi, version, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp, currentLeaderEpoch }] }],
  });
  return answer.topics[0]?.partitions[0];
}

describe('ListOffsets', () => {
  it.each([1, 2, 4, 6, 11])('tells both ends of the log in version %d', (version) =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      for (let i = 0; i < 3; i++) await produce(client, 'orders', batchOf(['a', 'b']));
      cluster.deleteRecords('orders', 0, 3);
      const leaderEpoch = version >= 4 ? 0 : -1;
      expect(await ask(client, latest, { version })).toMatchObject({ offset: 6, timestamp: -1, leaderEpoch });
      expect(await ask(client, earliest, { version })).toMatchObject({
        offset: 3,
        timestamp: -1,
        leaderEpoch,
      });
    }),
  );

  it('finds the first record that is late enough, wherever it lies in its batch', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      await produce(client, 'orders', batchAt(100, 110, 105)); // offsets 0 to 2
      await produce(client, 'orders', batchAt(90)); // 3
      const gzip = batchAt(120, 130, 140); // 4 to 6
      await produce(client, 'orders', compressedBatch(gzip, 1, plain(gzipSync(gzip.subarray(61)))));
      const found = async (timestamp: number) => {
        const answer = await ask(client, timestamp);
        return [answer?.offset, answer?.timestamp];
      };
      expect(await found(0)).toEqual([0, 100]);
      expect(await found(101)).toEqual([1, 110]);
      expect(await found(110)).toEqual([1, 110]);
      expect(await found(111)).toEqual([4, 120]);
      expect(await found(131)).toEqual([6, 140]);
      expect(await found(141)).toEqual([-1, -1]);
      expect(await found(maxTimestamp)).toEqual([6, 140]);
    }));

  it('skips what was deleted, and says so by -1 in an empty log', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      expect(await ask(client, maxTimestamp)).toMatchObject({ offset: -1, timestamp: -1 });
      await produce(client, 'orders', batchAt(100, 200));
      cluster.deleteRecords('orders', 0, 1);
      expect(await ask(client, 50)).toMatchObject({ offset: 1, timestamp: 200 });
    }));

  it('sees only stable records under read_committed', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      await produce(client, 'orders', batchOf(['a']));
      cluster.appendRaw(
        'orders',
        0,
        encodeRecordBatch({
          records: [{ value: 'b', timestamp: 2_000 }],
          producerId: 1n,
          producerEpoch: 0,
          baseSequence: 0,
          isTransactional: true,
        }),
      );
      expect((await ask(client, latest, { isolationLevel: 1 }))?.offset).toBe(1);
      expect((await ask(client, latest))?.offset).toBe(2);
      expect((await ask(client, 1_000, { isolationLevel: 1 }))?.offset).toBe(0);
      expect((await ask(client, 1_500))?.offset).toBe(1);
      expect((await ask(client, 1_500, { isolationLevel: 1 }))?.offset).toBe(-1);
      cluster.appendRaw(
        'orders',
        0,
        encodeEndMarker({
          type: 'commit',
          producerId: 1n,
          producerEpoch: 0,
          coordinatorEpoch: 0,
          timestamp: 9,
        }),
      );
      expect((await ask(client, latest, { isolationLevel: 1 }))?.offset).toBe(3);
    }));

  it('refuses special times before their version, strangers and old epochs', () =>
    inCluster({ brokers: 2, topics: [{ name: 'orders', partitions: 1 }] }, async ({ cluster, connect }) => {
      const client = await connect(1);
      expect((await ask(client, maxTimestamp, { version: 6 }))?.errorCode).toBe(
        ErrorCodes.UNSUPPORTED_VERSION,
      );
      expect((await ask(client, -4, { version: 8 }))?.offset).toBe(0);
      expect((await ask(client, -5, { version: 9 }))?.offset).toBe(-1);
      cluster.moveLeader('orders', 0, 2);
      expect((await ask(client, latest))?.errorCode).toBe(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
      expect((await ask(client, latest, { currentLeaderEpoch: 0 }))?.errorCode).toBe(
        ErrorCodes.FENCED_LEADER_EPOCH,
      );
      expect((await ask(await connect(2), latest, { currentLeaderEpoch: 9 }))?.errorCode).toBe(
        ErrorCodes.UNKNOWN_LEADER_EPOCH,
      );
    }));
});
