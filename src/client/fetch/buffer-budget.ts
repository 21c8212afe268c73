/** Counts the bytes that wait to be read, over all partitions (R9): fetches under way, frames, inflated batches.
 * Not here: what to do without room (the fetcher waits).
 * Invariant: with nothing counted any amount is granted, so a small budget slows reading down but never stops it.
 */

/** One budget of a reader. */
export class BufferBudget {
  readonly limitBytes: number;
  /** Bytes that are there. */
  usedBytes = 0;
  /** Bytes that brokers were asked for. */
  #askedBytes = 0;
  readonly #onRoom: () => void;

  constructor(limitBytes: number, onRoom: () => void) {
    this.limitBytes = limitBytes;
    this.#onRoom = onRoom;
  }

  /** Counts bytes that are to be asked for, if there is room; otherwise `onRoom` will tell when to try again. */
  ask(bytes: number): boolean {
    const counted = this.usedBytes + this.#askedBytes;
    if (counted > 0 && counted + bytes > this.limitBytes) return false;
    this.#askedBytes += bytes;
    return true;
  }

  /** An answer came, or never will. */
  answered(bytes: number): void {
    this.#askedBytes -= bytes;
    this.#onRoom();
  }

  use(bytes: number): void {
    this.usedBytes += bytes;
  }

  release(bytes: number): void {
    this.usedBytes -= bytes;
    this.#onRoom();
  }
}

/** A response frame, which stays in memory as long as one of its partitions' records is unread. */
export class Frame {
  readonly #budget: BufferBudget;
  readonly #bytes: number;
  #parts: number;

  constructor(budget: BufferBudget, bytes: number, parts: number) {
    this.#budget = budget;
    this.#bytes = bytes;
    this.#parts = parts;
    if (parts > 0) budget.use(bytes);
  }

  /** One partition's records were read, or dropped. */
  release(): void {
    if (--this.#parts === 0) this.#budget.release(this.#bytes);
  }
}
