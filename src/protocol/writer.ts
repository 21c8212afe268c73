/** A growing buffer that writes Kafka's primitive kinds, big-endian and varints.
 * Knows no message and no version; compile-encode.ts drives it. Large byte fields may go by reference: see `parts`.
 * Invariant: a value that its kind cannot carry exactly is a `ProtocolError`, never a silent wrap.
 * Source: Kafka protocol guide, "Protocol Primitive Types".
 */
import { ProtocolError } from '../errors.ts';
import { writeUtf8, writeUuid } from './text.ts';
import {
  uvarintLength,
  varintLength,
  varlongLength,
  writeUvarint,
  writeVarint,
  writeVarlong,
} from './varint.ts';

/** Bytes that belong at `position` of the written ones. */
interface Reference {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** Writes to a buffer of `initialBytes` (default 256) that doubles when it is full. */
export class ByteWriter {
  bytes: Uint8Array;
  /** Bytes written so far, those by reference not counted. */
  position: number = 0;
  view: DataView;
  /** Bytes by reference so far. */
  referencedBytes: number = 0;
  /** Whether `records` fields are kept by reference. */
  readonly byReference: boolean;
  #references: Reference[] | undefined;

  constructor(initialBytes: number = 256, byReference: boolean = false) {
    this.byReference = byReference;
    this.bytes = new Uint8Array(initialBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes and returns where they begin; `position` moves behind them. */
  reserve(count: number): number {
    const start = this.position;
    const end = start + count;
    if (end > this.bytes.length) this.#grow(end);
    this.position = end;
    return start;
  }

  /** Makes sure that `count` more bytes need no new buffer. */
  ensure(count: number): void {
    if (this.position + count > this.bytes.length) this.#grow(this.position + count);
  }

  int8(value: number): void {
    if (value !== (value << 24) >> 24) throw outOfRange(value, 'int8');
    const start = this.reserve(1);
    this.view.setInt8(start, value);
  }

  int16(value: number): void {
    if (value !== (value << 16) >> 16) throw outOfRange(value, 'int16');
    const start = this.reserve(2);
    this.view.setInt16(start, value);
  }

  uint16(value: number): void {
    if (value !== (value & 0xffff)) throw outOfRange(value, 'uint16');
    const start = this.reserve(2);
    this.view.setUint16(start, value);
  }

  int32(value: number): void {
    if (value !== (value | 0)) throw outOfRange(value, 'int32');
    const start = this.reserve(4);
    this.view.setInt32(start, value);
  }

  uint32(value: number): void {
    if (value !== value >>> 0) throw outOfRange(value, 'uint32');
    const start = this.reserve(4);
    this.view.setUint32(start, value);
  }

  /** An int64 from a number, which must be a safe integer. */
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw outOfRange(value, 'int64 (a safe integer)');
    const start = this.reserve(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.view.setInt32(start, high);
    this.view.setUint32(start + 4, value - high * 0x1_0000_0000);
  }

  int64Big(value: bigint): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw outOfRange(value, 'int64');
    const start = this.reserve(8);
    this.view.setBigInt64(start, value);
  }

  float64(value: number): void {
    if (typeof value !== 'number') throw outOfRange(value, 'float64');
    const start = this.reserve(8);
    this.view.setFloat64(start, value);
  }

  boolean(value: boolean): void {
    if (typeof value !== 'boolean') throw outOfRange(value, 'boolean');
    const start = this.reserve(1);
    this.view.setInt8(start, value ? 1 : 0);
  }

  /** Kafka's 22 characters as 16 bytes. */
  uuid(value: string): void {
    const start = this.reserve(16);
    if (!writeUuid(value, this.bytes, start))
      throw outOfRange(value, 'uuid (22 characters of URL-safe base64)');
  }

  /** The bytes alone, copied. */
  raw(value: Uint8Array): void {
    const start = this.reserve(value.length);
    this.bytes.set(value, start);
  }

  /** The text alone as UTF-8; returns its length in bytes. */
  text(value: string): number {
    const start = this.position;
    let length = writeUtf8(value, this.bytes, start);
    if (length < 0) {
      this.ensure(value.length * 3);
      length = writeUtf8(value, this.bytes, start);
    }
    this.position = start + length;
    return length;
  }

  /** An unsigned varint, 0 to 2^32 - 1. */
  uvarint(value: number): void {
    if (value !== value >>> 0) throw outOfRange(value, 'uvarint');
    const start = this.reserve(uvarintLength(value));
    writeUvarint(this.bytes, start, value);
  }

  /** A zigzag varint: an int32. */
  varint(value: number): void {
    if (value !== (value | 0)) throw outOfRange(value, 'varint (an int32)');
    const start = this.reserve(varintLength(value));
    writeVarint(this.bytes, start, value);
  }

  /** A zigzag varlong from a number, which must be a safe integer. */
  varlong(value: number): void {
    if (!Number.isSafeInteger(value)) throw outOfRange(value, 'varlong (a safe integer)');
    const start = this.reserve(varlongLength(value));
    writeVarlong(this.bytes, start, value);
  }

  /** Puts a view on `value` at this place of `parts` instead of a copy of it. */
  reference(value: Uint8Array): void {
    if (value.length === 0) return;
    (this.#references ??= []).push({ position: this.position, bytes: value });
    this.referencedBytes += value.length;
  }

  /** The bytes written so far as a view on the buffer: valid until the next write. Not for a writer with references. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.position);
  }

  /** What was written, in order: views on the buffer and, between them, the references. */
  parts(): Uint8Array[] {
    const parts: Uint8Array[] = [];
    let start = 0;
    for (const { position, bytes } of this.#references ?? []) {
      if (position > start) parts.push(this.bytes.subarray(start, position));
      parts.push(bytes);
      start = position;
    }
    if (this.position > start || parts.length === 0) parts.push(this.bytes.subarray(start, this.position));
    return parts;
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

function outOfRange(value: unknown, kind: string): ProtocolError {
  const shown = typeof value === 'number' || typeof value === 'bigint' ? `${value}` : `a ${typeof value}`;
  return new ProtocolError(`${shown} is no ${kind}`, { code: 'VALUE_RANGE' });
}
