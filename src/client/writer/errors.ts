/** The errors of writes: that of a call, with one entry per message, null for those that were written, and its entries.
 * Invariant: `errors` is aligned with the messages of the call, and each entry says in `stored` whether its message
 * may be in the log.
 */
import { KafkaError, TimeoutError, UsageError, type ErrorCode, type Stored } from '../../errors.ts';
import type { WriteReceipt } from './receipt.ts';

const brand: unique symbol = Symbol.for('kafka-wire.error');

/** What `writeMessages` rejects with when a message was not written. `instanceof KafkaError` holds too. */
export class WriteErrors extends AggregateError {
  override readonly name: string = 'WriteErrors';
  readonly code: ErrorCode = 'WRITE';
  /** How many messages were not written. */
  readonly count: number;
  /** Whether every failed message may succeed later without a change by the caller. */
  readonly retriable: boolean;
  /** `'no'` when no failed message can be in the log, else `'maybe'`. */
  readonly stored: Stored;
  /** One entry per message of the call, in its order. */
  declare readonly errors: (KafkaError | null)[];
  /** Where the messages went that were written. */
  readonly receipt: WriteReceipt;

  /** `errors` has one entry per message, at least one of them an error; `first` is the one to name. */
  constructor(errors: readonly (KafkaError | null)[], receipt: WriteReceipt, first?: KafkaError) {
    const failures = errors.filter((error) => error !== null);
    first ??= failures[0];
    super(
      errors,
      `${failures.length} of ${errors.length} messages were not written; the first: ${first?.message}`,
      {
        cause: first,
      },
    );
    this.count = failures.length;
    this.retriable = failures.every((error) => error.retriable);
    this.stored = failures.every((error) => error.stored === 'no') ? 'no' : 'maybe';
    this.receipt = receipt;
    Object.defineProperty(this, brand, { value: 'WriteErrors' });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof KafkaError && value.name === 'WriteErrors';
  }
}

/** The same error with what is known about the record, as a `UsageError` if it is none of this package. */
export function withStored(error: unknown, stored: Stored): KafkaError {
  // The application's own: a balancer or a codec.
  if (!(error instanceof KafkaError)) return new UsageError(String(error), { stored, cause: error });
  const { message, code, retriable } = error;
  return error.stored === stored ? error : new KafkaError(message, { code, retriable, stored, cause: error });
}

/** The deadline of records has passed; `what` did not happen, `cause` is why the last attempt was in vain. */
export function lateError(
  what: string,
  limitMs: number,
  cause?: KafkaError,
  stored: Stored = 'no',
): TimeoutError {
  const why = cause === undefined ? '' : `; the last attempt: ${cause.message}`;
  return new TimeoutError(`${what} within deliveryTimeoutMs, ${limitMs} ms${why}`, {
    limitMs,
    stored,
    cause,
  });
}
