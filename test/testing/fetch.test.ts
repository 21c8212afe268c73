/** Fetch: limits, epochs, long polls, and what transactions in a log make visible. */
import { describe, expect, it } from 'vitest';
import { ErrorCodes, fetchApi } from '../../src/protocol/index.ts';
import { encodeEndMarker } from '../../src/protocol/records/control.ts';
import { batchOf, fetch, fetchOf, inCluster, produce, topicIdOf, valuesIn } from './cluster-world.ts';

const topics = [{ name: 'orders', partitions: 2 }];
const readCommitted = 1;

describe('Fetch', () => {
  it.each([4, 7, 11, 12, 13, 16, 18])('is served in version %d', (version) =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      await produce(client, 'orders', batchOf(['a', 'b']));
      const topicId = await topicIdOf(client, 'orders');
      const wanted = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000, currentLeaderEpoch: 0 };
      const answer = await client.call(fetchApi, version, {
        maxWaitMs: 0,
        minBytes: 1,
        topics: [{ topic: 'orders', topicId, partitions: [wanted] }],
      });
      expect(answer).toMatchObject({ errorCode: 0, sessionId: 0 });
      const found = answer.responses[0]?.partitions[0];
      expect(found).toMatchObject({
        errorCode: 0,
        highWatermark: 2,
        lastStableOffset: 2,
        abortedTransactions: null,
      });
      expect(valuesIn(found?.records ?? null)).toEqual(['a', 'b']);
    }),
  );

  it('begins with the batch that holds the offset', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      await produce(client, 'orders', batchOf(['a', 'b', 'c']));
      await produce(client, 'orders', batchOf(['d', 'e']));
      expect(valuesIn((await fetch(client, 'orders', 2)).records)).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(valuesIn((await fetch(client, 'orders', 4)).records)).toEqual(['d', 'e']);
      expect((await fetch(client, 'orders', 5)).records).toHaveLength(0);
    }));

  it('answers OFFSET_OUT_OF_RANGE outside of the log', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      for (const value of ['a', 'b', 'c']) await produce(client, 'orders', batchOf([value]));
      cluster.deleteRecords('orders', 0, 2);
      expect(await fetch(client, 'orders', 1)).toMatchObject({
        errorCode: ErrorCodes.OFFSET_OUT_OF_RANGE,
        highWatermark: -1,
      });
      expect((await fetch(client, 'orders', 4)).errorCode).toBe(ErrorCodes.OFFSET_OUT_OF_RANGE);
      expect(await fetch(client, 'orders', 2)).toMatchObject({ errorCode: 0, logStartOffset: 2 });
    }));

  it('gives the first batch whole, however small the limits, and cuts what follows', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const batch = batchOf(['x'.repeat(500)]);
      for (let i = 0; i < 4; i++) await produce(client, 'orders', batch);
      expect((await fetch(client, 'orders', 0, { partitionMaxBytes: 1 })).records).toHaveLength(batch.length);
      expect((await fetch(client, 'orders', 0, { maxBytes: 1 })).records).toHaveLength(batch.length);
      const cut = (await fetch(client, 'orders', 0, { partitionMaxBytes: batch.length * 2 + 50 })).records;
      expect(cut).toHaveLength(batch.length * 2 + 50);
      expect(valuesIn(cut)).toHaveLength(2);
    }));

  it('shares maxBytes among the partitions, in their order', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const batch = batchOf(['x'.repeat(500)]);
      for (const partition of [0, 1]) await produce(client, 'orders', batch, { partition });
      const partitions = [1, 0].map((partition) => ({
        partition,
        fetchOffset: 0,
        partitionMaxBytes: 10_000,
      }));
      const request = {
        maxWaitMs: 0,
        minBytes: 1,
        maxBytes: batch.length + 10,
        topics: [{ topic: 'orders', partitions }],
      };
      const answer = await client.call(fetchApi, 12, request);
      const sizes = answer.responses[0]?.partitions.map((p) => [p.partitionIndex, p.records?.length]);
      expect(sizes).toEqual([
        [1, batch.length],
        [0, 0],
      ]);
    }));

  it('reads across many segments without losing a record', () =>
    inCluster({ topics: [{ name: 'big' }] }, async ({ connect }) => {
      const client = await connect();
      const values = Array.from({ length: 60 }, (_, i) => `${i}:${'x'.repeat(2_000 * (i % 7))}`);
      for (const value of values) await produce(client, 'big', batchOf([value]));
      const read: string[] = [];
      while (read.length < values.length)
        read.push(...valuesIn((await fetch(client, 'big', read.length)).records));
      expect(read).toEqual(values);
    }));

  it('compares leader epochs (KIP-320)', () =>
    inCluster({ brokers: 2, topics: [{ name: 'orders' }] }, async ({ cluster, connect }) => {
      const old = await connect(1);
      cluster.moveLeader('orders', 0, 2);
      const client = await connect(2);
      const epoch = async (currentLeaderEpoch: number) =>
        (await fetch(client, 'orders', 0, { currentLeaderEpoch })).errorCode;
      expect(await epoch(0)).toBe(ErrorCodes.FENCED_LEADER_EPOCH);
      expect(await epoch(1)).toBe(0);
      expect(await epoch(2)).toBe(ErrorCodes.UNKNOWN_LEADER_EPOCH);
      expect((await fetch(old, 'orders', 0, { currentLeaderEpoch: 0, version: 12 })).errorCode).toBe(
        ErrorCodes.FENCED_LEADER_EPOCH,
      );
      expect((await fetch(old, 'orders', 0, { version: 10 })).errorCode).toBe(
        ErrorCodes.NOT_LEADER_OR_FOLLOWER,
      );
    }));

  it('lets followers answer from version 11 on (KIP-392), and names the leader from 16 on (KIP-951)', () =>
    inCluster(
      {
        brokers: 2,
        topics: [
          { name: 'orders', replicationFactor: 2 },
          { name: 'lonely', replicationFactor: 1 },
        ],
      },
      async ({ cluster, connect }) => {
        await produce(await connect(1), 'orders', batchOf(['a']));
        const follower = await connect(2);
        expect(valuesIn((await fetch(follower, 'orders', 0, { version: 11 })).records)).toEqual(['a']);
        expect(cluster.partition('lonely', 0).leader).toBe(2);
        const stranger = await connect(1);
        const refused = await fetch(stranger, 'lonely', 0, { version: 11 });
        expect(refused.errorCode).toBe(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
        const topicId = await topicIdOf(stranger, 'lonely');
        const wanted = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000, currentLeaderEpoch: 0 };
        const answer = await stranger.call(fetchApi, 16, {
          maxWaitMs: 0,
          minBytes: 1,
          topics: [{ topicId, partitions: [wanted] }],
        });
        expect(answer.responses[0]?.partitions[0]).toMatchObject({
          errorCode: ErrorCodes.NOT_LEADER_OR_FOLLOWER,
          currentLeader: { leaderId: 2, leaderEpoch: 0 },
        });
        expect(answer.nodeEndpoints.map(({ nodeId }) => nodeId)).toEqual([2]);
      },
    ));

  it('has no sessions: full requests are answered with session 0, others refused', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const full = await client.call(fetchApi, 12, fetchOf('orders', 0, { sessionId: 0, sessionEpoch: 0 }));
      expect(full).toMatchObject({ errorCode: 0, sessionId: 0 });
      const next = await client.call(fetchApi, 12, fetchOf('orders', 0, { sessionId: 5, sessionEpoch: 1 }));
      expect(next).toMatchObject({ errorCode: ErrorCodes.FETCH_SESSION_ID_NOT_FOUND, responses: [] });
    }));

  it('answers UNKNOWN_TOPIC_ID and UNKNOWN_TOPIC_OR_PARTITION', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const wanted = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 };
      const topicId = 'B'.repeat(21) + 'A';
      const answer = await client.call(fetchApi, 13, {
        maxWaitMs: 500,
        minBytes: 1,
        topics: [{ topicId, partitions: [wanted] }],
      });
      expect(answer.responses[0]).toMatchObject({
        topicId,
        partitions: [{ errorCode: ErrorCodes.UNKNOWN_TOPIC_ID }],
      });
      expect((await fetch(client, 'nowhere', 0)).errorCode).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      expect((await fetch(client, 'orders', 0, { partition: 9 })).errorCode).toBe(
        ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
      );
    }));
});

