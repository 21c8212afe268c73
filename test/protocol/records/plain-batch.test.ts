/** Batches from and to plain values. */
import { gzipSync, gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError, UsageError } from '../../../src/errors.ts';
import { compressedBatch } from '../../../src/protocol/records/batch-builder.ts';
import { nextBatch } from '../../../src/protocol/records/batch.ts';
import { decodeRecordBatch, encodeRecordBatch } from '../../../src/protocol/records/plain-batch.ts';
import { recordInput } from './arbitrary.ts';
import { toHex } from './fixtures.ts';

const batchInput = fc.record({
  records: fc.array(recordInput, { minLength: 1, maxLength: 6 }),
  baseOffset: fc.nat(),
  partitionLeaderEpoch: fc.integer({ min: -1 }),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  baseSequence: fc.integer({ min: -1 }),
  isTransactional: fc.boolean(),
  isControl: fc.boolean(),
});

const bytes = encodeRecordBatch({ records: [{ key: 'a', value: 'b' }, {}] });

test('what is encoded decodes to its values, and encodes again to the same bytes', () => {
  fc.assert(
    fc.property(batchInput, (input) => {
      const encoded = encodeRecordBatch(input);
      const decoded = decodeRecordBatch(encoded);
      const { records, ...header } = input;
      expect(decoded).toMatchObject(header);
      expect(decoded.records).toHaveLength(records.length);
      expect(toHex(encodeRecordBatch(decoded))).toBe(toHex(encoded));
    }),
  );
});

test('fields that are left out are those of a simple producer', () => {
  expect(decodeRecordBatch(bytes)).toMatchObject({
    baseOffset: 0,
    lastOffset: 1,
    partitionLeaderEpoch: -1,
    codecId: 0,
    isTransactional: false,
    isControl: false,
    producerId: -1n,
    producerEpoch: -1,
    baseSequence: -1,
    records: [
      { offset: 0, timestamp: -1 },
      { offset: 1, key: null, value: null, headers: [] },
    ],
  });
});

describe('a compressed batch', () => {
  const compressed = compressedBatch(bytes, 1, gzipSync(bytes.subarray(61)));

  test('takes two steps: inflate, then decode', () => {
    const payload = nextBatch(compressed, 0)?.payload ?? new Uint8Array(0);
    const decoded = decodeRecordBatch(compressed, new Uint8Array(gunzipSync(payload)));
    expect(decoded).toEqual({ ...decodeRecordBatch(bytes), codecId: 1 });
  });

  test("is refused without the inflated bytes, by the codec's number", () => {
    expect(() => decodeRecordBatch(compressed)).toThrow(UsageError);
    expect(() => decodeRecordBatch(compressed)).toThrow(/codec 1/);
  });
});

describe('bytes that are not one batch', () => {
  test('a cut batch is malformed', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeRecordBatch(bytes.subarray(0, length))).toThrow(ProtocolError);
    }
  });

  test('two batches are refused: nextBatch walks them', () => {
    const two = new Uint8Array(bytes.length * 2);
    two.set(bytes);
    two.set(bytes, bytes.length);
    expect(() => decodeRecordBatch(two)).toThrow(/nextBatch/);
  });

  test('no batch without a record is written', () => {
    expect(() => encodeRecordBatch({ records: [] })).toThrow(UsageError);
  });
});
