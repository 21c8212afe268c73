/** Memory of the Writer: what a record takes from the heap in calls of 1,000, and whether 5,000,000 of them leave anything.
 * Not here: the records, which are there before and are written again and again.
 */
import process from 'node:process';
import { allocatedBytes, collector, usedBytes } from '../heap.ts';
import { median } from '../figures.ts';
import { callRecords, type Producer } from './contestant.ts';

const warmUpRecords = 500_000;
/** What the measurement itself allocates is shared by as many. */
const sampleRecords = 20 * callRecords;
const manyRecords = 5_000_000;
const pieceRecords = 100_000;

/** What is measured. */
export interface MemoryFigures {
  /** Everything that was written. */
  readonly records: number;
  /** Bytes allocated a record. */
  readonly allocated: number;
  /** Heap and array buffers after a collection, before and after 5,000,000 records; MB. */
  readonly heapMb: readonly [before: number, after: number];
  /** Resident memory, the median of the first and of the last 1,000,000 records; MB. */
  readonly rssMb: readonly [first: number, last: number];
}

/** Writes and measures. */
export async function memoryFigures({ write }: Producer): Promise<MemoryFigures> {
  const collect = collector();
  await write(warmUpRecords);
  collect();
  let sampled = 0;
  const bytes = await allocatedBytes(() => {
    sampled += sampleRecords;
    return write(sampleRecords);
  });
  const heapMb = (): number => {
    collect();
    return usedBytes() / 2 ** 20;
  };
  const before = heapMb();
  const rssMb: number[] = [];
  for (let written = 0; written < manyRecords; written += pieceRecords) {
    await write(pieceRecords);
    rssMb.push(process.memoryUsage.rss() / 2 ** 20);
  }
  return {
    records: warmUpRecords + sampled + manyRecords,
    allocated: bytes / sampleRecords,
    heapMb: [before, heapMb()],
    rssMb: [median(rssMb.slice(0, 10)), median(rssMb.slice(-10))],
  };
}
