/** Cursors that refuse what Java reads though no Java writes it: padded varints and surplus bits, unnamed attribute bits,
 * lengths below -1, bytes that no field owns, wrong checksums inside a wrapper.
 * Not here: what nobody may write (every cursor refuses that), and what compressed bytes hold besides (their codec).
 * For debuggers and tests; clients read leniently.
 * Invariant: a strict cursor tells the same of a record as a lenient one, or throws.
 */
import { ByteReader } from '../reader.ts';
import { decodeUtf8, encodeUtf8 } from '../text.ts';
import { VarintReader } from '../varint.ts';
import type { RecordBatch } from './batch.ts';
import {
  ATTRIBUTES,
  KEY_V0,
  KEY_V1,
  LegacyBatch,
  LegacyCursor,
  verifyMessageCrc,
  type LogBatch,
  type LogCursor,
} from './message-set.ts';
import { RecordCursor } from './record-cursor.ts';

/** Bits of a v2 batch that have no name. */
const UNNAMED = ~0x7f;
/** Bits of a message: only v1 has LogAppendTime. */
const UNNAMED_V0 = ~0x07;
const UNNAMED_V1 = ~0x0f;

/** As `cursorOf`, but strict. Throws ProtocolError `MALFORMED`, or `CORRUPT` for a checksum inside a wrapper. */
export function strictCursorOf(batch: LogBatch, payload: Uint8Array): LogCursor {
  return batch instanceof LegacyBatch
    ? new StrictLegacyCursor(batch, payload)
    : new StrictRecordCursor(batch, payload);
}

class StrictRecordCursor extends RecordCursor {
  constructor(batch: RecordBatch, payload: Uint8Array) {
    super(batch, payload);
    this.strict = true;
    const bits = batch.attributes & UNNAMED;
    if (bits !== 0) throw batch.malformed(`attributes with unnamed bits ${(bits & 0xffff).toString(2)}`);
    if (batch.recordCount === 0 && payload.length > 0) throw this.malformed('bytes where no record is');
  }

  override next(): boolean {
    if (!super.next()) return false;
    const attributes = this.bytes[this.timestampStart - 1];
    if (attributes !== 0) throw this.malformed(`record attributes ${attributes}`);
    this.#checkHeaderKeys();
    return true;
  }

  /** Of all numbers that precede something, only null's may be negative. */
  override varint(): number {
    const value = super.varint();
    if (value < -1) throw this.malformed(`length ${value} where only -1 means null`);
    return value;
  }

  #checkHeaderKeys(): void {
    const reader = new VarintReader(this.bytes, this.headersStart);
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = reader.varint();
      const key = this.bytes.subarray(reader.position, reader.position + keyLength);
      const written = encodeUtf8(decodeUtf8(key, 0, keyLength));
      if (written.length !== keyLength || written.some((byte, index) => byte !== key[index]))
        throw this.malformed(`key of header ${i} is no UTF-8`);
      reader.position += keyLength;
      const valueLength = reader.varint();
      if (valueLength > 0) reader.position += valueLength;
    }
  }
}

class StrictLegacyCursor extends LegacyCursor {
  constructor(batch: LegacyBatch, payload: Uint8Array) {
    super(batch, payload);
    this.#checkAttributes(batch.attributes);
    if (batch.codecId === 0) return;
    // The wrapper is a message too: without a key, and nothing behind its value.
    const { bytes, start, end, magic } = batch;
    const reader = new ByteReader(bytes, start + (magic === 0 ? KEY_V0 : KEY_V1), end);
    if (reader.int32() !== -1) throw batch.malformed('a wrapper with a key');
    reader.skip(reader.int32());
    if (reader.remaining > 0) throw batch.malformed(`${reader.remaining} bytes after the value`);
  }

  override next(): boolean {
    if (!super.next()) {
      const cut = this.bytes.length - this.position;
      if (cut > 0) throw this.malformed(`${cut} bytes after the last message`);
      return false;
    }
    const { batch, bytes, recordStart, headersStart, end } = this;
    if (headersStart < end) throw this.malformed(`${end - headersStart} bytes after the value`);
    this.#checkAttributes(bytes[recordStart + ATTRIBUTES] ?? 0);
    verifyMessageCrc(batch, bytes, recordStart, end);
    return true;
  }

  /** Where a length may be negative, only null's may. */
  override int32(): number {
    const value = super.int32();
    if (value < -1) throw this.malformed(`length ${value} where only -1 means null`);
    return value;
  }

  #checkAttributes(attributes: number): void {
    const bits = attributes & (this.batch.magic === 0 ? UNNAMED_V0 : UNNAMED_V1);
    if (bits !== 0) throw this.malformed(`attributes with unnamed bits ${(bits & 0xff).toString(2)}`);
  }
}
