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

/** A spread that grows; what was measured last changes the average at once, so that a copy is a `Summary`. */
class Spread implements Summary {
  count = 0;
  sum = 0;
  min = 0;
  max = 0;
  avg = 0;

  add(value: number): void {
    if (this.count === 0 || value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.sum += value;
    this.avg = this.sum / ++this.count;
  }
}

/** What is counted in a span of time. */
class Figures {
  readonly writes: Spread = new Spread();
  readonly errors: Spread = new Spread();
  readonly retries: Spread = new Spread();
  readonly batchSize: Spread = new Spread();
  readonly batchBytes: Spread = new Spread();
  readonly produceMs: Spread = new Spread();

  counts(): WriterCounts {
    const { batchSize, batchBytes } = this;
    return {
      writes: this.writes.sum,
      messages: batchSize.sum,
      bytes: batchBytes.sum,
      batches: batchSize.count,
      errors: this.errors.sum,
      retries: this.retries.sum,
      batchSize: { ...batchSize },
      batchBytes: { ...batchBytes },
      produceMs: { ...this.produceMs },
    };
  }
}

/** Counts as it happens, in both spans. */
export class StatsCounter {
  #window: Figures = new Figures();
  readonly #total: Figures = new Figures();

  add(figure: Exclude<keyof Figures, 'counts'>, value: number): void {
    this.#window[figure].add(value);
    this.#total[figure].add(value);
  }

  /** Both spans; the window begins anew. */
  take(): { readonly window: WriterCounts; readonly total: WriterCounts } {
    const window = this.#window.counts();
    this.#window = new Figures();
    return { window, total: this.#total.counts() };
  }
}
