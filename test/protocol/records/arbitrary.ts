/** Random batches for property tests. */
import * as fc from 'fast-check';
import type { RecordBytes } from '../../../src/protocol/records/batch-builder.ts';
import type { RecordInput } from '../../../src/protocol/records/plain-batch.ts';

const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ maxLength: 80 }) },
  { weight: 8, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
  // Lone surrogates.
  {
    weight: 8,
    arbitrary: fc.array(fc.nat(0xffff), { maxLength: 70 }).map((units) => String.fromCharCode(...units)),
  },
  // Lengths around which the length's own length changes, and text that is encoded before it is written.
  { weight: 4, arbitrary: fc.constantFrom('__proto__', 'ж'.repeat(32), 'ж'.repeat(63), 'é'.repeat(64)) },
  { weight: 1, arbitrary: fc.constantFrom('値'.repeat(2731), 'a'.repeat(4096), 'ю'.repeat(4097)) },
);
const bytes = fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ minLength: 60, maxLength: 140 }));

/** A key or value. */
export const recordBytes: fc.Arbitrary<RecordBytes> = fc.oneof(bytes, text, fc.constant(null));

const header = fc.record({ key: text, value: recordBytes });

/** A record with every field, its timestamp mostly near the others'. */
export const recordInput: fc.Arbitrary<Required<RecordInput>> = fc.record({
  key: recordBytes,
  value: recordBytes,
  headers: fc.array(header, { maxLength: 4 }),
  timestamp: fc.oneof(
    fc.integer({ min: 1_750_000_000_000, max: 1_750_000_000_200 }),
    fc.maxSafeNat(),
    fc.constant(-1),
  ),
});

/** What a field becomes in the batch. */
export function asBytes(field: RecordBytes): Uint8Array | null {
  return typeof field === 'string' ? new TextEncoder().encode(field) : field;
}
