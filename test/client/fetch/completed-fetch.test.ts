/** Which records of a Fetch answer come out: transactions, gaps, damage. Bytes only, no broker. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssignedPartition } from '../../../src/client/fetch/assigned-partition.ts';
import { BufferBudget, Frame } from '../../../src/client/fetch/buffer-budget.ts';
import {
  CompletedFetch,
  endOf,
  type AbortedTransaction,
  type ReadOptions,
} from '../../../src/client/fetch/completed-fetch.ts';
import type { RecordRun } from '../../../src/client/fetch/record-run.ts';
import type { Codec } from '../../../src/compression/codec.ts';
import { ProtocolError } from '../../../src/errors.ts';
import {
  batchOf,
  compactedTo,
  emptyBatch,
  concat,
  endOfTransaction,
  gzipped,
  transactional,
  withCrc,
} from './batches.ts';

const plain: ReadOptions = { checkCrcs: true, codecs: [], maxInflatedBytes: 1000 };

interface Case {
  readonly fetchOffset?: number;
  /** Null: read_uncommitted. */
  readonly aborted?: readonly AbortedTransaction[] | null;
  readonly options?: Partial<ReadOptions>;
}

function completed(
  records: Uint8Array,
  { fetchOffset = 0, aborted = null, options = {} }: Case = {},
): CompletedFetch {
  const fetched = { records, fetchOffset, abortedTransactions: aborted };
  const frame = new Frame(new BufferBudget(1000, () => undefined), records.length, 1);
  const { endOffset } = endOf(records, fetchOffset);
  return new CompletedFetch(new AssignedPartition('orders', 3), fetched, endOffset, frame, {
    ...plain,
    ...options,
  });
}

/** The offsets that come out. */
async function offsetsOf(fetch: CompletedFetch): Promise<number[]> {
  const offsets: number[] = [];
  let run: RecordRun | undefined;
  while ((run = await fetch.next()) !== undefined) {
    for (let message = run.next(); message !== undefined; message = run.next()) offsets.push(message.offset);
  }
  return offsets;
}

function read(records: Uint8Array, each?: Case): Promise<number[]> {
  return offsetsOf(completed(records, each));
}

