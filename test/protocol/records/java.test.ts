/** Java decides: record batches and message sets of kafka-clients, read to the same values and written to the same bytes. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { allCodecs, codecById } from '../../../src/compression/index.ts';
import { ProtocolError } from '../../../src/errors.ts';
import {
  compressedBatch,
  setLogAppendTime,
  stampProducer,
} from '../../../src/protocol/records/batch-builder.ts';
import type { RecordBatch } from '../../../src/protocol/records/batch.ts';
import { decodeControlRecord } from '../../../src/protocol/records/control-record.ts';
import { encodeEndMarker, readEndMarker } from '../../../src/protocol/records/control.ts';
import {
  cursorOf,
  LegacyBatch,
  LegacyCursor,
  nextLogBatch,
  type LogBatch,
  type LogCursor,
} from '../../../src/protocol/records/message-set.ts';
import {
  decodeRecords,
  encodeRecordBatch,
  type RecordInput,
} from '../../../src/protocol/records/plain-batch.ts';
import { decodeHeaders, timestampBigInt } from '../../../src/protocol/records/record-cursor.ts';
import { strictCursorOf } from '../../../src/protocol/records/strict.ts';
import { fixture, fixtureNames, type JavaBatch, type JavaRecord, verdicts } from './fixtures.ts';
import { fromHex, toHex } from './hex.ts';
import { inflate } from './inflate.ts';

/** Batches as a producer writes them, so that their values determine their bytes. */
const produced = [
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
];

function batchesOf(bytes: Uint8Array): LogBatch[] {
  const batches: LogBatch[] = [];
  for (let batch = nextLogBatch(bytes, 0); batch !== undefined; batch = nextLogBatch(bytes, batch.end))
    batches.push(batch);
  return batches;
}

function recordsOf(
  batch: LogBatch,
  makeCursor: typeof cursorOf = cursorOf,
  // Java asks no codec for the records of a batch that has none.
  payload: Uint8Array = inflate(batch.recordCount === 0 ? 0 : batch.codecId, batch.payload),
): JavaRecord[] {
  const cursor = makeCursor(batch, payload);
  const records: JavaRecord[] = [];
  while (cursor.next()) {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = cursor;
    const headers = decodeHeaders(bytes, cursor.headersStart, cursor.headerCount);
    records.push({
      offset: String(cursor.offset),
      timestamp: String(timestampOf(cursor)),
      key: keyStart < 0 ? null : toHex(bytes.subarray(keyStart, keyEnd)),
      value: valueStart < 0 ? null : toHex(bytes.subarray(valueStart, valueEnd)),
      ...(headers.length > 0 && { headers: headers.map(({ key, value }) => [key, toHex(value)] as const) }),
    });
  }
  return records;
}

function timestampOf(cursor: LogCursor): bigint {
  return cursor instanceof LegacyCursor ? cursor.timestampBigInt : timestampBigInt(cursor);
}

/** A batch of ours in the words of the fixtures. */
function asJava(batch: LogBatch): JavaBatch {
  const { magic, partitionLeaderEpoch, codecId, isTransactional, isControl, isLogAppendTime } = batch;
  const isLegacy = batch instanceof LegacyBatch;
  const records = recordsOf(batch);
  return {
    magic,
    baseOffset: isLegacy ? (records[0]?.offset ?? '') : String(batch.baseOffset),
    lastOffset: String(batch.lastOffset),
    partitionLeaderEpoch,
    sizeInBytes: batch.end - batch.start,
    checksum: new DataView(batch.bytes.buffer, batch.bytes.byteOffset + batch.start).getUint32(
      isLegacy ? 12 : 17,
    ),
    codecId,
    isTransactional,
    isControl,
    isLogAppendTime,
    deleteHorizonMs: !isLegacy && batch.hasDeleteHorizon ? String(batch.baseTimestamp) : null,
    maxTimestamp: String(batch.maxTimestampBigInt),
    producerId: String(batch.producerId),
    producerEpoch: isLegacy ? -1 : batch.producerEpoch,
    baseSequence: isLegacy ? -1 : batch.baseSequence,
    records,
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
  test.each(fixtureNames)('%s: the values are those that Java reads, strictly too', (name) => {
    const { bytes, batches } = fixture(name);
    const ours = batchesOf(bytes);
    for (const batch of ours) batch.verifyCrc();
    expect(ours.map(asJava)).toEqual(batches.map((batch) => Object.assign(batch, { controls: undefined })));
    expect(ours.map((batch) => recordsOf(batch, strictCursorOf))).toEqual(
      batches.map(({ records }) => records),
    );
    if (!name.endsWith('truncated')) expect(ours.at(-1)?.end).toBe(bytes.length);
  });
});

