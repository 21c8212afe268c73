/** Offsets as part of a transaction: who may commit them, when they count, and who is told to wait. */
import { describe, expect, it } from 'vitest';
import { ErrorCodes, offsetCommitApi, offsetFetchApi } from '../../src/protocol/index.ts';
import { inCluster } from './cluster-world.ts';
import type { RawClient } from './raw-client.ts';
import { groupId, settled } from './scripted-member.ts';
import { ScriptedProducer } from './scripted-producer.ts';

const topics = [{ name: 'orders' }];

/** What OffsetFetch tells of partition 0: an offset, or the name of the error. */
async function stable(client: RawClient, version = 8, requireStable = true): Promise<number | 'unstable'> {
  const wanted = [{ name: 'orders', partitionIndexes: [0] }];
  const request = version >= 8 ? { groups: [{ groupId, topics: wanted }] } : { groupId, topics: wanted };
  const answer = await client.call(offsetFetchApi, version, { ...request, requireStable });
  const found = (version >= 8 ? answer.groups[0] : answer)?.topics[0]?.partitions[0];
  if (found?.errorCode === ErrorCodes.UNSTABLE_OFFSET_COMMIT) return 'unstable';
  expect(found?.errorCode).toBe(0);
  return found?.committedOffset ?? -1;
}

async function begun(client: RawClient, level: 1 | 2 = 2): Promise<ScriptedProducer> {
  const producer = new ScriptedProducer(client, 'tx', level);
  expect(await producer.init()).toBe(0);
  return producer;
}

describe.each([1, 2] as const)('offsets of a transaction at level %d', (level) => {
  it('count from its commit on; who requires stable ones is told to wait, others read what was', () =>
    inCluster({ topics, transactionVersion: level }, async ({ cluster, connect }) => {
      const client = await connect();
      const producer = await begun(client, level);
      if (level === 1) expect(await producer.addOffsets(groupId)).toBe(0);
      expect(await producer.commitOffset(groupId, 'orders', 5)).toBe(0);
      expect(cluster.committed(groupId)).toEqual([]);
      for (const version of [7, 8]) {
        expect(await stable(client, version)).toBe('unstable');
        expect(await stable(client, version, false)).toBe(-1);
      }
      expect(await producer.commit()).toBe(0);
      expect(await stable(client)).toBe(5);
      expect(cluster.committed(groupId)).toMatchObject([{ topic: 'orders', partition: 0, offset: 5 }]);
    }));

  it('are forgotten with its abort', () =>
    inCluster({ topics, transactionVersion: level }, async ({ connect }) => {
      const client = await connect();
      const producer = await begun(client, level);
      for (const isCommit of [true, false]) {
        if (level === 1) await producer.addOffsets(groupId);
        expect(await producer.commitOffset(groupId, 'orders', isCommit ? 5 : 9)).toBe(0);
        expect(await producer.end(isCommit)).toBe(0);
        expect(await stable(client)).toBe(5);
      }
    }));
});

