/** What a table may say and what its codec does: versions, nulls, tags, defaults, errors with paths. */
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { createTopicsApi } from '../../src/protocol/api/19-create-topics.ts';
import { fetchApi } from '../../src/protocol/api/01-fetch.ts';
import { heartbeatApi } from '../../src/protocol/api/12-heartbeat.ts';
import { metadataApi } from '../../src/protocol/api/03-metadata.ts';
import { produceApi } from '../../src/protocol/api/00-produce.ts';
import { ByteReader } from '../../src/protocol/reader.ts';
import { defineMessage, type Fields, type Message } from '../../src/protocol/schema.ts';
import { ByteWriter } from '../../src/protocol/writer.ts';
import { fromHex, hex, toHex } from './api/java-fixtures.ts';

interface Inner {
  id: number;
  note: string | null;
}

interface Sample {
  count: number;
  name: string;
  old: number;
  inner: Inner | null;
  list: Inner[];
  flag: boolean;
  extra: Inner;
  later: bigint;
}

const inner: Fields<Inner> = { id: 'int32', note: { type: 'string', nullable: true, default: null } };

const fields: Fields<Sample> = {
  count: { type: 'int8', since: 1, default: -1, ignorable: true },
  name: { type: 'string', since: 1 },
  old: { type: 'int16', until: 1 },
  inner: { type: inner, since: 1, nullable: true, default: null },
  list: [inner],
  flag: { type: 'bool', since: 2, tag: 3, default: true },
  extra: { type: inner, since: 2, tag: 1 },
  later: { type: 'bigint', since: 3, tag: 0 },
};

const sample: Message<Sample> = defineMessage('Sample', -1, [0, 3], 2, fields);

/** Takes a function that must throw a ProtocolError, and returns what it says. */
function failure(act: () => unknown): Partial<ProtocolError> {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    const { message, code, api, version, path, byteOffset } = error as ProtocolError;
    return { message, code, api, version, path, byteOffset };
  }
  throw new Error('nothing was thrown');
}

describe('the compiler checks a table against its interface', () => {
  test('a wrong kind, a missing field, a surplus field and a forgotten null are errors at the line', () => {
    const note = { type: 'string', nullable: true } as const;
    const tables: Fields<Inner>[] = [
      // @ts-expect-error: a number is no string
      { id: 'string', note },
      // @ts-expect-error: note is missing
      { id: 'int32' },
      // @ts-expect-error: there is no other
      { id: 'int32', note, other: 'int8' },
      // @ts-expect-error: note may be null
      { id: 'int32', note: 'string' },
      // @ts-expect-error: id may not
      { id: { type: 'int32', nullable: true }, note },
    ];
    expect(tables).toHaveLength(5);
  });

  test('a body may leave fields out, but not invent any', () => {
    heartbeatApi.request.encode({ groupId: 'orders' }, 4);
    // @ts-expect-error: no such field
    heartbeatApi.request.encode({ group: 'orders' }, 4);
    // @ts-expect-error: a string, not a number
    expect(() => heartbeatApi.request.encode({ groupId: 1 }, 4)).toThrow(ProtocolError);
  });
});

