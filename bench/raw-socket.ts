/** A socket that knows frames and nothing else: what the floors of both benchmarks stand on. */
import { connect, type Socket } from 'node:net';

/** One socket; answers come in the order of the requests. */
export class RawSocket {
  readonly #socket: Socket;
  readonly #waiting: ((frame: Buffer) => void)[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  #needed = -1;

  constructor(broker: string) {
    const [host = '', port = ''] = broker.split(':');
    this.#socket = connect({ host, port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk) => this.#receive(chunk));
  }

  /** Sends the parts of a frame, length included, and resolves with the answer, without its length. */
  exchange(parts: readonly Uint8Array[]): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.cork();
      for (const part of parts) this.#socket.write(part);
      this.#socket.uncork();
    });
  }

  end(): void {
    this.#socket.end();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#needed < 0) {
        if (this.#bytes < 4) return;
        if ((this.#chunks[0]?.length ?? 0) < 4) this.#chunks = [Buffer.concat(this.#chunks)];
        this.#needed = 4 + (this.#chunks[0]?.readInt32BE(0) ?? 0);
      }
      if (this.#bytes < this.#needed) return;
      const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
      const frame = all.subarray(4, this.#needed);
      const rest = all.subarray(this.#needed);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#bytes = rest.length;
      this.#needed = -1;
      this.#waiting.shift()?.(frame);
    }
  }
}
