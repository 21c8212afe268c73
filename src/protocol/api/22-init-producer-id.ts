/** 22 InitProducerId, v0-v6, flexible from v2.
 * v3 producerId, producerEpoch to go on with (KIP-360). v4 PRODUCER_FENCED (KIP-588). v5
 * TRANSACTION_ABORTABLE (KIP-890). v6 two-phase commit (KIP-939), not final yet.
 * Generated from fixtures/definitions/22-init-producer-id.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** InitProducerId request, v0-v6. */
export interface InitProducerIdRequest {
  /** Default ''. Null for a producer without transactions. */
  transactionalId: string | null;
  /** The coordinator aborts a transaction after so long. */
  transactionTimeoutMs: number;
  /** v3+, default -1n. -1 for a new one. */
  producerId: bigint;
  /** v3+, default -1. */
  producerEpoch: number;
  /** v6+. */
  enable2Pc: boolean;
  /** v6+. */
  keepPreparedTxn: boolean;
}

/** InitProducerId response, v0-v6. */
export interface InitProducerIdResponse {
  /** Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** See `ErrorCodes`. */
  errorCode: number;
  /** Default -1n. */
  producerId: bigint;
  producerEpoch: number;
  /** v6+, default -1n. */
  ongoingTxnProducerId: bigint;
  /** v6+, default -1. */
  ongoingTxnProducerEpoch: number;
}

const initProducerIdRequest: Fields<InitProducerIdRequest> = {
  transactionalId: { type: 'string', nullable: true },
  transactionTimeoutMs: 'int32',
  producerId: { type: 'bigint', since: 3, default: -1n },
  producerEpoch: { type: 'int16', since: 3, default: -1 },
  enable2Pc: { type: 'bool', since: 6 },
  keepPreparedTxn: { type: 'bool', since: 6 },
};

const initProducerIdResponse: Fields<InitProducerIdResponse> = {
  throttleTimeMs: { type: 'int32', ignorable: true },
  errorCode: 'int16',
  producerId: { type: 'bigint', default: -1n },
  producerEpoch: 'int16',
  ongoingTxnProducerId: { type: 'bigint', since: 6, default: -1n },
  ongoingTxnProducerEpoch: { type: 'int16', since: 6, default: -1 },
};

/** Gives a producer its id and epoch; with a transactional id on its coordinator, which fences the former
 * producer.
 */
export const initProducerIdApi: Api<InitProducerIdRequest, InitProducerIdResponse> =
  /* @__PURE__ */ defineApi({
    key: 22,
    name: 'InitProducerId',
    versions: [0, 6],
    flexibleSince: 2,
    unstable: true,
    request: initProducerIdRequest,
    response: initProducerIdResponse,
  });
