/** A TCP proxy in front of Kafka brokers, real or embedded, that understands frames and misbehaves when told to.
 * Not here: what a fault is (proxy-faults.ts), one connection (exchange.ts). It reads no TLS.
 * Invariant: clients reach every broker only through it, as addresses in answers are replaced by its own; `close`
 * leaves nothing behind.
 */
import { UsageError } from '../../errors.ts';
import type { Address, Listener, Platform, Transport } from '../../platform.ts';
import { defaultPlatform } from '../default-platform.ts';
import { endpointRewrites, type Endpoint, type Rewrite } from './endpoints.ts';
import { ProxiedConnection } from './exchange.ts';
import { ProxyFaults, type ProxyFaultControl } from './proxy-faults.ts';

/** How to start a proxy. */
export interface FaultProxyOptions {
  /** `host:port` of the brokers to stand in front of, at least one. Others get a port of the proxy when an answer names them. */
  readonly brokers: readonly string[];
  /** Where to listen. */
  readonly listen?: {
    /** Default `127.0.0.1`. */
    readonly host?: string;
    /** A port for each of `brokers`. Default: free ones. */
    readonly ports?: readonly number[];
  };
  /** Whether addresses in answers are replaced by the proxy's. Default true; false where the brokers advertise the proxy
   * under names that it does not know. Brokers that advertise `listen` itself need neither. */
  readonly rewriteAddresses?: boolean;
  /** Largest frame in bytes. Default 100 MiB. */
  readonly maxFrameBytes?: number;
  /** Sockets, clock, timers and random numbers. Default: the runtime's. Tests pass `virtualWorld().platform`. */
  readonly platform?: Platform;
  /** Whether the running proxy keeps the process alive. Default: true on the runtime's platform, false on a given one. */
  readonly holdOpen?: boolean;
}

const connectTimeoutMs = 10_000;
const mostProblems = 100;

/** A client's connection, from the moment it is accepted. */
interface Accepted {
  readonly client: Transport;
  /** Ends the attempt to reach the broker. */
  readonly dialling: AbortController;
  connection: ProxiedConnection | undefined;
  done: Promise<void>;
}

/** One broker and the port in front of it. */
class Route {
  readonly target: Address;
  readonly connections = new Set<Accepted>();
  /** The proxy's side; the port is known once it has listened. */
  address: Address;
  nodeId = -1;
  listener: Listener | undefined;
  /** The last change of the listener; never rejects. */
  listening: Promise<void> = Promise.resolve();

  constructor(target: Address, address: Address) {
    this.target = target;
    this.address = address;
  }
}

/** A running proxy. */
export class FaultProxy {
  /** What goes wrong, and who sees the requests. */
  readonly faults: ProxyFaultControl;
  readonly #faults: ProxyFaults;
  readonly #platform: Platform;
  readonly #options: FaultProxyOptions;
  readonly #rewrites: ReadonlyMap<number, Rewrite>;
  readonly #routes = new Map<string, Promise<Route>>();
  readonly #ready: Route[] = [];
  readonly #given: Route[] = [];
  readonly #problems: string[] = [];
  readonly #release: () => void;
  #connections = 0;
  #isClosed = false;

  private constructor(options: FaultProxyOptions, platform: Platform, release: () => void) {
    this.#options = options;
    this.#platform = platform;
    this.#release = release;
    this.#rewrites = options.rewriteAddresses === false ? new Map() : endpointRewrites();
    this.#faults = new ProxyFaults();
    this.#faults.onLinkChange = () => {
      for (const route of this.#ready) this.#syncListener(route);
    };
    this.faults = this.#faults;
  }

