/** The platform on Node, and on the runtimes that have Node's modules: sockets, timers, gzip, zstd.
 * Not here: what a failure means (client/connection) or when a limit applies (compression).
 * Invariants: nothing but `holdOpen` keeps the process alive; no socket error goes unheard.
 * `onread` into one buffer reads at half the CPU of 'data', and `writev` spares joining (both measured).
 */
import { lookup } from 'node:dns/promises';
import { type AddressInfo, connect, createServer, isIP, type OnReadOpts, type Socket } from 'node:net';
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers';
import * as zlib from 'node:zlib';
import type {
  Address,
  DialOptions,
  Listener,
  Platform,
  PlatformZstd,
  Timer,
  TlsOptions,
  Transport,
} from '../platform.ts';
import { connecting, errorWithCode } from './connecting.ts';

/** A socket's read buffer at first, and from the first read that fills it on: few sockets carry bulk. */
const firstReadBytes = 65_536;
const fullReadBytes = 262_144;

/** How long a closed socket waits for a peer that takes nothing of what was written. */
const lingerMs = 5_000;

/** Idle time before the kernel probes the peer; address translators forget a flow after 350 s. */
const keepAliveMs = 60_000;

/** Up to here the work (0.2 ms to compress, 0.6 ms to inflate) is done at once: the hop to a thread costs more. */
const gzipAtOnceBytes = 16_384;
const gunzipAtOnceBytes = 65_536;
/** zstd takes a third of the time. */
const zstdAtOnceBytes = 65_536;
const unzstdAtOnceBytes = 65_536;

/** Most that is allocated on the word of a gzip trailer. */
const trustedOutputBytes = 1_048_576;

interface Waiting<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** Node's Buffers are views with methods of their own; what leaves this file is a Uint8Array and nothing more. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** One socket, paused whenever no `read` waits: a view stays valid, and a slow reader slows the peer. */
class SocketTransport implements Transport {
  readonly socket: Socket;
  #buffer = new Uint8Array(0);
  #ready: Uint8Array | undefined;
  #reading: Waiting<Uint8Array | null> | undefined;
  #draining: Waiting<void>[] = [];
  #ended = false;
  #closed = false;
  #failure: unknown;

