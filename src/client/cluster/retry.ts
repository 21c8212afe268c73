/** The one retry policy: which broker error is healed how, how long to wait in between, and when to give up.
 * Not here: what a caller does with the outcome.
 * Source: Kafka's `Errors` (RetriableException and InvalidMetadataException), `retry.backoff.ms`.
 */
import {
  BrokerError,
  KafkaError,
  TimeoutError,
  UsageError,
  type ErrorCode as ClientErrorCode,
  type Stored,
} from '../../errors.ts';
import type { Platform } from '../../platform.ts';
import { ErrorCodes, errorCode } from '../../protocol/error-codes.ts';

/** What heals an error code: nothing to heal, the same again, new metadata first, a new coordinator first, or nothing. */
export type RetryAction = 'none' | 'retry' | 'refresh-metadata' | 'find-coordinator' | 'fail';

/** How the client answers a broker's error code. */
export function retryAction(code: number): RetryAction {
  switch (code) {
    case ErrorCodes.NONE:
      return 'none';
    case ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCodes.LEADER_NOT_AVAILABLE:
    case ErrorCodes.NOT_LEADER_OR_FOLLOWER:
    case ErrorCodes.REPLICA_NOT_AVAILABLE:
    case ErrorCodes.KAFKA_STORAGE_ERROR:
    case ErrorCodes.LISTENER_NOT_FOUND:
    case ErrorCodes.FENCED_LEADER_EPOCH:
    case ErrorCodes.UNKNOWN_TOPIC_ID:
    case ErrorCodes.INCONSISTENT_TOPIC_ID:
      return 'refresh-metadata';
    case ErrorCodes.COORDINATOR_NOT_AVAILABLE:
    case ErrorCodes.NOT_COORDINATOR:
      return 'find-coordinator';
    default:
      return errorCode(code).retriable ? 'retry' : 'fail';
  }
}

/** Most characters of a broker's own words in an error. */
const maxDetail = 500;

/** What the error for a code is about. */
export interface BrokerErrorContext {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly stored?: Stored | undefined;
  /** What the broker, or we, have to say beyond the code. */
  readonly detail?: string | null | undefined;
}

function clientCode(code: number): ClientErrorCode {
  switch (code) {
    case ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION:
      return 'UNKNOWN_TOPIC';
    case ErrorCodes.MESSAGE_TOO_LARGE:
    case ErrorCodes.RECORD_LIST_TOO_LARGE:
      return 'MESSAGE_TOO_LARGE';
    default:
      return 'BROKER';
  }
}

/** The error for a code that could not be healed. */
export function brokerError(code: number, what: string, context: BrokerErrorContext = {}): BrokerError {
  const { name, retriable } = errorCode(code);
  const { topic, partition, stored, detail } = context;
  const more = detail ? `: ${detail.slice(0, maxDetail)}` : '';
  const place =
    topic === undefined ? '' : partition === undefined ? ` for ${topic}` : ` for ${topic}[${partition}]`;
  return new BrokerError(`${what} failed${place}: ${name} (${code})${more}`, {
    code: clientCode(code),
    errorCode: code,
    errorName: name,
    retriable,
    topic,
    partition,
    ...(stored === undefined ? {} : { stored }),
  });
}

/** What a call on something closed gets. */
export function closedError(what: string, stored?: Stored): UsageError {
  return new UsageError(`${what} is closed`, { code: 'CLOSED', ...(stored === undefined ? {} : { stored }) });
}

/** Delays that double from `minMs` to `maxMs`, each 20 % up or down so that clients do not march in step. */
export class Backoff {
  readonly #platform: Platform;
  readonly #minMs: number;
  readonly #maxMs: number;
  #attempts = 0;

  constructor(platform: Platform, minMs = 100, maxMs = 1000) {
    this.#platform = platform;
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** The next delay in milliseconds. */
  next(): number {
    const delayMs = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(this.#attempts++, 30));
    return Math.round(delayMs * (0.8 + 0.4 * this.#platform.random()));
  }

  reset(): void {
    this.#attempts = 0;
  }
}

/** Settles with `work`, if there is any, or as `onTimer` does after `limitMs`, or rejects with the signal's reason. */
function timed<T>(
  platform: Platform,
  limitMs: number,
  signal: AbortSignal | undefined,
  work: Promise<T> | undefined,
  onTimer: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
    };
    const settle = (value: T): void => {
      done();
      resolve(value);
    };
    const fail = (error: unknown): void => {
      done();
      reject(error);
    };
    const abort = (): void => fail(signal?.reason);
    const timer = platform.setTimer(Math.max(0, Math.min(limitMs, 2 ** 31 - 1)), () => onTimer(settle, fail));
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    work?.then(settle, fail);
  });
}

/** Settles with `work`, or rejects with `onTimeout()` after `limitMs`, or with the signal's reason. */
export function withDeadline<T>(
  platform: Platform,
  work: Promise<T>,
  limitMs: number,
  onTimeout: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  return timed(platform, limitMs, signal, work, (_, reject) => reject(onTimeout()));
}

/** Resolves after `ms`; rejects with the signal's reason. */
export function sleep(platform: Platform, ms: number, signal?: AbortSignal): Promise<void> {
  return timed<void>(platform, ms, signal, undefined, (resolve) => resolve());
}

/** How long to repeat, and what gives up. */
export interface Patience {
  /** On `platform.monotonicNow()`. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds before the first repetition, default 100. */
  readonly firstWaitMs?: number | undefined;
}

/** Repeats `attempt` while it fails with a retriable error, with backoff. Rejects with any other error, with the
 * signal's reason, or at the deadline with a `TimeoutError` that begins with `failed` and has the last failure as cause.
 */
export function repeat<T>(
  platform: Platform,
  failed: string,
  { deadlineMs, signal, firstWaitMs }: Patience,
  attempt: () => Promise<T>,
): Promise<T> {
  const limitMs = Math.max(0, Math.round(deadlineMs - platform.monotonicNow()));
  const backoff = new Backoff(platform, firstWaitMs);
  let failure: unknown;
  const timeout = (): Error =>
    new TimeoutError(`${failed} within ${limitMs} ms`, { limitMs, cause: failure });
  const work = async (): Promise<T> => {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof KafkaError) || !error.retriable || signal?.aborted) throw error;
        failure = error;
      }
      const waitMs = backoff.next();
      if (platform.monotonicNow() + waitMs >= deadlineMs) throw timeout();
      await sleep(platform, waitMs, signal);
    }
  };
  return withDeadline(platform, work(), limitMs, timeout, signal);
}
