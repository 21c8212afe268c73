/** The same frame is read from any text that holds it, and text that holds something else is refused with its place. */
import { describe, expect, test } from 'vitest';
import { joined } from '../support/captures.ts';
import { kafkaWire, pieces } from '../support/run.ts';

const frame = Uint8Array.from(Buffer.from('00000011001200000000000100076578616d706c65', 'hex'));
const long = joined(...Array.from({ length: 6 }, () => frame));
const hex = Buffer.from(frame).toString('hex');
const rows = (bytes: Uint8Array): { offset: number; row: Uint8Array }[] =>
  Array.from({ length: Math.ceil(bytes.length / 16) }, (_, index) => ({
    offset: 16 * index,
    row: bytes.subarray(16 * index, 16 * index + 16),
  }));
const octets = (row: Uint8Array): string[] => [...row].map((byte) => byte.toString(16).padStart(2, '0'));
const shown = (row: Uint8Array): string =>
  [...row].map((byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
const pairs = (row: Uint8Array): string =>
  (
    octets(row)
      .join('')
      .match(/.{1,4}/g) ?? []
  ).join(' ');
const offsetText = (offset: number, width: number): string => offset.toString(16).padStart(width, '0');

const layouts: Readonly<Record<string, string>> = {
  'bare digits': Buffer.from(long).toString('hex'),
  'upper case in groups': octets(long).join(' ').toUpperCase(),
  'lines of digits': (
    Buffer.from(long)
      .toString('hex')
      .match(/.{1,32}/g) ?? []
  ).join('\n'),
  'a C array': `{ ${octets(long)
    .map((octet) => `0x${octet}`)
    .join(', ')} };`,
  'escapes of a string': octets(long)
    .map((octet) => `\\x${octet}`)
    .join(''),
  'what Node prints of a Buffer': `<Buffer ${octets(long).join(' ')}>`,
  colons: octets(long).join(':'),
  xxd: rows(long)
    .map(({ offset, row }) => `${offsetText(offset, 8)}: ${pairs(row).padEnd(39)}  ${shown(row)}\n`)
    .join(''),
  'hexdump -C': `${rows(long)
    .map(({ offset, row }) => {
      const [left, right] = [octets(row.subarray(0, 8)), octets(row.subarray(8))];
      return `${offsetText(offset, 8)}  ${left.join(' ')}  ${right.join(' ').padEnd(23)}  |${shown(row)}|\n`;
    })
    .join('')}${offsetText(long.length, 8)}\n`,
  'od -A x -t x1': `${rows(long)
    .map(({ offset, row }) => `${offsetText(offset, 6)} ${octets(row).join(' ')}\n`)
    .join('')}${offsetText(long.length, 6)}\n`,
  'od -t x1': `${rows(long)
    .map(({ offset, row }) => `${offset.toString(8).padStart(7, '0')} ${octets(row).join(' ')}\n`)
    .join('')}${long.length.toString(8).padStart(7, '0')}\n`,
  'tcpdump -x': rows(long)
    .map(({ offset, row }) => `\t0x${offsetText(offset, 4)}:  ${pairs(row)}\n`)
    .join(''),
  'Wireshark’s hex dump': rows(long)
    .map(
      ({ offset, row }) => `${offsetText(offset, 4)}   ${octets(row).join(' ').padEnd(47)}   ${shown(row)}\n`,
    )
    .join(''),
  base64: Buffer.from(long).toString('base64'),
  'base64 in lines': (
    Buffer.from(long)
      .toString('base64')
      .match(/.{1,20}/g) ?? []
  ).join('\r\n'),
  'base64 for URLs without padding': Buffer.from(long).toString('base64url'),
};

describe('six frames are read from', () => {
  for (const [name, text] of Object.entries(layouts)) {
    test(name, async () => {
      const { code, pieces: found } = await pieces(text);
      expect(found.map(({ api, at, damage }) => ({ api, at, damage }))).toEqual(
        Array.from({ length: 6 }, (_, index) => ({ api: 'ApiVersions', at: 21 * index, damage: undefined })),
      );
      expect(code).toBe(0);
    });
  }

  test('bytes, however they arrive', async () => {
    for (const chunkBytes of [1, 5, 21, 64]) {
      const { pieces: found } = await pieces(long, [], { chunkBytes });
      expect(found.map(({ api }) => api)).toEqual(Array.from({ length: 6 }, () => 'ApiVersions'));
    }
  });
});

test('paragraphs are frames, with and without their lengths', async () => {
  const { pieces: found } = await pieces(`${hex}\n\n${hex.slice(8)}\n\n${hex}\n`);
  expect(found.map(({ api, bytes, damage }) => [api, bytes, damage])).toEqual([
    ['ApiVersions', 21, undefined],
    ['ApiVersions', 17, undefined],
    ['ApiVersions', 21, undefined],
  ]);
});

describe('what is not understood is refused', () => {
  test('with its line', async () => {
    const { code, err } = await kafkaWire(['decode', '--form', 'hex'], { input: `${hex}\nhello\n` });
    expect(code).toBe(2);
    expect(err).toContain('line 2: "hello"');
  });

  test.each([
    ['hex', '012', 'odd number of digits'],
    ['base64', 'ab$d', '"$"'],
    ['base64', 'abcde', 'within a byte'],
  ])('%s %j', async (form, input, text) => {
    const { code, err } = await kafkaWire(['decode', '--form', form], { input });
    expect(err).toContain(text);
    expect(code).toBe(2);
  });

  test('when it is empty', async () => {
    const { code, err } = await kafkaWire(['decode'], { input: '' });
    expect(err).toContain('the input is empty');
    expect(code).toBe(2);
  });
});

test('noise is no frame, and says so', async () => {
  const noise = Uint8Array.from(
    { length: 3000 },
    (_, index) => (index * index * 31 + index * 7 + 129) & 0xff,
  );
  const { code, out } = await kafkaWire(['decode'], { input: noise });
  expect(out).toContain('no API, version and direction fit these bytes');
  expect(code).toBe(1);
});