  /** `open` makes the socket with `onread`, or, if `isByEvent`, gives one that can only be read by 'data'. */
  constructor(open: (onread: OnReadOpts) => Socket, isByEvent: boolean) {
    this.socket = open({ buffer: () => this.#readBuffer(), callback: this.#onRead.bind(this) });
    if (isByEvent) {
      this.socket.on('data', (chunk) => {
        this.socket.pause();
        this.#deliver(plain(chunk));
      });
    }
    this.socket.on('end', () => {
      this.#ended = true;
      this.#settleRead(null);
    });
    this.socket.on('error', (error) => this.#fail(error));
    this.socket.on('close', () => this.#fail(errorWithCode('the connection is closed', 'ECONNRESET')));
    const drained = (): void => {
      for (const waiting of this.#draining.splice(0)) waiting.resolve();
    };
    // Once the stream is ending there is no 'drain' any more.
    this.socket.on('drain', drained).on('finish', drained);
  }

  /** Once connected: requests and answers are small and wait for each other, so no delay by Nagle's algorithm. */
  start(): this {
    this.socket.setNoDelay(true).setKeepAlive(true, keepAliveMs).unref();
    return this;
  }

  #readBuffer(): Uint8Array {
    if (this.#buffer.length === 0) this.#buffer = new Uint8Array(firstReadBytes);
    return this.#buffer;
  }

  #onRead(byteLength: number, buffer: Uint8Array): boolean {
    if (byteLength === this.#buffer.length && byteLength < fullReadBytes) {
      this.#buffer = new Uint8Array(fullReadBytes);
    }
    this.#deliver(buffer.subarray(0, byteLength));
    return false;
  }

  #deliver(chunk: Uint8Array): void {
    if (this.#reading === undefined) this.#ready = chunk;
    else this.#settleRead(chunk);
  }

  #settleRead(chunk: Uint8Array | null): void {
    const reading = this.#reading;
    this.#reading = undefined;
    reading?.resolve(chunk);
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason;
    const reading = this.#reading;
    this.#reading = undefined;
    reading?.reject(this.#failure);
    for (const waiting of this.#draining.splice(0)) waiting.reject(this.#failure);
  }

  read(): Promise<Uint8Array | null> {
    const ready = this.#ready;
    this.#ready = undefined;
    if (this.#closed) return Promise.resolve(null);
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#ended) return Promise.resolve(null);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#reading !== undefined) return Promise.reject(new Error('a read is outstanding'));
    return new Promise((resolve, reject) => {
      this.#reading = { resolve, reject };
      this.socket.resume();
    });
  }

  write(parts: readonly Uint8Array[]): void | Promise<void> {
    const socket = this.socket;
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.reject(errorWithCode('write after close', 'EPIPE'));
    socket.cork();
    for (const part of parts) socket.write(part);
    socket.uncork();
    // What the kernel took at once does not count, so only a slow peer makes the caller wait.
    if (socket.writableLength <= socket.writableHighWaterMark) return undefined;
    return new Promise((resolve, reject) => this.#draining.push({ resolve, reject }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#settleRead(null);
    const socket = this.socket;
    socket.setTimeout(lingerMs, () => socket.destroy());
    socket.end(() => socket.destroy());
  }

  abort(reason?: unknown): void {
    this.#ready = undefined;
    this.#fail(reason ?? errorWithCode('the connection was aborted', 'ECONNABORTED'));
    const { socket } = this;
    // A reset also discards what the kernel has not sent yet, which a plain close would still deliver.
    if (this.#closed || socket.connecting || 'encrypted' in socket) socket.destroy();
    else socket.resetAndDestroy();
  }
}

/** What opens the socket. TLS is loaded when it is needed: a third of this module's import time. */
async function opener(
  address: Address,
  tls: TlsOptions | undefined,
  isByEvent: boolean,
): Promise<(onread: OnReadOpts) => Socket> {
  const { host, port } = address;
  if (tls === undefined) return (onread) => connect({ host, port, onread, allowHalfOpen: true });
  const { connect: connectTls } = await import('node:tls');
  const { serverName, ca, cert, key, rejectUnauthorized = true } = tls;
  // An address is no server name (RFC 6066); the certificate is then checked against the address itself.
  const servername = serverName ?? (isIP(host) === 0 ? host : '');
  const options = { host, port, servername, ca: typeof ca === 'object' ? [...ca] : ca, cert, key };
  return (onread) => {
    // Not a literal argument: Node documents `onread` for TLS too, its types leave it out.
    const reading = isByEvent ? {} : { onread };
    const opening = { ...options, ...reading, rejectUnauthorized, allowHalfOpen: true };
    return connectTls(opening);
  };
}

async function dial(address: Address, options: DialOptions, runtime: string): Promise<Transport> {
  const { tls, signal } = options;
  // Deno 2.9.6 goes on filling the buffer of a TLS socket after `onread` said stop.
  const isByEvent = tls !== undefined && runtime === 'deno';
  const open = await opener(address, tls, isByEvent);
  signal?.throwIfAborted();
  const transport = new SocketTransport(open, isByEvent);
  const { socket } = transport;
  try {
    await connecting(address, options, setTimer, (resolve, reject) =>
      socket.once('error', reject).once(tls === undefined ? 'connect' : 'secureConnect', resolve),
    );
    return transport.start();
  } catch (error) {
    transport.abort(error);
    throw error;
  }
}

function listen(address: Address, accept: (transport: Transport) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true }, (socket) =>
      accept(new SocketTransport(() => socket, true).start()),
    );
    // Stays for the server's life: after the first answer it only keeps an error from ending the process.
    server.on('error', reject);
    server.listen({ host: address.host, port: address.port }, () => {
      const { port } = server.unref().address() as AddressInfo;
      const close = (): Promise<void> =>
        new Promise((closed) => {
          server.close();
          setImmediate(closed);
        });
      resolve({ address: { host: address.host, port }, close });
    });
  });
}

function setTimer(delayMs: number, callback: () => void): Timer {
  const timeout = setTimeout(callback, delayMs).unref();
  return { cancel: () => clearTimeout(timeout) };
}

type ZlibCall = (error: Error | null, result: Uint8Array) => void;

function offThread(work: (done: ZlibCall) => void): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    work((error, result) => (error === null ? resolve(plain(result)) : reject(error)));
  });
}

/** The trailer of a gzip member tells its size; an output buffer that fits halves the time on a thread. */
function inflateOptions(bytes: Uint8Array, maxBytes: number): zlib.ZlibOptions {
  const told =
    bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0, true);
  return {
    maxOutputLength: Math.max(maxBytes, 1),
    chunkSize: Math.min(told, maxBytes, trustedOutputBytes) + 64,
  };
}

