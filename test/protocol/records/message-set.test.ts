/** Message sets beside what java.test.ts shows: their checksums against independent ones, and bytes from an enemy. */
import CRC32 from 'crc-32';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import { crc32 } from '../../../src/protocol/records/crc32.ts';
import { cursorOf, LegacyBatch, nextLogBatch } from '../../../src/protocol/records/message-set.ts';
import { strictCursorOf } from '../../../src/protocol/records/strict.ts';
import { fixture, fixtureNames } from './fixtures.ts';
import { inflate } from './inflate.ts';

test('CRC-32 is that of an independent implementation', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(crc32(bytes)).toBe(CRC32.buf(bytes) >>> 0);
    }),
  );
});

describe('messages from an enemy', () => {
  const sets = fixtureNames.filter((name) => /^v[01]-/.test(name)).map((name) => fixture(name).bytes);
  const byte = fc.oneof(fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff), fc.nat(255));
  const changes = fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 6 });

  /** Reads all there is, whatever the checksums; how many messages that was, or the ProtocolError. */
  function readAll(bytes: Uint8Array, payloadOf: (batch: LegacyBatch) => Uint8Array): number | ProtocolError {
    let count = 0;
    try {
      for (let batch = nextLogBatch(bytes, 0); batch !== undefined; batch = nextLogBatch(bytes, batch.end)) {
        expect(batch.end).toBeGreaterThan(batch.start);
        if (!(batch instanceof LegacyBatch)) continue;
        const payload = payloadOf(batch);
        for (const makeCursor of [cursorOf, strictCursorOf]) {
          const cursor = makeCursor(batch, payload);
          let previous = -1;
          while (cursor.next()) {
            count++;
            expect(cursor.offset).toBeGreaterThan(previous);
            expect(cursor.offset).toBeLessThanOrEqual(batch.lastOffset);
            expect(cursor.keyEnd).toBeLessThanOrEqual(
              cursor.valueStart < 0 ? payload.length : cursor.valueStart,
            );
            expect(cursor.valueEnd).toBeLessThanOrEqual(payload.length);
            expect(cursor.valueEnd).toBeGreaterThanOrEqual(cursor.valueStart);
            previous = cursor.offset;
          }
        }
      }
      return count;
    } catch (error) {
      if (error instanceof ProtocolError) return error;
      throw error;
    }
  }

  function mutated(bytes: Uint8Array, mutations: readonly (readonly [number, number])[]): Uint8Array {
    const copy = bytes.slice();
    for (const [at, value] of mutations) copy[at % copy.length] = value;
    return copy;
  }

  test('give a typed error or no more than fits, behind any wrapper', () => {
    fc.assert(
      fc.property(fc.constantFrom(...sets), changes, (bytes, mutations) => {
        const count = readAll(mutated(bytes, mutations), ({ codecId, payload }) =>
          // What is changed here are the messages around compressed bytes; those inside come next.
          codecId === 0 ? payload : payload.subarray(payload.length),
        );
        if (!(count instanceof ProtocolError)) expect(count).toBeLessThanOrEqual((2 * bytes.length) / 26);
      }),
      { numRuns: 5000 },
    );
  });

  test('give a typed error or no more than fits, inside a wrapper', () => {
    fc.assert(
      fc.property(fc.constantFrom('v0-gzip', 'v1-gzip', 'v1-timestamps'), changes, (name, mutations) => {
        const { bytes } = fixture(name);
        const count = readAll(bytes, ({ codecId, payload }) => mutated(inflate(codecId, payload), mutations));
        if (!(count instanceof ProtocolError)) expect(count).toBeGreaterThan(0);
      }),
      { numRuns: 5000 },
    );
  });
});
