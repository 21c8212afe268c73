/** A record as the application sees it: positions in its batch's bytes, views made when a field is read.
 * Not here: finding records (record-run.ts). Invariant: making one copies and decodes nothing.
 * A message keeps the whole frame that it came in alive; `detach` copies it out.
 */
import { ProtocolError } from '../../errors.ts';
import { decodeHeaders, type RecordCursor, type RecordHeader } from '../../protocol/records/record-cursor.ts';
import { ByteReader } from '../../protocol/reader.ts';
import { decodeUtf8 } from '../../protocol/text.ts';
import { VarintReader } from '../../protocol/varint.ts';
import type { RecordSource } from './record-source.ts';

/** One record that was read. */
export class Message {
  /** What it shares with the other records of its batch. @internal */
  readonly source: RecordSource;
  // Plain fields: a consumer makes millions of these a second. Small integers stay out of the heap.
  private readonly offsetDelta: number;
  private readonly timestampDelta: number;
  private readonly timestampStart: number;
  private readonly keyStart: number;
  private readonly keyEnd: number;
  private readonly valueStart: number;
  private readonly valueEnd: number;
  private readonly headersStart: number;
  private readonly headerCount: number;

  /** The record that `cursor` is at, with its positions moved down by `shift`. Applications get messages from a Reader. */
  constructor(source: RecordSource, cursor: MessageFields, shift = 0) {
    this.source = source;
    this.offsetDelta = cursor.offset - source.lastOffset;
    this.timestampDelta = cursor.timestampDelta;
    this.timestampStart = cursor.timestampStart - shift;
    this.keyStart = cursor.keyStart < 0 ? -1 : cursor.keyStart - shift;
    this.keyEnd = cursor.keyEnd - shift;
    this.valueStart = cursor.valueStart < 0 ? -1 : cursor.valueStart - shift;
    this.valueEnd = cursor.valueEnd - shift;
    this.headersStart = cursor.headersStart - shift;
    this.headerCount = cursor.headerCount;
  }

  get topic(): string {
    return this.source.owner.topic;
  }

  get partition(): number {
    return this.source.owner.partition;
  }

  get offset(): number {
    return this.source.lastOffset + this.offsetDelta;
  }

  /** Milliseconds since 1970: the producer's, or the broker's where the topic says so; -1 for none.
   * Throws a ProtocolError `VALUE_RANGE` beyond 2^53-1; `timestampBigInt` reads that.
   */
  get timestamp(): number {
    const { baseTimestamp, isLogAppendTime } = this.source;
    const timestamp = isLogAppendTime ? baseTimestamp : baseTimestamp + this.timestampDelta;
    const isExact = Number.isSafeInteger(baseTimestamp) && Number.isSafeInteger(this.timestampDelta);
    if (isExact && Number.isSafeInteger(timestamp)) return timestamp;
    const exact = this.timestampBigInt;
    if (Number.isSafeInteger(Number(exact))) return Number(exact);
    const where = `${this.topic}[${this.partition}] at offset ${this.offset}`;
    const text = `Timestamp ${exact} of ${where} is beyond 2^53-1: read timestampBigInt`;
    throw new ProtocolError(text, { code: 'VALUE_RANGE', path: 'timestamp' });
  }

  /** As `timestamp`, whatever its size. */
  get timestampBigInt(): bigint {
    const { magic, baseTimestampBigInt, isLogAppendTime, bytes } = this.source;
    if (isLogAppendTime) return baseTimestampBigInt;
    const { timestampDelta, timestampStart } = this;
    if (Number.isSafeInteger(timestampDelta)) {
      return BigInt.asIntN(64, baseTimestampBigInt + BigInt(timestampDelta));
    }
    if (magic < 2) return new ByteReader(bytes, timestampStart).int64Big();
    return BigInt.asIntN(64, baseTimestampBigInt + new VarintReader(bytes, timestampStart).varlongBigInt());
  }

  /** A new view at each call; null for a record without a key. */
  get key(): Uint8Array | null {
    return viewOf(this.source.bytes, this.keyStart, this.keyEnd);
  }

  /** A new view at each call; null for a tombstone. */
  get value(): Uint8Array | null {
    return viewOf(this.source.bytes, this.valueStart, this.valueEnd);
  }

  /** In the producer's order; keys need not be unique. Decoded at each call; the values are views. */
  get headers(): RecordHeader[] {
    if (this.headerCount === 0) return [];
    return decodeHeaders(this.source.bytes, this.headersStart, this.headerCount);
  }

  /** The value as UTF-8 text (malformed sequences become U+FFFD); null for a tombstone. */
  text(): string | null {
    return this.valueStart < 0 ? null : decodeUtf8(this.source.bytes, this.valueStart, this.valueEnd);
  }

  /** The value parsed as JSON; null for a tombstone. Throws a SyntaxError for anything else that is not JSON. */
  json<T = unknown>(): T {
    return JSON.parse(this.text() ?? 'null') as T;
  }

  /** The same message in memory of its own: what to keep for longer than it takes to process, lest each one keeps the
   * frame of up to `maxBytes` that it came in. */
  detach(): Message {
    const { source } = this;
    const start = this.timestampStart;
    const reader = new VarintReader(source.bytes, this.headersStart);
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = reader.varint();
      reader.position += keyLength;
      const valueLength = reader.varint();
      if (valueLength > 0) reader.position += valueLength;
    }
    const bytes = source.bytes.slice(start, reader.position);
    const { offset, timestampDelta, timestampStart, keyStart, keyEnd, valueStart, valueEnd } = this;
    const { headersStart, headerCount } = this;
    const fields = { offset, timestampDelta, timestampStart, keyStart, keyEnd, valueStart, valueEnd };
    return new Message({ ...source, bytes }, { ...fields, headersStart, headerCount }, start);
  }
}

/** What a message takes from the cursor that found it. */
export type MessageFields = Pick<
  RecordCursor,
  | 'offset'
  | 'timestampDelta'
  | 'timestampStart'
  | 'keyStart'
  | 'keyEnd'
  | 'valueStart'
  | 'valueEnd'
  | 'headersStart'
  | 'headerCount'
>;

function viewOf(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  // Cheaper than subarray, and a plain Uint8Array also where the frame is a Buffer.
  return start < 0 ? null : new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
