/** 65 DescribeTransactions: the state of transactional ids that this broker coordinates (KIP-664). */
import {
  describeTransactionsApi,
  type DescribeTransactionsResponse,
} from '../../protocol/api/65-describe-transactions.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

type Described = Input<DescribeTransactionsResponse['transactionStates'][number]>;

/** Describes transactional ids. */
export const describeTransactionsHandler: Handler = /* @__PURE__ */ handler(
  describeTransactionsApi,
  ({ transactionalIds }, context) => ({
    transactionStates: transactionalIds.map((transactionalId) => describe(transactionalId, context)),
  }),
);

function describe(transactionalId: string, context: RequestContext): Described {
  const refuse = (errorCode: number): Described => ({ transactionalId, errorCode });
  return context.attempt(() => {
    const error = context.transactionError(transactionalId);
    if (error !== 0) return refuse(error);
    const transaction = context.cluster.transactions.get(transactionalId);
    if (transaction === undefined) return refuse(ErrorCodes.TRANSACTIONAL_ID_NOT_FOUND);
    const { state, timeoutMs, startMs, producerId, producerEpoch, partitions } = transaction;
    return {
      transactionalId,
      transactionState: state,
      transactionTimeoutMs: timeoutMs,
      transactionStartTimeMs: startMs,
      producerId,
      producerEpoch,
      topics: Array.from(partitions, ([topic, indexes]) => ({ topic, partitions: [...indexes] })),
    };
  }, refuse);
}
