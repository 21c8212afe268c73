/** 25 AddOffsetsToTxn: the offsets of a group as one more partition of a transaction (KIP-98).
 * Not here: the offsets (28-txn-offset-commit.ts, on the group's coordinator).
 */
import { addOffsetsToTxnApi } from '../../protocol/api/25-add-offsets-to-txn.ts';
import { offsetsPartition } from '../transactional-offsets.ts';
import { handler, type Handler } from './handler.ts';

/** Adds a group's offsets to a transaction. */
export const addOffsetsToTxnHandler: Handler = /* @__PURE__ */ handler(
  addOffsetsToTxnApi,
  ({ transactionalId, producerId, producerEpoch, groupId }, context) => {
    const add = (): number => {
      const unavailable = context.transactionError(transactionalId);
      if (unavailable !== 0) return unavailable;
      const { transactions } = context.cluster;
      const producer = { producerId, producerEpoch };
      return context.fencingError(
        transactions.add(transactionalId, producer, [offsetsPartition(groupId)]),
        2,
      );
    };
    return { errorCode: context.attempt(add, (errorCode) => errorCode) };
  },
);
