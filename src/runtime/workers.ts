/** The platform on Cloudflare Workers (workerd), and where no other runtime is recognised: `cloudflare:sockets`.
 * Not here: what production Workers limit (a socket lives as long as its request; a Durable Object keeps it).
 * Invariants: nothing happens at import, not even the import of the sockets; no `node:` module is named.
 * Source: Cloudflare's page on TCP sockets. A BYOB reader with a large buffer reads 14 times as fast (measured).
 */
import type { Address, DialOptions, Platform, Timer, TlsOptions, Transport } from '../platform.ts';
import { connecting, errorWithCode } from './connecting.ts';
import { gunzip, mayHaveMembers } from './gunzip.ts';

const readBytes = 262_144;

/** Written bytes that may wait in the runtime before `write` asks to be awaited. */
const unsentBytes = 1_048_576;

/** Parts up to this total are joined: each write is a call into the runtime. */
const joinedBytes = 65_536;

/** Input per step of a codec stream: gzip inflates at most 1,032-fold, so a step yields at most 16 MiB. */
const codecStepBytes = 16_384;

/** Up to here a stream costs more than it spares. */
const gunzipAtOnceBytes = 16_384;

/** What this file uses of `cloudflare:sockets`. */
interface RuntimeSocket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly opened: Promise<unknown>;
  readonly closed: Promise<unknown>;
  close(): Promise<void>;
}
interface RuntimeSockets {
  connect(
    address: { readonly hostname: string; readonly port: number },
    options: {
      readonly secureTransport: string;
      readonly allowHalfOpen: true;
    },
  ): RuntimeSocket;
}

