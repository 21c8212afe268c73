/** Committed offsets: who may commit them, in every form of the two APIs. */
import { describe, expect, it } from 'vitest';
import {
  ErrorCodes,
  joinGroupApi,
  offsetCommitApi,
  offsetFetchApi,
  syncGroupApi,
} from '../../src/protocol/index.ts';
import { inCluster, topicIdOf } from './cluster-world.ts';
import type { RawClient } from './raw-client.ts';

const topics = [{ name: 'orders', partitions: 3 }, { name: '__proto__' }];
const groupId = 'g';

interface Commit {
  readonly version?: number;
  readonly group?: string;
  readonly topic?: string;
  readonly topicId?: string;
  readonly generation?: number;
  readonly memberId?: string;
  readonly metadata?: string | null;
}

async function commit(
  client: RawClient,
  partition: number,
  offset: number,
  more: Commit = {},
): Promise<number | undefined> {
  const {
    version = 8,
    group = groupId,
    topic = 'orders',
    generation = -1,
    memberId = '',
    metadata = 'note',
    ...id
  } = more;
  const committed = { partitionIndex: partition, committedOffset: offset, committedMetadata: metadata };
  const answer = await client.call(offsetCommitApi, version, {
    groupId: group,
    generationIdOrMemberEpoch: generation,
    memberId,
    topics: [
      {
        name: topic,
        ...id,
        partitions: [{ ...committed, ...(version >= 6 ? { committedLeaderEpoch: 4 } : {}) }],
      },
    ],
  });
  return answer.topics[0]?.partitions[0]?.errorCode;
}

