/** Batches from and to plain values. */
import { gzipSync, gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError, UsageError } from '../../../src/errors.ts';
import { crc32c } from '../../../src/protocol/crc32c.ts';
import { compressedBatch } from '../../../src/protocol/records/batch-builder.ts';
import {
  decodeRecord,
  type DecodedRecord,
  decodeRecordBatch,
  decodeRecords,
  encodeRecordBatch,
  visitRecords,
} from '../../../src/protocol/records/plain-batch.ts';
import { recordInput } from './arbitrary.ts';
import { fixture, fixtureNames } from './fixtures.ts';
import { toHex } from './hex.ts';
import { inflate } from './inflate.ts';

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

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

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

test('memory to write into is used where there is room, whatever it held before, and the bytes are the same', () => {
  fc.assert(
    fc.property(batchInput, fc.nat(2000), fc.nat(255), (input, size, held) => {
      const memory = new Uint8Array(size + 7).subarray(7).fill(held);
      const encoded = encodeRecordBatch(input, memory);
      expect(toHex(encoded)).toBe(toHex(encodeRecordBatch(input)));
    }),
  );
  const memory = new Uint8Array(1000);
  expect(encodeRecordBatch({ records: [{ value: 'b' }] }, memory).buffer).toBe(memory.buffer);
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
    const inflate = (_: number, records: Uint8Array): Uint8Array => new Uint8Array(gunzipSync(records));
    const decoded = decodeRecordBatch(compressed, { inflate });
    expect(decoded).toEqual({ ...decodeRecordBatch(bytes), codecId: 1 });
  });

  test("is refused without the inflated bytes, by the codec's number", () => {
    expect(() => decodeRecordBatch(compressed)).toThrow(UsageError);
    expect(() => decodeRecordBatch(compressed)).toThrow(/codec 1/);
  });
});

describe('many batches', () => {
  const upgraded = fixture('upgraded');

  test('of all formats are read one after another, each record as Java reads it', () => {
    const batches = decodeRecords(upgraded.bytes, { inflate, strict: true });
    expect(batches.map(({ magic }) => magic)).toEqual(upgraded.batches.map(({ magic }) => magic));
    const records = batches.flatMap((batch) => batch.records);
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
    expect(
      records.map(({ timestamp, key, value }) => ({
        timestamp: String(timestamp),
        key: toHex(key),
        value: toHex(value),
      })),
    ).toMatchObject(
      upgraded.batches.flatMap(({ records: each }) =>
        each.map(({ timestamp, key, value }) => ({ timestamp, key, value })),
      ),
    );
  });

  test('messages of v0 and v1 have neither producer nor leader epoch, and begin at their first offset', () => {
    const [batch] = decodeRecords(fixture('v1-gzip').bytes, { inflate });
    expect(batch).toMatchObject({
      magic: 1,
      codecId: 1,
      baseOffset: 1000,
      lastOffset: 1005,
      partitionLeaderEpoch: -1,
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
      isControl: false,
      isTransactional: false,
      hasDeleteHorizon: false,
    });
  });

  test('end where the last one is cut, as Fetch answers may', () => {
    for (let cut = 1; cut <= bytes.length; cut++)
      expect(decodeRecords(joined(bytes, bytes.subarray(0, bytes.length - cut)))).toHaveLength(1);
    expect(decodeRecords(new Uint8Array(0))).toEqual([]);
  });

  test('are inflated within the limit, and the codec is told of the format', () => {
    const asked: unknown[] = [];
    const ask = (codecId: number, records: Uint8Array, ...rest: number[]): Uint8Array => {
      asked.push([codecId, ...rest]);
      return inflate(codecId, records);
    };
    decodeRecords(fixture('v0-lz4').bytes, { inflate: ask });
    decodeRecords(fixture('gzip').bytes, { inflate: ask, maxInflatedBytes: 5000 });
    decodeRecords(fixture('kinds-gzip').bytes.subarray(0, 300), { inflate: ask });
    expect(asked[0]).toEqual([3, 67_108_864, 0]);
    expect(asked).toContainEqual([1, 5000, 2]);
  });

  test('with a timestamp beyond 2^53-1 are refused: it is no number', () => {
    expect(() => decodeRecords(fixture('far-timestamps').bytes)).toThrow(
      expect.objectContaining({ code: 'VALUE_RANGE' }),
    );
  });
});

describe('visiting', () => {
  test.each(fixtureNames.filter((name) => !name.startsWith('far-') && name !== 'v1-timestamps'))(
    '%s: finds the records that decodeRecords makes',
    (name) => {
      const records: DecodedRecord[] = [];
      visitRecords(fixture(name).bytes, (cursor) => records.push(decodeRecord(cursor)), { inflate });
      expect(records).toEqual(
        decodeRecords(fixture(name).bytes, { inflate }).flatMap((batch) => batch.records),
      );
    },
  );

  test('tells where key and value lie, and which batch it is', () => {
    const found: unknown[] = [];
    visitRecords(bytes, ({ offset, batch, bytes: payload, keyStart, keyEnd, valueStart }) => {
      found.push([
        offset,
        batch.lastOffset,
        keyStart < 0 ? null : payload[keyStart],
        keyEnd - keyStart,
        valueStart,
      ]);
    });
    expect(found).toEqual([
      [0, 1, 97, 1, 7],
      [1, 1, null, 0, -1],
    ]);
  });

  test('finds nothing in a batch whose checksum does not hold', () => {
    const damaged = joined(bytes, bytes);
    damaged[damaged.length - 1] = 9;
    const offsets: number[] = [];
    expect(() => visitRecords(damaged, ({ offset }) => offsets.push(offset))).toThrow(
      expect.objectContaining({ code: 'CORRUPT' }),
    );
    expect(offsets).toEqual([0, 1]);
  });

  test('reaches records whose timestamps are no numbers', () => {
    let count = 0;
    visitRecords(fixture('far-timestamps').bytes, () => count++);
    expect(count).toBe(4);
  });
});

test('what Java reads but never writes is refused in strict mode alone', () => {
  const attributes = encodeRecordBatch({ records: [{ key: 'a' }] });
  new DataView(attributes.buffer).setInt16(21, 0x0080);
  new DataView(attributes.buffer).setUint32(17, crc32c(attributes.subarray(21)));
  expect(decodeRecordBatch(attributes).records).toHaveLength(1);
  expect(() => decodeRecordBatch(attributes, { strict: true })).toThrow(/unnamed bits/);
});

describe('bytes that are not one batch', () => {
  test('a cut batch is malformed', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeRecordBatch(bytes.subarray(0, length))).toThrow(ProtocolError);
    }
  });

  test('two batches are refused: decodeRecords reads them', () => {
    const two = joined(bytes, bytes);
    expect(() => decodeRecordBatch(two)).toThrow(/decodeRecords/);
    expect(decodeRecords(two)).toEqual([decodeRecordBatch(bytes), decodeRecordBatch(bytes)]);
  });

  test('no batch without a record is written', () => {
    expect(() => encodeRecordBatch({ records: [] })).toThrow(UsageError);
  });
});
