/** One socket to one broker: handshake, pipelined requests, deadlines, and one way to end.
 * Does not reconnect, choose a broker or look at error codes (client/cluster does).
 * Invariants: answers settle requests in order; after the end nothing is in flight; nothing thrown by a socket,
 * a frame or a decoder escapes: it ends the connection and settles its requests with a typed error.
 */
import {
  ConnectionError,
  KafkaError,
  ProtocolError,
  TimeoutError,
  UsageError,
  type Stored,
} from '../../errors.ts';
import type { Address, Dial, Platform, TlsOptions, Transport } from '../../platform.ts';
import { apiVersionsApi } from '../../protocol/api/18-api-versions.ts';
import { encodeRequest, FrameReader } from '../../protocol/frame.ts';
import { decodeResponseHeader, responseHeaderVersion } from '../../protocol/header.ts';
import { ByteReader } from '../../protocol/reader.ts';
import type { Api, Input } from '../../protocol/schema.ts';
import { negotiate } from '../../protocol/versions.ts';
import type { FinalizedFeatures } from './features.ts';
import { handshake, type BrokerVersions } from './handshake.ts';
import { InFlight, type InFlightRequest } from './in-flight.ts';

/** How to open a connection. */
export interface ConnectionOptions {
  readonly platform: Platform;
  readonly dial: Dial;
  readonly clientId: string;
  readonly tls: TlsOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxFrameBytes: number;
  /** Ends the connection, or the dialling, when its client or its lane is closed. */
  readonly lifetime: AbortSignal;
  /** `host:port` as the user or the broker named it, for errors. */
  readonly label: string;
  /** Learns what the broker says the cluster runs. */
  readonly features?: FinalizedFeatures | undefined;
}

/** How to send one request. */
export interface RequestOptions {
  /** Milliseconds until the request fails and its connection ends with it. Default `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** Stops the waiting; the request itself stays on the wire. Rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Highest version to negotiate. */
  readonly maxVersion?: number | undefined;
  /** False: the broker does not answer (Produce with acks 0); resolves once the socket took the bytes. Default true. */
  readonly expectResponse?: boolean | undefined;
}

