/** Memory for batches, used again when the broker has answered: new memory costs as much as encoding into it does, and
 * collecting it more.
 * Not here: when nobody reads a batch any more (accumulator.ts).
 * Invariant: what is kept and not in use has at most `limitBytes`.
 */

/** What is not in use, the last used last. */
export class BatchMemory {
  readonly #free: Uint8Array[] = [];
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Memory of at least so many bytes, whatever is in them. */
  take(bytes: number): Uint8Array {
    const free = this.#free;
    for (let index = free.length - 1; index >= 0; index--) {
      const memory = free[index] as Uint8Array;
      if (memory.length < bytes) continue;
      free.splice(index, 1);
      this.#bytes -= memory.length;
      return memory;
    }
    return new Uint8Array(bytes);
  }

  /** Takes back what `bytes` lie in. */
  give({ buffer }: Uint8Array): void {
    const memory = new Uint8Array(buffer);
    this.#free.push(memory);
    this.#bytes += memory.length;
    while (this.#bytes > this.#limitBytes) this.#bytes -= this.#free.shift()?.length ?? 0;
  }

  /** Keeps nothing. */
  clear(): void {
    this.#free.length = 0;
    this.#bytes = 0;
  }
}