describe('a long poll', () => {
  it('ends at maxWaitMs with nothing', () =>
    inCluster({ topics }, async ({ connect, world }) => {
      const client = await connect();
      const startMs = world.now();
      expect((await fetch(client, 'orders', 0, { maxWaitMs: 500 })).records).toHaveLength(0);
      expect(world.now() - startMs).toBeGreaterThanOrEqual(500);
      expect(world.now() - startMs).toBeLessThan(505);
    }));

  it('ends when there are minBytes', () =>
    inCluster({ topics }, async ({ connect, world }) => {
      const [reader, writer] = [await connect(), await connect()];
      const batch = batchOf(['a']);
      const startMs = world.now();
      const receive = await reader.send(
        fetchApi,
        12,
        fetchOf('orders', 0, { maxWaitMs: 10_000, minBytes: batch.length * 2 }),
      );
      const answer = receive();
      await world.advance(100);
      await produce(writer, 'orders', batch);
      await world.advance(100);
      await produce(writer, 'orders', batch);
      const { records } = (await answer).responses[0]?.partitions[0] ?? {};
      expect(valuesIn(records ?? null)).toEqual(['a', 'a']);
      expect(world.now() - startMs).toBeLessThan(210);
    }));

  it('counts the bytes of all its partitions', () =>
    inCluster({ topics }, async ({ connect, world }) => {
      const [reader, writer] = [await connect(), await connect()];
      const batch = batchOf(['a']);
      const partitions = [0, 1].map((partition) => ({
        partition,
        fetchOffset: 0,
        partitionMaxBytes: 10_000,
      }));
      const request = {
        maxWaitMs: 10_000,
        minBytes: batch.length * 2,
        topics: [{ topic: 'orders', partitions }],
      };
      const receive = await reader.send(fetchApi, 12, request);
      await produce(writer, 'orders', batch, { partition: 1 });
      await world.advance(50);
      await produce(writer, 'orders', batch, { partition: 0 });
      const answer = await receive();
      expect(answer.responses[0]?.partitions.map(({ records }) => records?.length)).toEqual([
        batch.length,
        batch.length,
      ]);
    }));

  it('ends at once for an error in one partition', () =>
    inCluster({ topics }, async ({ connect, world }) => {
      const client = await connect();
      const startMs = world.now();
      const partitions = [0, 7].map((partition) => ({
        partition,
        fetchOffset: 0,
        partitionMaxBytes: 10_000,
      }));
      await client.call(fetchApi, 12, {
        maxWaitMs: 10_000,
        minBytes: 1,
        topics: [{ topic: 'orders', partitions }],
      });
      expect(world.now() - startMs).toBeLessThan(5);
    }));

  it.each([
    ['the leader moves', 'move', 'FENCED_LEADER_EPOCH'],
    ['the topic is deleted', 'delete', 'UNKNOWN_TOPIC_OR_PARTITION'],
  ] as const)('ends when %s', (_, what, name) =>
    inCluster({ brokers: 2, topics: [{ name: 'orders' }] }, async ({ cluster, connect, world }) => {
      const client = await connect();
      const receive = await client.send(
        fetchApi,
        12,
        fetchOf('orders', 0, { maxWaitMs: 10_000, currentLeaderEpoch: 0 }),
      );
      await world.advance(10);
      const startMs = world.now();
      if (what === 'move') cluster.moveLeader('orders', 0, 2);
      else cluster.deleteTopic('orders');
      expect((await receive()).responses[0]?.partitions[0]?.errorCode).toBe(ErrorCodes[name]);
      expect(world.now() - startMs).toBeLessThan(5);
    }),
  );

  it('holds up later requests of its connection only (C1)', () =>
    inCluster({ topics }, async ({ connect, world }) => {
      const [reader, writer] = [await connect(), await connect()];
      const first = await reader.send(fetchApi, 12, fetchOf('orders', 0, { maxWaitMs: 1_000 }));
      const second = await reader.send(fetchApi, 12, fetchOf('orders', 0, { maxWaitMs: 0, partition: 1 }));
      await world.advance(500);
      await produce(writer, 'orders', batchOf(['a']), { partition: 1 });
      const startMs = world.now();
      expect(valuesIn((await first()).responses[0]?.partitions[0]?.records ?? null)).toEqual([]);
      expect(world.now() - startMs).toBeGreaterThan(490);
      expect(valuesIn((await second()).responses[0]?.partitions[0]?.records ?? null)).toEqual(['a']);
    }));
});

