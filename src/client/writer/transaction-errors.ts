/** What goes wrong in a transaction, sorted in one place: what heals by itself, what ends the transaction, and what ends
 * the Writer. Errors of Produce are not sorted here: each ends the transaction, and the coordinator says whether more.
 * Invariant: a code that is not named is fatal, since nobody knows what it leaves behind.
 * Source: KIP-1050, as the response handlers of Java's TransactionManager sort them.
 */
import { BrokerError, KafkaError } from '../../errors.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { brokerError } from '../cluster/index.ts';

/** Whether an error code of a coordinator leaves the Writer usable once its transaction was aborted. */
function isAbortable(code: number): boolean {
  switch (code) {
    case ErrorCodes.UNKNOWN_PRODUCER_ID:
    case ErrorCodes.INVALID_PRODUCER_ID_MAPPING:
    case ErrorCodes.TOPIC_AUTHORIZATION_FAILED:
    case ErrorCodes.GROUP_AUTHORIZATION_FAILED:
    case ErrorCodes.OFFSET_METADATA_TOO_LARGE:
    case ErrorCodes.OPERATION_NOT_ATTEMPTED:
    case ErrorCodes.TRANSACTION_ABORTABLE:
    // The group went on without this member.
    case ErrorCodes.UNKNOWN_MEMBER_ID:
    case ErrorCodes.ILLEGAL_GENERATION:
    case ErrorCodes.REBALANCE_IN_PROGRESS:
    case ErrorCodes.FENCED_INSTANCE_ID:
    case ErrorCodes.FENCED_MEMBER_EPOCH:
    case ErrorCodes.STALE_MEMBER_EPOCH:
      return true;
    default:
      return false;
  }
}

/** Whether the coordinator has put an end to the transaction, or the id is another's. Which code says so depends on who
 * comes first: after a fence, an EndTxn of the epoch before looks like a late one (KIP-890), and is told INVALID_TXN_STATE;
 * before KIP-588 an old epoch was INVALID_PRODUCER_EPOCH. */
function isFence(code: number): boolean {
  switch (code) {
    case ErrorCodes.PRODUCER_FENCED:
    case ErrorCodes.INVALID_PRODUCER_EPOCH:
    case ErrorCodes.INVALID_TXN_STATE:
      return true;
    default:
      return false;
  }
}

/** The error for a code of a coordinator. */
export function coordinatorError(
  code: number,
  what: string,
  topic?: string,
  partition?: number,
): BrokerError {
  if (!isFence(code)) return brokerError(code, what, { topic, partition });
  const detail =
    'another producer has this transactional id, or the transaction outlived transactionTimeoutMs';
  const { message, errorCode, errorName } = brokerError(code, what, { detail });
  return new BrokerError(message, { code: 'FENCED', errorCode, errorName });
}

/** Whether a failure of a coordinator's request ends the Writer. */
export function isFatal(error: unknown): boolean {
  if (error instanceof BrokerError) return !error.retriable && !isAbortable(error.errorCode);
  return error instanceof KafkaError && error.code === 'UNSUPPORTED_VERSION';
}

/** What a call on a transaction gets that can only be aborted. */
export function abortOnlyError(cause: KafkaError): KafkaError {
  const text = `The transaction can only be aborted: ${cause.message}`;
  return new KafkaError(text, { code: cause.code, cause, stored: 'no' });
}
