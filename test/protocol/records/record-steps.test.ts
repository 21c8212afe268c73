/** The quick way and the slow way through a record find the same: the cursor against the format written down plainly. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import { nextBatch, type RecordBatch } from '../../../src/protocol/records/batch.ts';
import { encodeRecordBatch } from '../../../src/protocol/records/plain-batch.ts';
import { RecordCursor } from '../../../src/protocol/records/record-cursor.ts';
import { VarintReader } from '../../../src/protocol/varint.ts';
import { recordInput } from './arbitrary.ts';

/** Positions and numbers of a record; 'refused' where reading ends. */
type Found = readonly number[] | 'refused';

/** The format, a field at a time. */
function expectedOf(batch: RecordBatch, payload: Uint8Array): Found[] {
  const found: Found[] = [];
  const reader = new VarintReader(payload);
  const sized = (length: number): readonly [start: number, end: number] => {
    if (length < 0) return [-1, -1];
    const start = reader.position;
    reader.position += length;
    if (reader.position > reader.end) throw new ProtocolError('too long');
    return [start, reader.position];
  };
  let last = batch.baseOffset - 1;
  try {
    for (let index = 0; index < batch.recordCount; index++) {
      const recordStart = reader.position;
      reader.end = payload.length;
      const [start, end] = sized(reader.varint());
      if (start < 0) throw new ProtocolError('negative length');
      reader.position = start;
      reader.end = end;
      sized(1);
      const timestampStart = reader.position;
      const timestampDelta = reader.varlong();
      const offset = batch.baseOffset + reader.varint();
      if (offset <= last || offset > batch.lastOffset) throw new ProtocolError('offset');
      const key = sized(reader.varint());
      const value = sized(reader.varint());
      const headerCount = reader.varint();
      const headersStart = reader.position;
      if (headerCount < 0) throw new ProtocolError('headers');
      for (let header = 0; header < headerCount; header++) {
        if (sized(reader.varint())[0] < 0) throw new ProtocolError('header key');
        sized(reader.varint());
      }
      if (reader.position !== end) throw new ProtocolError('record length');
      found.push([
        recordStart,
        timestampStart,
        timestampDelta,
        offset,
        ...key,
        ...value,
        headersStart,
        headerCount,
      ]);
      last = offset;
    }
    return found;
  } catch (error) {
    if (error instanceof ProtocolError) return [...found, 'refused'];
    throw error;
  }
}

function foundBy(batch: RecordBatch, payload: Uint8Array): Found[] {
  const found: Found[] = [];
  const cursor = new RecordCursor(batch, payload);
  try {
    while (cursor.next()) {
      const { recordStart, timestampStart, timestampDelta, offset, headersStart, headerCount } = cursor;
      const { keyStart, keyEnd, valueStart, valueEnd } = cursor;
      const start = [recordStart, timestampStart, timestampDelta, offset];
      found.push([...start, keyStart, keyEnd, valueStart, valueEnd, headersStart, headerCount]);
    }
    return found;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    // Asked again it fails again, with the same words.
    expect(() => cursor.next()).toThrow(error.message);
    return [...found, 'refused'];
  }
}

/** Records around the numbers at which a varint grows by a byte, a quick one and a slow one next to each other. */
const edges = fc.constantFrom(0, 1, 62, 63, 64, 65, 8190, 8191, 8192, 8193);
const record = fc.oneof(
  recordInput,
  fc.record({
    key: fc.oneof(
      fc.constant(null),
      edges.map((length) => new Uint8Array(length)),
    ),
    value: fc.oneof(
      fc.constant(null),
      edges.map((length) => new Uint8Array(length)),
    ),
    timestamp: fc.oneof(
      edges,
      edges.map((delta) => -delta),
      fc.constantFrom(2 ** 20 - 1, 2 ** 20, 2 ** 31, 2 ** 53 - 1),
    ),
    headers: fc.array(fc.record({ key: fc.constant('k'), value: fc.constant(null) }), { maxLength: 65 }),
  }),
);
const batchBytes = fc
  .array(record, { minLength: 1, maxLength: 5 })
  .map((records) => encodeRecordBatch({ records, baseOffset: 2 ** 40 }));

test('of records as they are written', () => {
  fc.assert(
    fc.property(batchBytes, (bytes) => {
      const batch = nextBatch(bytes, 0);
      if (batch === undefined) throw new Error('no batch');
      const expected = expectedOf(batch, batch.payload);
      expect(expected).toHaveLength(batch.recordCount);
      expect(expected).not.toContain('refused');
      expect(foundBy(batch, batch.payload)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('of 20,000 records, whose offsets take one, two and three bytes', () => {
  const bytes = encodeRecordBatch({ records: Array.from({ length: 20_000 }, () => ({ value: 'v' })) });
  const batch = nextBatch(bytes, 0);
  if (batch === undefined) throw new Error('no batch');
  expect(foundBy(batch, batch.payload)).toEqual(expectedOf(batch, batch.payload));
});

test('of records of which bytes were changed, an error included', () => {
  const byte = fc.oneof(fc.constantFrom(0x00, 0x01, 0x02, 0x03, 0x7f, 0x80, 0x81, 0xff), fc.nat(255));
  const changes = fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 4 });
  const small = fc
    .array(
      recordInput.filter(({ key, value }) => (key?.length ?? 0) + (value?.length ?? 0) < 60),
      { minLength: 1, maxLength: 4 },
    )
    .map((records) => encodeRecordBatch({ records }));
  fc.assert(
    fc.property(small, changes, fc.nat(3), (bytes, mutations, cut) => {
      const batch = nextBatch(bytes, 0);
      if (batch === undefined) throw new Error('no batch');
      const payload = batch.payload.slice(0, batch.payload.length - cut);
      for (const [at, value] of mutations) payload[at % payload.length] = value;
      // That nothing follows the last record is for hostile.test.ts to say.
      const found = foundOrRefused(batch, payload);
      if (found !== undefined) expect(found).toEqual(expectedOf(batch, payload));
    }),
    { numRuns: 5000 },
  );
});

/** Undefined where the batch as a whole is refused, at its beginning or at its end. */
function foundOrRefused(batch: RecordBatch, payload: Uint8Array): Found[] | undefined {
  if (batch.recordCount > payload.length / 7) return undefined;
  const found = foundBy(batch, payload);
  return found.length > batch.recordCount ? undefined : found;
}
