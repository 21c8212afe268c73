/** UTF-8 and UUID text, on the runtime's fast path and on the portable one. */
import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as accelerated from '../../src/protocol/text.ts';
import { fromHex, toHex } from './api/java-fixtures.ts';

/** The module as a runtime without Buffer loads it. */
async function portable(): Promise<typeof accelerated> {
  vi.resetModules();
  const text = await import('../../src/protocol/text.ts');
  vi.stubGlobal('Buffer', undefined);
  // The choice is made at the first long text.
  text.decodeUtf8(new Uint8Array(100), 0, 100);
  vi.unstubAllGlobals();
  return text;
}

afterEach(() => vi.unstubAllGlobals());

describe.each([
  ['with Buffer', () => Promise.resolve(accelerated)],
  ['without Buffer', portable],
])('%s', (_, load) => {
  test('every text comes back, at every length around the short-text limit', async () => {
    const { decodeUtf8, encodeUtf8, writeUtf8 } = await load();
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.integer({ min: 0, max: 5 }),
        (text, position) => {
          const expected = new TextEncoder().encode(text);
          expect(toHex(encodeUtf8(text))).toBe(toHex(expected));
          const target = new Uint8Array(position + expected.length + 7).fill(0xee);
          const written = writeUtf8(text, target, position);
          expect(written).toBe(expected.length);
          expect(decodeUtf8(target, position, position + written)).toBe(text);
          expect([...target.subarray(0, position)]).toEqual(Array.from({ length: position }, () => 0xee));
        },
      ),
    );
  });

  test('a text that does not fit by one byte is reported, one that just fits is written', async () => {
    const { writeUtf8 } = await load();
    for (const text of ['a', 'a'.repeat(40), 'é', 'é'.repeat(40), '東'.repeat(9), '🚀'.repeat(9)]) {
      const { length } = new TextEncoder().encode(text);
      expect(writeUtf8(text, new Uint8Array(length), 0)).toBe(length);
      expect(writeUtf8(text, new Uint8Array(length - 1), 0)).toBe(-1);
    }
  });

  test('malformed UTF-8 becomes U+FFFD, and a byte order mark stays', async () => {
    const { decodeUtf8 } = await load();
    const filler = '61'.repeat(30);
    for (const pad of ['', filler]) {
      const bytes = fromHex(`efbbbf${pad}ff`);
      expect(decodeUtf8(bytes, 0, bytes.length)).toBe(`\uFEFF${'a'.repeat(pad.length / 2)}\uFFFD`);
    }
  });

  test('a lone surrogate is written as U+FFFD', async () => {
    const { encodeUtf8 } = await load();
    expect(toHex(encodeUtf8('\uD800'))).toBe('efbfbd');
    expect(toHex(encodeUtf8(`${'a'.repeat(30)}\uDC00`))).toBe(`${'61'.repeat(30)}efbfbd`);
  });
});

describe('UUIDs', () => {
  test('are 22 characters of URL-safe base64 without padding', () => {
    const { decodeUuid, ZERO_UUID } = accelerated;
    expect(decodeUuid(new Uint8Array(16), 0)).toBe(ZERO_UUID);
    expect(decodeUuid(fromHex('ffffffffffffffffffffffffffffffff'), 0)).toBe(`${'_'.repeat(21)}w`);
  });

  test('come back from 16 bytes at any position', () => {
    const { decodeUuid, writeUuid } = accelerated;
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.integer({ min: 0, max: 3 }),
        (bytes, position) => {
          const text = decodeUuid(bytes, 0);
          expect(text).toBe(Buffer.from(bytes).toString('base64url'));
          const target = new Uint8Array(position + 17);
          expect(writeUuid(text, target, position)).toBe(true);
          expect(toHex(target.subarray(position, position + 16))).toBe(toHex(bytes));
          expect(target[position + 16]).toBe(0);
        },
      ),
    );
  });

  test('of another length or alphabet are refused', () => {
    const target = new Uint8Array(16);
    for (const text of ['', 'A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(21)}+`, `${'A'.repeat(21)}é`]) {
      expect(accelerated.writeUuid(text, target, 0)).toBe(false);
    }
  });
});
