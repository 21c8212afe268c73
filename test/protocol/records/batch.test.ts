/** Finding batches in bytes, and what a header may say. */
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import { nextBatch, RecordBatch } from '../../../src/protocol/records/batch.ts';
import { encodeRecordBatch } from '../../../src/protocol/records/plain-batch.ts';
import { assignOffsets } from '../../../src/protocol/records/batch-builder.ts';

const batch = encodeRecordBatch({
  records: [
    { value: 'a', timestamp: 5 },
    { value: 'b', timestamp: 6 },
  ],
  baseOffset: 10,
});

/** The batch with another field. */
function changed(change: (header: DataView) => void): Uint8Array {
  const bytes = batch.slice();
  change(new DataView(bytes.buffer));
  return bytes;
}

function errorOf(bytes: Uint8Array, position = 0): unknown {
  try {
    nextBatch(bytes, position);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('nextBatch', () => {
  test('walks batches that lie one after another, to their end', () => {
    const bytes = new Uint8Array(batch.length * 3);
    for (let i = 0; i < 3; i++) {
      bytes.set(batch, batch.length * i);
      assignOffsets(bytes.subarray(batch.length * i), 100 * i, i);
    }
    const found: [number, number, number][] = [];
    for (let each = nextBatch(bytes, 0); each !== undefined; each = nextBatch(bytes, each.end)) {
      found.push([each.start, each.baseOffset, each.partitionLeaderEpoch]);
    }
    expect(found).toEqual([
      [0, 0, 0],
      [batch.length, 100, 1],
      [batch.length * 2, 200, 2],
    ]);
  });

  test('finds none where the bytes end before the batch does, at whatever byte', () => {
    for (let length = 0; length < batch.length; length++)
      expect(nextBatch(batch.subarray(0, length), 0)).toBeUndefined();
    expect(nextBatch(batch, batch.length)).toBeUndefined();
  });

  test('a length that promises 2 GiB is a batch that is not all there, and allocates nothing', () => {
    expect(
      nextBatch(
        changed((header) => header.setInt32(8, 2 ** 31 - 1)),
        0,
      ),
    ).toBeUndefined();
  });

  test.each([-(2 ** 31), -1, 0, 13, 48])('a length of %d is malformed', (length) => {
    const error = errorOf(changed((header) => header.setInt32(8, length)));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code: 'MALFORMED', message: expect.stringContaining(`length ${length}`) });
  });

  test('a message set of Kafka before 0.11 is refused by its name', () => {
    for (const magic of [0, 1]) {
      expect(errorOf(changed((header) => header.setInt8(16, magic)))).toMatchObject({
        code: 'UNSUPPORTED_VERSION',
        version: magic,
        byteOffset: 0,
        message: expect.stringContaining(`message set v${magic}`),
      });
    }
  });

  test.each([3, 127, -1, -128])('format v%d is malformed', (magic) => {
    expect(errorOf(changed((header) => header.setInt8(16, magic)))).toMatchObject({
      code: 'MALFORMED',
      message: expect.stringContaining(`v${magic}`),
    });
  });

  test('an error says at which byte the batch begins', () => {
    const bytes = new Uint8Array(batch.length * 2);
    bytes.set(batch);
    bytes.set(batch, batch.length);
    bytes[batch.length + 16] = 9;
    expect(errorOf(bytes, batch.length)).toMatchObject({ byteOffset: batch.length });
  });
});

