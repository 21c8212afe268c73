/** The port to the world: sockets, clock, timers, random numbers and the runtime's own compressors; types only.
 * `src/runtime/*` implements it once per runtime; `virtual.ts` implements it for deterministic tests.
 * Invariant: nothing else in the package touches a socket, a clock, a timer or a random number.
 * Failures here are plain errors; client/connection and compression give them their class.
 */

/** Where to connect: a host name or IP address (v6 without brackets) and a TCP port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a TLS connection needs; a runtime that cannot honour a field refuses it by name. */
export interface TlsOptions {
  /** Name for SNI and the certificate check. Default: the host that was dialled. */
  readonly serverName?: string;
  /** Certificate authorities as PEM. Default: the runtime's own. */
  readonly ca?: string | readonly string[];
  /** Client certificate as PEM (mutual TLS). */
  readonly cert?: string;
  /** Client key as PEM (mutual TLS). */
  readonly key?: string;
  /** Whether an unverifiable server is refused. Default true. */
  readonly rejectUnauthorized?: boolean;
}

/** How to dial. */
export interface DialOptions {
  readonly tls?: TlsOptions | undefined;
  /** Gives up the attempt; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the attempt is given up and fails with an error whose `code` is `ETIMEDOUT`. */
  readonly connectTimeoutMs: number;
}

/** One byte stream to a peer. Nothing it does after `dial` throws: failures reject `read` and `write`. */
export interface Transport {
  /** The next bytes, in order; null at the end of the stream (the peer closed).
   * The view is valid only until the next `read`. At most one `read` is outstanding.
   * `into` is a hint: a runtime that can fills it and returns a view on it.
   */
  read(into?: Uint8Array): Promise<Uint8Array | null>;
  /** Queues the parts as they are, without copying or joining where the runtime allows.
   * The parts must not change until the returned promise settles, or, if it returned undefined, until the peer
   * answered or the transport ended. A promise is returned only when the peer is slow: await it before more.
   */
  write(parts: readonly Uint8Array[]): void | Promise<void>;
  /** Ends the stream after what was written; idempotent. An outstanding `read` resolves null or rejects. */
  close(): void;
  /** Ends the stream at once; an outstanding `read` or `write` rejects. Idempotent. */
  abort(reason?: unknown): void;
}

/** Opens a connection. Rejects with the runtime's error (code `ETIMEDOUT` at the deadline) or the signal's reason. */
export type Dial = (address: Address, options: DialOptions) => Promise<Transport>;

/** A listening socket of the embedded broker. */
export interface Listener {
  readonly address: Address;
  close(): Promise<void>;
}

/** A timer that was set. */
export interface Timer {
  /** Idempotent; the callback does not run afterwards. */
  cancel(): void;
}

/** zstd as a runtime has it. */
export interface PlatformZstd {
  /** Compresses to one frame; `level` -131072 to 22, default 3. */
  compress(bytes: Uint8Array, level?: number): Uint8Array | Promise<Uint8Array>;
  /** Decompresses frames; fails with a `RangeError` beyond `maxBytes` of output. */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array>;
  /** `decompress` that never takes a promise. */
  decompressSync(bytes: Uint8Array, maxBytes: number): Uint8Array;
}

/** What a runtime provides. */
export interface Platform {
  /** Such as `node`. */
  readonly name: string;
  /** Most sockets to one broker, Infinity where the runtime sets no limit; C1 tells what sharing costs. */
  readonly maxSocketsPerBroker: number;
  readonly dial: Dial;
  /** Accepts connections on a TCP port (0: any free one); undefined where the runtime cannot. */
  readonly listen?: (address: Address, accept: (transport: Transport) => void) => Promise<Listener>;
  /** Every IP address of a host name, in the resolver's order; undefined where the runtime resolves by itself. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  /** Milliseconds from an arbitrary origin, never going back. */
  monotonicNow(): number;
  /** A float in [0, 1). */
  random(): number;
  /** Calls `callback` once after `delayMs` (0 to 2^31-1). It does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` in a later macrotask, after the input that is ready now was handled where the runtime can. */
  defer(callback: () => void): void;
  /** Keeps the process alive until the returned function is called (C4); a no-op where processes do not end. */
  holdOpen(): () => void;
  /** Decompresses gzip (several members too); fails with a `RangeError` beyond `maxBytes` of output. */
  gunzip(bytes: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array>;
  /** `gunzip` that never takes a promise; absent where the runtime has no such thing. */
  readonly gunzipSync?: (bytes: Uint8Array, maxBytes: number) => Uint8Array;
  /** Compresses to one gzip member; `level` 1-9, default 6 where the runtime has levels. */
  gzip(bytes: Uint8Array, level?: number): Uint8Array | Promise<Uint8Array>;
  /** The runtime's zstd; absent where it has none (Node before 22.15, Workers). */
  readonly zstd?: PlatformZstd;
}
