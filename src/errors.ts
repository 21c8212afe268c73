/** The error family of the whole package: one root, six leaves, and what a caller may decide on.
 * Not here: which broker code becomes which error (client/cluster/retry.ts decides).
 * Invariant: a message says what failed, where, by which limit and what to do; never a key, value or secret.
 */

const brand: unique symbol = Symbol.for('kafka-wire.error');

/** What went wrong, from a closed list; programs decide on this and never on the text.
 * - `MALFORMED`: bytes that are not what the protocol says. `CORRUPT`: a checksum does not hold.
 * - `VALUE_RANGE`: a value that the field, or a JavaScript number, cannot carry exactly.
 * - `UNSUPPORTED_VERSION`: no version of the API, or no such feature, is common to both sides.
 * - `BROKER`: the broker answered with an error code; see `BrokerError.errorCode`.
 * - `CONNECT`: no connection could be made. `DISCONNECTED`: it was lost. `TIMEOUT`: a deadline passed.
 * - `USAGE`: the caller's mistake. `MESSAGE_TOO_LARGE`, `UNKNOWN_TOPIC`, `BUFFER_FULL`: what they say.
 * - `CLOSED`: the object was closed. `ABORTED`: the caller's AbortSignal fired.
 * - `FENCED`: another member or producer took over. `WRITE`: see the `errors` of `WriteErrors`.
 */
export type ErrorCode =
  | 'MALFORMED'
  | 'CORRUPT'
  | 'VALUE_RANGE'
  | 'UNSUPPORTED_VERSION'
  | 'BROKER'
  | 'CONNECT'
  | 'DISCONNECTED'
  | 'TIMEOUT'
  | 'USAGE'
  | 'MESSAGE_TOO_LARGE'
  | 'UNKNOWN_TOPIC'
  | 'BUFFER_FULL'
  | 'CLOSED'
  | 'ABORTED'
  | 'FENCED'
  | 'WRITE';

/** Whether the record of a failed write may be in the log: certainly not, nobody knows, or certainly. */
export type Stored = 'no' | 'maybe' | 'yes';

/** What every error of this package can carry besides its message. */
export interface KafkaErrorOptions {
  readonly code?: ErrorCode;
  /** Whether the same call may succeed later without a change by the caller. Default false. */
  readonly retriable?: boolean;
  /** Only on failed writes. */
  readonly stored?: Stored;
  readonly cause?: unknown;
}

/** True for an error of the named class, also when another copy of the package made it. */
function isBranded(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === name;
}

/** Root of all errors that this package throws or rejects with.
 * `instanceof` works across copies of the package: it looks at a brand, not only at the prototype.
 */
export class KafkaError extends Error {
  override readonly name: string = 'KafkaError';
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retriable: boolean;
  /** Whether the record may be in the log; undefined where the failure is not that of a write. */
  readonly stored: Stored | undefined;

  constructor(message: string, options: KafkaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? 'USAGE';
    this.retriable = options.retriable ?? false;
    this.stored = options.stored;
    Object.defineProperty(this, brand, { value: new.target.brandName });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    if (Object.prototype.isPrototypeOf.call(this.prototype, value)) return true;
    if (this === KafkaError) return typeof (value as Record<symbol, unknown>)[brand] === 'string';
    return isBranded(value, this.brandName);
  }

  /** Name by which `instanceof` recognises this class in another copy of the package. */
  static readonly brandName: string = 'KafkaError';
}

/** Where in which message a `ProtocolError` happened. */
export interface ProtocolErrorOptions extends KafkaErrorOptions {
  /** API or structure, such as `FetchResponse` or `RecordBatch`. */
  readonly api?: string;
  readonly version?: number;
  /** Bytes from the beginning of the message body or batch. */
  readonly byteOffset?: number;
  /** Field path, such as `responses[0].partitions[3].records`. */
  readonly path?: string;
}

/** Bytes that are not what the protocol says, or a value that the protocol cannot carry. Default code `MALFORMED`. */
export class ProtocolError extends KafkaError {
  override readonly name: string = 'ProtocolError';
  static override readonly brandName: string = 'ProtocolError';
  readonly api: string | undefined;
  readonly version: number | undefined;
  readonly byteOffset: number | undefined;
  readonly path: string | undefined;

  constructor(message: string, options: ProtocolErrorOptions = {}) {
    super(message, { ...options, code: options.code ?? 'MALFORMED' });
    this.api = options.api;
    this.version = options.version;
    this.byteOffset = options.byteOffset;
    this.path = options.path;
  }
}

/** What a `BrokerError` adds: the code the broker sent and what it was about. */
export interface BrokerErrorOptions extends KafkaErrorOptions {
  /** Kafka's error code, -1 to 32767. */
  readonly errorCode: number;
  /** Kafka's name of the code, such as `NOT_LEADER_OR_FOLLOWER`. */
  readonly errorName: string;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
}

/** The broker answered with an error code that the client could not heal. Default code `BROKER`. */
export class BrokerError extends KafkaError {
  override readonly name: string = 'BrokerError';
  static override readonly brandName: string = 'BrokerError';
  readonly errorCode: number;
  readonly errorName: string;
  readonly topic: string | undefined;
  readonly partition: number | undefined;

  constructor(message: string, options: BrokerErrorOptions) {
    super(message, { ...options, code: options.code ?? 'BROKER' });
    this.errorCode = options.errorCode;
    this.errorName = options.errorName;
    this.topic = options.topic;
    this.partition = options.partition;
  }
}

/** What a `ConnectionError` adds. */
export interface ConnectionErrorOptions extends KafkaErrorOptions {
  /** `host:port`. */
  readonly address?: string;
}

/** No connection could be made, or it was lost. Default code `DISCONNECTED`; retriable unless said otherwise. */
export class ConnectionError extends KafkaError {
  override readonly name: string = 'ConnectionError';
  static override readonly brandName: string = 'ConnectionError';
  readonly address: string | undefined;

  constructor(message: string, options: ConnectionErrorOptions = {}) {
    super(message, {
      ...options,
      code: options.code ?? 'DISCONNECTED',
      retriable: options.retriable ?? true,
    });
    this.address = options.address;
  }
}

/** What a `TimeoutError` adds. */
export interface TimeoutErrorOptions extends KafkaErrorOptions {
  /** The limit that passed, in milliseconds. */
  readonly limitMs: number;
}

/** A deadline passed. Code `TIMEOUT`; retriable unless said otherwise. */
export class TimeoutError extends KafkaError {
  override readonly name: string = 'TimeoutError';
  static override readonly brandName: string = 'TimeoutError';
  readonly limitMs: number;

  constructor(message: string, options: TimeoutErrorOptions) {
    super(message, { ...options, code: 'TIMEOUT', retriable: options.retriable ?? true });
    this.limitMs = options.limitMs;
  }
}

/** The caller's mistake: a wrong option or argument, or a call on something closed. Default code `USAGE`. */
export class UsageError extends KafkaError {
  override readonly name: string = 'UsageError';
  static override readonly brandName: string = 'UsageError';
}
