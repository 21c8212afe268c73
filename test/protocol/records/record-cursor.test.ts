/** Walking records, timestamps and headers (hostile bytes: java.test.ts and hostile.test.ts). */
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import { nextBatch, type RecordBatch } from '../../../src/protocol/records/batch.ts';
import { encodeRecordBatch, type RecordBatchInput } from '../../../src/protocol/records/plain-batch.ts';
import {
  decodeHeaders,
  RecordCursor,
  timestamp,
  timestampBigInt,
} from '../../../src/protocol/records/record-cursor.ts';
import { fixture } from './fixtures.ts';

function batchOf(bytes: Uint8Array): RecordBatch {
  const batch = nextBatch(bytes, 0);
  if (batch === undefined) throw new Error('no batch');
  return batch;
}

function cursorOf(input: RecordBatchInput): RecordCursor {
  const batch = batchOf(encodeRecordBatch(input));
  return new RecordCursor(batch, batch.payload);
}

describe('next', () => {
  test('describes each record by positions in the payload', () => {
    const cursor = cursorOf({
      baseOffset: 7,
      records: [
        { key: 'k1', value: 'value' },
        { key: '', value: null },
      ],
    });
    expect(cursor.next()).toBe(true);
    const text = (start: number, end: number): string =>
      new TextDecoder().decode(cursor.bytes.subarray(start, end));
    expect([
      cursor.offset,
      text(cursor.keyStart, cursor.keyEnd),
      text(cursor.valueStart, cursor.valueEnd),
    ]).toEqual([7, 'k1', 'value']);
    expect(cursor.next()).toBe(true);
    expect([cursor.offset, cursor.keyEnd - cursor.keyStart, cursor.valueStart, cursor.valueEnd]).toEqual([
      8, 0, -1, -1,
    ]);
    expect([cursor.next(), cursor.next(), cursor.recordIndex]).toEqual([false, false, 2]);
  });

  test('names a field that is longer than its record, though there are bytes behind it', () => {
    const batch = batchOf(encodeRecordBatch({ records: [{ key: 'a', value: 'b' }, { value: 'c' }] }));
    const payload = batch.payload.slice();
    payload[6] = 2 * 4; // the length of the first value
    const cursor = new RecordCursor(batch, payload);
    expect(() => cursor.next()).toThrow(/record 0, byte 7: 4 bytes where 2 remain/);
  });

  test('reads an inflated payload that lies elsewhere', () => {
    const batch = batchOf(encodeRecordBatch({ records: [{ value: 'abc' }] }));
    const elsewhere = new Uint8Array(batch.payload.length + 9).subarray(9);
    elsewhere.set(batch.payload);
    const cursor = new RecordCursor(batch, elsewhere);
    expect(cursor.next()).toBe(true);
    expect(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)).toEqual(
      new TextEncoder().encode('abc'),
    );
  });

  test('an error says which record of which offsets, and stays when asked again', () => {
    const bytes = encodeRecordBatch({ baseOffset: 40, records: [{ value: 'a' }, { value: 'b' }] });
    bytes[bytes.length - 3] = 0x7e; // the second value's length
    const batch = batchOf(bytes);
    const cursor = new RecordCursor(batch, batch.payload);
    expect(cursor.next()).toBe(true);
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(() => cursor.next()).toThrow(
        expect.objectContaining({
          code: 'MALFORMED',
          api: 'RecordBatch',
          message: expect.stringMatching(/offsets 40 to 41: record 1, byte 14: 63 bytes/),
        }),
      );
    }
  });

  test('a count that the payload cannot hold is refused before anything is read', () => {
    const batch = batchOf(encodeRecordBatch({ records: [{ value: 'a' }, { value: 'b' }] }));
    expect(() => new RecordCursor(batch, new Uint8Array(13))).toThrow(/2 records cannot lie in 13 bytes/);
  });
});

describe('timestamp', () => {
  const far = fixture('far-timestamps');

  test('beyond 2^53-1 it does not keep the record from being read; only the number is refused', () => {
    const batch = batchOf(far.bytes);
    const cursor = new RecordCursor(batch, batch.payload);
    const read: unknown[] = [];
    while (cursor.next()) {
      try {
        read.push(timestamp(cursor));
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        expect(error).toMatchObject({
          code: 'VALUE_RANGE',
          message: expect.stringContaining(`offset ${cursor.offset}`),
        });
        read.push(timestampBigInt(cursor));
      }
    }
    expect(read).toEqual([2n ** 63n - 1n, 2n ** 63n - 2n, 1, 2n ** 53n + 1n]);
  });

  test("is the broker's for every record under LogAppendTime", () => {
    const batch = batchOf(fixture('log-append-time').bytes);
    const cursor = new RecordCursor(batch, batch.payload);
    const read: number[] = [];
    while (cursor.next()) {
      read.push(timestamp(cursor));
      expect(timestampBigInt(cursor)).toBe(BigInt(timestamp(cursor)));
    }
    expect(read).toEqual([1_750_000_001_000, 1_750_000_001_000]);
  });

  test('-1 is no timestamp, and a number', () => {
    const cursor = cursorOf({ records: [{ value: 'a' }] });
    cursor.next();
    expect(timestamp(cursor)).toBe(-1);
  });
});

describe('decodeHeaders', () => {
  test('gives keys in their order, whatever they are called', () => {
    const headers = [
      { key: '__proto__', value: Uint8Array.of(1) },
      { key: 'constructor', value: null },
      { key: '__proto__', value: new Uint8Array(0) },
      { key: '', value: Uint8Array.of(2) },
    ];
    const cursor = cursorOf({ records: [{ value: 'a', headers }] });
    cursor.next();
    expect(decodeHeaders(cursor.bytes, cursor.headersStart, cursor.headerCount)).toEqual(headers);
  });

  test('values are views, so nothing is copied', () => {
    const cursor = cursorOf({ records: [{ value: 'a', headers: [{ key: 'k', value: 'v' }] }] });
    cursor.next();
    const [header] = decodeHeaders(cursor.bytes, cursor.headersStart, cursor.headerCount);
    expect(header?.value?.buffer).toBe(cursor.bytes.buffer);
  });
});
