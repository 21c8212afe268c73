/** 66 ListTransactions: the transactional ids that this broker coordinates (KIP-664, 994, 1152).
 * Not here: RE2; a pattern is read as a JavaScript regular expression, which differs only in what is rare.
 */
import {
  listTransactionsApi,
  type ListTransactionsRequest,
} from '../../protocol/api/66-list-transactions.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Transaction } from '../transaction.ts';
import { handler, type Handler } from './handler.ts';

const states: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]);

/** Lists transactional ids. */
export const listTransactionsHandler: Handler = /* @__PURE__ */ handler(
  listTransactionsApi,
  (request, context) =>
    context.attempt(
      () => {
        const pattern = compiled(request.transactionalIdPattern);
        if (pattern === undefined) return { errorCode: ErrorCodes.INVALID_REGULAR_EXPRESSION };
        const { transactions, settings } = context.cluster;
        const nowMs = settings.platform.now();
        const found = transactions.all.filter(
          (transaction) =>
            context.coordinatorError(transaction.transactionalId, 'transaction') === 0 &&
            isWanted(transaction, request, nowMs) &&
            pattern.test(transaction.transactionalId),
        );
        return {
          unknownStateFilters: request.stateFilters.filter((state) => !states.has(state)),
          transactionStates: found.map(({ transactionalId, producerId, state }) => ({
            transactionalId,
            producerId,
            transactionState: state,
          })),
        };
      },
      (errorCode) => ({ errorCode }),
    ),
);

function isWanted(
  { state, producerId, startMs }: Transaction,
  { stateFilters, producerIdFilters, durationFilter }: ListTransactionsRequest,
  nowMs: number,
): boolean {
  if (stateFilters.length > 0 && !stateFilters.includes(state)) return false;
  if (producerIdFilters.length > 0 && !producerIdFilters.includes(producerId)) return false;
  return durationFilter < 0 || nowMs - startMs > durationFilter;
}

/** The pattern for whole ids; undefined when it is none. */
function compiled(pattern: string | null): RegExp | undefined {
  if (pattern === null || pattern === '') return /^/;
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    return undefined;
  }
}
