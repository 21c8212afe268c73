/** 03 Metadata: brokers, topics and leaders as they are now.
 * Not here: placing replicas (../cluster-state.ts).
 * Invariant: a topic that a request creates is unknown in that very answer, as on a real broker.
 */
import { metadataApi, type MetadataRequest, type MetadataResponse } from '../../protocol/api/03-metadata.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/text.ts';
import { isInternalTopic, isValidTopicName, type Partition, type Topic } from '../topic.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

type TopicAnswer = Input<MetadataResponse['topics'][number]>;
type Wanted = NonNullable<MetadataRequest['topics']>[number];

/** What may be done to a topic (KIP-430): everything, for there is no authorizer; and to the cluster. */
const topicOperations = 3576;
const clusterOperations = 8096;

/** Tells brokers, topics and leaders; may create topics. */
export const metadataHandler: Handler = /* @__PURE__ */ handler(metadataApi, (request, context) => {
  const { cluster, apiVersion, faults } = context;
  if (faults.at()?.errorCode === ErrorCodes.REBOOTSTRAP_REQUIRED)
    return { errorCode: ErrorCodes.REBOOTSTRAP_REQUIRED };
  const asksForAll = request.topics === null || (apiVersion === 0 && request.topics.length === 0);
  const found = asksForAll
    ? Array.from(cluster.topics.values(), (topic) => known(topic, context))
    : (request.topics ?? []).map((wanted) => look(wanted, request.allowAutoTopicCreation, context));
  const { includeTopicAuthorizedOperations: withOperations, includeClusterAuthorizedOperations } = request;
  const running = cluster.runningNodes;
  return {
    brokers: running.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
    clusterId: cluster.settings.clusterId,
    controllerId: running[0]?.nodeId ?? -1,
    topics: withOperations
      ? found.map((topic) => Object.assign(topic, { topicAuthorizedOperations: topicOperations }))
      : found,
    ...(includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: clusterOperations } : {}),
  };
});

function look({ name, topicId }: Wanted, allowCreation: boolean, context: RequestContext): TopicAnswer {
  const { cluster, apiVersion } = context;
  const refuse = (errorCode: number): TopicAnswer => ({
    errorCode,
    name: apiVersion < 12 ? (name ?? '') : name,
    topicId,
  });
  if (topicId !== ZERO_UUID || name === null) {
    // Ids may be named from v10 on and are answered from v12 on.
    if (apiVersion < 12) return refuse(ErrorCodes.INVALID_REQUEST);
    const topic = cluster.topicById(topicId);
    return topic === undefined ? refuse(ErrorCodes.UNKNOWN_TOPIC_ID) : known(topic, context);
  }
  const topic = cluster.topics.get(name);
  if (topic !== undefined) return known(topic, context);
  const create = (): TopicAnswer => {
    if (!isValidTopicName(name)) return refuse(ErrorCodes.INVALID_TOPIC_EXCEPTION);
    if (allowCreation && cluster.settings.autoCreateTopics) {
      cluster.createTopic({ name, partitions: -1, replicationFactor: -1, config: new Map() });
    }
    return refuse(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
  };
  return context.attempt(create, refuse, name);
}

function known(topic: Topic, context: RequestContext): TopicAnswer {
  const { name, topicId } = topic;
  const isInternal = isInternalTopic(name);
  const describe = (): TopicAnswer => ({
    name,
    topicId,
    isInternal,
    partitions: topic.partitions.map((partition) => describePartition(partition, context)),
  });
  return context.attempt(describe, (errorCode) => ({ errorCode, name, topicId, isInternal }), name);
}

function describePartition(
  partition: Partition,
  { cluster }: RequestContext,
): Input<MetadataResponse['topics'][number]['partitions'][number]> {
  const { index, leader, leaderEpoch, replicas } = partition;
  const isRunning = (nodeId: number): boolean => cluster.nodes.get(nodeId)?.isRunning === true;
  return {
    errorCode: leader === -1 ? ErrorCodes.LEADER_NOT_AVAILABLE : 0,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: replicas.filter(isRunning),
    offlineReplicas: replicas.filter((nodeId) => !isRunning(nodeId)),
  };
}
