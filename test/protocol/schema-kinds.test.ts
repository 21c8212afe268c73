/** What a table may hold besides the plain: varints, unsigned numbers, unknown tags, structs that are tagged and null;
 * and what a strict decode refuses of it, though Java reads it.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { consumerGroupMemberMetadataValue } from '../../src/protocol/embedded/consumer-group-records.ts';
import {
  defineMessage,
  unknownTags,
  type Fields,
  type Input,
  type Message,
  type UnknownTag,
} from '../../src/protocol/schema.ts';
import { fromHex, hex, toHex } from './api/java-fixtures.ts';

interface Numbers {
  wide: number;
  count: number;
  delta: number;
  long: number;
}

const numberFields: Fields<Numbers> = { wide: 'uint32', count: 'uvarint', delta: 'varint', long: 'varlong' };
const numbers: Message<Numbers> = defineMessage('Numbers', -1, [0, 0], undefined, numberFields);

interface Inner {
  id: number;
}

interface Tagged {
  id: number;
  first: number;
  third: string;
  inner: Inner | null;
  list: Inner[];
}

const inner: Fields<Inner> = { id: 'int8' };
const taggedFields: Fields<Tagged> = {
  id: 'int8',
  first: { type: 'int8', tag: 1, since: 1 },
  third: { type: 'string', tag: 3, since: 1 },
  inner: { type: inner, tag: 4, since: 1, nullable: true, default: null },
  list: { type: [inner], since: 1 },
};
const tagged: Message<Tagged> = defineMessage('Tagged', -1, [0, 1], 1, taggedFields);

const data = (text: string): Uint8Array => fromHex(text);

function errorOf(act: () => unknown): ProtocolError {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
  }
  throw new Error('no ProtocolError was thrown');
}

describe('varints and unsigned numbers', () => {
  test.each([
    [
      { wide: 0xffff_ffff, count: 0xffff_ffff, delta: -1, long: 2 ** 53 - 1 },
      'ffffffff ffffffff0f 01 feffffffffffff1f',
    ],
    [
      { wide: 1, count: 128, delta: 2 ** 31 - 1, long: -(2 ** 53) + 1 },
      '00000001 8001 feffffff0f fdffffffffffff1f',
    ],
    [{ wide: 0, count: 0, delta: -(2 ** 31), long: 0 }, '00000000 00 ffffffff0f 00'],
  ])('are exact to their edges', (value, bytes) => {
    expect(toHex(numbers.encode(value, 0))).toBe(hex(bytes));
    expect(numbers.decode(fromHex(bytes), 0, { strict: true })).toEqual(value);
  });

  test.each([
    ['wide', -1],
    ['wide', 2 ** 32],
    ['count', -1],
    ['count', 2 ** 32],
    ['count', 1.5],
    ['delta', 2 ** 31],
    ['long', 2 ** 53],
    ['long', Number.NaN],
  ])('%s cannot be %d', (name, value) => {
    const error = errorOf(() => numbers.encode({ [name]: value }, 0));
    expect(error).toMatchObject({ code: 'VALUE_RANGE', path: name, api: 'Numbers' });
  });

  test('a varlong beyond 2^53-1 is a VALUE_RANGE error when read', () => {
    const error = errorOf(() => numbers.decode(fromHex('00000000 00 00 ffffffffffffffffff01'), 0));
    expect(error).toMatchObject({ code: 'VALUE_RANGE', path: 'long', byteOffset: 6 });
  });

  test('come back whatever they are', () => {
    const values = fc.record({
      wide: fc.integer({ min: 0, max: 0xffff_ffff }),
      count: fc.integer({ min: 0, max: 0xffff_ffff }),
      delta: fc.integer(),
      long: fc.maxSafeInteger(),
    });
    fc.assert(
      fc.property(values, (value) => {
        expect(numbers.decode(numbers.encode(value, 0), 0, { strict: true })).toEqual(value);
      }),
    );
  });
});

describe('tagged fields that the table does not know', () => {
  const known = { id: 5, first: 7, third: 'x' };
  const unknown = [
    { tag: 0, data: data('aa') },
    { tag: 2, data: data('') },
    { tag: 300, data: data('bbcc') },
  ];
  const bytes = '05 01 05 00 01 aa 01 01 07 02 00 03 02 02 78 ac02 02 bbcc';

  test('are kept, and written back between the known ones by ascending tag', () => {
    const decoded = tagged.decode(fromHex(bytes), 1, { strict: true });
    expect(decoded).toMatchObject(known);
    expect((decoded as Input<Tagged>)[unknownTags]).toEqual(unknown);
    expect(toHex(tagged.encode(decoded, 1))).toBe(hex(bytes));
    expect(toHex(tagged.encode({ ...known, [unknownTags]: unknown }, 1))).toBe(hex(bytes));
  });

  test('are a symbol, of which JSON knows nothing; without any the property is absent', () => {
    expect(JSON.stringify(tagged.decode(fromHex(bytes), 1))).not.toContain('tag');
    expect(unknownTags in tagged.decode(tagged.encode(known, 1), 1)).toBe(false);
  });

  test('are kept in the structs of an array too', () => {
    const value = { list: [{ id: 1, [unknownTags]: unknown }, { id: 2 }] };
    const decoded = tagged.decode(tagged.encode(value, 1), 1);
    expect((decoded.list[0] as Input<Inner>)[unknownTags]).toEqual(unknown);
    expect(toHex(tagged.encode(decoded, 1))).toBe(toHex(tagged.encode(value, 1)));
  });

  test.each([
    ['a tag that the table knows', [{ tag: 3, data: data('00') }]],
    ['a tag twice', [unknown[0], unknown[0]]],
    ['a descending tag', [unknown[2], unknown[1]]],
    ['a tag beyond uint32', [{ tag: 2 ** 32, data: data('00') }]],
  ])('are refused with %s', (_, tags) => {
    const value = { id: 1, [unknownTags]: tags as UnknownTag[] };
    expect(errorOf(() => tagged.encode(value, 1))).toMatchObject({ code: 'VALUE_RANGE', path: 'tags' });
  });

  test('cannot go into a version that has no tagged fields, as in Java', () => {
    const value = { id: 1, [unknownTags]: unknown };
    expect(errorOf(() => tagged.encode(value, 0))).toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      api: 'Tagged',
      version: 0,
    });
    expect(toHex(tagged.encode({ id: 1, [unknownTags]: [] }, 0))).toBe('01');
  });
});

describe('a tagged struct that may be null', () => {
  test('has a varint in front, where an untagged one has a byte', () => {
    const decoded = tagged.decode(fromHex('05 01 01 04 03 01 08 00'), 1, { strict: true });
    expect(decoded.inner).toEqual({ id: 8 });
    expect(toHex(tagged.encode(decoded, 1))).toBe(hex('05 01 01 04 03 01 08 00'));
  });

  test('is null if that is 0 or negative as an int32, as in Java; strict refuses the latter', () => {
    expect(tagged.decode(fromHex('05 01 01 04 01 00'), 1, { strict: true }).inner).toBeNull();
    const negative = fromHex('05 01 01 04 05 ffffffff0f');
    expect(tagged.decode(negative, 1).inner).toBeNull();
    expect(errorOf(() => tagged.decode(negative, 1, { strict: true }))).toMatchObject({ path: 'inner' });
  });

  test('is written as null where its default is another', () => {
    const written = toHex(consumerGroupMemberMetadataValue.encode({ classicMemberMetadata: null }, 0));
    expect(written.endsWith(hex('01 00 01 00'))).toBe(true);
  });
});

describe('a strict decode refuses what Java reads and never writes', () => {
  interface Lenient {
    flag: boolean;
    inner: Inner | null;
    name: string;
  }
  const lenientFields: Fields<Lenient> = {
    flag: 'bool',
    inner: { type: inner, nullable: true },
    name: 'string',
  };
  const lenient: Message<Lenient> = defineMessage('Lenient', -1, [0, 0], 0, lenientFields);

  test.each([
    ['a boolean of 2', '02 ff 02 61 00', { flag: true }, 'flag', 0],
    ['another mark than -1 for null', '01 fe 02 61 00', { inner: null }, 'inner', 1],
    ['another mark than 1 for a struct', '01 05 07 00 02 61 00', { inner: { id: 7 } }, 'inner', 1],
    ['a padded length', '01 ff 8200 61 00', { name: 'a' }, 'name', 3],
    ['surplus bits in a length', '01 ff 8280808070 61 00', { name: 'a' }, 'name', 6],
    ['a padded count of tags', '01 ff 02 61 8000', { name: 'a' }, 'tags', 5],
    ['bytes behind the message', '01 ff 02 61 00 00', { name: 'a' }, undefined, 5],
  ])('%s', (_, bytes, value, path, byteOffset) => {
    expect(lenient.decode(fromHex(bytes), 0)).toMatchObject(value);
    expect(errorOf(() => lenient.decode(fromHex(bytes), 0, { strict: true }))).toMatchObject({
      code: 'MALFORMED',
      path,
      byteOffset,
    });
  });
});

describe('a count', () => {
  interface Element {
    id: bigint;
    name: string;
    tags: number[];
  }
  const element: Fields<Element> = { id: 'bigint', name: 'string', tags: ['int8'] };
  const holderFields: Fields<{ list: Element[] }> = { list: [element] };
  const holder = defineMessage<{ list: Element[] }>('Holder', -1, [0, 1], 1, holderFields);

  test.each([
    [0, 14, '0000000000000000 0000 00000000'],
    [1, 11, '0000000000000000 01 01 00'],
  ])('in v%i is held against the %i bytes that an element takes at least', (version, least, one) => {
    expect(holder.plan(version).steps?.[0]?.element?.least).toBe(least);
    const count = (value: number): string => (version === 0 ? `0000000${value}` : `0${value + 1}`);
    const end = version === 0 ? '' : '00';
    expect(holder.decode(fromHex(count(2) + one + one + end), version, { strict: true }).list).toHaveLength(
      2,
    );
    const short = fromHex(count(3) + one + one + end);
    expect(errorOf(() => holder.decode(short, version)).message).toMatch(
      /list: byte 0: 3 elements announced, \d+ bytes left$/,
    );
  });
});
