/** 20 DeleteTopics: deletes topics by name, or from version 6 on by id too. Any broker does it. */
import { deleteTopicsApi, type DeletableTopicResult } from '../../protocol/api/20-delete-topics.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/text.ts';
import { handler, type Handler } from './handler.ts';

/** Deletes topics. */
export const deleteTopicsHandler: Handler = /* @__PURE__ */ handler(deleteTopicsApi, (request, context) => {
  const { cluster } = context;
  const names = request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
  const wanted = context.apiVersion >= 6 ? request.topics : names;
  const responses = wanted.map(({ name, topicId }) => {
    const topic = name === null ? cluster.topicById(topicId) : cluster.topics.get(name);
    const answer = (errorCode: number): Input<DeletableTopicResult> => {
      return { name: topic?.name ?? name, topicId: topic?.topicId ?? topicId, errorCode };
    };
    const remove = (): Input<DeletableTopicResult> => {
      if (topic === undefined) {
        return answer(name === null ? ErrorCodes.UNKNOWN_TOPIC_ID : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      }
      cluster.deleteTopic(topic);
      return answer(0);
    };
    return context.attempt(remove, answer, topic?.name ?? name ?? undefined);
  });
  return { responses };
});
