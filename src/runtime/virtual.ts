/** A platform without a world: an in-memory network, a clock that jumps and seeded random numbers, for tests.
 * Not a model of congestion or loss: segments arrive in order, after a fixed latency, or not at all.
 * Invariant: one queue ordered by time and then by call decides everything, so a seed always gives the same run.
 * It is stricter than a real network: a view is overwritten when it expires, and written parts are read late.
 */
import type { Address, DialOptions, Listener, Platform, Timer, Transport } from '../platform.ts';
import { connecting, errorWithCode } from './connecting.ts';

/** How received bytes are cut into reads: as written, at random by the seed, or byte by byte. */
export type VirtualChunking = 'whole' | 'random' | 'one-byte';

/** How to make a world. */
export interface VirtualWorldOptions {
  /** Of the random numbers and the random chunking; any 32-bit integer. Default 1. */
  readonly seed?: number;
  /** Wall clock at the beginning, milliseconds since 1970. Default 2026-01-01. */
  readonly startMs?: number;
  /** Default `whole`. */
  readonly chunking?: VirtualChunking;
  /** Compressors; they must be synchronous, for work on a thread ends at no virtual time. Default: refused. */
  readonly gzip?: Platform['gzip'];
  readonly gunzip?: Platform['gunzip'];
}

/** The network of a world, and what can go wrong on it. An address is `host:port` of the listening side. */
export interface VirtualNetwork {
  /** Milliseconds in each direction, for what is sent from now on. Default 0.2. */
  setLatencyMs(latencyMs: number): void;
  /** Resets all connections to the address: both sides fail with `ECONNRESET`. */
  cut(address: string): void;
  /** Refuses new connections to the address with `ECONNREFUSED`. */
  block(address: string): void;
  unblock(address: string): void;
  /** Accepts bytes and connections, as a stopped process does, and delivers nothing in either direction. */
  freeze(address: string): void;
  /** Delivers what was held back, in order. */
  thaw(address: string): void;
  /** Connections that at least one side has not closed. */
  openConnections(): number;
}

/** A platform and the hand that moves its time. */
export interface VirtualWorld {
  readonly platform: Platform;
  readonly network: VirtualNetwork;
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  /** `holdOpen` calls that were not released (C4). */
  openHolds(): number;
  /** Runs `work` and everything it starts; when all wait, the clock jumps to the next event. Settles as `work` does.
   * Fails when nothing is scheduled while `work` waits, after `limitMs` of virtual time (default 600,000), or with
   * what a callback threw.
   */
  run<T>(work: () => Promise<T>, options?: { readonly limitMs?: number }): Promise<T>;
  /** Lets virtual time pass, with everything that happens in it; inside `run` it waits for that time. */
  advance(ms: number): Promise<void>;
}

/** Bytes a side may have written that the other has not read before `write` asks to be awaited. */
const windowBytes = 1_048_576;

const firstEphemeralPort = 40_000;

interface Event {
  readonly time: number;
  readonly sequence: number;
  run: (() => void) | undefined;
}

/** A binary heap of events; a cancelled one stays until its turn. */
class EventQueue {
  now = 0;
  readonly #heap: Event[] = [];
  #sequence = 0;