function inflateSync(bytes: Uint8Array, maxBytes: number): Uint8Array {
  return plain(zlib.gunzipSync(bytes, inflateOptions(bytes, maxBytes)));
}

function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
  if (bytes.length <= gunzipAtOnceBytes) return inflateSync(bytes, maxBytes);
  return offThread((done) => zlib.gunzip(bytes, inflateOptions(bytes, maxBytes), done));
}

function deflate(bytes: Uint8Array, level?: number): Uint8Array | Promise<Uint8Array> {
  const options = { level, chunkSize: Math.min(bytes.length >> 1, trustedOutputBytes) + 64 };
  if (bytes.length <= gzipAtOnceBytes) return plain(zlib.gzipSync(bytes, options));
  return offThread((done) => zlib.gzip(bytes, options, done));
}

/** What node:zlib has from 22.15 on, which the types of Node 20 do not know. */
interface ZstdModule {
  zstdCompress(bytes: Uint8Array, options: ZstdOptions, done: ZlibCall): void;
  zstdCompressSync(bytes: Uint8Array, options: ZstdOptions): Uint8Array;
  zstdDecompress(bytes: Uint8Array, options: ZstdOptions, done: ZlibCall): void;
  zstdDecompressSync(bytes: Uint8Array, options: ZstdOptions): Uint8Array;
}
interface ZstdOptions {
  readonly maxOutputLength?: number;
  readonly chunkSize?: number;
  readonly params?: Readonly<Record<number, number>>;
}

/** The number of libzstd's parameter ZSTD_c_compressionLevel. */
const zstdLevelParameter = 100;

function zstdOf(module: object): PlatformZstd | undefined {
  if (!('zstdCompressSync' in module && 'zstdDecompressSync' in module)) return undefined;
  const zstd = module as ZstdModule;
  const decompressSync = (bytes: Uint8Array, maxBytes: number): Uint8Array =>
    plain(zstd.zstdDecompressSync(bytes, { maxOutputLength: Math.max(maxBytes, 1) }));
  return {
    compress(bytes, level) {
      const options = level === undefined ? {} : { params: { [zstdLevelParameter]: level } };
      if (bytes.length <= zstdAtOnceBytes) return plain(zstd.zstdCompressSync(bytes, options));
      return offThread((done) => zstd.zstdCompress(bytes, options, done));
    },
    decompress(bytes, maxBytes) {
      if (bytes.length <= unzstdAtOnceBytes) return decompressSync(bytes, maxBytes);
      return offThread((done) =>
        zstd.zstdDecompress(bytes, { maxOutputLength: Math.max(maxBytes, 1) }, done),
      );
    },
    decompressSync,
  };
}

/** C4: one timer keeps the process alive while somebody holds. */
function holder(): () => () => void {
  let holds = 0;
  let pin: NodeJS.Timeout | undefined;
  return () => {
    if (holds++ === 0) pin = setInterval(() => undefined, 2 ** 30);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--holds === 0) clearInterval(pin);
    };
  };
}

/** The platform of Node and of a runtime that has Node's modules, under that runtime's name. */
export function nodePlatform(name: string): Platform {
  const zstd = zstdOf(zlib);
  return {
    name,
    maxSocketsPerBroker: Infinity,
    dial: (address, options) => dial(address, options, name),
    listen,
    lookup: async (host) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address),
    now: () => Date.now(),
    monotonicNow: () => performance.now(),
    random: () => Math.random(),
    setTimer,
    defer: (callback) => void setImmediate(callback),
    holdOpen: holder(),
    gunzip: inflate,
    gunzipSync: inflateSync,
    gzip: deflate,
    ...(zstd && { zstd }),
  };
}

/** Sockets, clock and compressors of Node.js 20 and later. */
export const platform: Platform = /* @__PURE__ */ nodePlatform('node');