describe('offsets of a transaction', () => {
  it('are refused before level 2 until the group was added, in the words that the version has', () =>
    inCluster({ topics, transactionVersion: 1 }, async ({ connect }) => {
      const producer = await begun(await connect(), 1);
      const commit = (version: number) => producer.commitOffset(groupId, 'orders', 1, { version });
      expect(await commit(3)).toBe(ErrorCodes.INVALID_TXN_STATE);
      expect(await commit(4)).toBe(ErrorCodes.TRANSACTION_ABORTABLE);
      await producer.addOffsets(groupId);
      expect(await commit(4)).toBe(0);
    }));

  it.each([2, 3, 4, 5, 6])('are taken in version %d', (version) =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const producer = await begun(await connect());
      await producer.addOffsets(groupId);
      expect(await producer.commitOffset(groupId, 'orders', 4, { version })).toBe(0);
      await producer.commit();
      expect(cluster.committed(groupId)).toMatchObject([{ offset: 4 }]);
    }),
  );

  it('are taken from members of the generation alone, unless no member is named (KIP-447)', () =>
    inCluster({ topics }, async (scene) => {
      const [a] = await settled(scene, 'a');
      const producer = await begun(await scene.connect());
      const generationIdOrMemberEpoch = a?.generation ?? -1;
      const memberId = a?.memberId ?? '';
      const commit = (more: Parameters<ScriptedProducer['commitOffset']>[3]) =>
        producer.commitOffset(groupId, 'orders', 5, more);
      const { ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID } = ErrorCodes;
      expect(await commit({ memberId, generationIdOrMemberEpoch: 0 })).toBe(ILLEGAL_GENERATION);
      expect(await commit({ memberId: 'other', generationIdOrMemberEpoch })).toBe(UNKNOWN_MEMBER_ID);
      expect(await commit({ groupInstanceId: 'i', memberId, generationIdOrMemberEpoch })).toBe(
        UNKNOWN_MEMBER_ID,
      );
      expect(await commit({ memberId, generationIdOrMemberEpoch })).toBe(0);
      expect(await commit({})).toBe(0);
    }));

  it('are refused of a generation of a group that there is not, and on another broker', () =>
    inCluster({ brokers: 2, topics }, async ({ cluster, connect }) => {
      cluster.moveCoordinator(groupId, 1);
      cluster.moveCoordinator('tx', 1, { type: 'transaction' });
      const producer = await begun(await connect(1));
      expect(await producer.commitOffset(groupId, 'orders', 5, { generationIdOrMemberEpoch: 1 })).toBe(
        ErrorCodes.ILLEGAL_GENERATION,
      );
      expect(await producer.commitOffset('', 'orders', 5)).toBe(ErrorCodes.INVALID_GROUP_ID);
      cluster.moveCoordinator(groupId, 2);
      expect(await producer.commitOffset(groupId, 'orders', 5)).toBe(ErrorCodes.NOT_COORDINATOR);
    }));

  it('do not undo what was committed after them', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const producer = await begun(client);
      await producer.commitOffset(groupId, 'orders', 5);
      const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }];
      const plain = { groupId, topics: [{ name: 'orders', partitions }] };
      const { topics: answers } = await client.call(offsetCommitApi, 8, plain);
      expect(answers[0]?.partitions[0]?.errorCode).toBe(0);
      expect(await stable(client)).toBe('unstable');
      await producer.commit();
      expect(await stable(client)).toBe(7);
    }));

  it('of a producer that was fenced are refused and forgotten', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const old = await begun(client);
      await old.commitOffset(groupId, 'orders', 5);
      expect(await new ScriptedProducer(client).init()).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
      expect(await stable(client)).toBe(-1);
      expect(await old.commitOffset(groupId, 'orders', 6)).toBe(ErrorCodes.INVALID_PRODUCER_EPOCH);
      expect(await old.addOffsets(groupId)).toBe(ErrorCodes.PRODUCER_FENCED);
    }));

  it('are refused in another epoch than the transaction has, also behind some that were taken', () =>
    inCluster({ topics, transactionVersion: 1 }, async ({ connect }) => {
      const producer = await begun(await connect(), 1);
      await producer.addOffsets(groupId);
      const commit = () => producer.commitOffset(groupId, 'orders', 5);
      expect(await commit()).toBe(0);
      for (const producerEpoch of [1, -1]) {
        producer.producerEpoch = producerEpoch;
        expect(await commit()).toBe(ErrorCodes.INVALID_PRODUCER_EPOCH);
      }
    }));

  it('are forgotten with their topic', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      const producer = await begun(client);
      await producer.commitOffset(groupId, 'orders', 5);
      cluster.deleteTopic('orders');
      expect(await producer.commit()).toBe(0);
      expect(cluster.committed(groupId)).toEqual([]);
    }));
});
