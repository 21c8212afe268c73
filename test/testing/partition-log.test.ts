/** The log of a partition and its memory of producers, against simple models. */
import { array, assert, boolean, constantFrom, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextBatch, type RecordBatch } from '../../src/protocol/records/batch.ts';
import { PartitionLog } from '../../src/testing/partition-log.ts';
import { batchOf, sequenced } from './cluster-world.ts';

function parsed(bytes: Uint8Array): RecordBatch {
  const batch = nextBatch(bytes, 0);
  if (batch === undefined) throw new Error('no whole batch');
  return batch;
}

/** First and last offsets of the whole batches in the bytes of a read. */
function spans(records: Uint8Array): [number, number][] {
  const found: [number, number][] = [];
  for (let batch = nextBatch(records, 0); batch !== undefined; batch = nextBatch(records, batch.end)) {
    found.push([batch.baseOffset, batch.lastOffset]);
  }
  return found;
}

describe('a log', () => {
  const batches = array(record({ count: integer({ min: 1, max: 4 }), bytes: nat(6_000), gap: nat(2) }), {
    minLength: 1,
    maxLength: 40,
  });

  it('gives back every batch from any offset on, however small the reads', () => {
    assert(
      property(batches, nat(20_000), nat(200), (specs, maxBytes, from) => {
        const log = new PartitionLog();
        const written: [number, number][] = [];
        for (const { count, bytes, gap } of specs) {
          const values = Array.from({ length: count }, () => 'x'.repeat(bytes));
          const { baseOffset, lastOffset } = log.append(batchOf(values), 0, log.endOffset + gap);
          written.push([baseOffset, lastOffset]);
        }
        const start = Math.min(from, log.endOffset);
        const read: [number, number][] = [];
        for (let offset = start; offset < log.endOffset;) {
          const slice = log.read(offset, log.endOffset, maxBytes, true);
          const found = spans(slice.records);
          const first = found[0];
          expect(first).toBeDefined();
          // The first batch comes whole, and only it may be over the limit.
          if (slice.records.length > maxBytes) expect(found).toHaveLength(1);
          expect(slice.endOffset).toBeGreaterThanOrEqual((found.at(-1)?.[1] ?? 0) + 1);
          read.push(...found);
          offset = (found.at(-1)?.[1] ?? log.endOffset) + 1;
        }
        expect(read).toEqual(written.filter(([, last]) => last >= start));
      }),
    );
  });

  it('gives nothing of batches at or beyond the limit, and nothing that does not fit unless it must', () => {
    const log = new PartitionLog();
    for (const value of ['a', 'b', 'c']) log.append(batchOf([value]), 0);
    expect(spans(log.read(0, 2, 1_000, true).records)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(log.read(2, 2, 1_000, true)).toMatchObject({ records: new Uint8Array(0), endOffset: 2 });
    expect(log.read(0, 3, 10, false).records).toHaveLength(0);
    expect(spans(log.read(0, 3, 10, true).records)).toEqual([[0, 0]]);
  });

  it('keeps what it gave out as it was while it grows', () => {
    const log = new PartitionLog();
    log.append(batchOf(['first']), 0);
    const { records } = log.read(0, 1, 1_000, true);
    const copy = records.slice();
    for (let i = 0; i < 500; i++) log.append(batchOf(['x'.repeat(500)]), 0);
    expect(records).toEqual(copy);
  });

  it('forgets what lies wholly below a new start', () => {
    const log = new PartitionLog();
    for (let i = 0; i < 4; i++) log.append(batchOf(['a', 'b']), 0);
    log.deleteBefore(5);
    expect([log.startOffset, log.batches.map(({ baseOffset }) => baseOffset)]).toEqual([5, [4, 6]]);
    log.deleteBefore(3);
    log.deleteBefore(99);
    expect([log.startOffset, log.batches.length]).toEqual([8, 0]);
  });
});

describe('the memory of producers', () => {
  /** What happens to the next batch of a producer: it is sent, and what comes before and after it on the wire. */
  const step = record({
    count: integer({ min: 1, max: 3 }),
    repeat: nat(3),
    skip: boolean(),
    restart: constantFrom(false, false, false, true),
  });

  it('lets each record of an idempotent producer into the log once and in order, whatever is sent again or too early', () => {
    assert(
      property(array(step, { maxLength: 60 }), (steps) => {
        const log = new PartitionLog();
        const send = (batch: Uint8Array): number => {
          const known = log.producers.check(parsed(batch));
          if (typeof known !== 'number') return known.baseOffset;
          return known === 0 ? log.append(batch, 0).baseOffset : -1;
        };
        let [epoch, next] = [0, 0];
        const expected: string[] = [];
        const recent: { batch: Uint8Array; offset: number }[] = [];
        for (const { count, repeat, skip, restart } of steps) {
          if (restart) {
            [epoch, next] = [epoch + 1, 0];
            recent.length = 0;
          }
          if (skip && next > 0) expect(send(sequenced(next + 1, count, epoch))).toBe(-1);
          const batch = sequenced(next, count, epoch);
          const offset = expected.length;
          expect(send(batch)).toBe(offset);
          for (let i = 0; i < count; i++) expected.push(`${epoch}/${next + i}`);
          recent.push({ batch, offset });
          for (const again of recent.slice(-5).slice(0, repeat)) expect(send(again.batch)).toBe(again.offset);
          if (epoch > 0) expect(send(sequenced(next + count, 1, epoch - 1))).toBe(-1);
          next += count;
        }
        const logged = log.batches.flatMap(({ bytes }) => {
          const { baseSequence, producerEpoch, recordCount } = parsed(bytes);
          return Array.from({ length: recordCount }, (_, i) => `${producerEpoch}/${baseSequence + i}`);
        });
        expect(logged).toEqual(expected);
      }),
    );
  });
});
