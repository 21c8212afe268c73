/** The builder against the decoder (Java's bytes are in java.test.ts), and changes to finished batches. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { crc32c } from '../../../src/protocol/crc32c.ts';
import {
  assignOffsets,
  BatchBuilder,
  compressedBatch,
  recordByteBound,
  recordByteLength,
  setLogAppendTime,
  setMaxTimestamp,
  stampProducer,
} from '../../../src/protocol/records/batch-builder.ts';
import { CONTROL, nextBatch, TRANSACTIONAL, type RecordBatch } from '../../../src/protocol/records/batch.ts';
import { decodeRecordBatch, type RecordInput } from '../../../src/protocol/records/plain-batch.ts';
import { asBytes, recordInput } from './arbitrary.ts';
import { toHex } from './hex.ts';

const time = 1_750_000_000_000;

function builderOf(records: readonly Required<RecordInput>[], initialBytes?: number): BatchBuilder {
  const builder = new BatchBuilder(initialBytes);
  for (const record of records) add(builder, record);
  return builder;
}

function add(builder: BatchBuilder, { timestamp, key, value, headers }: Required<RecordInput>): void {
  builder.timestamp = timestamp;
  builder.append(key, value, headers);
}

function numbered(count: number): BatchBuilder {
  const builder = new BatchBuilder();
  for (let i = 0; i < count; i++) {
    builder.timestamp = time + i;
    builder.append(null, `value ${i}`);
  }
  return builder;
}

/** What text is after UTF-8: lone surrogates are replaced. */
function asText(text: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}

function headerOf(bytes: Uint8Array): RecordBatch {
  const batch = nextBatch(bytes, 0);
  if (batch === undefined) throw new Error('no batch');
  return batch;
}

describe('append', () => {
  test('what is appended is read back, whatever the initial size', () => {
    fc.assert(
      fc.property(
        fc.array(recordInput, { minLength: 1, maxLength: 8 }),
        fc.nat(300),
        (records, initialBytes) => {
          const decoded = decodeRecordBatch(builderOf(records, initialBytes).finish());
          expect(
            decoded.records.map(({ key, value, headers, ...rest }) => ({
              ...rest,
              key: toHex(key),
              value: toHex(value),
              headers: headers.map((each) => [each.key, toHex(each.value)]),
            })),
          ).toEqual(
            records.map(({ timestamp, key, value, headers }, offset) => ({
              offset,
              timestamp,
              key: toHex(asBytes(key)),
              value: toHex(asBytes(value)),
              headers: headers.map((each) => [asText(each.key), toHex(asBytes(each.value))]),
            })),
          );
          expect(decoded.baseTimestamp).toBe(records[0]?.timestamp);
          expect(decoded.maxTimestamp).toBe(Math.max(...records.map(({ timestamp }) => timestamp)));
        },
      ),
    );
  });

  test("byteLength is the finished batch's, and no record adds more than its announced length", () => {
    fc.assert(
      fc.property(fc.array(recordInput, { minLength: 1, maxLength: 8 }), (records) => {
        const builder = new BatchBuilder();
        for (const record of records) {
          const { key, value, headers } = record;
          const before = builder.byteLength;
          add(builder, record);
          const added = builder.byteLength - before;
          const announced = recordByteLength(key, value, headers);
          expect(announced).toBeGreaterThanOrEqual(added);
          expect(announced - added).toBeLessThanOrEqual(17);
          expect(recordByteBound(key, value, headers)).toBeGreaterThanOrEqual(announced);
        }
        const { byteLength } = builder;
        expect(builder.finish()).toHaveLength(byteLength);
      }),
    );
  });

  test('text and its UTF-8 give the same batch', () => {
    fc.assert(
      fc.property(fc.array(recordInput, { minLength: 1, maxLength: 5 }), (records) => {
        const encoded = records.map((record) => ({
          ...record,
          key: asBytes(record.key),
          value: asBytes(record.value),
          headers: record.headers.map(({ key, value }) => ({ key, value: asBytes(value) })),
        }));
        expect(toHex(builderOf(records).finish())).toBe(toHex(builderOf(encoded).finish()));
      }),
    );
  });

  test('bytes are copied at once: the caller may reuse its buffer', () => {
    const buffer = Uint8Array.of(1, 2, 3);
    const builder = new BatchBuilder();
    builder.append(buffer, buffer);
    buffer.fill(9);
    builder.append(buffer, null);
    const keys = decodeRecordBatch(builder.finish()).records.map(({ key }) => toHex(key));
    expect(keys).toEqual(['010203', '090909']);
  });

  test('a builder keeps no more than about twice what it holds', () => {
    const builder = new BatchBuilder(64);
    for (let i = 0; i < 100; i++) builder.append(null, 'x'.repeat(10_000));
    const batch = builder.finish();
    expect(batch.buffer.byteLength).toBeLessThan(batch.length * 2 + 100);
  });
});

