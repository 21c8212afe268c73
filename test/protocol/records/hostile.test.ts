/** Bytes from an enemy: typed errors, bounded work, nothing found that is not there. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import { crc32c } from '../../../src/protocol/crc32c.ts';
import { nextBatch } from '../../../src/protocol/records/batch.ts';
import { readEndMarker } from '../../../src/protocol/records/control.ts';
import { encodeRecordBatch } from '../../../src/protocol/records/plain-batch.ts';
import {
  decodeHeaders,
  RecordCursor,
  timestamp,
  timestampBigInt,
} from '../../../src/protocol/records/record-cursor.ts';
import { recordInput } from './arbitrary.ts';

const batchBytes = fc
  .record({ records: fc.array(recordInput, { minLength: 1, maxLength: 6 }), isControl: fc.boolean() })
  .map((input) => encodeRecordBatch(input));

/** Values that break parsers, and any other. */
const byte = fc.oneof(fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff), fc.nat(255));

/** A batch of which some bytes were changed and the checksum corrected; `undamaged` bytes at its beginning are spared. */
function mutated(undamaged: number): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(batchBytes, fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 6 }))
    .map(([bytes, changes]) => {
      const copy = bytes.slice();
      for (const [at, value] of changes) copy[undamaged + (at % (copy.length - undamaged))] = value;
      new DataView(copy.buffer).setUint32(17, crc32c(copy.subarray(21)));
      return copy;
    });
}

/** Reads all there is; how much that was, or the ProtocolError. Anything else is thrown. */
function readAll(bytes: Uint8Array): { records: number; headers: number } | ProtocolError {
  const read = { records: 0, headers: 0 };
  try {
    for (let batch = nextBatch(bytes, 0); batch !== undefined; batch = nextBatch(bytes, batch.end)) {
      expect(batch.end).toBeGreaterThan(batch.start);
      batch.verifyCrc();
      const cursor = new RecordCursor(batch, batch.payload);
      let previous = batch.baseOffset - 1;
      while (cursor.next()) {
        read.records++;
        read.headers += decodeHeaders(cursor.bytes, cursor.headersStart, cursor.headerCount).length;
        expect(cursor.offset).toBeGreaterThan(previous);
        expect(cursor.offset).toBeLessThanOrEqual(batch.lastOffset);
        expect(cursor.keyEnd).toBeLessThanOrEqual(cursor.bytes.length);
        expect(cursor.valueEnd).toBeLessThanOrEqual(cursor.bytes.length);
        expect(cursor.keyEnd).toBeGreaterThanOrEqual(cursor.keyStart);
        expect(cursor.valueEnd).toBeGreaterThanOrEqual(cursor.valueStart);
        readTimestamp(cursor);
        previous = cursor.offset;
      }
      readEndMarker(batch);
    }
    return read;
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}

/** A timestamp that is no exact number is refused as that, and exact as a bigint. */
function readTimestamp(cursor: RecordCursor): void {
  const exact = timestampBigInt(cursor);
  if (Number.isSafeInteger(Number(exact))) expect(timestamp(cursor)).toBe(Number(exact));
  else expect(() => timestamp(cursor)).toThrow(expect.objectContaining({ code: 'VALUE_RANGE' }));
}

function expectBounded(bytes: Uint8Array): void {
  const read = readAll(bytes);
  if (read instanceof ProtocolError) return;
  expect(read.records).toBeLessThanOrEqual(bytes.length / 7);
  expect(read.headers).toBeLessThanOrEqual(bytes.length / 2);
}

describe('a batch', () => {
  test('cut at any byte is not there', () => {
    fc.assert(
      fc.property(batchBytes, (bytes) => {
        const found = Array.from(bytes, (_, length) => nextBatch(bytes.subarray(0, length), 0));
        expect(found.every((batch) => batch === undefined)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('with another length than it has is an error or not there, never other records', () => {
    fc.assert(
      fc.property(batchBytes, fc.nat(), (bytes, cut) => {
        const short = bytes.slice(0, 61 + (cut % Math.max(1, bytes.length - 61)));
        const header = new DataView(short.buffer);
        header.setInt32(8, short.length - 12);
        header.setUint32(17, crc32c(short.subarray(21)));
        expect(readAll(short)).toBeInstanceOf(ProtocolError);
      }),
    );
  });

  test('with any byte changed under the checksum is corrupt or malformed', () => {
    fc.assert(
      fc.property(batchBytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, change) => {
        const position = 17 + (at % (bytes.length - 17));
        const copy = bytes.slice();
        copy[position] = (copy[position] ?? 0) ^ change;
        expect(readAll(copy)).toMatchObject({ code: expect.stringMatching(/CORRUPT|MALFORMED/) });
      }),
    );
  });

  test('with changed records and a right checksum gives a typed error or bounded records', () => {
    fc.assert(fc.property(mutated(61), expectBounded), { numRuns: 2000 });
  });

  test('with a changed header and a right checksum gives a typed error or bounded records', () => {
    fc.assert(fc.property(mutated(0), expectBounded), { numRuns: 2000 });
  });

  test('of random bytes behind a valid header gives a typed error or bounded records', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(40), (payload, count) => {
        const bytes = new Uint8Array(61 + payload.length);
        bytes.set(encodeRecordBatch({ records: [{}] }).subarray(0, 61));
        bytes.set(payload, 61);
        const header = new DataView(bytes.buffer);
        header.setInt32(8, bytes.length - 12);
        header.setInt32(23, Math.max(0, count - 1));
        header.setInt32(57, count);
        header.setUint32(17, crc32c(bytes.subarray(21)));
        expectBounded(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test('of nothing but random bytes gives a typed error or nothing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), expectBounded), { numRuns: 1000 });
  });
});

test('a million records promised in a kilobyte cost nothing', () => {
  const bytes = new Uint8Array(1085);
  bytes.set(encodeRecordBatch({ records: [{}] }).subarray(0, 61));
  const header = new DataView(bytes.buffer);
  header.setInt32(8, bytes.length - 12);
  header.setInt32(23, 999_999);
  header.setInt32(57, 1_000_000);
  header.setUint32(17, crc32c(bytes.subarray(21)));
  expect(readAll(bytes)).toMatchObject({
    message: expect.stringContaining('1000000 records cannot lie in 1024 bytes'),
  });
});
