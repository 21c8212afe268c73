/** Java decides: record batches of kafka-clients, read to the same values and written to the same bytes. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import {
  compressedBatch,
  setLogAppendTime,
  stampProducer,
} from '../../../src/protocol/records/batch-builder.ts';
import { nextBatch, type RecordBatch } from '../../../src/protocol/records/batch.ts';
import { encodeEndMarker, readEndMarker } from '../../../src/protocol/records/control.ts';
import { encodeRecordBatch, type RecordInput } from '../../../src/protocol/records/plain-batch.ts';
import { decodeHeaders, RecordCursor, timestampBigInt } from '../../../src/protocol/records/record-cursor.ts';
import { fixture, fromHex, type JavaBatch, type JavaRecord, toHex, verdicts } from './fixtures.ts';

const names = [
  'plain',
  'headers',
  'nulls',
  'timestamps',
  'no-timestamp',
  'non-ascii',
  'sizes',
  'many',
  'idempotent',
  'transactional',
  'commit',
  'abort',
  'log-append-time',
  'gzip',
  'several',
  'compacted',
  'emptied',
  'delete-horizon',
  'far-timestamps',
];
/** Batches as a producer writes them, so that their values determine their bytes. */
const produced = names.slice(0, names.indexOf('log-append-time'));

function batchesOf(bytes: Uint8Array): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let batch = nextBatch(bytes, 0); batch !== undefined; batch = nextBatch(bytes, batch.end))
    batches.push(batch);
  return batches;
}

function inflated(batch: RecordBatch): Uint8Array {
  return batch.codecId === 1 ? gunzipSync(batch.payload) : batch.payload;
}

function recordsOf(batch: RecordBatch): JavaRecord[] {
  const cursor = new RecordCursor(batch, inflated(batch));
  const records: JavaRecord[] = [];
  while (cursor.next()) {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = cursor;
    const headers = decodeHeaders(bytes, cursor.headersStart, cursor.headerCount);
    records.push({
      offset: String(cursor.offset),
      timestamp: String(timestampBigInt(cursor)),
      key: keyStart < 0 ? null : toHex(bytes.subarray(keyStart, keyEnd)),
      value: valueStart < 0 ? null : toHex(bytes.subarray(valueStart, valueEnd)),
      ...(headers.length > 0 && { headers: headers.map(({ key, value }) => [key, toHex(value)] as const) }),
    });
  }
  return records;
}

/** A batch of ours in the words of the fixtures. */
function asJava(batch: RecordBatch): JavaBatch {
  const {
    partitionLeaderEpoch,
    codecId,
    isTransactional,
    isControl,
    isLogAppendTime,
    producerEpoch,
    baseSequence,
  } = batch;
  return {
    baseOffset: String(batch.baseOffset),
    lastOffset: String(batch.lastOffset),
    partitionLeaderEpoch,
    sizeInBytes: batch.end - batch.start,
    checksum: new DataView(batch.bytes.buffer, batch.bytes.byteOffset + batch.start).getUint32(17),
    codecId,
    isTransactional,
    isControl,
    isLogAppendTime,
    deleteHorizonMs: batch.hasDeleteHorizon ? String(batch.baseTimestamp) : null,
    maxTimestamp: String(batch.maxTimestampBigInt),
    producerId: String(batch.producerId),
    producerEpoch,
    baseSequence,
    marker: readEndMarker(batch) ?? null,
    records: recordsOf(batch),
  };
}

function inputOf(record: JavaRecord, asText: boolean): RecordInput {
  const field = (hex: string | null): Uint8Array | string | null =>
    hex !== null && asText ? new TextDecoder().decode(fromHex(hex)) : hex && fromHex(hex);
  return {
    key: record.key === '' ? '' : field(record.key),
    value: record.value === '' ? '' : field(record.value),
    timestamp: Number(record.timestamp),
    ...(record.headers && {
      headers: record.headers.map(([key, value]) => ({ key, value: value === '' ? '' : field(value) })),
    }),
  };
}

