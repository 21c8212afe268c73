/** Members with real connections against the embedded broker on the virtual network: both sides meet on bytes alone. */
import { afterEach, describe, expect, it } from 'vitest';
import { Cluster, Coordinators } from '../../../src/client/cluster/index.ts';
import { GroupSession, type OwnedPartition } from '../../../src/client/group/index.ts';
import { virtualWorld, type VirtualWorld } from '../../../src/runtime/virtual.ts';
import { EmbeddedCluster } from '../../../src/testing/index.ts';
import { text } from './member.ts';

interface Member {
  readonly session: GroupSession;
  readonly cluster: Cluster;
  readonly events: string[];
}

let world: VirtualWorld;
let embedded: EmbeddedCluster;
let members: Member[] = [];

async function start(brokers = 1): Promise<void> {
  world = virtualWorld();
  members = [];
  const topics = [{ name: 'orders', partitions: 6 }];
  embedded = await world.run(() => EmbeddedCluster.start({ brokers, topics, platform: world.platform }));
}

function join(): Member {
  const cluster = new Cluster({ brokers: embedded.brokers, platform: world.platform });
  const events: string[] = [];
  const revoke = async (partitions: readonly OwnedPartition[]): Promise<void> => {
    events.push(`revoked ${text(partitions)}`);
    await session.commit(
      partitions.map((each) => ({ ...each, offset: 10 + each.partition, leaderEpoch: 0 })),
    );
  };
  const session = new GroupSession(cluster, new Coordinators(cluster), {
    groupId: 'group',
    topics: ['orders'],
    sessionTimeoutMs: 10_000,
    listener: {
      onAssigned: (added) => void events.push(`assigned ${text(added)}`),
      onRevoked: revoke,
      onLost: (partitions) => void events.push(`lost ${text(partitions)}`),
      onError: (error) => void events.push(`error ${error.message}`),
    },
  });
  session.start();
  const made = { session, cluster, events };
  members.push(made);
  return made;
}

afterEach(async () => {
  await world.run(() => Promise.all(members.map(({ session }) => session.close({ timeoutMs: 3000 }))));
  for (const { cluster } of members) cluster.close();
  await world.run(() => embedded.close());
  expect(embedded.problems).toEqual([]);
});

describe('members of a group on the embedded broker', () => {
  it('share, commit what they give up, and take over from one that is killed', async () => {
    await start();
    const a = join();
    await world.advance(1000);
    const b = join();
    await world.advance(5000);
    const c = join();
    await world.advance(5000);
    expect([a, b, c].map(({ session }) => session.owned().length)).toEqual([2, 2, 2]);
    expect(embedded.group('group')).toMatchObject({ state: 'Stable' });
    b.cluster.close();
    await world.advance(20_000);
    expect([a, c].map(({ session }) => session.owned().length)).toEqual([3, 3]);
    expect(b.session.owned()).toEqual([]);
    const committed = embedded.committed('group').map(({ partition, offset }) => offset - partition);
    expect(committed).toEqual([10, 10, 10, 10, 10, 10]);
    const offsets = await world.run(() => a.session.committed([{ topic: 'orders', partition: 3 }]));
    expect(offsets).toMatchObject([{ offset: 13, leaderEpoch: 0 }]);
  });

  it('follow their coordinator to another broker and outlive its restart', async () => {
    await start(3);
    const [a, b] = [join(), join()];
    await world.advance(5000);
    const first = embedded.coordinator('group') ?? 0;
    await world.run(() => embedded.stopBroker(first));
    await world.advance(20_000);
    expect(a.session.owned().length + b.session.owned().length).toBe(6);
    await world.run(() => embedded.startBroker(first));
    await world.advance(20_000);
    expect(a.session.owned().length + b.session.owned().length).toBe(6);
    expect(embedded.group('group')).toMatchObject({ state: 'Stable' });
  });

  it('leave the group empty when all are closed', async () => {
    await start();
    const [a, b] = [join(), join()];
    await world.advance(5000);
    await world.run(() => Promise.all([a, b].map(({ session }) => session.close({ timeoutMs: 3000 }))));
    expect(embedded.group('group')).toMatchObject({ state: 'Empty', members: [] });
  });
});