describe('the header', () => {
  test.each([
    ['recordCount', 57, -1],
    ['recordCount', 57, 3],
    ['lastOffsetDelta', 23, -1],
    ['lastOffsetDelta', 23, 0],
  ])('a %s that contradicts the rest (byte %d: %d) is malformed', (_, position, value) => {
    expect(errorOf(changed((header) => header.setInt32(position, value)))).toMatchObject({
      code: 'MALFORMED',
    });
  });

  test('a batch without records may span offsets, as compaction leaves it', () => {
    const emptied = nextBatch(
      changed((header) => header.setInt32(57, 0)),
      0,
    );
    expect(emptied).toMatchObject({ recordCount: 0, baseOffset: 10, lastOffset: 11 });
  });

  test('an empty batch that spans no offset is malformed: a reader could not move on', () => {
    const bytes = changed((header) => {
      header.setInt32(57, 0);
      header.setInt32(23, -1);
    });
    expect(errorOf(bytes)).toMatchObject({ code: 'MALFORMED' });
  });

  test.each([
    ['baseOffset', 2n ** 53n],
    ['baseOffset', -(2n ** 63n)],
    ['lastOffset', 2n ** 53n - 1n],
  ])('%s beyond 2^53-1 is out of range, and the error names it', (name, value) => {
    const error = errorOf(changed((header) => header.setBigInt64(0, value)));
    expect(error).toMatchObject({
      code: 'VALUE_RANGE',
      path: name,
      message: expect.stringContaining('2^53-1'),
    });
  });

  test('timestamps beyond 2^53-1 fail only when they are read as numbers', () => {
    const found = nextBatch(
      changed((header) => {
        header.setBigInt64(27, 2n ** 63n - 1n);
        header.setBigInt64(35, -(2n ** 60n));
      }),
      0,
    );
    expect(found).toMatchObject({ baseTimestampBigInt: 2n ** 63n - 1n, maxTimestampBigInt: -(2n ** 60n) });
    expect(() => found?.baseTimestamp).toThrow(/baseTimestamp is 9223372036854775807/);
    expect(() => found?.maxTimestamp).toThrow(/maxTimestamp is -1152921504606846976/);
  });

  test('attribute bits are told apart', () => {
    const of = (attributes: number): RecordBatch | undefined =>
      nextBatch(
        changed((header) => header.setInt16(21, attributes)),
        0,
      );
    const none = {
      codecId: 0,
      isLogAppendTime: false,
      isTransactional: false,
      isControl: false,
      hasDeleteHorizon: false,
    };
    expect(of(0)).toMatchObject(none);
    expect(of(0x07)).toMatchObject({ ...none, codecId: 7 });
    expect(of(0x08)).toMatchObject({ ...none, isLogAppendTime: true });
    expect(of(0x10)).toMatchObject({ ...none, isTransactional: true });
    expect(of(0x20)).toMatchObject({ ...none, isControl: true });
    expect(of(0x40)).toMatchObject({ ...none, hasDeleteHorizon: true });
    expect(of(-128)).toMatchObject(none);
  });
});

describe('verifyCrc', () => {
  test('finds every single changed byte under the checksum', () => {
    for (let position = 17; position < batch.length; position++) {
      const bytes = batch.slice();
      bytes[position] = (bytes[position] ?? 0) ^ 0x10;
      const found = new RecordBatch(batch, 0, batch.length);
      expect(() => found.verifyCrc()).not.toThrow();
      expect(() => {
        nextBatch(bytes, 0)?.verifyCrc();
      }, `byte ${position}`).toThrow(ProtocolError);
    }
  });

  test('says which offsets are lost and where they lie', () => {
    const bytes = new Uint8Array(batch.length + 5);
    bytes.set(batch, 5);
    bytes[70] = 0xff;
    const found = nextBatch(bytes, 5);
    expect(() => found?.verifyCrc()).toThrow(
      expect.objectContaining({
        code: 'CORRUPT',
        byteOffset: 5,
        message: expect.stringContaining('offsets 10 to 11'),
      }),
    );
  });

  test('does not cover what a broker assigns: base offset and leader epoch', () => {
    const bytes = changed((header) => {
      header.setBigInt64(0, 99n);
      header.setInt32(12, 4);
    });
    expect(() => nextBatch(bytes, 0)?.verifyCrc()).not.toThrow();
  });
});