describe('transactions under read_committed', () => {
  test('two aborted transactions of one producer in one fetch are both hidden, and what lies between is not', async () => {
    const log = concat(
      transactional(7n, ['a', 'b'], 0),
      endOfTransaction(7n, 'abort', 2),
      transactional(7n, ['c'], 3),
      endOfTransaction(7n, 'commit', 4),
      transactional(7n, ['d', 'e'], 5),
      endOfTransaction(7n, 'abort', 7),
      batchOf(['f'], { baseOffset: 8 }),
    );
    const aborted = [
      { producerId: 7n, firstOffset: 0 },
      { producerId: 7n, firstOffset: 5 },
    ];
    expect(await read(log, { aborted })).toEqual([3, 8]);
  });

  test('records of an aborted transaction are hidden although its marker lies in the next fetch', async () => {
    const aborted = [{ producerId: 7n, firstOffset: 0 }];
    const first = completed(transactional(7n, ['a', 'b'], 0), { aborted });
    expect(await offsetsOf(first)).toEqual([]);
    expect(first.position).toBe(2);
    const log = concat(endOfTransaction(7n, 'abort', 2), transactional(7n, ['c'], 3));
    expect(await read(log, { fetchOffset: 2, aborted })).toEqual([3]);
  });

  test('an aborted list in any order hides the same', async () => {
    const log = concat(
      transactional(7n, ['a'], 0),
      transactional(8n, ['b'], 1),
      endOfTransaction(7n, 'abort', 2),
      transactional(7n, ['c'], 3),
      endOfTransaction(8n, 'abort', 4),
      endOfTransaction(7n, 'commit', 5),
    );
    const aborted = [
      { producerId: 8n, firstOffset: 1 },
      { producerId: 7n, firstOffset: 0 },
    ];
    expect(await read(log, { aborted })).toEqual([3]);
    expect(await read(log, { aborted: aborted.toReversed() })).toEqual([3]);
  });

  test('a transaction that began before the fetch offset is hidden from there on', async () => {
    const log = concat(transactional(7n, ['a', 'b', 'c'], 10), endOfTransaction(7n, 'abort', 13));
    expect(await read(log, { fetchOffset: 11, aborted: [{ producerId: 7n, firstOffset: 4 }] })).toEqual([]);
  });

  test("an aborted producer's records outside of transactions are shown", async () => {
    const log = concat(
      transactional(7n, ['a'], 0),
      batchOf(['b'], { baseOffset: 1, producerId: 7n, producerEpoch: 0, baseSequence: 1 }),
      endOfTransaction(7n, 'abort', 2),
    );
    expect(await read(log, { aborted: [{ producerId: 7n, firstOffset: 0 }] })).toEqual([1]);
  });

  test('read_uncommitted shows aborted records, but no markers', async () => {
    const log = concat(
      transactional(7n, ['a'], 0),
      endOfTransaction(7n, 'abort', 1),
      batchOf(['b'], { baseOffset: 2 }),
    );
    expect(await read(log)).toEqual([0, 2]);
  });

  test('any history, cut into any fetches, shows exactly the committed records', async () => {
    const step = fc.record({
      producer: fc.integer({ min: 0, max: 3 }),
      act: fc.constantFrom('send', 'send', 'commit', 'abort', 'plain'),
      count: fc.integer({ min: 1, max: 3 }),
    });
    const history = fc.array(step, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }),
        async (steps, cuts) => {
          const { batches, visible, aborted } = historyOf(steps);
          const shown: number[] = [];
          for (let index = 0, turn = 0; index < batches.length; turn++) {
            const count = cuts[turn % cuts.length] ?? 1;
            const cut = batches.slice(index, index + count);
            const [first, last] = [cut[0]?.firstOffset ?? 0, cut.at(-1)?.endOffset ?? 0];
            // A broker lists what overlaps the range it answers.
            const listed = aborted.filter(
              ({ firstOffset, endOffset }) => firstOffset < last && endOffset >= first,
            );
            shown.push(
              ...(await read(concat(...cut.map(({ bytes }) => bytes)), {
                fetchOffset: first,
                aborted: listed,
              })),
            );
            index += count;
          }
          expect(shown).toEqual(visible);
        },
      ),
    );
  });
});

/** A log of four producers, with what of it is visible; transactions that stay open at the end are committed. */
function historyOf(steps: readonly { producer: number; act: string; count: number }[]): {
  batches: { bytes: Uint8Array; firstOffset: number; endOffset: number }[];
  visible: number[];
  aborted: (AbortedTransaction & { endOffset: number })[];
} {
  const batches: { bytes: Uint8Array; firstOffset: number; endOffset: number }[] = [];
  const aborted: (AbortedTransaction & { endOffset: number })[] = [];
  const open = new Map<number, number[]>();
  const visible: number[] = [];
  let offset = 0;
  const add = (bytes: Uint8Array, count: number): void => {
    batches.push({ bytes, firstOffset: offset, endOffset: offset + count });
    offset += count;
  };
  const end = (producer: number, type: 'abort' | 'commit'): void => {
    const offsets = open.get(producer);
    if (offsets === undefined) return;
    open.delete(producer);
    const producerId = BigInt(producer);
    if (type === 'commit') visible.push(...offsets);
    else aborted.push({ producerId, firstOffset: offsets[0] ?? 0, endOffset: offset });
    add(endOfTransaction(producerId, type, offset), 1);
  };
  for (const { producer, act, count } of steps) {
    const values = Array.from({ length: count }, (_, index) => index);
    const offsets = values.map((index) => offset + index);
    if (act === 'plain') {
      visible.push(...offsets);
      add(batchOf(values, { baseOffset: offset }), count);
    } else if (act === 'send') {
      open.set(producer, [...(open.get(producer) ?? []), ...offsets]);
      add(transactional(BigInt(producer), values, offset), count);
    } else end(producer, act === 'commit' ? 'commit' : 'abort');
  }
  for (const producer of open.keys()) end(producer, 'commit');
  return { batches, visible: visible.sort((a, b) => a - b), aborted };
}

