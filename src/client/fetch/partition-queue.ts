/** What was fetched of one partition and not yet read, oldest first.
 * Invariant: positions move here and nowhere else while records are pulled; a fetched part is released once.
 */
import type { Backoff } from '../cluster/index.ts';
import { damagedAt, type CompletedFetch } from './completed-fetch.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import type { RecordRun } from './record-run.ts';

/** The queue of one partition. */
export class PartitionQueue {
  readonly owner: AssignedPartition;
  /** Bytes that nobody has begun to read. */
  waitingBytes = 0;
  /** On `platform.monotonicNow()`: the partition is left alone until then. */
  retryAtMs = 0;
  readonly backoff: Backoff;
  /** Node that it is fetched from; -1 none yet. */
  leader = -1;
  leaderEpoch = -1;
  /** The offset that was out of range, while another one is looked up; else -1. */
  resetFrom = -1;
  /** On `platform.monotonicNow()`: since when brokers have not known the topic. */
  unknownSinceMs: number | undefined;
  /** Whether it waits in the reader's rotation. */
  isReady = false;
  readonly #waiting: CompletedFetch[] = [];
  #reading: CompletedFetch | undefined;

  constructor(owner: AssignedPartition, backoff: Backoff) {
    this.owner = owner;
    this.backoff = backoff;
  }

  get isEmpty(): boolean {
    return this.#reading === undefined && this.#waiting.length === 0;
  }

  push(fetched: CompletedFetch): void {
    this.#waiting.push(fetched);
    this.waitingBytes += fetched.byteLength;
  }

  /** The next batch to hand out; undefined when there is none, a promise of it when the queue was cleared meanwhile.
   * `finished` gets what was read to its end. Throws, or rejects with, a ProtocolError that names the place; the rest
   * of the queue is dropped then.
   */
  take(finished: CompletedFetch[]): RecordRun | Promise<RecordRun | undefined> | undefined {
    const { owner } = this;
    for (let reading = this.#begin(); reading !== undefined; reading = this.#begin()) {
      const run = this.#read(reading);
      if (run !== undefined) return run;
      owner.position = reading.endOffset;
      finished.push(reading);
      this.#reading = undefined;
    }
    return undefined;
  }

  /** Fetching begins at `offset`; what was fetched from there on before is still to be read. */
  resume(offset: number): void {
    this.owner.fetchFrom(offset);
    if (this.isEmpty) this.owner.standAt(offset);
  }

  /** Bytes at `offset` cannot be read: what follows is dropped, and no more is fetched. Throws what the reader is to throw. */
  damaged(offset: number, error: unknown): never {
    this.owner.damage = damagedAt(this.owner, offset, error);
    this.clear();
    throw this.owner.damage;
  }

  /** Forgets what was fetched. */
  clear(): void {
    this.#reading?.release();
    for (const fetched of this.#waiting.splice(0)) fetched.release();
    this.#reading = undefined;
    this.waitingBytes = 0;
  }

  #read(reading: CompletedFetch): RecordRun | Promise<RecordRun | undefined> | undefined {
    try {
      const run = reading.next();
      if (!(run instanceof Promise)) return run;
      return run.then(
        (inflated) => (reading === this.#reading ? inflated : undefined),
        (error: unknown) => (reading === this.#reading ? this.damaged(reading.position, error) : undefined),
      );
    } catch (error) {
      return this.damaged(reading.position, error);
    }
  }

  #begin(): CompletedFetch | undefined {
    if (this.#reading !== undefined) return this.#reading;
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    this.waitingBytes -= next.byteLength;
    this.owner.standAt(next.fetchOffset);
    this.#reading = next;
    return next;
  }
}