describe('finish', () => {
  test('writes a header as a producer without idempotence', () => {
    const bytes = numbered(3).finish();
    const batch = headerOf(bytes);
    batch.verifyCrc();
    const {
      baseOffset,
      lastOffset,
      partitionLeaderEpoch,
      attributes,
      producerId,
      producerEpoch,
      baseSequence,
      recordCount,
    } = batch;
    expect({
      baseOffset,
      lastOffset,
      partitionLeaderEpoch,
      attributes,
      producerId,
      producerEpoch,
      baseSequence,
      recordCount,
    }).toEqual({
      baseOffset: 0,
      lastOffset: 2,
      partitionLeaderEpoch: -1,
      attributes: 0,
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
      recordCount: 3,
    });
  });

  test('spends the builder: every later call is refused and the batch stays as it is', () => {
    const builder = numbered(2);
    const batch = builder.finish();
    const copy = batch.slice();
    for (const call of [
      () => builder.append(null, 'late'),
      () => builder.finish(),
      () => builder.retain(() => true),
      () => builder.payload,
    ]) {
      expect(call).toThrow(UsageError);
    }
    expect(batch).toEqual(copy);
  });

  test('needs a record', () => {
    expect(() => new BatchBuilder().finish()).toThrow(/at least one record/);
  });
});

describe('retain', () => {
  test('leaves the batch that the other records alone would have made', () => {
    fc.assert(
      fc.property(
        fc.array(recordInput, { minLength: 1, maxLength: 10 }),
        fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
        (records, kept) => {
          const builder = builderOf(records);
          builder.retain((index) => kept[index] === true);
          const rest = records.filter((_, index) => kept[index] === true);
          expect(builder.recordCount).toBe(rest.length);
          if (rest.length === 0) return;
          const expected = builderOf(rest);
          expect(builder.byteLength).toBe(expected.byteLength);
          expect(toHex(builder.finish())).toBe(toHex(expected.finish()));
        },
      ),
    );
  });

  test('leaves a builder that takes further records, as new when nothing is left', () => {
    const builder = numbered(3);
    builder.retain(() => false);
    const { recordCount, byteLength, baseTimestamp, maxTimestamp } = builder;
    expect({ recordCount, byteLength, baseTimestamp, maxTimestamp }).toEqual({
      recordCount: 0,
      byteLength: 61,
      baseTimestamp: -1,
      maxTimestamp: -1,
    });
    builder.timestamp = time + 9;
    builder.append('key', 'value');
    expect(decodeRecordBatch(builder.finish())).toMatchObject({
      baseTimestamp: time + 9,
      records: [{ offset: 0, timestamp: time + 9 }],
    });
  });

  test('does not touch a payload that a codec still reads', () => {
    const builder = numbered(5);
    const payload = builder.payload;
    const copy = payload.slice();
    builder.retain((index) => index >= 2);
    expect(payload).toEqual(copy);
  });
});

