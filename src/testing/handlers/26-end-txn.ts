/** 26 EndTxn: commits or aborts a transaction. The answer does not wait for the markers.
 * Not here: what a producer may end (../transaction.ts), markers (../transactions.ts).
 */
import { endTxnApi, type EndTxnResponse } from '../../protocol/api/26-end-txn.ts';
import type { Input } from '../../protocol/schema.ts';
import { handler, type Handler } from './handler.ts';

/** Ends transactions; from version 5 on every end raises the epoch (KIP-890). */
export const endTxnHandler: Handler = /* @__PURE__ */ handler(
  endTxnApi,
  ({ transactionalId, producerId, producerEpoch, committed }, context) => {
    const { cluster, apiVersion } = context;
    const refuse = (errorCode: number): Input<EndTxnResponse> => ({ errorCode });
    return context.attempt(() => {
      const error = context.transactionError(transactionalId);
      if (error !== 0) return refuse(error);
      const producer = { producerId, producerEpoch };
      const result = cluster.transactions.end(transactionalId, producer, committed, apiVersion >= 5);
      return typeof result === 'number' ? refuse(context.fencingError(result, 2)) : result;
    }, refuse);
  },
);
