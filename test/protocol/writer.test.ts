/** The writing cursor: ranges, growth, references. */
import { expect, test } from 'vitest';
import { ByteWriter } from '../../src/protocol/writer.ts';
import { fromHex, toHex } from './api/java-fixtures.ts';

const outOfRange: [string, (writer: ByteWriter) => void][] = [
  ['int8 128', (writer) => writer.int8(128)],
  ['int8 -129', (writer) => writer.int8(-129)],
  ['int16 32768', (writer) => writer.int16(32768)],
  ['uint16 -1', (writer) => writer.uint16(-1)],
  ['uint16 65536', (writer) => writer.uint16(65536)],
  ['int32 2^31', (writer) => writer.int32(2 ** 31)],
  ['int32 1.5', (writer) => writer.int32(1.5)],
  ['int32 NaN', (writer) => writer.int32(Number.NaN)],
  ['int32 of a text', (writer) => writer.int32('1' as never)],
  ['int64 2^53', (writer) => writer.int64(2 ** 53)],
  ['int64 0.5', (writer) => writer.int64(0.5)],
  ['int64 of a bigint', (writer) => writer.int64(1n as never)],
  ['bigint 2^63', (writer) => writer.int64Big(2n ** 63n)],
  ['bigint of a number', (writer) => writer.int64Big(1 as never)],
  ['boolean of a number', (writer) => writer.boolean(1 as never)],
  ['float64 of a text', (writer) => writer.float64('1' as never)],
  ['uvarint -1', (writer) => writer.uvarint(-1)],
  ['uvarint 2^32', (writer) => writer.uvarint(2 ** 32)],
  ['uuid of 21 characters', (writer) => writer.uuid('A'.repeat(21))],
  ['uuid with a slash', (writer) => writer.uuid(`${'A'.repeat(21)}/`)],
];

test.each(outOfRange)('%s is a VALUE_RANGE error, not another number', (_, write) => {
  expect(() => write(new ByteWriter())).toThrow(expect.objectContaining({ code: 'VALUE_RANGE' }));
});

test('an error shows a number but no text', () => {
  expect(() => new ByteWriter().int8(300)).toThrow('300 is no int8');
  expect(() => new ByteWriter().uuid('secret')).toThrow(/^a string is no uuid/);
});

test('a buffer of no bytes grows as it must', () => {
  const writer = new ByteWriter(0);
  writer.int8(1);
  writer.int32(2);
  writer.int64(-3);
  writer.raw(fromHex('aabb'));
  writer.text('é'.repeat(100));
  expect(toHex(writer.finish())).toBe(`0100000002fffffffffffffffdaabb${'c3a9'.repeat(100)}`);
});

test('text returns its length in bytes', () => {
  const writer = new ByteWriter(0);
  expect(['', 'abc', 'ü', '東京', '🚀', 'x'.repeat(300)].map((text) => writer.text(text))).toEqual([
    0, 3, 2, 6, 4, 300,
  ]);
});

test('references stand in the parts as they are, without a copy', () => {
  const first = fromHex('0102');
  const second = fromHex('03');
  const writer = new ByteWriter(0, true);
  writer.reference(first);
  writer.int8(9);
  writer.reference(new Uint8Array(0));
  writer.int8(8);
  writer.reference(second);
  const parts = writer.parts();
  expect(parts.map(toHex)).toEqual(['0102', '0908', '03']);
  expect(parts[0]).toBe(first);
  expect(parts[2]).toBe(second);
  expect(writer.referencedBytes).toBe(3);
});

test('a writer of nothing has one empty part', () => {
  expect(new ByteWriter().parts().map(toHex)).toEqual(['']);
});
