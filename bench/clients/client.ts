/** What every contestant can do, and the work they are given; each file beside this one is a contestant.
 * Invariant: the same records, acknowledgements (all) and batches for everyone; who can be idempotent is.
 */

/** One measured piece of work. */
export interface Work {
  /** `host:port`. */
  readonly broker: string;
  readonly topic: string;
  readonly partitions: number;
  /** Records of one call, or of the whole reading. */
  readonly records: number;
  readonly valueBytes: number;
}

/** A contestant, connected. Methods resolve when all records are acknowledged, or were read. */
export interface Contestant {
  /** Calls of 1,000 records, four at a time. */
  produceBatches?(records: number): Promise<void>;
  /** One record a call with a promise each, 10,000 outstanding. */
  produceEach?(records: number): Promise<void>;
  /** One record a call without a promise. */
  produceQueued?(records: number): Promise<void>;
  /** Reads all records from the beginning, by batch; calls `mark` after each with the records so far. */
  consumeBatches?(records: number, mark: (soFar: number) => void): Promise<void>;
  /** The same by record. */
  consumeEach?(records: number, mark: (soFar: number) => void): Promise<void>;
  close(): Promise<void>;
}

/** Records per call of `produceBatches`. */
export const callRecords = 1000;

/** A record as every contestant takes it. */
export interface Payload {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Keys of 16 bytes and values, made before the clock starts. */
export function payloads(valueBytes: number, count = 8192): readonly Payload[] {
  return Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(`key-${String(index * 7919).padStart(12, '0')}`),
    value: Buffer.alloc(valueBytes, `value ${index} `),
  }));
}

/** Runs `call` for each of `calls` batch numbers, at most `width` at a time. */
export async function inParallel(
  calls: number,
  width: number,
  call: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < calls) await call(next++);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
