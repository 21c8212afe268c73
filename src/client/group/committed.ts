/** Reads a group's committed offsets.
 * Invariant: only stable offsets are returned (KIP-447): while a transaction that commits to a partition is undecided,
 * the question is repeated.
 * Source: Kafka's OffsetFetch up to v9 (by topic name), `RequireStable` from v7 on.
 */
import { ProtocolError } from '../../errors.ts';
import {
  offsetFetchApi,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
} from '../../protocol/api/09-offset-fetch.ts';
import type { Input } from '../../protocol/schema.ts';
import { byTopic, type TopicPartition, type Patience } from '../cluster/index.ts';
import type { GroupCoordinator } from './coordinator.ts';
import { partitionKey } from './ownership.ts';

/** Where a group stands in a partition. */
export interface CommittedOffset {
  /** Offset of the next record to read, -1 if the group has committed none. */
  readonly offset: number;
  /** -1 if unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

function fetchRequest(
  groupId: string,
  partitions: readonly TopicPartition[],
  version: number,
): Input<OffsetFetchRequest> {
  const topics = byTopic(partitions, ({ partition }) => partition).map(
    ({ name, partitions: partitionIndexes }) => ({ name, partitionIndexes }),
  );
  const requireStable = version >= 7;
  return version >= 8 ? { groups: [{ groupId, topics }], requireStable } : { groupId, topics, requireStable };
}

function offsetsOf(coordinator: GroupCoordinator, answer: OffsetFetchResponse): Map<string, CommittedOffset> {
  const group = answer.groups[0] ?? answer;
  coordinator.check(group.errorCode, 'OffsetFetch');
  const offsets = new Map<string, CommittedOffset>();
  for (const { name, partitions } of group.topics) {
    for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode } of partitions) {
      coordinator.check(errorCode, 'OffsetFetch', name, partitionIndex);
      const key = partitionKey({ topic: name, partition: partitionIndex });
      offsets.set(key, { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata });
    }
  }
  return offsets;
}

/** The committed offsets in the order of `partitions`. Rejects with a `BrokerError`, or a `TimeoutError` at the
 * deadline, or the signal's reason. */
export function fetchCommitted(
  coordinator: GroupCoordinator,
  partitions: readonly TopicPartition[],
  patience: Patience,
): Promise<CommittedOffset[]> {
  return coordinator.repeat('OffsetFetch', patience, async () => {
    const body = (version: number): Input<OffsetFetchRequest> =>
      fetchRequest(coordinator.groupId, partitions, version);
    const options = { signal: patience.signal, maxVersion: 9 };
    const offsets = offsetsOf(coordinator, await coordinator.ask('control', offsetFetchApi, body, options));
    return partitions.map((each) => {
      const offset = offsets.get(partitionKey(each));
      if (offset !== undefined) return offset;
      throw new ProtocolError(`The answer lacks ${each.topic}[${each.partition}]`, {
        api: 'OffsetFetchResponse',
      });
    });
  });
}