function joined(parts: readonly Uint8Array[], byteLength: number): Uint8Array {
  const whole = new Uint8Array(byteLength);
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

/** One socket. The runtime takes a read buffer over and gives the memory back in a new view; `into` too. */
class SocketTransport implements Transport {
  readonly #socket: RuntimeSocket;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #buffer = new ArrayBuffer(0);
  #unsentBytes = 0;
  readonly #waiting = new Set<(reason: unknown) => void>();
  #closed = false;
  #failure: unknown;
  /** Every promise of the runtime ends here: a failure shows in the next `read` or `write`. */
  readonly #fail = (reason: unknown): void => {
    this.#failure ??= reason;
  };

  constructor(socket: RuntimeSocket) {
    this.#socket = socket;
    this.#reader = socket.readable.getReader({ mode: 'byob' });
    this.#writer = socket.writable.getWriter();
    for (const end of [socket.closed, this.#reader.closed, this.#writer.closed]) end.catch(this.#fail);
  }

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.#closed) return null;
    try {
      if (into === undefined && this.#buffer.byteLength === 0) this.#buffer = new ArrayBuffer(readBytes);
      const { value, done } = await this.#reader.read(into ?? new Uint8Array(this.#buffer));
      if (into === undefined && value !== undefined) this.#buffer = value.buffer as ArrayBuffer;
      if (!done) return value;
    } catch (error) {
      this.#fail(error);
    }
    if (this.#failure === undefined || this.#closed) return null;
    throw this.#failure;
  }

  write(parts: readonly Uint8Array[]): void | Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.reject(errorWithCode('write after close', 'EPIPE'));
    let byteLength = 0;
    for (const part of parts) byteLength += part.length;
    const chunks = parts.length > 1 && byteLength <= joinedBytes ? [joined(parts, byteLength)] : parts;
    let sent: Promise<void> | undefined;
    for (const chunk of chunks) {
      this.#unsentBytes += chunk.length;
      sent = this.#writer.write(chunk);
      sent.then(() => (this.#unsentBytes -= chunk.length), this.#fail);
    }
    if (sent === undefined || this.#unsentBytes <= unsentBytes) return undefined;
    // Not `writer.ready`: in workerd 1.20261117 it may stay pending when two writes cross the high water mark.
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      void sent.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.cancel().catch(this.#fail);
    this.#writer
      .close()
      .then(() => this.#socket.close())
      .catch(this.#fail);
  }

  abort(reason?: unknown): void {
    this.#fail(reason ?? errorWithCode('the connection was aborted', 'ECONNABORTED'));
    for (const reject of this.#waiting) reject(this.#failure);
    this.#reader.cancel(this.#failure).catch(this.#fail);
    // Without `writer.abort`, after which workerd 1.20261117 does not tell the peer.
    this.#socket.close().catch(this.#fail);
  }
}

/** The runtime checks certificates by its own authorities and the dialled name, and has no client certificates. */
function refuseTls(host: string, tls: TlsOptions): void {
  let refused: string | undefined;
  if (tls.ca !== undefined) refused = 'ca: only public certificate authorities are trusted here';
  else if (tls.cert !== undefined) refused = 'cert: there are no client certificates here';
  else if (tls.key !== undefined) refused = 'key: there are no client certificates here';
  else if (tls.rejectUnauthorized === false)
    refused = 'rejectUnauthorized: certificates are always checked here';
  else if (tls.serverName !== undefined && tls.serverName !== host) {
    refused =
      'serverName: the certificate is checked against the dialled host name; use that name as the address';
  }
  if (refused !== undefined)
    throw errorWithCode(`Cloudflare Workers cannot honour tls.${refused}`, 'ENOTSUP');
}

async function sockets(): Promise<RuntimeSockets> {
  try {
    // As a string: no type declarations of it are at hand, and bundlers leave it to the runtime all the same.
    return (await import('cloudflare:sockets' as string)) as RuntimeSockets;
  } catch (cause) {
    const what = 'this runtime has neither node:net nor cloudflare:sockets; pass your own `dial`';
    throw Object.assign(new Error(what, { cause }), { code: 'ENOTSUP' });
  }
}

async function dial(address: Address, options: DialOptions): Promise<Transport> {
  const { tls, signal } = options;
  if (tls !== undefined) refuseTls(address.host, tls);
  const { connect } = await sockets();
  signal?.throwIfAborted();
  const socket = connect(
    { hostname: address.host, port: address.port },
    { secureTransport: tls === undefined ? 'off' : 'on', allowHalfOpen: true },
  );
  const transport = new SocketTransport(socket);
  try {
    await connecting(address, options, setTimer, (resolve, reject) => socket.opened.then(resolve, reject));
    return transport;
  } catch (error) {
    transport.abort(error);
    throw error;
  }
}

function setTimer(delayMs: number, callback: () => void): Timer {
  const timeout = setTimeout(callback, delayMs);
  return { cancel: () => clearTimeout(timeout) };
}

async function feed(writable: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  for (let position = 0; position < bytes.length; position += codecStepBytes) {
    await writer.write(bytes.subarray(position, position + codecStepBytes));
  }
  await writer.close();
}

/** Runs the bytes through a codec stream, counting what comes out: the stream itself knows no limit. */
async function transformed(
  codec: CompressionStream | DecompressionStream,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  const reader = (codec.readable as ReadableStream<Uint8Array>).getReader();
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  const drain = async (): Promise<void> => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      byteLength += value.length;
      if (byteLength > maxBytes) throw new RangeError(`the output is longer than ${maxBytes} bytes`);
      chunks.push(value);
    }
  };
  try {
    await Promise.all([drain(), feed(codec.writable as WritableStream<Uint8Array>, bytes)]);
  } catch (error) {
    // Also ends the feeding; both sides fail with what is thrown here.
    reader.cancel(error).catch(() => undefined);
    throw error;
  }
  return joined(chunks, byteLength);
}

/** The stream is faster for one large member; what it does with more, or refuses, is decided here. */
function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
  if (bytes.length <= gunzipAtOnceBytes || mayHaveMembers(bytes)) return gunzip(bytes, maxBytes);
  return transformed(new DecompressionStream('gzip'), bytes, maxBytes).catch((error: unknown) => {
    if (error instanceof RangeError) throw error;
    return gunzip(bytes, maxBytes);
  });
}

/** Sockets, clock and compressors of Cloudflare Workers. At most six sockets may be opening at once there, so
 * the duties of a broker share one. gzip has no levels here, and there is no zstd.
 */
export const platform: Platform = {
  name: 'workers',
  maxSocketsPerBroker: 1,
  dial,
  now: () => Date.now(),
  monotonicNow: () => performance.now(),
  random: () => Math.random(),
  setTimer,
  defer: (callback) => void setTimeout(callback, 0),
  holdOpen: () => () => undefined,
  gunzip: inflate,
  gunzipSync: gunzip,
  gzip: (bytes) => transformed(new CompressionStream('gzip'), bytes, Infinity),
};
