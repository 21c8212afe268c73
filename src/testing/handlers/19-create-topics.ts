/** 19 CreateTopics: creates topics, or only says whether it would. Any broker does it.
 * Not here: the checks and the placing of replicas (../cluster-state.ts).
 */
import {
  createTopicsApi,
  type CreatableTopic,
  type CreatableTopicResult,
} from '../../protocol/api/19-create-topics.ts';
import { ErrorCodes, errorCode as nameOf } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

type Answer = Input<CreatableTopicResult>;

/** Source of a setting that was given to the topic itself. */
const topicConfig = 1;

/** Creates topics. */
export const createTopicsHandler: Handler = /* @__PURE__ */ handler(createTopicsApi, (request, context) => {
  const names = request.topics.map(({ name }) => name);
  const topics = request.topics.map((wanted) => {
    const refuse = (errorCode: number): Answer => {
      const errorMessage = errorCode === 0 ? null : `${nameOf(errorCode).name}: topic ${wanted.name}`;
      return { name: wanted.name, errorCode, errorMessage };
    };
    const create = (): Answer => {
      const isRepeated = names.indexOf(wanted.name) !== names.lastIndexOf(wanted.name);
      return isRepeated
        ? refuse(ErrorCodes.INVALID_REQUEST)
        : createOne(wanted, request.validateOnly, context, refuse);
    };
    return context.attempt(create, refuse, wanted.name);
  });
  return { topics };
});

function createOne(
  wanted: CreatableTopic,
  validateOnly: boolean,
  { cluster }: RequestContext,
  refuse: (errorCode: number) => Answer,
): Answer {
  const { name, numPartitions: partitions, replicationFactor } = wanted;
  const config = new Map(
    wanted.configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])),
  );
  const plan = { name, partitions, replicationFactor, config };
  const assignment = assignmentOf(wanted);
  if (typeof assignment === 'number') return refuse(assignment);
  const topic = cluster.createTopic(assignment === undefined ? plan : { ...plan, assignment }, validateOnly);
  if (typeof topic === 'number') return refuse(topic);
  return {
    name,
    topicId: topic.topicId,
    errorMessage: null,
    numPartitions: topic.partitions.length,
    replicationFactor: topic.partitions[0]?.replicas.length ?? -1,
    configs: Array.from(config, ([name, value]) => ({ name, value, configSource: topicConfig })),
  };
}

/** The replicas a client chose, by partition; undefined when it left that to the cluster, or the error code. */
function assignmentOf(wanted: CreatableTopic): readonly (readonly number[])[] | number | undefined {
  const { assignments, numPartitions, replicationFactor } = wanted;
  if (assignments.length === 0) return undefined;
  if (numPartitions !== -1 || replicationFactor !== -1) return ErrorCodes.INVALID_REQUEST;
  const byIndex = new Map(assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds]));
  return Array.from(assignments, (_, i) => byIndex.get(i) ?? []);
}
