/** What answers tell the cluster besides what was asked: leaders (KIP-951), and that a broker wants silence (KIP-219). */
import { describe, expect, test } from 'vitest';
import type { LeaderHint, MetadataSnapshot } from '../../../src/client/cluster/index.ts';
import { heartbeatApi } from '../../../src/protocol/api/12-heartbeat.ts';
import { answer, type Script } from '../../support/scripted-broker.ts';
import { rejection, soon, topic, withRig } from './rig.ts';

const twoPartitions = (): { topics: ReturnType<typeof topic>[] } => ({
  topics: [
    topic('a', [
      { partitionIndex: 0, leaderId: 2, leaderEpoch: 5 },
      { partitionIndex: 1, leaderId: 3, leaderEpoch: 5 },
    ]),
  ],
});

describe('a leader that an answer names', () => {
  const hint: LeaderHint = {
    topic: 'a',
    topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    partition: 0,
    leaderId: 3,
    leaderEpoch: 6,
  };
  const node = { nodeId: 9, host: 'nine', port: 9099, rack: 'r' };

  test('is in the snapshot at once, with where it is, and told to those who listen', async () => {
    await withRig(twoPartitions, async ({ world, cluster, requests }) => {
      cluster.useTopics(['a']);
      await cluster.topic('a', soon(world));
      const before = cluster.snapshot;
      const seen: MetadataSnapshot[] = [];
      cluster.onSnapshot((snapshot) => seen.push(snapshot));
      cluster.learnLeader(hint, []);
      cluster.learnLeader({ ...hint, partition: 1, leaderId: 9, leaderEpoch: 7 }, [node]);
      expect(seen).toHaveLength(2);
      expect(seen[1]).toBe(cluster.snapshot);
      expect(seen.map(({ version }) => version - before.version)).toEqual([1, 2]);
      expect(cluster.snapshot.topics.get('a')?.partitions).toMatchObject([
        { leader: 3, leaderEpoch: 6 },
        { leader: 9, leaderEpoch: 7 },
      ]);
      expect(cluster.snapshot.brokers.get(9)).toEqual(node);
      expect(before.topics.get('a')?.partitions[0]).toMatchObject({ leader: 2, leaderEpoch: 5 });
      // A metadata answer that lags behind takes nothing back.
      await cluster.refresh('test');
      expect(cluster.snapshot.topics.get('a')?.partitions).toMatchObject([{ leader: 3 }, { leader: 9 }]);
      expect(requests(3)).toHaveLength(2);
    });
  });

  test.each<[string, Partial<LeaderHint>]>([
    ['of the same epoch', { leaderEpoch: 5 }],
    ['of an older epoch', { leaderEpoch: 4 }],
    ['of another topic id', { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' }],
    ['of a topic that is not in use', { topic: 'b' }],
    ['of a partition that is not there', { partition: 2 }],
    ['that is nobody', { leaderId: -1 }],
    ['that is nowhere', { leaderId: 8 }],
  ])('%s is no news', async (_what, change) => {
    await withRig(twoPartitions, async ({ world, cluster }) => {
      cluster.useTopics(['a']);
      await cluster.topic('a', soon(world));
      const before = cluster.snapshot;
      cluster.learnLeader({ ...hint, ...change }, [node]);
      expect(cluster.snapshot).toBe(before);
    });
  });
});

describe('a broker that wants silence', () => {
  const throttling =
    (...throttles: number[]): Script =>
    (request) =>
      answer(request, heartbeatApi, { throttleTimeMs: throttles.shift() ?? 0 });

  test('gets no request on that connection before its time, and then all in their order', async () => {
    await withRig(
      twoPartitions,
      async ({ world, cluster, requests }) => {
        await cluster.refresh('test');
        const beat = (nodeId: number, generationId: number): Promise<unknown> =>
          cluster.send(nodeId, 'group', heartbeatApi, { groupId: 'g', generationId, memberId: 'm' });
        expect(cluster.isReady(1, 'group')).toBe(false);
        await cluster.open(1, 'group');
        expect(cluster.isReady(1, 'group')).toBe(true);
        await beat(1, 0);
        const untilMs = world.platform.monotonicNow() + 999;
        expect(cluster.isReady(1, 'group')).toBe(false);
        await cluster.open(1, 'control');
        expect(cluster.isReady(1, 'control')).toBe(true);
        expect(cluster.isReady(7, 'group')).toBe(false);
        const later = [1, 2, 3].map((generation) => beat(1, generation));
        await beat(2, 9);
        await world.advance(500);
        later.push(beat(1, 4));
        await world.advance(480);
        expect(requests(12)).toHaveLength(2);
        await Promise.all(later);
        expect(world.platform.monotonicNow()).toBeGreaterThanOrEqual(untilMs);
        const generations = requests(12).map(
          ({ body, apiVersion }) => heartbeatApi.request.decode(body, apiVersion).generationId,
        );
        expect(generations).toEqual([0, 1, 2, 3, 4, 9]);
      },
      throttling(1000),
    );
  });

  test('does not keep a call longer than its timeout, nor a closed cluster', async () => {
    await withRig(
      twoPartitions,
      async ({ world, cluster, requests }) => {
        await cluster.refresh('test');
        const body = { groupId: 'g', generationId: 0, memberId: 'm' };
        const beat = (timeoutMs?: number): Promise<unknown> =>
          cluster.send(1, 'group', heartbeatApi, body, { timeoutMs });
        await beat();
        const startedMs = world.now();
        expect(await rejection(beat(200))).toMatchObject({
          code: 'TIMEOUT',
          stored: 'no',
          message: 'Throttled by 127.0.0.1:9091 within 200 ms',
        });
        expect(world.now() - startedMs).toBeLessThan(300);
        const waiting = rejection(beat());
        cluster.close();
        expect(await waiting).toMatchObject({ code: 'CLOSED' });
        expect(requests(12)).toHaveLength(1);
      },
      throttling(2_000_000_000),
    );
  });
});