function encodeAsJava(batch: JavaBatch, asText: boolean): Uint8Array {
  return encodeRecordBatch({
    records: batch.records.map((record) => inputOf(record, asText)),
    baseOffset: Number(batch.baseOffset),
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    producerId: BigInt(batch.producerId),
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
  });
}

function only<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined || items.length !== 1) throw new Error(`one item expected, not ${items.length}`);
  return item;
}

describe('decoding what Java wrote', () => {
  test.each(names)('%s: the values are those that Java reads', (name) => {
    const { bytes, batches } = fixture(name);
    const ours = batchesOf(bytes);
    for (const batch of ours) batch.verifyCrc();
    expect(ours.map(asJava)).toEqual(batches);
    expect(ours.at(-1)?.end).toBe(bytes.length);
  });
});

describe('encoding what Java encodes', () => {
  test.each(produced)("%s: the bytes are Java's, from bytes and from text", (name) => {
    const { hex, batches } = fixture(name);
    expect(toHex(encodeAsJava(only(batches), false))).toBe(hex);
    if (name !== 'commit' && name !== 'abort') expect(toHex(encodeAsJava(only(batches), true))).toBe(hex);
  });

  test("a marker is Java's byte for byte", () => {
    for (const name of ['commit', 'abort']) {
      const { hex, batches } = fixture(name);
      const { marker, producerId, producerEpoch, partitionLeaderEpoch, baseOffset, maxTimestamp } =
        only(batches);
      if (marker === null) throw new Error('no marker');
      const bytes = encodeEndMarker({
        ...marker,
        producerId: BigInt(producerId),
        producerEpoch,
        partitionLeaderEpoch,
        baseOffset: Number(baseOffset),
        timestamp: Number(maxTimestamp),
      });
      expect(toHex(bytes)).toBe(hex);
    }
  });

  test('a batch stamped after it was finished is the one that Java stamped before', () => {
    const { hex, batches } = fixture('idempotent');
    const batch = only(batches);
    const bytes = encodeRecordBatch({ records: batch.records.map((record) => inputOf(record, false)) });
    const { producerEpoch, baseSequence } = batch;
    stampProducer(bytes, { producerId: BigInt(batch.producerId), producerEpoch, baseSequence });
    expect(toHex(bytes)).toBe(hex);
  });

  test("a batch stamped with the broker's time is Java's", () => {
    const { hex, batches } = fixture('log-append-time');
    const timestamp = Number(only(batches).maxTimestamp);
    const bytes = encodeRecordBatch({
      records: [
        { key: 'a', value: '1', timestamp: timestamp - 1000 },
        { key: 'b', value: '2', timestamp: timestamp - 995 },
      ],
      baseOffset: 20,
      partitionLeaderEpoch: 4,
    });
    setLogAppendTime(bytes, timestamp);
    expect(toHex(bytes)).toBe(hex);
  });

  test("a batch around Java's compressed records is Java's", () => {
    const { hex, bytes, batches } = fixture('gzip');
    const plain = encodeAsJava(only(batches), false);
    expect(toHex(compressedBatch(plain, 1, bytes.subarray(61)))).toBe(hex);
    expect(toHex(plain.subarray(61))).toBe(toHex(gunzipSync(bytes.subarray(61))));
  });
});

describe('bytes made by hand', () => {
  /** Refused here though Java reads them: a Reader's position must move on, and only by offsets of the batch. */
  const stricter = new Set([
    'offset-beyond-last',
    'offset-negative',
    'offset-repeated',
    'count-beyond-offsets',
  ]);

  test.each(verdicts())("$name: the verdict is Java's", ({ name, hex, refused, records }) => {
    const read = (): JavaRecord[] =>
      batchesOf(fromHex(hex)).flatMap((batch) => {
        batch.verifyCrc();
        return recordsOf(batch);
      });
    if (refused !== undefined || stricter.has(name)) expect(read).toThrow(ProtocolError);
    else expect(read()).toEqual(records);
  });
});
