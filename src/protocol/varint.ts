/** Varints: unsigned ones, which flexible messages hold, and zigzag ones, the numbers inside records.
 * Lengths, writers over any target, one bounded reader.
 * Invariant: the reader never reads at or beyond `end`, and the writers produce the shortest form.
 * A varlong is a number: exact up to 2^53-1, and never rounded into that range.
 * Source: Kafka's protocol guide, primitive types VARINT and VARLONG.
 */
import { ProtocolError } from '../errors.ts';

/** Bytes that `writeUvarint` takes: 1 to 5. */
export function uvarintLength(value: number): number {
  return ((38 - Math.clz32(value | 1)) / 7) | 0;
}

/** Bytes that `writeVarint` takes for an int32: 1 to 5. */
export function varintLength(value: number): number {
  return uvarintLength((value << 1) ^ (value >> 31));
}

/** Bytes that `writeVarlong` takes for an integer of up to 53 bits and a sign: 1 to 8. */
export function varlongLength(value: number): number {
  if (value === (value | 0)) return varintLength(value);
  const magnitude = value < 0 ? -value - 1 : value;
  return ((71 - Math.clz32(magnitude / 0x1_0000_0000)) / 7) | 0;
}

/** Writes the 32 bits of a number, unsigned, at `position`; the caller has checked for 5 bytes of room.
 * Returns the position after it.
 */
export function writeUvarint(target: Uint8Array, position: number, value: number): number {
  while ((value & ~0x7f) !== 0) {
    target[position++] = value | 0x80;
    value >>>= 7;
  }
  target[position] = value;
  return position + 1;
}

/** Writes an int32 at `position`; the caller has checked for 5 bytes of room. Returns the position after it. */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  return writeUvarint(target, position, (value << 1) ^ (value >> 31));
}

/** Writes an integer of up to 53 bits and a sign; the caller has checked for 8 bytes of room. Returns the position after it. */
export function writeVarlong(target: Uint8Array, position: number, value: number): number {
  if (value === (value | 0)) return writeVarint(target, position, value);
  // Doubling may leave the exact range, so the sign bit joins the lowest 6 bits and the rest is divided down.
  const magnitude = value < 0 ? -value - 1 : value;
  target[position++] = ((magnitude % 64) << 1) | (value < 0 ? 0x81 : 0x80);
  let rest = Math.floor(magnitude / 64);
  while (rest > 0x7f) {
    target[position++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[position] = rest;
  return position + 1;
}

/** A cursor that reads varints of `bytes` from `position` to `end`; plain fields, because record decoding lives on them. */
export class VarintReader {
  declare readonly bytes: Uint8Array;
  position = 0;
  /** No byte at or after this position is read. */
  end = 0;
  /** Whether to refuse what Java reads but no Java writes: varints with padding or surplus bits. */
  strict: boolean = false;

  constructor(bytes: Uint8Array, position = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  /** 0 to 2^32-1. Surplus bits of the 5th byte are dropped, as Java does, unless strict.
   * Throws ProtocolError at a 6th byte and at the end.
   */
  uvarint(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (this.strict) this.refuseSurplus(byte, shift === 28 ? 0x0f : 0x7f);
        return value >>> 0;
      }
    }
    throw this.malformed('varint of more than 5 bytes');
  }

  /** An int32, as `uvarint`. */
  varint(): number {
    const zigzag = this.uvarint();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  /** An int64 as a number: exact up to 2^53-1, beyond it near and unsafe (`varlongBigInt` reads it exactly).
   * Throws ProtocolError at an 11th byte and at the end.
   */
  varlong(): number {
    let byte = this.byte();
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    const isNegative = (byte & 1) === 1;
    let magnitude = (byte & 0x7f) >>> 1;
    for (let scale = 2 ** 6; byte >= 0x80; scale *= 2 ** 7) {
      if (scale > 2 ** 62) throw this.malformed('varlong of more than 10 bytes');
      byte = this.byte();
      // Of the 10th byte only the lowest bit lies within 64 bits.
      const bits = scale === 2 ** 62 ? 0x01 : 0x7f;
      if (this.strict && byte < 0x80) this.refuseSurplus(byte, bits);
      magnitude += (byte & bits) * scale;
    }
    return isNegative ? -magnitude - 1 : magnitude;
  }

  /** An int64, exactly. Throws as `varlong`. */
  varlongBigInt(): bigint {
    let zigzag = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      zigzag |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      if (this.strict && shift > 0n) this.refuseSurplus(byte, shift === 63n ? 0x01 : 0x7f);
      return BigInt.asIntN(64, (BigInt.asUintN(64, zigzag) >> 1n) ^ -(zigzag & 1n));
    }
    throw this.malformed('varlong of more than 10 bytes');
  }

  /** What to throw for bytes that cannot be read; subclasses say where. */
  malformed(what: string, at: number = this.position): ProtocolError {
    return new ProtocolError(`byte ${at}: ${what}`, { byteOffset: at });
  }

  /** Throws for the last byte of a varint if it adds nothing, or has more than the `bits` that count. */
  protected refuseSurplus(byte: number, bits: number): void {
    if (byte === 0 || byte > bits)
      throw this.malformed('varint with padding or surplus bits', this.position - 1);
  }

  /** The next byte. */
  protected byte(): number {
    const position = this.position;
    if (position >= this.end) throw this.malformed('the bytes end in the middle of a value');
    this.position = position + 1;
    return this.bytes[position] as number;
  }
}
