/** Markers (Java's bytes are in java.test.ts), and control batches that are none. */
import { expect, test } from 'vitest';
import { nextBatch, type RecordBatch } from '../../../src/protocol/records/batch.ts';
import { decodeControlRecord } from '../../../src/protocol/records/control-record.ts';
import { controlType, encodeEndMarker, readEndMarker } from '../../../src/protocol/records/control.ts';
import { encodeRecordBatch } from '../../../src/protocol/records/plain-batch.ts';

function batchOf(bytes: Uint8Array): RecordBatch {
  const batch = nextBatch(bytes, 0);
  if (batch === undefined) throw new Error('no batch');
  return batch;
}

function controlBatch(key: number[] | null, value: number[] | null): RecordBatch {
  const record = { key: key && Uint8Array.from(key), value: value && Uint8Array.from(value) };
  return batchOf(encodeRecordBatch({ records: [record], isControl: true, isTransactional: true }));
}

const marker = {
  coordinatorEpoch: 2 ** 31 - 1,
  producerId: 2n ** 63n - 1n,
  producerEpoch: 7,
  timestamp: 1_750_000_000_000,
};

test.each(['abort', 'commit'] as const)('a marker of type %s is read as it was written', (type) => {
  const batch = batchOf(encodeEndMarker({ ...marker, type, baseOffset: 5, partitionLeaderEpoch: 6 }));
  batch.verifyCrc();
  expect(controlType(batch)).toBe(type);
  expect(readEndMarker(batch)).toEqual({ type, coordinatorEpoch: 2 ** 31 - 1 });
  const { producerId, producerEpoch, baseSequence } = batch;
  expect({ producerId, producerEpoch, baseSequence }).toEqual({
    producerId: 2n ** 63n - 1n,
    producerEpoch: 7,
    baseSequence: -1,
  });
  expect(batch).toMatchObject({
    baseOffset: 5,
    lastOffset: 5,
    partitionLeaderEpoch: 6,
    isControl: true,
    isTransactional: true,
  });
});

test('without offsets it is written as for the first of a log', () => {
  expect(batchOf(encodeEndMarker({ ...marker, type: 'commit' }))).toMatchObject({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
  });
});

test('control records of other kinds, emptied control batches and data are no markers', () => {
  expect(controlType(controlBatch([0, 0, 0, 2], null))).toBeUndefined();
  expect(readEndMarker(controlBatch([0, 0, 0, 5], null))).toBeUndefined();
  expect(controlType(batchOf(encodeRecordBatch({ records: [{ key: new Uint8Array(4) }] })))).toBeUndefined();
  const emptied = encodeEndMarker({ ...marker, type: 'abort' }).slice(0, 61);
  const header = new DataView(emptied.buffer);
  header.setInt32(8, 49);
  header.setInt32(57, 0);
  expect(controlType(batchOf(emptied))).toBeUndefined();
});

test('later versions are read as version 0, as in Java', () => {
  const batch = controlBatch([0, 9, 0, 1, 1, 2, 3], [0, 4, 0, 0, 0, 8, 1]);
  expect(readEndMarker(batch)).toEqual({ type: 'commit', coordinatorEpoch: 8 });
});

test.each([
  ['a null key', null, [0, 0, 0, 0, 0, 0]],
  ['a short key', [0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['a negative version', [0xff, 0xff, 0, 1], [0, 0, 0, 0, 0, 0]],
])('%s is malformed', (_, key, value) => {
  expect(() => controlType(controlBatch(key, value))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
});

test.each([
  ['a null value', null],
  ['a short value', [0, 0, 0]],
  ['a negative version', [0xff, 0xff, 0, 0, 0, 0]],
])('%s does not hide the type, only the rest', (_, value) => {
  const batch = controlBatch([0, 0, 0, 0], value);
  expect(controlType(batch)).toBe('abort');
  expect(() => readEndMarker(batch)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
});

const asBytes = (numbers: number[] | null): Uint8Array | null => numbers && Uint8Array.from(numbers);

test('a control record of a type that nobody knows yet is its number, whatever its value', () => {
  for (const value of [null, new Uint8Array(3)])
    expect(decodeControlRecord({ key: Uint8Array.of(0, 0, 0x01, 0x02), value })).toEqual({
      type: 0x0102,
      body: undefined,
    });
  expect(decodeControlRecord({ key: Uint8Array.of(0, 0, 0xff, 0xff), value: null }).type).toBe(-1);
});

test('a body of a later version is read as the newest that is known', () => {
  const key = Uint8Array.of(0, 9, 0, 5);
  const value = Uint8Array.of(0, 7, 0, 1, 0, 99);
  expect(decodeControlRecord({ key, value })).toEqual({
    type: 'kraftVersion',
    body: { version: 7, kRaftVersion: 1 },
  });
});

test.each([
  ['a null key', null, [0, 0, 0, 0, 0, 0]],
  ['a short key', [0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['a key of a negative version', [0x80, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['a marker without a value', [0, 0, 0, 1], null],
  ['a marker with half a value', [0, 0, 0, 1], [0, 0, 0]],
  ['a value of a negative version', [0, 0, 0, 6], [0xff, 0xff, 1, 0]],
  ['a body that promises more than there is', [0, 0, 0, 2], [0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0x7f]],
])('as a plain value, %s is malformed', (_, key, value) => {
  expect(() => decodeControlRecord({ key: asBytes(key), value: asBytes(value) })).toThrow(
    expect.objectContaining({ name: 'ProtocolError', code: 'MALFORMED' }),
  );
});