describe('transactions in a log', () => {
  const inTransaction = (values: string[], producerId: bigint, baseSequence: number) =>
    batchOf(values, { producerId, producerEpoch: 0, baseSequence, isTransactional: true });
  const end = (type: 'commit' | 'abort', producerId: bigint) =>
    encodeEndMarker({ type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 5 });

  it('hold the last stable offset at the first open one', () =>
    inCluster({ topics: [{ name: 'tx' }] }, async ({ cluster, connect }) => {
      const client = await connect();
      await produce(client, 'tx', batchOf(['plain']));
      cluster.appendRaw('tx', 0, inTransaction(['a1'], 1n, 0));
      cluster.appendRaw('tx', 0, inTransaction(['b1'], 2n, 0));
      expect(cluster.partition('tx', 0)).toMatchObject({ lastStableOffset: 1, endOffset: 3 });
      const committed = await fetch(client, 'tx', 0, { isolationLevel: readCommitted });
      expect(committed).toMatchObject({ lastStableOffset: 1, highWatermark: 3, abortedTransactions: [] });
      expect(valuesIn(committed.records)).toEqual(['plain']);
      expect(valuesIn((await fetch(client, 'tx', 0)).records)).toEqual(['plain', 'a1', 'b1']);
      cluster.appendRaw('tx', 0, end('commit', 1n));
      expect(cluster.partition('tx', 0).lastStableOffset).toBe(2);
      cluster.appendRaw('tx', 0, end('abort', 2n));
      expect(cluster.partition('tx', 0)).toMatchObject({ lastStableOffset: 5, endOffset: 5 });
    }));

  it('begin with their first batch', () =>
    inCluster({ topics: [{ name: 'tx' }] }, async ({ cluster, connect }) => {
      cluster.appendRaw('tx', 0, inTransaction(['a'], 1n, 0));
      cluster.appendRaw('tx', 0, inTransaction(['b'], 1n, 1));
      expect(cluster.partition('tx', 0).lastStableOffset).toBe(0);
      cluster.appendRaw('tx', 0, end('abort', 1n));
      const { abortedTransactions } = await fetch(await connect(), 'tx', 0, {
        isolationLevel: readCommitted,
      });
      expect(abortedTransactions).toEqual([{ producerId: 1n, firstOffset: 0 }]);
    }));

  it('are listed when aborted, for what was fetched, in the order of their ends', () =>
    inCluster({ topics: [{ name: 'tx' }] }, async ({ cluster, connect }) => {
      const client = await connect();
      const raw = (batch: Uint8Array): void => cluster.appendRaw('tx', 0, batch);
      raw(inTransaction(['a'], 1n, 0)); // 0
      raw(inTransaction(['b'], 2n, 0)); // 1
      raw(end('abort', 2n)); // 2
      raw(end('abort', 1n)); // 3
      raw(inTransaction(['c'], 1n, 1)); // 4
      raw(end('commit', 1n)); // 5
      raw(inTransaction(['d'], 3n, 0)); // 6
      raw(end('abort', 3n)); // 7
      const aborted = async (fetchOffset: number, partitionMaxBytes?: number) => {
        const more = {
          isolationLevel: readCommitted,
          ...(partitionMaxBytes === undefined ? {} : { partitionMaxBytes }),
        };
        return (await fetch(client, 'tx', fetchOffset, more)).abortedTransactions;
      };
      const [a, b, d] = [
        { producerId: 1n, firstOffset: 0 },
        { producerId: 2n, firstOffset: 1 },
        { producerId: 3n, firstOffset: 6 },
      ];
      expect(await aborted(0)).toEqual([b, a, d]);
      expect(await aborted(0, 1)).toEqual([a]);
      expect(await aborted(3)).toEqual([a, d]);
      expect(await aborted(4)).toEqual([d]);
      expect((await fetch(client, 'tx', 0)).abortedTransactions).toBeNull();
      expect((await cluster.records('tx', 0)).map(({ offset }) => offset)).toEqual([0, 1, 4, 6]);
    }));

  it('wake a committed reader when they end, not when they grow', () =>
    inCluster({ topics: [{ name: 'tx' }] }, async ({ cluster, connect, world }) => {
      const client = await connect();
      const request = fetchOf('tx', 0, { maxWaitMs: 10_000, isolationLevel: readCommitted });
      const receive = await client.send(fetchApi, 12, request);
      const startMs = world.now();
      cluster.appendRaw('tx', 0, inTransaction(['a'], 1n, 0));
      await world.advance(100);
      cluster.appendRaw('tx', 0, end('commit', 1n));
      const answer = await receive();
      expect(world.now() - startMs).toBeGreaterThanOrEqual(100);
      expect(world.now() - startMs).toBeLessThan(105);
      expect(answer.responses[0]?.partitions[0]?.lastStableOffset).toBe(2);
    }));

  it('leave gaps as compaction does when batches keep their offsets', () =>
    inCluster({ topics: [{ name: 'tx' }] }, async ({ cluster, connect }) => {
      const client = await connect();
      cluster.appendRaw('tx', 0, batchOf(['a'], { baseOffset: 10 }), { keepOffsets: true });
      cluster.appendRaw('tx', 0, batchOf(['b', 'c'], { baseOffset: 20 }), { keepOffsets: true });
      expect(cluster.partition('tx', 0)).toMatchObject({ startOffset: 0, endOffset: 22 });
      expect(valuesIn((await fetch(client, 'tx', 11)).records)).toEqual(['b', 'c']);
      expect(() =>
        cluster.appendRaw('tx', 0, batchOf(['d'], { baseOffset: 3 }), { keepOffsets: true }),
      ).toThrow(/below the end/);
    }));
});
