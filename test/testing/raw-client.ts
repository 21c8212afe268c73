/** A bare client for tests of the embedded broker: one connection, one request after another, nothing hidden.
 * Not here: retries, versions, routing; the broker is tested without src/client.
 */
import { expect } from 'vitest';
import type { Platform, Transport } from '../../src/platform.ts';
import { encodeRequest, FrameReader, type Api, type Input } from '../../src/protocol/index.ts';
import { decodeResponseHeader, responseHeaderVersion } from '../../src/protocol/header.ts';
import { ByteReader } from '../../src/protocol/reader.ts';

/** One connection to one broker. */
export class RawClient {
  readonly transport: Transport;
  readonly #frames = new FrameReader(1 << 26);
  #correlationId = 0;

  private constructor(transport: Transport) {
    this.transport = transport;
  }

  static async connect(platform: Platform, address: string): Promise<RawClient> {
    const at = address.lastIndexOf(':');
    const host = address.slice(0, at);
    const port = Number(address.slice(at + 1));
    return new RawClient(await platform.dial({ host, port }, { connectTimeoutMs: 5_000 }));
  }

  /** Sends a request and waits for its answer. */
  async call<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    body: Input<Request>,
  ): Promise<Response> {
    const receive = await this.send(api, version, body);
    return receive();
  }

  /** Sends a request; the returned function waits for its answer, which must be the next one. */
  async send<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    body: Input<Request>,
  ): Promise<() => Promise<Response>> {
    const correlationId = this.#correlationId++;
    await this.transport.write(encodeRequest(api, version, correlationId, 'raw', body));
    return async () => {
      const frame = await this.nextFrame();
      if (frame === undefined) throw new Error('the connection was closed');
      const reader = new ByteReader(frame);
      expect(decodeResponseHeader(reader, responseHeaderVersion(api, version)).correlationId).toBe(
        correlationId,
      );
      return api.response.decode(reader, version, { strict: true });
    };
  }

  /** The next frame as it came; undefined when the broker ended the connection. */
  async nextFrame(): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.#frames.next();
      if (frame !== undefined) return frame;
      const chunk = await this.transport.read().catch(() => null);
      if (chunk === null) return undefined;
      this.#frames.push(chunk);
    }
  }

  close(): void {
    this.transport.close();
  }
}