describe('control records', () => {
  const names = fixtureNames.filter((name) => fixture(name).batches.some(({ isControl }) => isControl));

  test.each(names)('%s: types and bodies are those that Java reads', (name) => {
    const { bytes, batches } = fixture(name);
    const ours = decodeRecords(bytes, { inflate, strict: true }).filter(({ isControl }) => isControl);
    const controls = batches.flatMap((batch) => batch.controls ?? []);
    expect(controls.length).toBeGreaterThan(0);
    expect(ours.flatMap(({ records }) => records.map(decodeControlRecord))).toMatchObject(
      // Java's names are ours in upper case: LEADER_CHANGE.
      controls.map(({ type, body }) => ({
        type: type.toLowerCase().replace(/_(.)/, (_, letter: string) => letter.toUpperCase()),
        body,
      })),
    );
  });

  test('Java wrote every type', () => {
    const types = new Set(
      names
        .flatMap((name) => fixture(name).batches.flatMap(({ controls }) => controls ?? []))
        .map(({ type }) => type),
    );
    expect(types.size).toBe(7);
  });
});

describe('encoding what Java encodes', () => {
  test.each(produced)("%s: the bytes are Java's, from bytes and from text", (name) => {
    const { hex, batches } = fixture(name);
    expect(toHex(encodeAsJava(only(batches), false))).toBe(hex);
    if (name !== 'commit' && name !== 'abort') expect(toHex(encodeAsJava(only(batches), true))).toBe(hex);
  });

  test("a marker is Java's byte for byte", () => {
    for (const type of ['commit', 'abort'] as const) {
      const { hex, bytes, batches } = fixture(type);
      const { controls, producerId, producerEpoch, partitionLeaderEpoch, baseOffset, maxTimestamp } =
        only(batches);
      const marker = readEndMarker(only(batchesOf(bytes)) as RecordBatch);
      if (marker === undefined) throw new Error('no marker');
      const { coordinatorEpoch } = marker;
      expect(controls).toEqual([{ type: type.toUpperCase(), body: { coordinatorEpoch } }]);
      const encoded = encodeEndMarker({
        ...marker,
        producerId: BigInt(producerId),
        producerEpoch,
        partitionLeaderEpoch,
        baseOffset: Number(baseOffset),
        timestamp: Number(maxTimestamp),
      });
      expect(toHex(encoded)).toBe(hex);
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
  const stricter = (names: string): Set<string> => new Set(names.trim().split(/\s+/));
  /** Refused here though Java reads them: a Reader's position must move on, and only by offsets of the batch; and no
   * broker ever stored messages of two formats in one wrapper.
   */
  const refusedHere = stricter(`
    offset-beyond-last offset-negative offset-repeated count-beyond-offsets
    v0-offsets-beyond v0-offsets-of-zero v0-offsets-repeated v0-offsets-descending v0-offset-negative
    v1-offsets-of-zero v1-offsets-repeated v1-offsets-descending
    v0-inner-other-magic v1-inner-other-magic v0-inner-magic-2 v1-inner-magic-2 v1-wrapper-log-append-time-v0
  `);
  /** Read here as by Java, but refused in strict mode. */
  const refusedStrictly = stricter(`
    unused-attributes record-attributes key-length-below-null value-length-below-null header-value-length-below-null
    header-key-invalid-utf-8 varint-padded varint-surplus-bits varlong-padded varlong-surplus-bits
    count-zero-with-payload gzip-count-zero snappy-count-zero lz4-count-zero zstd-count-zero
    v0-attributes v0-log-append-time v0-wrapper-log-append-time v0-inner-log-append-time v1-attributes
    v0-wrapper-unused-attributes v1-wrapper-unused-attributes v0-wrapper-key v1-wrapper-key
    v0-key-length-below-null v0-value-length-below-null v0-surplus v1-key-length-below-null v1-value-length-below-null
    v1-surplus v0-inner-crc v0-inner-cut v0-inner-tail v0-inner-surplus v0-inner-key-length-below-null
    v1-inner-crc v1-inner-cut v1-inner-tail v1-inner-surplus v1-inner-key-length-below-null
  `);

  /** With our own codecs: what Java's refuse, is part of its verdict. */
  async function read(hex: string, makeCursor?: typeof cursorOf): Promise<JavaRecord[]> {
    const records: JavaRecord[] = [];
    for (const batch of batchesOf(fromHex(hex))) {
      batch.verifyCrc();
      const { codecId, payload, magic, recordCount } = batch;
      const isInflated = codecId === 0 || recordCount === 0;
      const inflated = isInflated
        ? payload
        : await codecById(allCodecs, codecId).decompress(payload, { maxBytes: 10_000, magic });
      records.push(...recordsOf(batch, makeCursor, inflated));
    }
    return records;
  }

  test.each(verdicts())("$name: the verdict is Java's", async ({ name, hex, refused, records }) => {
    const isRefused = refused !== undefined || refusedHere.has(name);
    if (isRefused) await expect(read(hex)).rejects.toThrow(ProtocolError);
    else expect(await read(hex)).toEqual(records);
    if (isRefused || refusedStrictly.has(name))
      await expect(read(hex, strictCursorOf)).rejects.toThrow(ProtocolError);
    else expect(await read(hex, strictCursorOf)).toEqual(records);
  });

  test('every exception from that is one of the cases', () => {
    const names = new Set(verdicts().map(({ name }) => name));
    expect([...refusedHere, ...refusedStrictly].filter((name) => !names.has(name))).toEqual([]);
  });
});
