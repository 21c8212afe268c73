/** All sockets of one client: a channel per broker address and duty (C1), any-broker requests, and the idle sweep (C3).
 * Does not know topics. Invariant: addresses, not node ids, are the key, so a broker that moves gets a new socket
 * and the bootstrap socket serves the broker that it turns out to be.
 */
import { ConnectionError, KafkaError } from '../../errors.ts';
import type { Address, Timer } from '../../platform.ts';
import type { Api } from '../../protocol/schema.ts';
import { formatAddress, type RequestBody, type RequestOptions } from '../connection/connection.ts';
import { Channel } from './channel.ts';
import type { ResolvedClientOptions } from './options.ts';
import { closedError } from './retry.ts';

/** What a socket is for: a broker serves one request of a connection at a time, so what waits long gets a socket of its
 * own, and a numbered one where several wait on one client (`Lane`).
 */
export type Duty = 'produce' | 'fetch' | 'group' | 'control' | `${'fetch' | 'group'}-${number}`;

/** A duty of one's own: the long waits of two members on a shared client must not stand in each other's way. */
export interface Lane {
  readonly duty: Duty;
  /** Closes its sockets. Idempotent. */
  close(): void;
}

/** Milliseconds between looks at the clock and at idle sockets. */
const sweepIntervalMs = 10_000;

/** Milliseconds without an answer after which the next of several brokers is asked as well. */
const hedgeMs = 1000;

/** Which duties share a socket where a runtime has few: the ones that wait long are parted from the others first. */
function socketFor(duty: Duty, maxSockets: number): Duty {
  if (maxSockets >= 4) return duty;
  if (maxSockets === 1 || duty === 'control') return 'control';
  if (duty === 'produce') return maxSockets === 2 ? 'control' : 'produce';
  return 'fetch';
}

/** What is left when no broker answered: a failure that heals, or the one that does not. */
function noneAnswered(brokers: number, api: string, last: unknown): unknown {
  if (!(last instanceof KafkaError) || !last.retriable) return last;
  const { message, stored } = last;
  const text = `None of ${brokers} brokers answered ${api}; the last: ${message}`;
  return new ConnectionError(text, { code: 'CONNECT', cause: last, ...(stored && { stored }) });
}

/** Opens, keeps and closes every channel of a client. */
export class Channels {
  readonly #options: ResolvedClientOptions;
  readonly #lifetime = new AbortController();
  readonly #channels = new Map<string, Channel>();
  #lanes = 0;
  #sweeper: Timer | undefined;
  #lastSweepMs = 0;

  constructor(options: ResolvedClientOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#lifetime.signal.aborted;
  }

  /** Aborts when the client is closed; its reason is the error that calls get from then on. For few listeners: Node
   * warns of a leak at the eleventh.
   */
  get lifetime(): AbortSignal {
    return this.#lifetime.signal;
  }

  /** The channel of an address and duty, made on first use. Throws `CLOSED` after `close`. */
  at(address: Address, duty: Duty): Channel {
    if (this.closed) throw this.#lifetime.signal.reason;
    this.#sweep(true);
    const key = this.#key(address, duty);
    let channel = this.#channels.get(key);
    if (channel === undefined) {
      channel = new Channel(address, this.#options);
      this.#channels.set(key, channel);
    }
    return channel;
  }

  /** Whether a request there goes out at once; see `Channel`. */
  isReady(address: Address, duty: Duty): boolean {
    return this.#channels.get(this.#key(address, duty))?.ready ?? false;
  }

  /** A duty that nobody else has, where the runtime allows that many sockets. */
  openLane(kind: 'fetch' | 'group'): Lane {
    const duty: Duty = `${kind}-${this.#lanes++}`;
    const close = (): void => {
      for (const [key, channel] of this.#channels) {
        if (!key.endsWith(`/${duty}`)) continue;
        this.#channels.delete(key);
        channel.close(closedError(`The ${kind} lane`, 'no'));
      }
    };
    return { duty, close };
  }

  /** Sends to the first of the addresses that answers: open sockets first, then those that failed least recently. A
   * broker that is frozen answers nothing at all, so the next one is asked a second later, and the first answer counts.
   */
  sendToAny<Req, Res>(
    addresses: readonly Address[],
    api: Api<Req, Res>,
    body: RequestBody<Req>,
    options: RequestOptions,
  ): Promise<Res> {
    const { platform } = this.#options;
    const candidates = addresses
      .map((address) => ({ channel: this.at(address, 'control'), tie: platform.random() }))
      .sort((a, b) => {
        const open = Number(b.channel.connected) - Number(a.channel.connected);
        return open || a.channel.retryAtMs - b.channel.retryAtMs || a.tie - b.tie;
      });
    return new Promise((resolve, reject) => {
      let asked = 0;
      let waiting = 0;
      let timer: Timer | undefined;
      const settle = (): void => {
        timer?.cancel();
        asked = candidates.length;
      };
      const failed = (error: unknown): void => {
        waiting--;
        if (asked < candidates.length && !this.closed && !options.signal?.aborted) return askNext();
        if (waiting > 0) return;
        settle();
        reject(noneAnswered(candidates.length, api.name, error));
      };
      const askNext = (): void => {
        timer?.cancel();
        const candidate = candidates[asked++];
        if (candidate === undefined) return;
        waiting++;
        timer = platform.setTimer(hedgeMs, askNext);
        candidate.channel.send(api, body, options).then((answer) => {
          settle();
          resolve(answer);
        }, failed);
      };
      askNext();
    });
  }

  /** Ends every socket; every waiting and later call rejects with `CLOSED`. Idempotent. */
  close(): void {
    if (this.closed) return;
    const reason = closedError('The client', 'no');
    this.#lifetime.abort(reason);
    this.#sweeper?.cancel();
    for (const channel of this.#channels.values()) channel.close(reason);
    this.#channels.clear();
  }

  #key(address: Address, duty: Duty): string {
    return `${formatAddress(address)}/${socketFor(duty, this.#options.platform.maxSocketsPerBroker)}`;
  }

  /** Closes what is idle; at each use, and by a timer while a socket is open. A process that was frozen (a suspended
   * laptop, a serverless pause) shows as a gap between two sweeps: its sockets may be dead without knowing it.
   */
  #sweep(isUse: boolean): void {
    const { platform, logger, connectionMaxIdleMs } = this.#options;
    const now = platform.now();
    const gapMs = now - this.#lastSweepMs;
    const jumped = this.#sweeper !== undefined && gapMs > 3 * sweepIntervalMs;
    if (isUse && this.#sweeper !== undefined && !jumped) return;
    if (jumped) logger.info?.('the clock jumped: idle sockets are replaced', { gapMs });
    let inUse = isUse;
    // Idle channels stay in the map: whoever is about to use one must not hold one that `close` does not know.
    for (const channel of this.#channels.values()) {
      channel.closeIfIdle(jumped ? Infinity : now - connectionMaxIdleMs);
      inUse ||= channel.connected;
    }
    this.#lastSweepMs = now;
    this.#sweeper?.cancel();
    this.#sweeper = inUse ? platform.setTimer(sweepIntervalMs, () => this.#sweep(false)) : undefined;
  }
}
