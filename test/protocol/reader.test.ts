/** The reading cursor: kinds, bounds, varints. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { ByteReader } from '../../src/protocol/reader.ts';
import { ByteWriter } from '../../src/protocol/writer.ts';
import { fromHex, toHex } from './api/java-fixtures.ts';

const reader = (hex: string): ByteReader => new ByteReader(fromHex(hex));

/** Every read that takes a fixed number of bytes. */
const fixed: [keyof ByteReader, number][] = [
  ['int8', 1],
  ['boolean', 1],
  ['int16', 2],
  ['uint16', 2],
  ['int32', 4],
  ['uint32', 4],
  ['int64', 8],
  ['int64Big', 8],
  ['float64', 8],
  ['uuid', 16],
];

const read = (from: ByteReader, kind: keyof ByteReader): unknown => (from[kind] as () => unknown).call(from);

test('numbers are big-endian and signed unless they say otherwise', () => {
  expect(reader('ff').int8()).toBe(-1);
  expect(reader('8001').int16()).toBe(-32767);
  expect(reader('8001').uint16()).toBe(32769);
  expect(reader('80000001').int32()).toBe(-2147483647);
  expect(reader('80000001').uint32()).toBe(2147483649);
  expect(reader('7fffffffffffffff').int64Big()).toBe(9223372036854775807n);
  expect(reader('8000000000000000').int64Big()).toBe(-9223372036854775808n);
  expect(reader('3ff8000000000000').float64()).toBe(1.5);
});

test('any byte but 0 is true', () => {
  expect(reader('00').boolean()).toBe(false);
  expect(reader('01').boolean()).toBe(true);
  expect(reader('ff').boolean()).toBe(true);
});

test('an int64 is an exact number or a VALUE_RANGE error', () => {
  expect(reader('001fffffffffffff').int64()).toBe(Number.MAX_SAFE_INTEGER);
  expect(reader('ffe0000000000001').int64()).toBe(Number.MIN_SAFE_INTEGER);
  expect(reader('ffffffffffffffff').int64()).toBe(-1);
  for (const hex of ['0020000000000000', 'ffe0000000000000', '7fffffffffffffff', '8000000000000000']) {
    expect(() => reader(hex).int64()).toThrow(
      expect.objectContaining({ code: 'VALUE_RANGE', byteOffset: 0 }),
    );
  }
});

describe('unsigned varints', () => {
  // Vectors of kafka-go's protocol tests.
  test.each([
    ['0c', 12],
    ['3f', 63],
    ['40', 64],
    ['7f', 127],
    ['8001', 128],
    ['8101', 129],
    ['b960', 12345],
    ['ffffffff0f', 0xffff_ffff],
  ])('%s is %i, and is written so', (hex, value) => {
    const writer = new ByteWriter();
    writer.uvarint(value);
    expect(toHex(writer.finish())).toBe(hex);
    expect(reader(hex).uvarint()).toBe(value);
  });

  test('padding is accepted and surplus bits of the fifth byte are dropped, as in Java', () => {
    expect(reader('8080808000').uvarint()).toBe(0);
    expect(reader('8580808000').uvarint()).toBe(5);
    expect(reader('ffffffff7f').uvarint()).toBe(0xffff_ffff);
  });

  test('a sixth byte is an error', () => {
    expect(() => reader('808080808000').uvarint()).toThrow('varint of more than 5 bytes');
  });

  test('a varint cut short is an error', () => {
    expect(() => reader('8080').uvarint()).toThrow(ProtocolError);
  });
});

test.each(fixed)('%s needs %i bytes, and without them throws and stays where it is', (kind, size) => {
  const bytes = new Uint8Array(size + 3);
  const whole = new ByteReader(bytes, 2, size + 2);
  read(whole, kind);
  expect(whole.remaining).toBe(0);
  for (let missing = 1; missing <= size; missing++) {
    const short = new ByteReader(bytes, 3, 3 + size - missing);
    expect(() => read(short, kind)).toThrow(ProtocolError);
    expect(short.position).toBe(3);
  }
});

test('a view of bytes is refused before it is made, whatever its length says', () => {
  for (const count of [5, 0x7fff_ffff, -1, Number.MAX_SAFE_INTEGER]) {
    expect(() => reader('01020304').raw(count)).toThrow(`byte 0: ${count} bytes expected, 4 there`);
  }
});

test('bytes are views, and text is a copy', () => {
  const bytes = fromHex('616263');
  const view = new ByteReader(bytes).raw(2);
  const text = new ByteReader(bytes).text(3);
  bytes[0] = 0x7a;
  expect(view[0]).toBe(0x7a);
  expect(text).toBe('abc');
});

test('a reader of a subarray counts from its beginning', () => {
  const inner = fromHex('0000000000000102').subarray(6);
  expect(new ByteReader(inner).int16()).toBe(0x0102);
});

test('whatever a writer writes a reader reads', () => {
  const values = fc.record({
    int8: fc.integer({ min: -128, max: 127 }),
    int16: fc.integer({ min: -32768, max: 32767 }),
    uint16: fc.integer({ min: 0, max: 65535 }),
    int32: fc.integer(),
    uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
    varint: fc.integer(),
    varlong: fc.maxSafeInteger(),
    int64: fc.maxSafeInteger(),
    int64Big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    float64: fc.double(),
    boolean: fc.boolean(),
    uvarint: fc.integer({ min: 0, max: 0xffff_ffff }),
  });
  fc.assert(
    fc.property(values, fc.integer({ min: 0, max: 4 }), (value, initialBytes) => {
      const writer = new ByteWriter(initialBytes);
      for (const [kind, each] of Object.entries(value)) {
        (writer[kind as keyof ByteWriter] as (value: unknown) => void).call(writer, each);
      }
      const from = new ByteReader(writer.finish());
      for (const [kind, each] of Object.entries(value))
        expect(read(from, kind as keyof ByteReader)).toEqual(each);
      expect(from.remaining).toBe(0);
    }),
  );
});