describe('committed offsets', () => {
  it.each([2, 6, 8, 9])('are kept with metadata and epoch in version %d of OffsetCommit', (version) =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      expect(await commit(client, 1, 42, { version })).toBe(0);
      const leaderEpoch = version >= 6 ? 4 : -1;
      expect(cluster.committed(groupId)).toEqual([
        { topic: 'orders', partition: 1, offset: 42, leaderEpoch, metadata: 'note' },
      ]);
    }),
  );

  it.each([1, 2, 5, 7])('are fetched by partition in version %d of OffsetFetch', (version) =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      await commit(client, 1, 42);
      const wanted = { groupId, topics: [{ name: 'orders', partitionIndexes: [0, 1] }] };
      const answer = await client.call(offsetFetchApi, version, wanted);
      expect(answer.topics[0]?.partitions).toMatchObject([
        { partitionIndex: 0, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 },
        {
          partitionIndex: 1,
          committedOffset: 42,
          committedLeaderEpoch: version >= 5 ? 4 : -1,
          metadata: 'note',
          errorCode: 0,
        },
      ]);
    }),
  );

  it('are fetched for several groups, and all of them for null topics', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      await commit(client, 2, 7);
      await commit(client, 0, 5);
      await commit(client, 0, 1, { topic: '__proto__' });
      const answer = await client.call(offsetFetchApi, 8, {
        groups: [
          { groupId, topics: null },
          { groupId: 'nobody', topics: null },
          { groupId: 'nobody', topics: [{ name: 'orders', partitionIndexes: [0] }] },
        ],
        requireStable: true,
      });
      const found = answer.groups.map((group) => [
        group.errorCode,
        group.topics.map(({ name, partitions }) => [
          name,
          partitions.map((p) => [p.partitionIndex, p.committedOffset]),
        ]),
      ]);
      expect(found).toEqual([
        [
          0,
          [
            [
              'orders',
              [
                [2, 7],
                [0, 5],
              ],
            ],
            ['__proto__', [[0, 1]]],
          ],
        ],
        [0, []],
        [0, [['orders', [[0, -1]]]]],
      ]);
      const old = await client.call(offsetFetchApi, 2, { groupId, topics: null });
      expect(old.topics.map(({ name }) => name)).toEqual(['orders', '__proto__']);
    }));

  it('go by topic ids in version 10', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const topicId = await topicIdOf(client, 'orders');
      const unknownId = 'B'.repeat(21) + 'A';
      expect(await commit(client, 0, 9, { version: 10, topicId })).toBe(0);
      expect(await commit(client, 0, 9, { version: 10, topicId: unknownId })).toBe(
        ErrorCodes.UNKNOWN_TOPIC_ID,
      );
      const wanted = [topicId, unknownId].map((id) => ({ topicId: id, partitionIndexes: [0] }));
      const answer = await client.call(offsetFetchApi, 10, {
        groups: [
          { groupId, topics: wanted },
          { groupId, topics: null },
        ],
      });
      expect(answer.groups[0]?.topics).toMatchObject([
        { topicId, partitions: [{ committedOffset: 9, errorCode: 0 }] },
        { topicId: unknownId, partitions: [{ committedOffset: -1, errorCode: ErrorCodes.UNKNOWN_TOPIC_ID }] },
      ]);
      expect(answer.groups[1]?.topics.map((topic) => topic.topicId)).toEqual([topicId]);
    }));

  it('are refused for unknown topics, for too much metadata, and on another broker', () =>
    inCluster({ brokers: 2, topics }, async ({ cluster, connect }) => {
      cluster.moveCoordinator(groupId, 1);
      const client = await connect(1);
      expect(await commit(client, 0, 1, { topic: 'nowhere' })).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      expect(await commit(client, 0, 1, { metadata: 'x'.repeat(4_097) })).toBe(
        ErrorCodes.OFFSET_METADATA_TOO_LARGE,
      );
      expect(await commit(client, 0, 1, { metadata: null })).toBe(0);
      const other = await connect(2);
      expect(await commit(other, 0, 1)).toBe(ErrorCodes.NOT_COORDINATOR);
      const wanted = { groupId, topics: [{ name: 'orders', partitionIndexes: [0] }] };
      expect((await other.call(offsetFetchApi, 1, wanted)).topics[0]?.partitions[0]?.errorCode).toBe(
        ErrorCodes.NOT_COORDINATOR,
      );
      expect((await other.call(offsetFetchApi, 5, wanted)).errorCode).toBe(ErrorCodes.NOT_COORDINATOR);
      const grouped = await other.call(offsetFetchApi, 8, { groups: [wanted] });
      expect(grouped.groups[0]).toMatchObject({ errorCode: ErrorCodes.NOT_COORDINATOR, topics: [] });
    }));

  it('go with their topic', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      await commit(client, 0, 5);
      cluster.deleteTopic('orders');
      expect(cluster.committed(groupId)).toEqual([]);
    }));

  it('may be committed by members of the generation only, once they have their assignment', () =>
    inCluster({ topics }, async ({ cluster, connect, world }) => {
      const client = await connect();
      expect(await commit(client, 0, 1, { generation: 3, memberId: 'x', version: 8 })).toBe(
        ErrorCodes.ILLEGAL_GENERATION,
      );
      expect(await commit(client, 0, 1, { generation: 3, memberId: 'x', version: 9 })).toBe(
        ErrorCodes.GROUP_ID_NOT_FOUND,
      );
      const protocols = [{ name: 'range', metadata: new Uint8Array(0) }];
      const join = {
        groupId,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols,
      };
      const { memberId, generationId } = await client.call(joinGroupApi, 3, join);
      const mine = { memberId, generation: generationId };
      expect(await commit(client, 0, 1, mine)).toBe(ErrorCodes.REBALANCE_IN_PROGRESS);
      await client.call(syncGroupApi, 0, { groupId, generationId, memberId, assignments: [] });
      expect(await commit(client, 0, 1, mine)).toBe(0);
      expect(await commit(client, 0, 2, { ...mine, generation: 9 })).toBe(ErrorCodes.ILLEGAL_GENERATION);
      expect(await commit(client, 0, 3, { ...mine, memberId: 'x' })).toBe(ErrorCodes.UNKNOWN_MEMBER_ID);
      expect(await commit(client, 0, 4)).toBe(ErrorCodes.UNKNOWN_MEMBER_ID);
      expect(cluster.committed(groupId)).toMatchObject([{ offset: 1 }]);
      // A commit is a sign of life.
      for (let i = 0; i < 3; i++) {
        await world.advance(9_000);
        expect(await commit(client, 0, 5 + i, mine)).toBe(0);
      }
      await world.advance(10_001);
      expect(cluster.group(groupId)?.state).toBe('Empty');
      expect(await commit(client, 0, 9)).toBe(0);
    }));
});
