/** What the application hands to a Writer, and the checks each message passes before anything is sent (W1).
 * Not here: the choice of the partition, and the encoding (protocol/records).
 * Invariant: an error names the message's index, the field, the limit and the value's type or size, never its content.
 */
import { KafkaError, UsageError } from '../../errors.ts';
import {
  recordByteBound,
  recordByteLength,
  type HeaderInput,
  type RecordBytes,
} from '../../protocol/records/batch-builder.ts';
import { encodeUtf8, writeUtf8 } from '../../protocol/text.ts';

/** Headers as a list, which may repeat a key, or as a record. Keys are not empty. */
export type HeadersInput = readonly HeaderInput[] | Readonly<Record<string, RecordBytes>>;

/** A message to write. Text becomes UTF-8. Its bytes must not change until the write settles. */
export interface OutgoingMessage {
  /** Exactly one of this and the Writer's `topic` is set. */
  readonly topic?: string | undefined;
  /** Overrides the balancer. */
  readonly partition?: number | undefined;
  readonly key?: RecordBytes | undefined;
  /** null is a tombstone on a compacted topic. */
  readonly value: RecordBytes;
  readonly headers?: HeadersInput | undefined;
  /** Milliseconds since 1970, 0 to 2^53-1. Default: the time of the call. */
  readonly timestamp?: number | undefined;
  /** Anything; comes back with `completion` and is not sent. kafka-go: `WriterData`. */
  readonly context?: unknown;
}

/** Bytes that a batch takes besides its records. */
export const batchHeaderBytes = 61;

/** Headers in the one form that the encoder takes. */
export function headersOf(headers: HeadersInput | undefined): readonly HeaderInput[] | undefined {
  if (headers === undefined || Array.isArray(headers)) return headers as readonly HeaderInput[] | undefined;
  return Object.entries(headers).map(([key, value]) => ({ key, value }));
}

function typeName(value: unknown): string {
  if (typeof value !== 'object') return typeof value;
  return value === null ? 'null' : (value.constructor?.name ?? 'object');
}

function isRecordBytes(value: unknown): boolean {
  return typeof value === 'string' || value === null || value instanceof Uint8Array;
}

/** Whether a value is an integer from 0 to 2^53-1. */
export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** `value` is named by its type; by itself only where it is a number that cannot be content. */
function fault(field: string, wanted: string, value: unknown, isContent = true): string {
  const got = typeof value === 'number' && !isContent ? value : typeName(value);
  return `${field} must be ${wanted}; got ${got}`;
}

const recordBytes = 'a string, bytes or null';
const nonEmpty = 'a non-empty string';

function headersFault(headers: unknown): string | undefined {
  if (typeof headers !== 'object' || headers === null || headers instanceof Map)
    return fault('headers', 'a list of { key, value } or a record', headers);
  for (const header of headersOf(headers as HeadersInput) ?? []) {
    if (typeof header?.key !== 'string' || header.key === '')
      return fault('a header key', nonEmpty, header?.key);
    if (!isRecordBytes(header.value)) return fault('a header value', recordBytes, header.value);
  }
  return undefined;
}

function fieldFault(message: OutgoingMessage, writerTopic: string | undefined): string | undefined {
  if (typeof message !== 'object' || message === null) return fault('a message', 'an object', message);
  const { topic, partition, key, value, headers, timestamp } = message;
  if (writerTopic === undefined) {
    if (topic === undefined) return 'no topic: set it on the message or on the Writer';
    if (typeof topic !== 'string' || topic === '') return fault('topic', nonEmpty, topic);
  } else if (topic !== undefined) return 'two topics: set it on the message or on the Writer, not on both';
  if (key !== undefined && !isRecordBytes(key)) return fault('key', recordBytes, key);
  if (!isRecordBytes(value)) return fault('value', `${recordBytes} (a tombstone)`, value);
  if (partition !== undefined && !isCount(partition))
    return fault('partition', 'an integer of at least 0', partition, false);
  if (timestamp !== undefined && !isCount(timestamp))
    return fault('timestamp', 'milliseconds from 0 to 2^53-1', timestamp, false);
  return headers === undefined ? undefined : headersFault(headers);
}

/** Most bytes that a valid message takes in its batch: a quick bound if that is within `limit`, else its text is
 * counted as the UTF-8 it becomes. */
export function messageBytes(message: OutgoingMessage, limit: number = Infinity): number {
  const { key = null, value } = message;
  const headers = headersOf(message.headers);
  const bound = recordByteBound(key, value, headers);
  return bound <= limit ? bound : recordByteLength(key, value, headers);
}

/** What is wrong with a message, as an error with code `USAGE` or `MESSAGE_TOO_LARGE`; undefined if nothing is. */
export function checkMessage(
  message: OutgoingMessage,
  index: number,
  { topic, batchBytes }: { readonly topic: string | undefined; readonly batchBytes: number },
): KafkaError | undefined {
  const text = fieldFault(message, topic);
  if (text !== undefined) return new UsageError(`Message ${index}: ${text}`, { stored: 'no' });
  const bytes = messageBytes(message, batchBytes - batchHeaderBytes) + batchHeaderBytes;
  if (bytes <= batchBytes) return undefined;
  return new KafkaError(
    `Message ${index} takes a batch of ${bytes} bytes; batchBytes allows ${batchBytes}: raise it and the topic's max.message.bytes, or split the message`,
    { code: 'MESSAGE_TOO_LARGE', stored: 'no' },
  );
}

/** A copy that later changes by the application cannot reach, with the timestamp of now if it brings none. */
export function copyMessage(message: OutgoingMessage, nowMs: number): OutgoingMessage {
  const copy = (bytes: RecordBytes): RecordBytes => (bytes instanceof Uint8Array ? bytes.slice() : bytes);
  const headers = headersOf(message.headers)?.map(({ key, value }) => ({ key, value: copy(value) }));
  const { key = null, value, timestamp = nowMs } = message;
  return { ...message, key: copy(key), value: copy(value), headers, timestamp };
}

/** Turns keys into bytes for balancers without an allocation for short ones: the views are made once per length. */
export class KeyBytes {
  readonly #bytes = new Uint8Array(256);
  readonly #views = new Map<number, Uint8Array>();

  /** Valid until the next call. */
  of(key: RecordBytes | undefined): Uint8Array | null {
    if (typeof key !== 'string') return key ?? null;
    const length = writeUtf8(key, this.#bytes, 0);
    if (length < 0) return encodeUtf8(key);
    let view = this.#views.get(length);
    if (view === undefined) this.#views.set(length, (view = this.#bytes.subarray(0, length)));
    return view;
  }
}
