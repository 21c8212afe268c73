/** A group member for tests, which writes down what it was told and when. */
import {
  GroupSession,
  type GroupSessionOptions,
  type OwnedPartition,
} from '../../../src/client/group/index.ts';
import type { KafkaError } from '../../../src/errors.ts';
import { virtualWorld, type VirtualWorld } from '../../../src/runtime/virtual.ts';
import { FakeBroker, type FakeCluster } from './fake-cluster.ts';

/** A member and its story. */
export interface TestMember {
  readonly session: GroupSession;
  readonly cluster: FakeCluster;
  /** Such as `assigned orders:0,1`, `revoked orders:0,1`, `lost ...`, `error NAME`. */
  readonly events: string[];
  readonly errors: KafkaError[];
  /** The newest assignment, with its ownership numbers. */
  assigned: readonly OwnedPartition[];
  /** Done in `onAssigned` and `onRevoked`, before they settle. */
  whenAssigned: ((partitions: readonly OwnedPartition[]) => unknown) | undefined;
  whenRevoked: ((partitions: readonly OwnedPartition[]) => unknown) | undefined;
}

/** Partitions as `topic:0,1 other:2`. */
export function text(partitions: readonly OwnedPartition[]): string {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  return Array.from(topics, ([topic, numbers]) => `${topic}:${numbers.join()}`).join(' ') || 'nothing';
}

/** Makes a member; it has not started. */
export function member(broker: FakeBroker, options: Partial<GroupSessionOptions> = {}): TestMember {
  const cluster = broker.cluster();
  const events: string[] = [];
  const errors: KafkaError[] = [];
  const session = new GroupSession(cluster, cluster, {
    groupId: 'group',
    topics: ['orders'],
    listener: {
      async onAssigned(added) {
        events.push(`assigned ${text(added)}`);
        made.assigned = added;
        await made.whenAssigned?.(added);
      },
      async onRevoked(partitions) {
        events.push(`revoked ${text(partitions)}`);
        await made.whenRevoked?.(partitions);
      },
      onLost: (partitions) => void events.push(`lost ${text(partitions)}`),
      onError(error) {
        events.push(`error ${'errorName' in error ? String(error.errorName) : error.code}`);
        errors.push(error);
      },
    },
    ...options,
  });
  const made: TestMember = {
    session,
    cluster,
    events,
    errors,
    assigned: [],
    whenAssigned: undefined,
    whenRevoked: undefined,
  };
  return made;
}

/** A world with one group of `orders`. */
export interface GroupWorld extends VirtualWorld {
  readonly broker: FakeBroker;
}

/** Makes a world; topics default to `orders` with 4 partitions. */
export function groupWorld(topics: Record<string, number> = { orders: 4 }): GroupWorld {
  const world = virtualWorld();
  return { ...world, broker: new FakeBroker(world.platform, topics) };
}
