/** Turns a Metadata answer into the next snapshot; pure.
 * Invariants: an answer that lags behind (a lower leader epoch of the same topic id) does not take a leader back;
 * a topic that is briefly reported as unknown keeps its partitions and only gains an error code (reliability: a
 * restarting broker forgets topics for a moment).
 * Source: KIP-320 (leader epochs), KIP-516 (topic ids).
 */
import type { Input } from '../../protocol/schema.ts';
import type {
  MetadataRequest,
  MetadataResponse,
  MetadataResponsePartition,
  MetadataResponseTopic,
} from '../../protocol/api/03-metadata.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Broker, MetadataSnapshot, PartitionSnapshot, TopicSnapshot } from './types.ts';

/** A topic id where the broker has none. */
export const zeroTopicId = 'AAAAAAAAAAAAAAAAAAAAAA';

/** What is known before the first answer: nothing. */
export const emptySnapshot: MetadataSnapshot = {
  version: 0,
  clusterId: null,
  controllerId: -1,
  brokers: new Map(),
  topics: new Map(),
};

/** Asks for the named topics and all brokers. */
export function metadataRequest(
  topics: Iterable<string>,
  allowAutoTopicCreation: boolean,
): Input<MetadataRequest> {
  return { topics: Array.from(topics, (name) => ({ name })), allowAutoTopicCreation };
}

function partitionSnapshot(
  answer: MetadataResponsePartition,
  previous: PartitionSnapshot | undefined,
): PartitionSnapshot {
  const lags = previous !== undefined && answer.leaderEpoch >= 0 && answer.leaderEpoch < previous.leaderEpoch;
  if (lags) return previous;
  return {
    partition: answer.partitionIndex,
    leader: answer.leaderId,
    leaderEpoch: answer.leaderEpoch,
    replicas: answer.replicaNodes,
    isr: answer.isrNodes,
  };
}

function topicSnapshot(answer: MetadataResponseTopic, previous: TopicSnapshot | undefined): TopicSnapshot {
  const name = answer.name ?? '';
  const { topicId, errorCode } = answer;
  if (errorCode !== ErrorCodes.NONE && errorCode !== ErrorCodes.LEADER_NOT_AVAILABLE) {
    const kept = previous ?? { name, topicId, partitions: [] };
    return { ...kept, errorCode };
  }
  const known = previous?.topicId === topicId ? previous.partitions : [];
  const partitions: PartitionSnapshot[] = [];
  for (const partition of answer.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)) {
    // A hole in the numbers would make the index lie; what lies beyond it is taken up by a later answer.
    if (partition.partitionIndex !== partitions.length) break;
    partitions.push(partitionSnapshot(partition, known[partition.partitionIndex]));
  }
  return {
    name,
    topicId,
    errorCode: partitions.length === 0 ? ErrorCodes.LEADER_NOT_AVAILABLE : 0,
    partitions,
  };
}

/** A leader that an answer names, since it is another one than was asked (KIP-951). */
export interface LeaderHint {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** Node id; below 0 there is no hint. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

/** The snapshot with a leader of a newer epoch, if `nodes` or the snapshot knows where it is; else the same one. */
export function withLeader(
  previous: MetadataSnapshot,
  { topic: name, topicId, partition, leaderId: leader, leaderEpoch }: LeaderHint,
  nodes: readonly Broker[],
): MetadataSnapshot {
  const { version, brokers, topics } = previous;
  const topic = topics.get(name);
  const known = topic?.partitions[partition];
  const node = nodes.find(({ nodeId }) => nodeId === leader) ?? brokers.get(leader);
  if (topic?.topicId !== topicId || known === undefined || node === undefined) return previous;
  if (leaderEpoch <= known.leaderEpoch) return previous;
  const partitions = topic.partitions.with(partition, { ...known, leader, leaderEpoch });
  return {
    ...previous,
    version: version + 1,
    brokers: new Map(brokers).set(leader, node),
    topics: new Map(topics).set(name, { ...topic, partitions }),
  };
}

/** The snapshot after an answer. Topics that are no longer in use are dropped. */
export function nextSnapshot(
  previous: MetadataSnapshot,
  answer: MetadataResponse,
  inUse: ReadonlySet<string> | ReadonlyMap<string, unknown>,
): MetadataSnapshot {
  const brokers = new Map<number, Broker>();
  for (const { nodeId, host, port, rack } of answer.brokers)
    brokers.set(nodeId, { nodeId, host, port, rack });
  const topics = new Map<string, TopicSnapshot>();
  for (const [name, topic] of previous.topics) if (inUse.has(name)) topics.set(name, topic);
  for (const topic of answer.topics) {
    if (topic.name !== null) topics.set(topic.name, topicSnapshot(topic, previous.topics.get(topic.name)));
  }
  const { clusterId, controllerId } = answer;
  // An answer without brokers is one of a broker that has just started: the known ones stay.
  const known = brokers.size === 0 ? previous.brokers : brokers;
  return { version: previous.version + 1, clusterId, controllerId, brokers: known, topics };
}
