/** A cursor over bytes that reads Kafka's primitive kinds, big-endian and varints.
 * Knows no message and no version; compile-decode.ts and the record decoders drive it.
 * Invariant: nothing outside [start, end) is read and nothing is allocated before its length was checked.
 * Source: Kafka protocol guide, "Protocol Primitive Types".
 */
import { ProtocolError } from '../errors.ts';
import { decodeUtf8, decodeUuid } from './text.ts';
import { VarintReader } from './varint.ts';

/** Reads from `bytes` between `start` (default 0) and `end` (default its length). Every read moves `position`.
 * A read that does not fit throws a `ProtocolError` with `byteOffset` and leaves the cursor where the read began.
 */
export class ByteReader extends VarintReader {
  readonly view: DataView;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    super(bytes, start, end);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes left to read. */
  get remaining(): number {
    return this.end - this.position;
  }

  /** Moves over `count` bytes and returns where they begin. */
  skip(count: number): number {
    const start = this.position;
    if (count > this.end - start || count < 0)
      throw this.malformed(`${count} bytes expected, ${this.end - start} there`);
    this.position = start + count;
    return start;
  }

  int8(): number {
    return this.view.getInt8(this.skip(1));
  }

  int16(): number {
    return this.view.getInt16(this.skip(2));
  }

  uint16(): number {
    return this.view.getUint16(this.skip(2));
  }

  int32(): number {
    return this.view.getInt32(this.skip(4));
  }

  uint32(): number {
    return this.view.getUint32(this.skip(4));
  }

  /** An int64 as a number; beyond +-(2^53 - 1) a `ProtocolError` with code `VALUE_RANGE`. */
  int64(): number {
    const start = this.skip(8);
    return exact(this.view.getInt32(start) * 0x1_0000_0000 + this.view.getUint32(start + 4), start);
  }

  int64Big(): bigint {
    return this.view.getBigInt64(this.skip(8));
  }

  float64(): number {
    return this.view.getFloat64(this.skip(8));
  }

  /** As `varlong`, but a `ProtocolError` with code `VALUE_RANGE` beyond +-(2^53 - 1). */
  exactVarlong(): number {
    const start = this.position;
    return exact(this.varlong(), start);
  }

  /** Any byte but 0 is true, as in Java; only 1 if strict. */
  boolean(): boolean {
    return this.#flag(this.position, this.int8(), 0) !== 0;
  }

  /** What stands in front of a struct that may be null. A byte: null if it is negative, as in Java; only -1 and 1 if
   * strict. In a tagged field a varint: null if it is 0 or negative, as in Java; only 0 and 1 if strict.
   */
  isPresent(isTagged: boolean): boolean {
    const { position } = this;
    if (isTagged) return this.#flag(position, this.uvarint() | 0, 0) > 0;
    return this.#flag(position, this.int8(), -1) >= 0;
  }

  /** Kafka's 22 characters. */
  uuid(): string {
    return decodeUuid(this.bytes, this.skip(16));
  }

  /** The next `count` bytes as a view, not a copy. */
  raw(count: number): Uint8Array {
    const start = this.skip(count);
    return this.bytes.subarray(start, start + count);
  }

  /** The next `count` bytes as UTF-8 text. */
  text(count: number): string {
    const start = this.skip(count);
    return decodeUtf8(this.bytes, start, start + count);
  }

  /** What was read at `start`, which Java writes as `no` or 1. */
  #flag(start: number, flag: number, no: number): number {
    if (this.strict && flag !== no && flag !== 1)
      throw this.malformed(`${flag} where only ${no} and 1 may be`, (this.position = start));
    return flag;
  }
}

/** An int64 that a number holds exactly. */
function exact(value: number, start: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new ProtocolError(`byte ${start}: an int64 beyond 2^53-1, no exact number`, {
    code: 'VALUE_RANGE',
    byteOffset: start,
  });
}