describe('encoding', () => {
  test('an absent field takes its default, as in Java', () => {
    expect(toHex(sample.encode({}, 0))).toBe(hex('0000 00000000'));
    expect(toHex(sample.encode({ count: undefined }, 1))).toBe(hex('ff 0000 0000 ff 00000000'));
    expect(toHex(sample.encode({}, 2))).toBe(hex('ff 01 ff 01 00'));
  });

  test('tagged fields are written in ascending order, without those at their default', () => {
    const value = { flag: false, extra: { id: 7 }, later: 5n };
    const tags = '03 0008 0000000000000005 0106 00000007 0000 0301 00';
    expect(toHex(sample.encode(value, 3))).toBe(hex(`ff 01 ff 01 ${tags}`));
    expect(toHex(sample.encode({ flag: true, extra: { id: 0, note: null }, later: 0n }, 3))).toBe(
      hex('ff01ff01 00'),
    );
  });

  test('a tagged field longer than 127 bytes has its size in two bytes', () => {
    const bytes = sample.encode({ extra: { note: 'x'.repeat(200) } }, 2);
    expect(toHex(bytes.subarray(0, 8))).toBe(hex('ff01ff01 0101 cf01'));
    expect(sample.decode(bytes, 2, { strict: true }).extra.note).toBe('x'.repeat(200));
  });

  test('a struct that may be null has a byte in front', () => {
    expect(toHex(sample.encode({ inner: { id: 1 } }, 1))).toContain(hex('01 00000001 ffff'));
  });

  test('text that is longer in bytes than in characters keeps its length right', () => {
    for (const text of ['ü'.repeat(63), 'ü'.repeat(64), '東'.repeat(43), '🚀'.repeat(5000)]) {
      for (const version of [1, 2]) {
        expect(sample.decode(sample.encode({ name: text }, version), version).name).toBe(text);
      }
    }
  });

  test('text beyond 32767 bytes is refused', () => {
    for (const version of [1, 2]) {
      expect(failure(() => sample.encode({ name: 'ü'.repeat(16384) }, version))).toMatchObject({
        code: 'VALUE_RANGE',
        message: `Sample v${version}, name: text of 32768 bytes, the limit is 32767`,
      });
    }
  });

  test('a value that the version cannot carry is an error that names the field', () => {
    expect(failure(() => sample.encode({ name: 'orders' }, 0))).toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      api: 'Sample',
      version: 0,
      path: 'name',
      message: 'Sample v0, name: this version cannot carry the field, and its value is not the default',
    });
    expect(failure(() => sample.encode({ old: 1 }, 2)).path).toBe('old');
    expect(failure(() => sample.encode({ inner: { id: 0 } }, 0)).path).toBe('inner');
    expect(failure(() => sample.encode({ flag: false }, 1)).path).toBe('flag');
    expect(failure(() => sample.encode({ extra: { note: '' } }, 1)).path).toBe('extra');
    expect(failure(() => metadataApi.request.encode({ allowAutoTopicCreation: false }, 3)).path).toBe(
      'allowAutoTopicCreation',
    );
  });

  test('but its default is fine, and so is any value of an ignorable field', () => {
    const value = { count: 5, name: '', inner: null, flag: true, extra: { id: 0 }, later: 0n };
    expect(toHex(sample.encode(value, 0))).toBe(hex('0000 00000000'));
  });

  test('a wrong value is an error with its path', () => {
    const topics = [
      { name: 'a' },
      { name: 'b', assignments: [{ partitionIndex: 0, brokerIds: [1, 2 ** 31] }] },
    ];
    expect(failure(() => createTopicsApi.request.encode({ topics }, 7))).toMatchObject({
      code: 'VALUE_RANGE',
      path: 'topics[1].assignments[0].brokerIds[1]',
      message: 'CreateTopicsRequest v7, topics[1].assignments[0].brokerIds[1]: 2147483648 is no int32',
    });
  });

  test.each([
    ['null where it is not allowed', { name: null }, 'name', 'null is not allowed in this version'],
    ['a number for a text', { name: 5 }, 'name', 'a number where string belongs'],
    ['a text for an array', { list: 'abc' }, 'list', 'a string where array belongs'],
    ['a text for a struct', { inner: 'abc' }, 'inner', 'a string where struct belongs'],
    ['null for an element', { list: [null] }, 'list[0]', 'null is not allowed in this version'],
    ['null for a tagged struct', { extra: null }, 'extra', 'null is not allowed in this version'],
    ['a number beyond int8', { count: 128 }, 'count', '128 is no int8'],
  ])('%s is an error with its path', (_, value, path, text) => {
    const error = failure(() => sample.encode(value as never, 2));
    expect(error).toMatchObject({ path, message: `Sample v2, ${path}: ${text}` });
  });

  test('no message is no object', () => {
    expect(failure(() => sample.encode(null as never, 2)).message).toContain('null is not allowed');
    expect(failure(() => sample.encode('abc' as never, 2)).message).toContain(
      'a string where struct belongs',
    );
  });

  test('what a getter throws becomes the cause', () => {
    const cause = new Error('not today');
    const value = {
      get name(): string {
        throw cause;
      },
    };
    expect(() => sample.encode(value, 2)).toThrow(
      expect.objectContaining({ code: 'USAGE', path: 'name', cause }),
    );
  });

  test('into a writer, bytes are appended', () => {
    const writer = new ByteWriter(1);
    writer.int16(-1);
    expect(toHex(sample.encode({ list: [{ id: 1 }] }, 0, writer))).toBe(hex('0000 00000001 00000001 ffff'));
    expect(toHex(writer.finish())).toBe(hex('ffff 0000 00000001 00000001 ffff'));
  });

  test('records go by reference in parts, and are copied otherwise', () => {
    const records = fromHex('deadbeef');
    const value = {
      acks: -1,
      topicData: [{ name: 't', partitionData: [{ index: 1, records }, { index: 2 }] }],
    };
    for (const version of [8, 9, 12]) {
      const parts = produceApi.request.encodeParts(value, version);
      expect(parts).toHaveLength(3);
      expect(parts[1]).toBe(records);
      expect(parts.map(toHex).join('')).toBe(toHex(produceApi.request.encode(value, version)));
    }
  });

  test('two encodings never share memory', () => {
    const first = heartbeatApi.request.encode({ groupId: 'one' }, 4);
    const before = toHex(first);
    heartbeatApi.request.encode({ groupId: 'two' }, 4);
    expect(toHex(first)).toBe(before);
  });
});

