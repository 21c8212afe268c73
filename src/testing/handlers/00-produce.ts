/** 00 Produce: checks batches, appends them, and answers once; with acks 0 not at all.
 * Not here: what makes a batch valid (../batch-check.ts), sequences (../producer-states.ts), transactions
 * (../transactions.ts), which version 12 adds the partition to and older ones must have added it to (KIP-890).
 * Invariant: checks that take time come first; from leadership to the append nothing is awaited.
 */
import { ProtocolError } from '../../errors.ts';
import {
  produceApi,
  type PartitionProduceResponse,
  type ProduceRequest,
} from '../../protocol/api/00-produce.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { setLogAppendTime } from '../../protocol/records/batch-builder.ts';
import { nextBatch, type RecordBatch } from '../../protocol/records/batch.ts';
import type { Input } from '../../protocol/schema.ts';
import { BatchRefusal, checkProducedBatch, correctMaxTimestamp, type CheckedBatch } from '../batch-check.ts';
import type { PartitionLog } from '../partition-log.ts';
import type { Topic } from '../topic.ts';
import type { NamedPartition } from '../transaction.ts';
import { verifyTransaction } from '../verification.ts';
import { handler, LeaderHints, type Handler, type RequestContext } from './handler.ts';

type Answer = Input<PartitionProduceResponse>;

/** Appends batches (acks 0, 1 and all are the same here, for there is one copy). */
export const produceHandler: Handler = /* @__PURE__ */ handler(produceApi, async (request, context) => {
  const hints = new LeaderHints(context.cluster);
  const refusedAll = requestError(request);
  const responses = [];
  let failed = false;
  for (const { name, topicId, partitionData } of request.topicData) {
    const topic = context.topic(name, topicId, 13);
    const partitionResponses: Answer[] = [];
    for (const { index, records } of partitionData) {
      const refuse = (errorCode: number, refusal?: BatchRefusal): Answer => {
        failed ||= errorCode !== 0;
        const { message: errorMessage = null, recordErrors = [] } = refusal ?? {};
        const answer = { index, errorCode, baseOffset: -1, errorMessage, recordErrors };
        if (context.apiVersion < 10 || errorCode !== ErrorCodes.NOT_LEADER_OR_FOLLOWER) return answer;
        return {
          ...answer,
          currentLeader: hints.of(typeof topic === 'number' ? undefined : topic.partitions[index]),
        };
      };
      const effect = async (): Promise<Answer> => {
        if (refusedAll !== 0) return refuse(refusedAll);
        if (typeof topic === 'number') return refuse(topic);
        try {
          return await append(topic, index, records, request, context);
        } catch (error) {
          if (error instanceof BatchRefusal) return refuse(error.errorCode, error);
          throw error;
        }
      };
      const topicName = typeof topic === 'number' ? name : topic.name;
      partitionResponses.push(await context.attempt(effect, refuse, topicName, index));
    }
    responses.push({ name, topicId, partitionResponses });
  }
  // Who wants no answer learns of a failure by losing the connection.
  if (request.acks === 0) return failed ? 'disconnect' : 'none';
  return { responses, nodeEndpoints: hints.endpoints };
});

/** What is wrong with the request as a whole: transactional batches need a name, and are of one producer. 0 if nothing is. */
function requestError({ topicData, transactionalId }: ProduceRequest): number {
  const producers = new Set<string>();
  for (const { partitionData } of topicData) {
    for (const { records } of partitionData) {
      const batch = readable(records);
      if (batch?.isTransactional === true) producers.add(`${batch.producerId} ${batch.producerEpoch}`);
    }
  }
  if (producers.size > 0 && transactionalId === null) return ErrorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  return producers.size > 1 ? ErrorCodes.INVALID_PRODUCER_ID_MAPPING : 0;
}

/** The first batch; undefined where there is none to be read: then `append` says why. */
function readable(records: Uint8Array | null): RecordBatch | undefined {
  try {
    return records === null ? undefined : nextBatch(records, 0);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** Appends the batch of one partition. Rejects with a BatchRefusal. */
async function append(
  topic: Topic,
  index: number,
  records: Uint8Array | null,
  { acks, transactionalId }: ProduceRequest,
  context: RequestContext,
): Promise<Answer> {
  const { platform } = context.cluster.settings;
  const refuse = (errorCode: number): BatchRefusal => new BatchRefusal(errorCode, `${topic.name}-${index}`);
  if (acks < -1 || acks > 1) throw refuse(ErrorCodes.INVALID_REQUIRED_ACKS);
  const checked = await checkProducedBatch(platform, records, context.apiVersion, topic.settings);
  const partition = context.partition(topic, index, -1, false);
  if (typeof partition === 'number') throw refuse(partition);
  const inSync = partition.replicas.filter((nodeId) => context.cluster.nodes.get(nodeId)?.isRunning === true);
  if (acks === -1 && inSync.length < topic.settings.minInsyncReplicas)
    throw refuse(ErrorCodes.NOT_ENOUGH_REPLICAS);
  const { log, leaderEpoch } = partition;
  if (checked.batch.isTransactional && transactionalId !== null) {
    const error = transactionError(
      partition.log,
      [topic.name, index],
      transactionalId,
      checked.batch,
      context,
    );
    if (error !== 0) throw refuse(error);
  }
  const known = log.producers.check(checked.batch);
  if (typeof known === 'number' && known !== 0) throw refuse(known);
  const answer = { index, logStartOffset: log.startOffset };
  if (typeof known !== 'number') {
    const { baseOffset, logAppendTimeMs } = known;
    return { ...answer, baseOffset, logAppendTimeMs };
  }
  const logAppendTimeMs = topic.settings.logAppendTime ? Math.floor(platform.now()) : -1;
  const bytes = stamped(checked, logAppendTimeMs);
  const { baseOffset } = log.append(bytes, leaderEpoch);
  partition.notify();
  return { ...answer, baseOffset, logAppendTimeMs };
}

/** Whether a batch belongs to a transaction: one that has records here, or else by its coordinator's word. */
function transactionError(
  { producers }: PartitionLog,
  partition: NamedPartition,
  transactionalId: string,
  batch: RecordBatch,
  { apiVersion, cluster }: RequestContext,
): number {
  if (producers.isInOpenTransaction(batch)) return 0;
  const support = apiVersion >= 12 ? 'adds' : apiVersion === 11 ? 'abortable' : 'none';
  producers.startVerification(batch, support === 'adds');
  const error = verifyTransaction(cluster, transactionalId, batch, partition, support);
  // Errors that older clients would not try again become one that they do.
  const isBusy =
    error === ErrorCodes.NOT_COORDINATOR ||
    error === ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS ||
    (error === ErrorCodes.CONCURRENT_TRANSACTIONS && support !== 'adds');
  return isBusy ? ErrorCodes.NOT_ENOUGH_REPLICAS : error;
}

/** The batch with the broker's time on it, or with a header that tells the producer's. */
function stamped(checked: CheckedBatch, logAppendTimeMs: number): Uint8Array {
  const { bytes, start, end } = checked.batch;
  const batch = bytes.subarray(start, end);
  if (logAppendTimeMs >= 0) setLogAppendTime(batch, logAppendTimeMs);
  else correctMaxTimestamp(checked);
  return batch;
}
