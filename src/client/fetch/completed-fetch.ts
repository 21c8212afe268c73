/** One partition's part of a Fetch answer: finds the batches whose records the application is to see.
 * Aborted transactions are left out by Java's algorithm; control batches always. Nothing is read before it is pulled.
 * Invariant: `position` only grows, over hidden and empty batches too, so reading makes progress over them.
 * Source: KIP-98; Java's CompletedFetch.
 */
import { codecById, type Codec } from '../../compression/codec.ts';
import { KafkaError, ProtocolError } from '../../errors.ts';
import { controlType } from '../../protocol/records/control.ts';
import { nextLogBatch, type LogBatch } from '../../protocol/records/message-set.ts';
import { nameOf, type AssignedPartition } from './assigned-partition.ts';
import type { Frame } from './buffer-budget.ts';
import { RecordRun } from './record-run.ts';

/** How batches are checked and inflated. */
export interface ReadOptions {
  readonly checkCrcs: boolean;
  readonly codecs: readonly Codec[];
  /** Most bytes that one batch may inflate to. */
  readonly maxInflatedBytes: number;
}

/** A transaction that the broker reports as aborted, from its first offset in this partition on. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** What a Fetch answer brought for a partition. */
export interface FetchedRecords {
  /** Whole batches, and perhaps a truncated one at the end. */
  readonly records: Uint8Array;
  /** The offset that was asked for. */
  readonly fetchOffset: number;
  /** Null under read_uncommitted. In any order: not every broker sorts it. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
}

/** The offset after the last whole batch, from the headers alone; `fetchOffset` where there is none.
 * `damage` is what the headers after it deserve, if they are no batch.
 */
export function endOf(records: Uint8Array, fetchOffset: number): { endOffset: number; damage?: unknown } {
  let endOffset = fetchOffset;
  try {
    for (let batch = nextLogBatch(records, 0); batch; batch = nextLogBatch(records, batch.end)) {
      endOffset = Math.max(endOffset, batch.lastOffset + 1);
    }
    return { endOffset };
  } catch (damage) {
    return { endOffset, damage };
  }
}

/** What went wrong with a partition's bytes, naming the place. */
export function damagedAt(owner: AssignedPartition, offset: number, error: unknown): KafkaError {
  const where = `${nameOf(owner)} at offset ${offset}`;
  if (!(error instanceof KafkaError))
    return new ProtocolError(`${where}: ${String(error)}`, { cause: error });
  const { code, message } = error;
  return new ProtocolError(`${where}: ${message}`, { code, path: where, cause: error });
}

/** Walks the batches of one partition in one answer. */
export class CompletedFetch {
  readonly fetchOffset: number;
  readonly endOffset: number;
  readonly byteLength: number;
  /** Next offset that may be handed out. */
  position: number;
  readonly #owner: AssignedPartition;
  readonly #records: Uint8Array;
  readonly #frame: Frame;
  readonly #options: ReadOptions;
  /** Sorted by first offset; those before `#nextAborted` have begun. */
  readonly #aborted: readonly AbortedTransaction[];
  #nextAborted = 0;
  /** Producers whose records are hidden until their abort marker. */
  readonly #abortedProducers = new Set<bigint>();
  #byteOffset = 0;

  constructor(
    owner: AssignedPartition,
    fetched: FetchedRecords,
    endOffset: number,
    frame: Frame,
    options: ReadOptions,
  ) {
    this.fetchOffset = this.position = fetched.fetchOffset;
    this.endOffset = endOffset;
    this.byteLength = fetched.records.length;
    this.#owner = owner;
    this.#records = fetched.records;
    this.#frame = frame;
    this.#options = options;
    this.#aborted = fetched.abortedTransactions?.toSorted((a, b) => a.firstOffset - b.firstOffset) ?? [];
  }

  /** The next batch that has records to hand out; a promise only where inflating takes one; undefined at the end.
   * Throws, or rejects with, a ProtocolError for damaged bytes; `position` then stands before them.
   */
  next(): RecordRun | Promise<RecordRun> | undefined {
    while (this.position < this.endOffset) {
      const batch = nextLogBatch(this.#records, this.#byteOffset);
      if (batch === undefined) break;
      this.#byteOffset = batch.end;
      if (batch.lastOffset < this.position) continue;
      if (this.#options.checkCrcs) batch.verifyCrc();
      if (!this.#hides(batch) && batch.recordCount > 0) return this.#open(batch);
      this.position = batch.lastOffset + 1;
    }
    this.position = this.endOffset;
    return undefined;
  }

  /** The memory may go. Idempotence is the caller's business. */
  release(): void {
    this.#frame.release();
  }

  #open(batch: LogBatch): RecordRun | Promise<RecordRun> {
    const open = (bytes: Uint8Array): RecordRun => {
      const run = new RecordRun(this.#owner, batch, bytes, this.position);
      this.position = run.endOffset;
      return run;
    };
    const { codecId, payload, magic } = batch;
    if (codecId === 0) return open(payload);
    const { codecs, maxInflatedBytes: maxBytes } = this.#options;
    const bytes = codecById(codecs, codecId).decompress(payload, { maxBytes, magic });
    return bytes instanceof Promise ? bytes.then(open) : open(bytes);
  }

  #hides(batch: LogBatch): boolean {
    const { producerId } = batch;
    if (producerId >= 0n) {
      for (; ; this.#nextAborted++) {
        const transaction = this.#aborted[this.#nextAborted];
        if (transaction === undefined || transaction.firstOffset > batch.lastOffset) break;
        this.#abortedProducers.add(transaction.producerId);
      }
      if (batch.isControl && controlType(batch) === 'abort') this.#abortedProducers.delete(producerId);
    }
    return batch.isControl || (batch.isTransactional && this.#abortedProducers.has(producerId));
  }
}