  /** Listens for every broker; needs none of them to be up. Rejects with UsageError for a wrong option, or with what
   * listening failed with.
   */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const platform = options.platform ?? defaultPlatform;
    const { brokers } = options;
    const { host = '127.0.0.1', ports } = options.listen ?? {};
    if (brokers.length === 0) throw new UsageError('Option brokers must name at least one broker');
    if (ports !== undefined && ports.length !== brokers.length)
      throw new UsageError(
        `Option listen.ports must name ${brokers.length} ports, one for each broker; got ${ports.length}`,
      );
    const targets = brokers.map(parseAddress);
    const holds = options.holdOpen ?? options.platform === undefined;
    const proxy = new FaultProxy(options, platform, holds ? platform.holdOpen() : (): void => undefined);
    try {
      for (const [index, target] of targets.entries())
        proxy.#given.push(await proxy.#route(target, { host, port: ports?.[index] ?? 0 }));
    } catch (error) {
      await proxy.close();
      throw error;
    }
    return proxy;
  }

  /** `host:port` to connect to, for each of the brokers it was started with. */
  get brokers(): readonly string[] {
    return this.#given.map(({ address }) => keyOf(address));
  }

  /** What could not be read or forwarded, the last 100. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Connections of clients that are open now. */
  openConnections(): number {
    return this.#ready.reduce((sum, { connections }) => sum + connections.size, 0);
  }

  /** Resets the open connections, to one broker or to all. */
  resetConnections(nodeId?: number): void {
    for (const route of this.#ready) {
      if (route.nodeId !== (nodeId ?? route.nodeId)) continue;
      for (const { client, dialling, connection } of route.connections) {
        dialling.abort();
        client.abort();
        connection?.end('reset');
      }
    }
  }

  /** Ends every connection and stops listening. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#routes.values());
    this.resetConnections();
    for (const route of this.#ready) this.#syncListener(route);
    await Promise.all(this.#ready.map(({ listening }) => listening));
    await Promise.all(this.#ready.flatMap(({ connections }) => Array.from(connections, ({ done }) => done)));
    this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The route to a broker, made on first use. */
  #route(target: Address, address: Address): Promise<Route> {
    const key = keyOf(target);
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const route = new Route(target, address);
    const made = this.#listen(route).then(() => {
      this.#ready.push(route);
      this.#syncListener(route);
      return route;
    });
    this.#routes.set(key, made);
    return made;
  }

  async #listen(route: Route): Promise<void> {
    const { listen, name } = this.#platform;
    if (listen === undefined)
      throw new UsageError(`The runtime ${name} cannot listen; give a platform that can`);
    const listener = await listen(route.address, (client) => this.#accept(route, client));
    route.listener = listener;
    route.address = listener.address;
  }

  /** Listens, or stops, as the faults say; one change after another. */
  #syncListener(route: Route): void {
    route.listening = route.listening.then(async () => {
      const wanted = !this.#isClosed && !this.#faults.isRefused(route.nodeId);
      if (wanted === (route.listener !== undefined)) return;
      const { listener } = route;
      route.listener = undefined;
      if (!wanted) return await listener?.close();
      await this.#listen(route).catch((error: unknown) =>
        this.#reportProblem(`port ${route.address.port} cannot be listened on again: ${String(error)}`),
      );
    });
  }

  #accept(route: Route, client: Transport): void {
    // After a stop there may be connections that had arrived before it.
    if (route.listener === undefined) return client.abort();
    const accepted: Accepted = {
      client,
      dialling: new AbortController(),
      connection: undefined,
      done: Promise.resolve(),
    };
    route.connections.add(accepted);
    accepted.done = this.#serve(route, accepted).finally(() => route.connections.delete(accepted));
  }

  async #serve(route: Route, accepted: Accepted): Promise<void> {
    const { client, dialling } = accepted;
    try {
      const broker = await this.#platform.dial(route.target, { connectTimeoutMs, signal: dialling.signal });
      accepted.connection = new ProxiedConnection(client, broker, {
        platform: this.#platform,
        faults: this.#faults,
        maxFrameBytes: this.#options.maxFrameBytes ?? 104_857_600,
        rewrites: this.#rewrites,
        readdress: (endpoint) => this.#readdress(endpoint),
        nodeId: () => route.nodeId,
        connection: this.#connections++,
        reportProblem: (text) => this.#reportProblem(text),
      });
      await accepted.connection.run();
    } catch {
      // The broker cannot be reached: the client sees what it would see of a broker that died after accepting.
      client.abort();
    }
  }

  /** The proxy's address for a broker that an answer names; learns the broker's id. */
  async #readdress({ nodeId, host, port }: Endpoint): Promise<Address> {
    const named = { host, port };
    const own = this.#ready.find(({ address }) => keyOf(address) === keyOf(named));
    const route =
      own ?? (await this.#route(named, { host: this.#options.listen?.host ?? '127.0.0.1', port: 0 }));
    if (nodeId >= 0 && route.nodeId !== nodeId) {
      route.nodeId = nodeId;
      this.#syncListener(route);
    }
    return route.address;
  }

  #reportProblem(text: string): void {
    this.#problems.push(text);
    if (this.#problems.length > mostProblems) this.#problems.shift();
  }
}

function keyOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

function parseAddress(text: string): Address {
  const at = text.lastIndexOf(':');
  const port = Number(text.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UsageError(`Option brokers must hold host:port; got ${text}`);
  return { host: text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port };
}
