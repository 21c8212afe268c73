/** Bits that flip on the way: of what a checksum covers, no record is ever read. Java's batches of every kind and codec. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import { crc32 } from '../../../src/protocol/records/crc32.ts';
import { cursorOf, nextLogBatch } from '../../../src/protocol/records/message-set.ts';
import { decodeRecords } from '../../../src/protocol/records/plain-batch.ts';
import { fixture, fixtureNames } from './fixtures.ts';
import { inflate } from './inflate.ts';

/** One batch of a fixture. */
interface Sample {
  readonly name: string;
  readonly magic: number;
  readonly bytes: Uint8Array;
}

const samples = fixtureNames.flatMap((name): Sample[] => {
  const { bytes } = fixture(name);
  const found: Sample[] = [];
  for (let batch = nextLogBatch(bytes, 0); batch !== undefined; batch = nextLogBatch(bytes, batch.end))
    found.push({ name, magic: batch.magic, bytes: bytes.slice(batch.start, batch.end) });
  return found;
});

/** Where what the checksum covers begins, the checksum with it. */
const coveredFrom = (magic: number): number => (magic < 2 ? 12 : 17);

/** The number of records that were read before an error, if there was one. */
function recordsRead(bytes: Uint8Array): { records: number; error?: unknown } {
  let records = 0;
  try {
    for (let batch = nextLogBatch(bytes, 0); batch !== undefined; batch = nextLogBatch(bytes, batch.end)) {
      batch.verifyCrc();
      const cursor = cursorOf(batch, inflate(batch.codecId, batch.payload));
      while (cursor.next()) records++;
    }
    return { records };
  } catch (error) {
    return { records, error };
  }
}

const flip = fc.record({ sample: fc.constantFrom(...samples), at: fc.nat(), bit: fc.nat(7) });

function flipped({ sample, at, bit }: { sample: Sample; at: number; bit: number }, from: number): Uint8Array {
  const copy = sample.bytes.slice();
  const position = from + (at % (copy.length - from));
  copy[position] = (copy[position] ?? 0) ^ (1 << bit);
  return copy;
}

describe('a flipped bit', () => {
  test('in bytes under a checksum never yields a record, but an error or the end of the bytes', () => {
    expect(samples.length).toBeGreaterThan(100);
    fc.assert(
      fc.property(flip, (each) => {
        const { records, error } = recordsRead(flipped(each, coveredFrom(each.sample.magic)));
        expect(records).toBe(0);
        // A bit of the magic makes a short message of v1 the beginning of a batch of v2, of which the end is missing.
        if (error !== undefined) expect(error).toBeInstanceOf(ProtocolError);
      }),
      { numRuns: 5000 },
    );
  });

  test('in every bit of the small batches never yields a record', () => {
    let count = 0;
    for (const sample of samples.filter(({ bytes }) => bytes.length < 260)) {
      for (let at = 0; at < sample.bytes.length - coveredFrom(sample.magic); at++) {
        for (let bit = 0; bit < 8; bit++) {
          const { records } = recordsRead(flipped({ sample, at, bit }, coveredFrom(sample.magic)));
          if (records !== 0) expect.fail(`${sample.name}: bit ${bit} of byte ${at} under the checksum`);
          count++;
        }
      }
    }
    expect(count).toBeGreaterThan(50_000);
  });

  test('is found by decodeRecords too', () => {
    fc.assert(
      fc.property(flip, (each) => {
        const decode = (): unknown[] =>
          decodeRecords(flipped(each, coveredFrom(each.sample.magic)), { inflate });
        try {
          expect(decode()).toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('in the length of a batch never yields a record either', () => {
    fc.assert(
      fc.property(flip, ({ sample, at, bit }) => {
        const copy = sample.bytes.slice();
        const position = 8 + (at % 4);
        copy[position] = (copy[position] ?? 0) ^ (1 << bit);
        expect(recordsRead(copy).records).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });
});

test('the checksum of messages is that of zlib: the check value of CRC-32', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});
