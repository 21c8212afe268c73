/** What a partition's leader asks the transaction coordinator before the first write of a transaction (KIP-890).
 * Not here: whether it has to ask: only while the partition has nothing of the transaction.
 * Source: Kafka's AddPartitionsToTxnManager.
 */
import { ErrorCodes } from '../protocol/error-codes.ts';
import type { ClusterState } from './cluster-state.ts';
import type { NamedPartition, ProducerIdentity } from './transaction.ts';

/** What a request's version can do: nothing of KIP-890, understand TRANSACTION_ABORTABLE, or add its partitions itself. */
export type TransactionSupport = 'none' | 'abortable' | 'adds';

/** Whether the partition is in the producer's open transaction, or was now added to it: 0 or the error code. */
export function verifyTransaction(
  cluster: ClusterState,
  transactionalId: string,
  { producerId, producerEpoch }: ProducerIdentity,
  partition: NamedPartition,
  support: TransactionSupport,
): number {
  const coordinator = cluster.coordinator('transaction', transactionalId)?.nodeId ?? -1;
  const unavailable = cluster.coordinatorError('transaction', transactionalId, coordinator);
  if (unavailable !== 0) return unavailable;
  const producer = { producerId, producerEpoch };
  const error =
    support === 'adds'
      ? cluster.transactions.add(transactionalId, producer, [partition])
      : cluster.transactions.verify(transactionalId, producer, partition);
  if (error === ErrorCodes.PRODUCER_FENCED) return ErrorCodes.INVALID_PRODUCER_EPOCH;
  const isUnknown = error === ErrorCodes.TRANSACTION_ABORTABLE && support === 'none';
  return isUnknown ? ErrorCodes.INVALID_TXN_STATE : error;
}
