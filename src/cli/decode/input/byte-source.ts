/** The input as bytes that are taken in order: a file or standard input, through one buffer that is used again.
 * Not here: what the bytes are.
 * Invariant: memory is taken for bytes that arrived, never for a length that was read; views die at the next `fill`.
 */
import { open, type FileHandle } from 'node:fs/promises';

/** Puts the next bytes into a buffer and says how many; 0 at the end. */
type Pull = (into: Uint8Array) => Promise<number>;

const CHUNK_BYTES = 0x4_0000;

/** Bytes in order. */
export class ByteSource {
  /** Of the whole input, if it is known. */
  readonly size: number | undefined;
  /** Of the next byte to take. */
  position = 0;
  readonly #pull: Pull;
  readonly #close: () => Promise<void>;
  #buffer = new Uint8Array(2 * CHUNK_BYTES);
  #start = 0;
  #end = 0;
  #ended = false;

  private constructor(pull: Pull, close: () => Promise<void>, size?: number) {
    this.#pull = pull;
    this.#close = close;
    this.size = size;
  }

  /** A file. Rejects when it cannot be opened. */
  static async ofFile(path: string): Promise<ByteSource> {
    const handle = await open(path);
    const stat = await handle.stat();
    const size = stat.isFile() ? stat.size : undefined;
    return new ByteSource(pullFile(handle), () => handle.close(), size);
  }

  /** Chunks as they come, such as standard input. */
  static ofChunks(chunks: AsyncIterable<Uint8Array>): ByteSource {
    return new ByteSource(pullChunks(chunks), async () => undefined);
  }

  /** Bytes at hand. */
  get available(): number {
    return this.#end - this.#start;
  }

  /** Reads until `count` bytes are at hand, or the input ends; says whether they are. */
  async fill(count: number): Promise<boolean> {
    while (this.available < count && !this.#ended) {
      this.#makeRoom(count);
      const pulled = await this.#pull(this.#buffer.subarray(this.#end));
      this.#end += pulled;
      this.#ended = pulled === 0;
    }
    return this.available >= count;
  }

  /** The next `count` bytes, or as many as are at hand. */
  peek(count: number = this.available): Uint8Array {
    return this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + count));
  }

  /** Takes the next bytes: as many as are at hand, at most `count`. */
  take(count: number): Uint8Array {
    const taken = this.peek(count);
    this.#start += taken.length;
    this.position += taken.length;
    return taken;
  }

  /** The rest of the input, at most `limit` bytes; undefined when it is longer. */
  async rest(limit: number): Promise<Uint8Array | undefined> {
    return (await this.fill(limit + 1)) ? undefined : this.take(this.available);
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** Moves what is at hand to the front, into a larger buffer when this one is full of it. */
  #makeRoom(count: number): void {
    if (this.#buffer.length - this.#end >= CHUNK_BYTES) return;
    const kept = this.peek();
    const isTooSmall = kept.length + CHUNK_BYTES > this.#buffer.length;
    if (isTooSmall) {
      const grown = new Uint8Array(Math.min(count + CHUNK_BYTES, 2 * this.#buffer.length));
      grown.set(kept);
      this.#buffer = grown;
    } else this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = kept.length;
  }
}

function pullFile(handle: FileHandle): Pull {
  return async (into) => (await handle.read(into, 0, into.length)).bytesRead;
}

function pullChunks(chunks: AsyncIterable<Uint8Array>): Pull {
  const iterator = chunks[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  return async (into) => {
    while (chunk.length === 0) {
      const next = await iterator.next();
      if (next.done) return 0;
      chunk = next.value;
    }
    const count = Math.min(chunk.length, into.length);
    into.set(chunk.subarray(0, count));
    chunk = chunk.subarray(count);
    return count;
  };
}
