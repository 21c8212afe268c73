/** 24 AddPartitionsToTxn: partitions of a transaction before it writes to them: all that are named, or none.
 * Not here: what may be added (../transaction.ts). From version 4 on brokers ask, for many transactions, and may only
 * want to know whether the partitions are in (KIP-890).
 */
import {
  addPartitionsToTxnApi,
  type AddPartitionsToTxnTopicResult,
  type AddPartitionsToTxnTransaction,
} from '../../protocol/api/24-add-partitions-to-txn.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { NamedPartition } from '../transaction.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

/** Adds partitions to transactions. */
export const addPartitionsToTxnHandler: Handler = /* @__PURE__ */ handler(
  addPartitionsToTxnApi,
  (request, context) => {
    if (context.apiVersion >= 4) {
      const results = request.transactions.map((transaction) => ({
        transactionalId: transaction.transactionalId,
        topicResults: addAll(transaction, context),
      }));
      return { resultsByTransaction: results };
    }
    const transaction = {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    };
    return { resultsByTopicV3AndBelow: addAll(transaction, context) };
  },
);

function addAll(
  transaction: AddPartitionsToTxnTransaction,
  context: RequestContext,
): AddPartitionsToTxnTopicResult[] {
  const { cluster, faults } = context;
  const exists = ([topic, index]: NamedPartition): boolean =>
    cluster.topics.get(topic)?.partitions[index] !== undefined;
  const named = transaction.topics.flatMap(({ name, partitions }) =>
    partitions.map((index): NamedPartition => [name, index]),
  );
  const prevented = named.filter(([topic, index]) => faults.at(topic, index)?.hasEffect === false);
  const isWhole = prevented.length === 0 && named.every(exists);
  const errorOf = isWhole ? add(transaction, named, context) : () => ErrorCodes.OPERATION_NOT_ATTEMPTED;
  return transaction.topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => {
      const partition: NamedPartition = [name, partitionIndex];
      const error = exists(partition) ? errorOf(partition) : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
      return { partitionIndex, partitionErrorCode: faults.at(name, partitionIndex)?.errorCode ?? error };
    }),
  }));
}

/** Adds or verifies; the error code of each partition. */
function add(
  { transactionalId, producerId, producerEpoch, verifyOnly }: AddPartitionsToTxnTransaction,
  partitions: readonly NamedPartition[],
  context: RequestContext,
): (partition: NamedPartition) => number {
  const { transactions } = context.cluster;
  const producer = { producerId, producerEpoch };
  const unavailable = context.transactionError(transactionalId);
  if (unavailable !== 0) return () => unavailable;
  if (verifyOnly) return (partition) => transactions.verify(transactionalId, producer, partition);
  const error = context.fencingError(transactions.add(transactionalId, producer, partitions), 2);
  return () => error;
}