describe('gaps', () => {
  test('records below the fetch offset are skipped, one by one and batch by batch', async () => {
    const log = concat(batchOf(['a', 'b'], { baseOffset: 0 }), batchOf(['c', 'd', 'e'], { baseOffset: 2 }));
    expect(await read(log, { fetchOffset: 3 })).toEqual([3, 4]);
  });

  test('compacted and empty batches end where their header says', async () => {
    const hole = compactedTo(batchOf(['a', 'b'], { baseOffset: 0 }), 9);
    const empty = emptyBatch(10, 4);
    const fetch = completed(concat(hole, empty));
    expect(fetch.endOffset).toBe(15);
    expect(await offsetsOf(fetch)).toEqual([0, 1]);
    expect(fetch.position).toBe(15);
  });

  test('a batch cut off at the end is left to the next fetch', async () => {
    const whole = batchOf(['a', 'b'], { baseOffset: 0 });
    const cut = batchOf(['c'], { baseOffset: 2 });
    for (const length of [1, 11, 12, 16, 17, 60, cut.length - 1]) {
      const fetch = completed(concat(whole, cut.subarray(0, length)));
      expect(fetch.endOffset).toBe(2);
      expect(await offsetsOf(fetch)).toEqual([0, 1]);
    }
  });
});

describe('damage', () => {
  const good = batchOf(['a', 'b'], { baseOffset: 40 });

  test('a checksum that does not hold is CORRUPT, and only when checksums are verified', async () => {
    const bad = good.slice();
    bad[bad.length - 2] = (bad.at(-2) ?? 0) ^ 1;
    const fetch = completed(bad, { fetchOffset: 40 });
    expect(() => fetch.next()).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    expect(fetch.position).toBe(40);
    expect(await read(bad, { fetchOffset: 40, options: { checkCrcs: false } })).toEqual([40, 41]);
  });

  test('any flipped bit under the checksum is found', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 21, max: good.length - 1 }),
        fc.integer({ min: 0, max: 7 }),
        (at, bit) => {
          const bad = good.slice();
          bad[at] = (bad[at] ?? 0) ^ (1 << bit);
          const fetch = completed(bad, { fetchOffset: 40 });
          if (endOf(bad, 40).endOffset > 40) expect(() => fetch.next()).toThrow(ProtocolError);
        },
      ),
    );
  });

  test('a header that is no batch ends the answer before it, and is told', () => {
    const nonsense = good.slice();
    nonsense[16] = 9;
    const { endOffset, damage } = endOf(concat(good, nonsense), 40);
    expect(endOffset).toBe(42);
    expect(damage).toBeInstanceOf(ProtocolError);
  });

  test('a codec that the reader lacks is named', () => {
    expect(() => completed(gzipped(good), { fetchOffset: 40 }).next()).toThrow(/gzip/);
  });

  test('records that are no records are found when they are walked', () => {
    const bad = good.slice();
    bad[61] = 0x7f;
    const run = completed(withCrc(bad), { fetchOffset: 40 }).next() as RecordRun;
    expect(() => run.next()).toThrow(ProtocolError);
    expect(() => run.slice(10)).toThrow(ProtocolError);
  });
});

describe('codecs', () => {
  const batch = batchOf(['a', 'b', 'c'], { baseOffset: 0 });
  const inflated = batch.slice(61);
  const fake = (decompress: Codec['decompress']): Codec => ({
    id: 1,
    name: 'gzip',
    compress: (bytes) => bytes,
    decompress,
  });

  test('a codec that answers at once costs no promise, one that promises is awaited', async () => {
    const sync = completed(gzipped(batch), { options: { codecs: [fake(() => inflated)] } });
    expect(sync.next()).not.toBeInstanceOf(Promise);
    expect(
      await read(gzipped(batch), { options: { codecs: [fake(() => Promise.resolve(inflated))] } }),
    ).toEqual([0, 1, 2]);
  });

  test('codecs are given the bound, and their failure leaves the position before the batch', async () => {
    const bounds: number[] = [];
    const failing = fake((_, { maxBytes }) => {
      bounds.push(maxBytes);
      return Promise.reject(new ProtocolError('too much'));
    });
    const fetch = completed(gzipped(batch), { options: { codecs: [failing], maxInflatedBytes: 123 } });
    await expect(fetch.next()).rejects.toThrow('too much');
    expect(bounds).toEqual([123]);
    expect(fetch.position).toBe(0);
  });
});