describe('a finished batch', () => {
  const noProducer = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };
  const sizes = [1, 50, 3000];

  test.each(sizes)('of %d records takes producer fields and stays under its checksum', (count) => {
    const bytes = numbered(count).finish();
    stampProducer(bytes, {
      producerId: 2n ** 62n + 1n,
      producerEpoch: 32_767,
      baseSequence: 2 ** 31 - 1,
    });
    expect(headerOf(bytes)).toMatchObject({
      producerId: 2n ** 62n + 1n,
      producerEpoch: 32_767,
      baseSequence: 2 ** 31 - 1,
      isTransactional: false,
      isControl: false,
    });
    headerOf(bytes).verifyCrc();
    stampProducer(bytes, { producerId: -1n, producerEpoch: -1, baseSequence: -1 });
    expect(toHex(bytes)).toBe(toHex(numbered(count).finish()));
  });

  test('stamped without a word on attributes keeps them', () => {
    const bytes = numbered(1).finish();
    const attributes = TRANSACTIONAL | CONTROL;
    stampProducer(bytes, { producerId: 1n, producerEpoch: 0, baseSequence: 0, attributes });
    stampProducer(bytes, { producerId: 2n, producerEpoch: 0, baseSequence: 0 });
    expect(headerOf(bytes)).toMatchObject({ isTransactional: true, isControl: true, isLogAppendTime: false });
    headerOf(bytes).verifyCrc();
  });

  test.each([
    ['stamped', (bytes: Uint8Array) => stampProducer(bytes, noProducer)],
    ['given another highest timestamp', (bytes: Uint8Array) => setMaxTimestamp(bytes, time + 1)],
  ])('without a checksum has one when it was %s, as if it had been sealed', (_, change) => {
    const bytes = numbered(2).finish(false);
    expect(() => headerOf(bytes).verifyCrc()).toThrow(/checksum/);
    change(bytes);
    expect(toHex(bytes)).toBe(toHex(numbered(2).finish()));
  });

  test('without a checksum has one when it was compressed', () => {
    const payload = Uint8Array.of(1, 2, 3);
    const bytes = compressedBatch(numbered(2).finish(false), 4, payload);
    expect(toHex(bytes)).toBe(toHex(compressedBatch(numbered(2).finish(), 4, payload)));
  });

  test.each(sizes)("of %d records takes the broker's time for all records", (count) => {
    const bytes = numbered(count).finish();
    setLogAppendTime(bytes, time + 5000);
    const decoded = decodeRecordBatch(bytes);
    expect(decoded).toMatchObject({ isLogAppendTime: true, maxTimestamp: time + 5000, baseTimestamp: time });
    expect(new Set(decoded.records.map(({ timestamp }) => timestamp))).toEqual(new Set([time + 5000]));
  });

  test('takes another highest timestamp', () => {
    const bytes = numbered(2).finish();
    setMaxTimestamp(bytes, time + 7);
    expect(decodeRecordBatch(bytes)).toMatchObject({ isLogAppendTime: false, maxTimestamp: time + 7 });
  });

  test('takes its offsets without a new checksum', () => {
    const bytes = numbered(2).finish();
    const covered = bytes.slice(17);
    assignOffsets(bytes, Number.MAX_SAFE_INTEGER - 1, 12);
    expect(bytes.subarray(17)).toEqual(covered);
    expect(headerOf(bytes)).toMatchObject({
      baseOffset: Number.MAX_SAFE_INTEGER - 1,
      lastOffset: Number.MAX_SAFE_INTEGER,
      partitionLeaderEpoch: 12,
    });
    headerOf(bytes).verifyCrc();
  });

  test('with compressed records keeps the rest of its header', () => {
    const plain = numbered(2).finish();
    const attributes = TRANSACTIONAL;
    stampProducer(plain, { producerId: 9n, producerEpoch: 1, baseSequence: 4, attributes });
    const payload = Uint8Array.of(1, 2, 3);
    const bytes = compressedBatch(plain, 4, payload);
    const batch = headerOf(bytes);
    batch.verifyCrc();
    expect(batch).toMatchObject({
      codecId: 4,
      isTransactional: true,
      producerId: 9n,
      baseSequence: 4,
      recordCount: 2,
      maxTimestamp: time + 1,
      end: 64,
    });
    expect(batch.payload).toEqual(payload);
    expect(headerOf(compressedBatch(bytes, 1, payload)).codecId).toBe(1);
  });

  test('may lie anywhere in its buffer', () => {
    const bytes = numbered(40).finish();
    const moved = new Uint8Array(bytes.length + 7).subarray(7);
    moved.set(bytes);
    const stamp = { producerId: 1n, producerEpoch: 0, baseSequence: 0 };
    stampProducer(moved, stamp);
    stampProducer(bytes, stamp);
    expect(moved).toEqual(bytes);
    expect(crc32c(moved.subarray(21))).toBe(new DataView(bytes.buffer, bytes.byteOffset).getUint32(17));
  });
});