  at(time: number, run: () => void): Event {
    const event: Event = { time: Math.max(time, this.now), sequence: this.#sequence++, run };
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || before(parent, event)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
    return event;
  }

  /** Runs the next event up to and including `limit`; false when there is none. */
  runNext(limit: number): boolean {
    for (let first = this.#heap[0]; first !== undefined && first.time <= limit; first = this.#heap[0]) {
      this.#removeFirst();
      if (first.run === undefined) continue;
      this.now = first.time;
      first.run();
      return true;
    }
    return false;
  }

  get isEmpty(): boolean {
    return !this.#heap.some((event) => event.run !== undefined);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = heap[below];
      const right = heap[below + 1];
      if (child !== undefined && right !== undefined && before(right, child)) {
        child = right;
        below += 1;
      }
      if (child === undefined || before(last, child)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function before(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}

/** Mulberry32: small, and good enough to shake an order of events. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Waiting<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** One side of a connection. */
class VirtualSocket implements Transport {
  readonly network: Network;
  /** Of the listening side, also on the listening side. */
  readonly address: string;
  peer: VirtualSocket | undefined;
  reading: Waiting<Uint8Array | null> | undefined;
  /** When the last thing sent from here arrives: nothing overtakes. */
  arrivalMs = 0;
  readonly #received: Uint8Array[] = [];
  #receivedBytes = 0;
  #unreadBytes = 0;
  #draining: Waiting<void>[] = [];
  #lastView: Uint8Array | undefined;
  #ended = false;
  #closed = false;
  #failure: unknown;

  constructor(network: Network, address: string) {
    this.network = network;
    this.address = address;
    network.sockets.add(this);
  }

  read(): Promise<Uint8Array | null> {
    // The last view is no longer valid; whoever kept it sees garbage here as on a reused buffer.
    this.#lastView?.fill(0xdd);
    this.#lastView = undefined;
    if (this.#closed) return Promise.resolve(null);
    if (this.#receivedBytes > 0) return Promise.resolve(this.#take());
    if (this.#ended) return Promise.resolve(null);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.reading !== undefined) return Promise.reject(new Error('a read is outstanding'));
    return new Promise((resolve, reject) => (this.reading = { resolve, reject }));
  }

  write(parts: readonly Uint8Array[]): void | Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.reject(errorWithCode('write after close', 'EPIPE'));
    const sent = [...parts];
    for (const part of sent) this.#unreadBytes += part.length;
    // Copied on arrival: bytes that change too early arrive changed, as they may on a real network.
    this.network.deliver(this, (peer) => peer.#receive(sent));
    if (this.#unreadBytes <= windowBytes) return undefined;
    return new Promise((resolve, reject) => this.#draining.push({ resolve, reject }));
  }

  close(): void {
    if (this.#closed || this.#failure !== undefined) return;
    this.#closed = true;
    this.network.sockets.delete(this);
    this.#settleRead(null);
    this.network.deliver(this, (peer) => {
      peer.#ended = true;
      peer.#settleRead(null);
    });
  }

  abort(reason?: unknown): void {
    if (this.#failure !== undefined) return;
    this.#receivedBytes = 0;
    this.#received.length = 0;
    this.fail(reason ?? errorWithCode('the connection was aborted', 'ECONNABORTED'));
    this.#resetPeer();
  }

  /** The connection is gone for this side. */
  fail(reason: unknown): void {
    this.#failure ??= reason;
    this.network.sockets.delete(this);
    const { reading } = this;
    this.reading = undefined;
    reading?.reject(this.#failure);
    for (const waiting of this.#draining.splice(0)) waiting.reject(this.#failure);
  }

  #resetPeer(): void {
    this.network.deliver(this, (peer) => peer.fail(errorWithCode('read ECONNRESET', 'ECONNRESET')));
  }

  #receive(parts: readonly Uint8Array[]): void {
    if (this.#failure !== undefined) return;
    if (this.#closed) return this.#resetPeer();
    let byteLength = 0;
    for (const part of parts) byteLength += part.length;
    if (byteLength === 0) return;
    const segment = new Uint8Array(byteLength);
    let position = 0;
    for (const part of parts) {
      segment.set(part, position);
      position += part.length;
    }
    this.#received.push(segment);
    this.#receivedBytes += byteLength;
    if (this.reading !== undefined) this.#settleRead(this.#take());
  }

  #settleRead(view: Uint8Array | null): void {
    const { reading } = this;
    this.reading = undefined;
    reading?.resolve(view);
  }

  /** The next read; there is something to read. */
  #take(): Uint8Array {
    const view = new Uint8Array(this.network.chunkBytes(this.#received[0]?.length ?? 0, this.#receivedBytes));
    let position = 0;
    while (position < view.length) {
      const segment = this.#received[0];
      if (segment === undefined) break;
      const piece = segment.subarray(0, view.length - position);
      view.set(piece, position);
      position += piece.length;
      if (piece.length === segment.length) this.#received.shift();
      else this.#received[0] = segment.subarray(piece.length);
    }
    this.#receivedBytes -= view.length;
    this.#lastView = view;
    this.peer?.drain(view.length);
    return view;
  }

  /** The peer has read so many bytes. */
  drain(byteLength: number): void {
    this.#unreadBytes -= byteLength;
    if (this.#unreadBytes > windowBytes) return;
    for (const waiting of this.#draining.splice(0)) waiting.resolve();
  }
}

/** Who listens, who is connected, and which addresses are in trouble. */
class Network implements VirtualNetwork {
  readonly sockets: Set<VirtualSocket> = new Set();
  readonly #queue: EventQueue;
  readonly #chunking: VirtualChunking;
  readonly #random: () => number;
  readonly #listeners = new Map<string, (transport: Transport) => void>();
  readonly #blocked = new Set<string>();
  readonly #frozen = new Map<string, (() => void)[]>();
  #latencyMs = 0.2;
  #nextPort = firstEphemeralPort;

  constructor(queue: EventQueue, chunking: VirtualChunking, random: () => number) {
    this.#queue = queue;
    this.#chunking = chunking;
    this.#random = random;
  }

  setLatencyMs(latencyMs: number): void {
    this.#latencyMs = latencyMs;
  }

  cut(address: string): void {
    for (const socket of this.sockets) {
      if (socket.address === address) socket.fail(errorWithCode('read ECONNRESET', 'ECONNRESET'));
    }
  }

  block(address: string): void {
    this.#blocked.add(address);
  }

  unblock(address: string): void {
    this.#blocked.delete(address);
  }

  freeze(address: string): void {
    if (!this.#frozen.has(address)) this.#frozen.set(address, []);
  }

  thaw(address: string): void {
    const held = this.#frozen.get(address) ?? [];
    this.#frozen.delete(address);
    for (const arrive of held) arrive();
  }

  openConnections(): number {
    let count = 0;
    for (const { peer } of this.sockets) count += peer !== undefined && this.sockets.has(peer) ? 0.5 : 1;
    return count;
  }

  /** How many bytes the next read gives, of a first segment and of all that has arrived. */
  chunkBytes(segmentBytes: number, receivedBytes: number): number {
    if (this.#chunking === 'whole') return segmentBytes;
    if (this.#chunking === 'one-byte') return 1;
    const most = this.#random() < 0.5 ? Math.min(receivedBytes, 8) : receivedBytes;
    return 1 + Math.floor(this.#random() * most);
  }

  /** Lets something arrive at the peer of `from`, after what was sent before. */
  deliver(from: VirtualSocket, arrive: (peer: VirtualSocket) => void): void {
    from.arrivalMs = Math.max(from.arrivalMs, this.#queue.now + this.#latencyMs);
    const { peer, address } = from;
    if (peer !== undefined)
      this.#queue.at(from.arrivalMs, () => this.#unlessFrozen(address, () => arrive(peer)));
  }

  #unlessFrozen(address: string, arrive: () => void): void {
    const held = this.#frozen.get(address);
    if (held === undefined) arrive();
    else held.push(arrive);
  }

  async dial(address: Address, options: DialOptions, setTimer: Platform['setTimer']): Promise<Transport> {
    if (options.tls !== undefined) throw errorWithCode('the virtual network has no TLS', 'ENOTSUP');
    const key = `${address.host}:${address.port}`;
    const client = new VirtualSocket(this, key);
    const arriving = (resolve: () => void, reject: (reason: unknown) => void): void => {
      const accept = this.#listeners.get(key);
      const answerMs = this.#queue.now + this.#latencyMs;
      if (accept === undefined || this.#blocked.has(key)) {
        const refused = errorWithCode(`connect ECONNREFUSED ${key}`, 'ECONNREFUSED');
        this.#queue.at(answerMs, () => reject(refused));
      } else if (this.sockets.has(client)) {
        const server = new VirtualSocket(this, key);
        client.peer = server;
        server.peer = client;
        this.#queue.at(answerMs, resolve);
        this.#unlessFrozen(key, () => accept(server));
      }
    };
    try {
      await connecting(address, options, setTimer, (resolve, reject) => {
        this.#queue.at(this.#queue.now + this.#latencyMs, () => arriving(resolve, reject));
      });
      return client;
    } catch (error) {
      client.abort(error);
      throw error;
    }
  }

  listen(address: Address, accept: (transport: Transport) => void): Promise<Listener> {
    const { host } = address;
    let { port } = address;
    while (port === 0 || (address.port === 0 && this.#listeners.has(`${host}:${port}`)))
      port = this.#nextPort++;
    const key = `${host}:${port}`;
    if (this.#listeners.has(key)) {
      return Promise.reject(errorWithCode(`listen EADDRINUSE: address already in use ${key}`, 'EADDRINUSE'));
    }
    this.#listeners.set(key, accept);
    const close = (): Promise<void> => {
      if (this.#listeners.get(key) === accept) this.#listeners.delete(key);
      return Promise.resolve();
    };
    return Promise.resolve({ address: { host, port }, close });
  }
}

/** Lets every microtask and whatever they start run. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/** Moves the time of one world. */
class Driver {
  readonly queue: EventQueue = new EventQueue();
  running = false;

  /** Runs events, each with all that follows from it, until `isDone`; false when there is none by `limitMs`. */
  async pump(limitMs: number, isDone: () => boolean): Promise<boolean> {
    this.running = true;
    try {
      for (await settled(); !isDone(); await settled()) {
        if (!this.queue.runNext(limitMs)) return false;
      }
      return true;
    } finally {
      this.running = false;
    }
  }
}

function noCompressor(): never {
  throw new Error('this virtual world has no gzip; give virtualWorld() synchronous `gzip` and `gunzip`');
}

/** Makes a world of its own; nothing is shared between two. */
export function virtualWorld(options: VirtualWorldOptions = {}): VirtualWorld {
  const { seed = 1, startMs = 1_767_225_600_000, chunking = 'whole' } = options;
  const driver = new Driver();
  const { queue } = driver;
  const network = new Network(queue, chunking, generator(~seed));
  const now = (): number => startMs + queue.now;
  let holds = 0;
  const setTimer = (delayMs: number, callback: () => void): Timer => {
    const event = queue.at(queue.now + delayMs, callback);
    return { cancel: () => (event.run = undefined) };
  };
  const platform: Platform = {
    name: 'virtual',
    maxSocketsPerBroker: Infinity,
    dial: (address, dialOptions) => network.dial(address, dialOptions, setTimer),
    listen: (address, accept) => network.listen(address, accept),
    lookup: (host) => Promise.resolve([host]),
    now,
    monotonicNow: () => queue.now,
    random: generator(seed),
    setTimer,
    defer: (callback) => void queue.at(queue.now, callback),
    holdOpen: () => {
      let held = 1;
      holds += held;
      return () => {
        holds -= held;
        held = 0;
      };
    },
    gunzip: options.gunzip ?? noCompressor,
    gzip: options.gzip ?? noCompressor,
  };

  async function run<T>(work: () => Promise<T>, { limitMs = 600_000 } = {}): Promise<T> {
    if (driver.running) throw new Error('this virtual world is running already');
    let isDone = false;
    const done = (): void => void (isDone = true);
    const startedMs = queue.now;
    const result = Promise.resolve().then(work);
    result.then(done, done);
    if (await driver.pump(startedMs + limitMs, () => isDone)) return result;
    const waited = `the work has not settled in ${queue.now - startedMs} ms of virtual time`;
    const why = queue.isEmpty ? 'deadlock, for nothing is scheduled' : `the limit is ${limitMs} ms`;
    throw new Error(`${waited}: ${why}; ${network.openConnections()} connections are open`);
  }

  async function advance(ms: number): Promise<void> {
    if (driver.running) return new Promise((resolve) => void setTimer(ms, resolve));
    const untilMs = queue.now + ms;
    await driver.pump(untilMs, () => false);
    queue.now = untilMs;
  }

  return { platform, network, now, openHolds: () => holds, run, advance };
}
