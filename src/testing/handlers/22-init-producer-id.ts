/** 22 InitProducerId: a producer id; with a transactional id the one that belongs to it, in a new epoch.
 * Not here: epochs and fencing (../transaction.ts). Without a transactional id a broker always gives a new id, whatever
 * id and epoch the producer had (KIP-360 raises epochs of transactional ids only; others raise theirs themselves).
 */
import { initProducerIdApi, type InitProducerIdResponse } from '../../protocol/api/22-init-producer-id.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { handler, type Handler } from './handler.ts';

/** Gives producer ids. */
export const initProducerIdHandler: Handler = /* @__PURE__ */ handler(
  initProducerIdApi,
  ({ transactionalId, transactionTimeoutMs, producerId, producerEpoch }, context) => {
    const { cluster } = context;
    const refuse = (errorCode: number): Input<InitProducerIdResponse> => ({ errorCode, producerEpoch: -1 });
    return context.attempt(() => {
      if (producerId < 0n !== producerEpoch < 0) return refuse(ErrorCodes.INVALID_REQUEST);
      if (transactionalId === null) return { producerId: cluster.nextProducerId(), producerEpoch: 0 };
      const error = context.transactionError(transactionalId);
      if (error !== 0) return refuse(error);
      const expected = producerId < 0n ? undefined : { producerId, producerEpoch };
      const result = cluster.transactions.init(transactionalId, transactionTimeoutMs, expected);
      return typeof result === 'number' ? refuse(context.fencingError(result, 4)) : result;
    }, refuse);
  },
);
