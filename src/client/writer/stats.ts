/** What a Writer counts, since it was made and since the figures were last asked for.
 * Invariant: a summary's min and max come from values that were added, in the first window too.
 */

/** The spread of a measured value; zeros while nothing was measured. */
export interface Summary {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly avg: number;
}

/** Counts of a span of time. */
export interface WriterCounts {
  /** Calls of `writeMessages` and `enqueue` that were let in. */
  readonly writes: number;
  /** Messages that were written. */
  readonly messages: number;
  /** Their bytes in batches, before compression. */
  readonly bytes: number;
  /** Batches that were written. */
  readonly batches: number;
  /** Messages that failed. */
  readonly errors: number;
  /** Batches that were sent again. */
  readonly retries: number;
  /** Records per written batch. */
  readonly batchSize: Summary;
  /** Bytes per written batch, before compression. */
  readonly batchBytes: Summary;
  /** Milliseconds from a Produce request to its answer. */
  readonly produceMs: Summary;
}

/** The figures of a Writer. */
export interface WriterStats {
  /** Undefined where each message names its own. */
  readonly topic: string | undefined;
  /** Whether retries can neither double nor reorder records; off by itself with `requiredAcks` 0 or 1. */
  readonly idempotent: boolean;
  readonly requiredAcks: 0 | 1 | 'all';
  /** Bytes of records that wait or are on their way. */
  readonly bufferedBytes: number;
  /** Messages that wait or are on their way. */
  readonly pendingMessages: number;
  /** Since the previous `stats()`. */
  readonly window: WriterCounts;
  /** Since the Writer was made. */
  readonly total: WriterCounts;
}

class Spread {
  count = 0;
  sum = 0;
  min: number = Infinity;
  max = 0;

  add(value: number): void {
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  merge(other: Spread): void {
    this.count += other.count;
    this.sum += other.sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  summary(): Summary {
    const { count, sum, max } = this;
    return { count, sum, min: count === 0 ? 0 : this.min, max, avg: count === 0 ? 0 : sum / count };
  }
}

class Counts {
  writes = 0;
  errors = 0;
  retries = 0;
  /** Their sums are the messages and bytes that were written. */
  readonly batchSize: Spread = new Spread();
  readonly batchBytes: Spread = new Spread();
  readonly produceMs: Spread = new Spread();

  merge(other: Counts): void {
    this.writes += other.writes;
    this.errors += other.errors;
    this.retries += other.retries;
    this.batchSize.merge(other.batchSize);
    this.batchBytes.merge(other.batchBytes);
    this.produceMs.merge(other.produceMs);
  }

  counts(): WriterCounts {
    const { writes, errors, retries } = this;
    const batchSize = this.batchSize.summary();
    const batchBytes = this.batchBytes.summary();
    const produceMs = this.produceMs.summary();
    const { count: batches, sum: messages } = batchSize;
    return {
      writes,
      messages,
      bytes: batchBytes.sum,
      batches,
      errors,
      retries,
      batchSize,
      batchBytes,
      produceMs,
    };
  }
}

/** Counts as it happens: everything goes into the window, and each look adds the window to the total. */
export class StatsCounter {
  window: Counts = new Counts();
  readonly #total: Counts = new Counts();

  /** Both spans; the window begins anew. */
  take(): { readonly window: WriterCounts; readonly total: WriterCounts } {
    const { window } = this;
    this.window = new Counts();
    this.#total.merge(window);
    return { window: window.counts(), total: this.#total.counts() };
  }
}
