/** One broker address and one duty: at most one connection, opened on demand, replaced when it is lost.
 * Does not know metadata or error codes. Invariants: requests go out in the order of the calls, across reconnects
 * too; a new attempt waits 50 ms, doubling to 5,000 ms, until a request other than ApiVersions was answered (C2);
 * nothing goes out on a connection while its broker asks for silence (KIP-219).
 */
import { ConnectionError, KafkaError, TimeoutError } from '../../errors.ts';
import type { Address } from '../../platform.ts';
import type { Api } from '../../protocol/schema.ts';
import {
  Connection,
  formatAddress,
  type ConnectionOptions,
  type RequestBody,
  type RequestOptions,
} from '../connection/connection.ts';
import type { ResolvedClientOptions } from './options.ts';
import { Backoff, sleep, withDeadline } from './retry.ts';

/** Opens and keeps the connection for one duty at one address. */
export class Channel {
  readonly address: Address;
  readonly label: string;
  readonly #options: ResolvedClientOptions;
  readonly #life = new AbortController();
  readonly #backoff: Backoff;
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  /** Calls that wait for the connection; later calls queue up behind them. */
  #waiting = 0;
  #retryAtMs = 0;

  constructor(address: Address, options: ResolvedClientOptions) {
    this.address = address;
    this.label = formatAddress(address);
    this.#options = options;
    this.#backoff = new Backoff(options.platform, 50, 5000);
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** On `platform.monotonicNow()`: no attempt begins before. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** Whether a request goes out in the call itself. */
  get ready(): boolean {
    const connection = this.#connection;
    return connection !== undefined && this.#waiting === 0 && this.#throttledMs(connection) <= 0;
  }

  send<Req, Res>(api: Api<Req, Res>, body: RequestBody<Req>, options: RequestOptions): Promise<Res> {
    if (this.ready && this.#connection !== undefined) return this.#connection.request(api, body, options);
    return this.#sendWhenOpen(api, body, options);
  }

  /** Resolves when the connection is open and its broker does not ask for silence. Rejects with a `TimeoutError` after
   * `timeoutMs`, with what went wrong before (stored `no`), or with the signal's reason.
   */
  open(timeoutMs: number = this.#options.requestTimeoutMs, signal?: AbortSignal): Promise<Connection> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    const { platform } = this.#options;
    const timeout = (): Error => {
      const what = this.connected ? 'Throttled by' : 'No connection to';
      const text = `${what} ${this.label} within ${timeoutMs} ms`;
      return new TimeoutError(text, { limitMs: timeoutMs, stored: 'no' });
    };
    return withDeadline(platform, this.#connecting, timeoutMs, timeout, signal);
  }

  /** Closes a connection that nobody used since `sinceMs` on `platform.now()`. */
  closeIfIdle(sinceMs: number): void {
    const connection = this.#connection;
    if (connection?.inFlight === 0 && connection.lastUsedMs < sinceMs) connection.close();
  }

  /** Ends the connection or the attempt to make one; calls that wait reject with code `CLOSED`. */
  close(reason: Error): void {
    this.#life.abort(reason);
  }

  async #sendWhenOpen<Req, Res>(
    api: Api<Req, Res>,
    body: RequestBody<Req>,
    options: RequestOptions,
  ): Promise<Res> {
    const { monotonicNow } = this.#options.platform;
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs;
    const deadlineMs = monotonicNow() + timeoutMs;
    this.#waiting++;
    let connection: Connection;
    try {
      connection = await this.open(timeoutMs, options.signal);
    } finally {
      this.#waiting--;
    }
    return connection.request(api, body, { ...options, timeoutMs: Math.max(1, deadlineMs - monotonicNow()) });
  }

  /** Milliseconds for which the connection is to be left alone. */
  #throttledMs({ throttledUntilMs }: Connection): number {
    return throttledUntilMs === 0 ? 0 : throttledUntilMs - this.#options.platform.monotonicNow();
  }

  async #connect(): Promise<Connection> {
    const { platform } = this.#options;
    for (let open = this.#connection; open !== undefined; open = this.#connection) {
      const throttledMs = this.#throttledMs(open);
      if (throttledMs <= 0) return open;
      await sleep(platform, throttledMs, this.#life.signal);
    }
    const waitMs = this.#retryAtMs - platform.monotonicNow();
    if (waitMs > 0) await sleep(platform, waitMs, this.#life.signal);
    if (this.#life.signal.aborted) throw this.#life.signal.reason;
    try {
      const connection = await this.#dialAny();
      if (connection.ended)
        throw new ConnectionError(`Connection to ${this.label} ended at once`, { stored: 'no' });
      this.#connection = connection;
      connection.onEnd = (cause) => this.#ended(connection, cause);
      return connection;
    } catch (error) {
      this.#retryAtMs = platform.monotonicNow() + this.#backoff.next();
      throw error;
    }
  }

  /** Tries every IP address of the name, in the resolver's order. */
  async #dialAny(): Promise<Connection> {
    const { platform, dial } = this.#options;
    const { host, port } = this.address;
    const options: ConnectionOptions = { ...this.#options, lifetime: this.#life.signal, label: this.label };
    let failure: unknown;
    try {
      // A dial function of the user's may be a proxy that resolves names on the far side.
      const isOurs = platform.lookup !== undefined && dial === platform.dial;
      for (const each of isOurs ? await platform.lookup(host) : [host]) {
        if (this.#life.signal.aborted) break;
        try {
          return await Connection.open({ host: each, port }, options, host);
        } catch (error) {
          failure = error;
        }
      }
    } catch (error) {
      failure = error;
    }
    if (this.#life.signal.aborted) throw this.#life.signal.reason;
    if (failure instanceof KafkaError) throw failure;
    const text = `Cannot resolve ${host}: ${failure instanceof Error ? failure.message : 'it has no address'}`;
    throw new ConnectionError(text, { code: 'CONNECT', address: this.label, stored: 'no', cause: failure });
  }

  #ended(connection: Connection, cause: unknown): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (connection.proven) this.#backoff.reset();
    if (cause === undefined) return;
    const { platform, logger } = this.#options;
    this.#retryAtMs = platform.monotonicNow() + this.#backoff.next();
    const reason = cause instanceof Error ? cause.message : String(cause);
    logger.warn?.('connection lost', { address: this.label, reason });
  }
}
