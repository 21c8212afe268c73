/** What a Writer counts, since it was made and since the figures were last asked for.
 * Invariants: a record costs two additions and no memory, the rest is counted per batch and request; a summary's min
 * and max come from values that were added, in the first window too.
 * Source: kafka-go's WriterStats; docs/kafka-go.md names the differences.
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
  /** Messages that failed, or were taken back by a signal; not those that `enqueue` threw at once. */
  readonly errors: number;
  /** Batches that were sent again. */
  readonly retries: number;
  /** Batches that were too large for the broker, and sent again in halves. Kafka: `batch-split-total`. */
  readonly splits: number;
  /** Records per written batch. */
  readonly batchSize: Summary;
  /** Bytes per written batch, before compression. */
  readonly batchBytes: Summary;
  /** Milliseconds for which a batch took records. One that is not full takes them until it is sent.
   * kafka-go: `BatchTime`. */
  readonly batchMs: Summary;
  /** Milliseconds that a batch waited from then until it was first sent, compression included.
   * kafka-go: `BatchQueueTime`; both together are Kafka's `record-queue-time`. */
  readonly queueMs: Summary;
  /** Milliseconds from a Produce request to its answer; its `count` is that of the answers. kafka-go: `WriteTime`. */
  readonly produceMs: Summary;
  /** Milliseconds for which a broker asked for silence, each time it did (KIP-219). kafka-go: `WaitTime`. */
  readonly throttleMs: Summary;
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

/** Figures that are only counted. */
type Counter = 'writes' | 'errors' | 'retries' | 'splits';

/** A spread that grows. */
class Spread {
  count = 0;
  sum = 0;
  #min = Infinity;
  #max = -Infinity;

  add(value: number): void {
    this.count++;
    this.sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  summary(): Summary {
    const { count, sum } = this;
    if (count === 0) return { count, sum, min: 0, max: 0, avg: 0 };
    return { count, sum, min: this.#min, max: this.#max, avg: sum / count };
  }
}

/** What is counted in a span of time. */
class Figures {
  writes = 0;
  errors = 0;
  retries = 0;
  splits = 0;
  readonly batchSize: Spread = new Spread();
  readonly batchBytes: Spread = new Spread();
  readonly batchMs: Spread = new Spread();
  readonly queueMs: Spread = new Spread();
  readonly produceMs: Spread = new Spread();
  readonly throttleMs: Spread = new Spread();

  counts(): WriterCounts {
    const { writes, errors, retries, splits, batchSize, batchBytes } = this;
    return {
      writes,
      messages: batchSize.sum,
      bytes: batchBytes.sum,
      batches: batchSize.count,
      errors,
      retries,
      splits,
      batchSize: batchSize.summary(),
      batchBytes: batchBytes.summary(),
      batchMs: this.batchMs.summary(),
      queueMs: this.queueMs.summary(),
      produceMs: this.produceMs.summary(),
      throttleMs: this.throttleMs.summary(),
    };
  }
}

/** Counts as it happens, in both spans. */
export class StatsCounter {
  #window: Figures = new Figures();
  readonly #total: Figures = new Figures();

  count(figure: Counter, count: number): void {
    this.#window[figure] += count;
    this.#total[figure] += count;
  }

  add(figure: Exclude<keyof Figures, Counter | 'counts'>, value: number): void {
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
