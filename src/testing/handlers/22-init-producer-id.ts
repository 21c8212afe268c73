/** 22 InitProducerId: a producer id for an idempotent producer.
 * Not here: transactions; a transactional id is refused. Without one a broker always gives a new id, whatever id and
 * epoch the producer had (KIP-360 raises epochs of transactional ids only; others raise theirs themselves).
 */
import { initProducerIdApi, type InitProducerIdResponse } from '../../protocol/api/22-init-producer-id.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import { handler, type Handler } from './handler.ts';

/** Gives producer ids. */
export const initProducerIdHandler: Handler = /* @__PURE__ */ handler(
  initProducerIdApi,
  (request, context) => {
    const refuse = (errorCode: number): Input<InitProducerIdResponse> => ({ errorCode, producerEpoch: -1 });
    return context.attempt(() => {
      const isHalfNamed = request.producerId < 0n !== request.producerEpoch < 0;
      if (request.transactionalId !== null || isHalfNamed) return refuse(ErrorCodes.INVALID_REQUEST);
      return { producerId: context.cluster.nextProducerId(), producerEpoch: 0 };
    }, refuse);
  },
);