describe('decoding', () => {
  test('every field is set, in one order, whatever the version', () => {
    const names = Object.keys(fields);
    for (const version of [0, 1, 2, 3]) {
      expect(Object.keys(sample.decode(sample.encode({}, version), version))).toEqual(names);
    }
    expect(sample.decode(sample.encode({}, 0), 0)).toEqual({
      count: -1,
      name: '',
      old: 0,
      inner: null,
      list: [],
      flag: true,
      extra: { id: 0, note: null },
      later: 0n,
    });
  });

  test('a default is nobody else’s: changing one result changes no other', () => {
    const bytes = metadataApi.response.encode({}, 0);
    const first = sample.decode(sample.encode({}, 0), 0);
    first.extra.id = 5;
    first.list.push({ id: 1, note: null });
    expect(sample.decode(sample.encode({}, 0), 0)).toMatchObject({ extra: { id: 0 }, list: [] });
    metadataApi.response.decode(bytes, 0).brokers.push({ nodeId: 1, host: '', port: 1, rack: null });
    expect(metadataApi.response.decode(bytes, 0).brokers).toEqual([]);
  });

  test('unknown tagged fields are skipped', () => {
    const tags = '03 0008 0000000000000005 0202 abcd 7f00';
    expect(sample.decode(fromHex('ff01ff01' + tags), 3, { strict: true })).toMatchObject({
      later: 5n,
      flag: true,
    });
  });

  test.each([
    ['twice the same', '02 030100 030100', 'byte 8: tag 3 follows tag 3: tags must ascend'],
    ['descending', '02 030100 010600000007 0000', 'byte 8: tag 1 follows tag 3: tags must ascend'],
    ['longer than the message', '01 05ff01', 'byte 8: 255 bytes expected, 0 there'],
    ['longer than its value', '01 03020000', 'byte 8: tag 3 holds 1 bytes too many'],
    ['shorter than its value', '01 0105000000070000', 'byte 12: the bytes end in the middle of a value'],
    ['more of them than bytes', 'ffffffff0f 0501', 'byte 4: 4294967295 elements announced, 2 bytes left'],
  ])('tagged fields that are %s are refused', (_, tags, text) => {
    expect(failure(() => sample.decode(fromHex(`ff01ff01${tags}`), 2)).message).toContain(text);
  });

  test('surplus bytes are refused when strict', () => {
    const bytes = fromHex('0000000000000102');
    expect(sample.decode(bytes, 0).list).toEqual([]);
    expect(failure(() => sample.decode(bytes, 0, { strict: true }))).toMatchObject({
      message: 'Sample v0: byte 6: 2 bytes too many',
      byteOffset: 6,
    });
  });

  test('from a reader, decoding begins where it stands and moves it on', () => {
    const reader = new ByteReader(fromHex('ffff 000000000000 eeee'), 2);
    expect(sample.decode(reader, 0).list).toEqual([]);
    expect(reader.position).toBe(8);
  });

  test('an error says where: message, version, path, byte', () => {
    const bytes = fetchApi.response.encode(
      { responses: [{ topic: 'a' }, { topic: 'b', partitions: [{}, { records: fromHex('00112233') }] }] },
      4,
    );
    expect(failure(() => fetchApi.response.decode(bytes.subarray(0, -1), 4))).toEqual({
      code: 'MALFORMED',
      api: 'FetchResponse',
      version: 4,
      path: 'responses[1].partitions[1].records',
      byteOffset: bytes.length - 4,
      message: `FetchResponse v4, responses[1].partitions[1].records: byte ${bytes.length - 4}: 4 bytes expected, 3 there`,
    });
  });

  test('an int64 beyond 2^53 - 1 is a VALUE_RANGE error with its path', () => {
    const bytes = fetchApi.response.encode(
      { responses: [{ partitions: [{ highWatermark: 0x01020304 }] }] },
      4,
    );
    const at = toHex(bytes).indexOf('0000000001020304') / 2;
    bytes[at] = 0x7f;
    expect(failure(() => fetchApi.response.decode(bytes, 4))).toMatchObject({
      code: 'VALUE_RANGE',
      path: 'responses[0].partitions[0].highWatermark',
      byteOffset: at,
    });
  });

  test.each([
    ['an array', 0, '0000 7fffffff', 'list', 'byte 2: 2147483647 elements announced, 0 bytes left'],
    [
      'a compact array',
      2,
      'ff01ff ffffffff0f',
      'list',
      'byte 3: 4294967294 elements announced, 0 bytes left',
    ],
    ['a string', 1, 'ff 7fff', 'name', 'byte 3: 32767 bytes expected, 0 there'],
    ['a compact string', 2, 'ff 8180 04', 'name', 'byte 1: length 65536 is out of range'],
    ['a negative string', 1, 'ff fffe', 'name', 'byte 1: length -2 is out of range'],
    ['a negative array', 0, '0000 fffffffe', 'list', 'byte 2: length -2 is out of range'],
    ['a null string', 1, 'ff ffff', 'name', 'byte 1: null is not allowed in this version'],
    ['a null array', 2, 'ff01ff 00', 'list', 'byte 3: null is not allowed in this version'],
  ])('the length of %s is checked before anything is allocated', (_, version, hex, path, text) => {
    expect(failure(() => sample.decode(fromHex(hex), version))).toMatchObject({
      path,
      message: `Sample v${version}, ${path}: ${text}`,
    });
  });

  test('records and bytes are views on the input', () => {
    const bytes = produceApi.request.encode(
      { topicData: [{ partitionData: [{ records: fromHex('cafe') }] }] },
      3,
    );
    const { records } = produceApi.request.decode(bytes, 3).topicData[0]?.partitionData[0] ?? {};
    expect(records?.buffer).toBe(bytes.buffer);
  });

  test('names such as __proto__ are values like any other', () => {
    const names = ['__proto__', 'constructor', 'toString'];
    const topics = names.map((name) => ({ name }));
    const decoded = metadataApi.request.decode(metadataApi.request.encode({ topics }, 12), 12);
    expect(decoded.topics?.map(({ name }) => name)).toEqual(names);
  });
});

test.each([-1, 4, 1.5, Number.NaN])('version %d is refused by name', (version) => {
  for (const act of [
    () => sample.encode({}, version),
    () => sample.encodeParts({}, version),
    () => sample.decode(new Uint8Array(9), version),
  ]) {
    expect(failure(act)).toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      message: `Sample has no version ${version}; supported are 0 to 3`,
    });
  }
});