/** A body, or a function that makes it for the negotiated version. */
export type RequestBody<Req> = Input<Req> | ((version: number) => Input<Req>);

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The next correlation id; past 2^31-1 comes 0. */
export function correlationIdAfter(id: number): number {
  return (id + 1) & 0x7fffffff;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** An open, handshaken connection. */
export class Connection {
  readonly address: string;
  /** Called once, when the connection ended, with the reason; undefined after `close()`. */
  onEnd: ((cause: unknown) => void) | undefined;
  /** `platform.now()` when bytes last came in or went out. */
  lastUsedMs: number;
  /** True once an answer other than ApiVersions came (C2: only then the reconnect backoff is reset). */
  proven = false;
  /** `platform.monotonicNow()` up to which the broker wants no further request (KIP-219); 0 if it never asked. */
  throttledUntilMs = 0;
  readonly #options: ConnectionOptions;
  readonly #transport: Transport;
  readonly #inFlight: InFlight;
  readonly #frames: FrameReader;
  /** The broker's spans by API key; empty until the handshake is done. */
  #versions: BrokerVersions = new Map();
  #correlationId = 0;
  #ended = false;
  /** Set while the peer is slow; writes go out after it, in order. */
  #drained: Promise<void> | undefined;
  readonly #onClientClosed = (): void => this.#end();

  private constructor(options: ConnectionOptions, transport: Transport) {
    this.address = options.label;
    this.#options = options;
    this.#transport = transport;
    this.#frames = new FrameReader(options.maxFrameBytes);
    this.lastUsedMs = options.platform.now();
    this.#inFlight = new InFlight(options.platform, (request) => this.#expire(request));
    options.lifetime.addEventListener('abort', this.#onClientClosed, { once: true });
  }

  /** Dials and asks for the broker's capabilities. Rejects with a `ConnectionError` (code `CONNECT`, stored `no`). */
  static async open(address: Address, options: ConnectionOptions, serverName: string): Promise<Connection> {
    const { label, lifetime, connectTimeoutMs } = options;
    const tls = options.tls && { serverName, ...options.tls };
    let connection: Connection | undefined;
    try {
      const transport = await options.dial(address, { tls, connectTimeoutMs, signal: lifetime });
      const opened = new Connection(options, transport);
      connection = opened;
      void opened.#read();
      const ask = opened.#askApiVersions.bind(opened);
      opened.#versions = await handshake(ask, label, options.features);
      return opened;
    } catch (cause) {
      connection?.close();
      if (lifetime.aborted) throw lifetime.reason;
      if (cause instanceof ConnectionError && cause.stored === 'no') throw cause;
      const text = `Cannot connect to ${label}: ${reasonOf(cause)}`;
      throw new ConnectionError(text, { code: 'CONNECT', address: label, stored: 'no', cause });
    }
  }

  get ended(): boolean {
    return this.#ended;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Sends one request. Rejects with `ConnectionError`, `TimeoutError`, `ProtocolError` or the signal's reason. */
  request<Req, Res>(api: Api<Req, Res>, body: RequestBody<Req>, options: RequestOptions = {}): Promise<Res> {
    let version: number;
    let parts: Uint8Array[];
    const correlationId = (this.#correlationId = correlationIdAfter(this.#correlationId));
    try {
      version = negotiate(api, this.#versions.get(api.key), options.maxVersion);
      const input = typeof body === 'function' ? (body as (version: number) => Input<Req>)(version) : body;
      parts = encodeRequest(api, version, correlationId, this.#options.clientId, input);
    } catch (error) {
      return Promise.reject(Object.assign(error as Error, { stored: 'no' }));
    }
    const decode = (response: Uint8Array): Res => {
      this.proven = true;
      const answer = api.response.decode(response, version);
      const { throttleTimeMs = 0 } = answer as { readonly throttleTimeMs?: number };
      if (throttleTimeMs > 0) this.throttledUntilMs = this.#options.platform.monotonicNow() + throttleTimeMs;
      return answer;
    };
    const headerVersion = responseHeaderVersion(api, version);
    return this.#exchange(`${api.name} v${version}`, correlationId, parts, headerVersion, decode, options);
  }

  /** Ends the connection; requests on the wire reject. Idempotent. */
  close(): void {
    this.#end();
  }

  #askApiVersions(version: number, body: object): Promise<Uint8Array> {
    const { clientId, connectTimeoutMs: timeoutMs } = this.#options;
    const id = (this.#correlationId = correlationIdAfter(this.#correlationId));
    const parts = encodeRequest(apiVersionsApi, version, id, clientId, body);
    return this.#exchange(`ApiVersions v${version}`, id, parts, 0, (response) => response, { timeoutMs });
  }

  #exchange<Res>(
    name: string,
    correlationId: number,
    parts: Uint8Array[],
    headerVersion: number,
    decode: (response: Uint8Array) => Res,
    options: RequestOptions,
  ): Promise<Res> {
    if (this.#ended) return Promise.reject(this.#endedError('no'));
    const { signal, expectResponse = true } = options;
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs;
    return new Promise<Res>((resolve, fail) => {
      if (signal?.aborted) return fail(signal.reason);
      const abandon = (): void => fail(signal?.reason);
      signal?.addEventListener('abort', abandon, { once: true });
      const done = (): void => signal?.removeEventListener('abort', abandon);
      const reject = (error: unknown): void => {
        done();
        fail(error);
      };
      if (expectResponse) {
        const settle = (frame: Uint8Array): void => {
          done();
          const reader = new ByteReader(frame);
          const received = decodeResponseHeader(reader, headerVersion).correlationId;
          if (received === correlationId) return resolve(decode(frame.subarray(reader.position)));
          const text = `${this.address} answered request ${received} where ${correlationId} (${name}) was next`;
          throw new ProtocolError(text);
        };
        const deadlineMs = this.#options.platform.monotonicNow() + timeoutMs;
        this.#inFlight.add({ name, deadlineMs, timeoutMs, settle, reject });
        this.#write(parts);
        return;
      }
      const written = (): void => {
        if (this.#ended) return reject(this.#endedError('maybe'));
        done();
        resolve(undefined as Res);
      };
      const slow = this.#write(parts);
      if (slow === undefined) written();
      else void slow.then(written);
    });
  }

  /** Writes in order; the promise, if any, settles when the socket has room again, and never rejects. */
  #write(parts: Uint8Array[]): Promise<void> | undefined {
    this.lastUsedMs = this.#options.platform.now();
    const before = this.#drained;
    const slow =
      before === undefined
        ? this.#writeNow(parts)
        : before.then(() => (this.#ended ? undefined : this.#writeNow(parts)));
    if (slow === undefined) return undefined;
    const drained: Promise<void> = slow.then(() => {
      if (this.#drained === drained) this.#drained = undefined;
    });
    this.#drained = drained;
    return drained;
  }

  #writeNow(parts: Uint8Array[]): Promise<void> | undefined {
    const lost = (error: unknown): undefined => void this.#end(error);
    try {
      return this.#transport.write(parts)?.catch(lost);
    } catch (error) {
      return lost(error);
    }
  }

  async #read(): Promise<void> {
    try {
      while (!this.#ended) {
        const chunk = await this.#transport.read();
        if (chunk === null) return this.#end('the broker closed it');
        this.lastUsedMs = this.#options.platform.now();
        this.#frames.push(chunk);
        for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next())
          this.#receive(frame);
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #receive(frame: Uint8Array): void {
    const request = this.#inFlight.shift();
    if (request === undefined) {
      throw new ProtocolError(`a response of ${frame.length} bytes came that nothing had asked for`);
    }
    try {
      request.settle(frame);
    } catch (error) {
      request.reject(Object.assign(error as Error, { stored: 'maybe' }));
      throw error;
    }
  }

  #expire({ name, timeoutMs, reject }: InFlightRequest): void {
    const text = `${name} to ${this.address} was not answered within ${timeoutMs} ms`;
    reject(new TimeoutError(text, { limitMs: timeoutMs, stored: 'maybe' }));
    this.#end(text);
  }

  #endedError(stored: Stored, cause?: unknown): KafkaError {
    if (this.#options.lifetime.aborted) {
      return new UsageError('The client is closed', { code: 'CLOSED', stored });
    }
    const { address } = this;
    const reason = cause === undefined ? 'it was closed' : reasonOf(cause);
    return new ConnectionError(`Connection to ${address} ended: ${reason}`, { address, stored, cause });
  }

  /** `cause` undefined: because it was closed here. */
  #end(cause?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.lifetime.removeEventListener('abort', this.#onClientClosed);
    this.#transport.abort(cause);
    for (const request of this.#inFlight.drain()) request.reject(this.#endedError('maybe', cause));
    this.onEnd?.(cause);
  }
}
