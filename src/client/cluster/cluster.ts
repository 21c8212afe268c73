/** The client's view of a Kafka cluster: one facade over sockets and metadata for the rooms above.
 * Does not know producing or consuming. Invariant: making one does nothing; the first call connects.
 */
import { ConnectionError } from '../../errors.ts';
import type { Address, Platform } from '../../platform.ts';
import type { Api } from '../../protocol/schema.ts';
import type { RequestBody, RequestOptions } from '../connection/connection.ts';
import type { FinalizedFeatures } from '../connection/features.ts';
import type { Logger } from '../connection/logger.ts';
import { Channels, type Duty, type Lane } from './channels.ts';
import { MetadataCache, type TopicOptions } from './metadata-cache.ts';
import { resolveClientOptions, type ClientOptions } from './options.ts';
import type { LeaderHint } from './metadata.ts';
import type { Broker, MetadataSnapshot, TopicSnapshot } from './types.ts';

/** Node id that stands for any broker. */
export const anyBroker = -1;

/** Sockets and metadata of one cluster. */
export class Cluster {
  readonly platform: Platform;
  readonly logger: Logger;
  /** Milliseconds. */
  readonly requestTimeoutMs: number;
  readonly #channels: Channels;
  readonly #metadata: MetadataCache;
  readonly #features: Pick<FinalizedFeatures, 'level'>;
  readonly #closeListeners = new Set<(error: Error) => void>();
  readonly #learned = new Map<number, Address>();

  constructor(options: ClientOptions) {
    const resolved = resolveClientOptions(options);
    this.platform = resolved.platform;
    this.logger = resolved.logger;
    this.requestTimeoutMs = resolved.requestTimeoutMs;
    this.#features = resolved.features;
    this.#channels = new Channels(resolved);
    this.#metadata = new MetadataCache(resolved, this.#channels);
  }

  /** The newest metadata; empty (version 0) before the first answer. */
  get snapshot(): MetadataSnapshot {
    return this.#metadata.snapshot;
  }

  get closed(): boolean {
    return this.#channels.closed;
  }

  /** Level of a feature that the cluster has agreed on (KIP-584), as the newest connection was told; 0 if none was. */
  featureLevel(name: string): number {
    return this.#features.level(name);
  }

  /** Calls the listener with the error that calls get from then on when the cluster is closed (at once if it is
   * already), until the returned function is called.
   */
  onClose(listener: (error: Error) => void): () => void {
    if (this.closed) listener(this.#channels.lifetime.reason);
    else this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  /** Counts the topics as used until the returned function is called; refreshes ask for used topics only. */
  useTopics(topics: Iterable<string>): () => void {
    return this.#metadata.useTopics(topics);
  }

  /** The topic from the cache, or as soon as the cluster knows it; see `TopicOptions`. Rejects with `BrokerError`
   * (an unknown topic has code `UNKNOWN_TOPIC`), `TimeoutError` or the signal's reason. */
  topic(name: string, options: TopicOptions): Promise<TopicSnapshot> {
    return this.#metadata.topic(name, options);
  }

  /** A snapshot that was asked for after this call. Rejects when no broker answers. */
  refresh(reason: string): Promise<MetadataSnapshot> {
    return this.#metadata.refresh(reason);
  }

  /** Calls the listener with every later snapshot, until the returned function is called. */
  onSnapshot(listener: (snapshot: MetadataSnapshot) => void): () => void {
    return this.#metadata.onSnapshot(listener);
  }

  /** Takes over a leader of a newer epoch that an answer named, if `nodes` or metadata say where it is (KIP-951). */
  learnLeader(hint: LeaderHint, nodes: readonly Broker[]): void {
    this.#metadata.learnLeader(hint, nodes);
  }

  /** Whether a request to a node goes out in the call itself: its connection is open, the node does not ask for silence
   * (KIP-219), and no other request waits for that. One that is sent all the same waits with the others, and may give up
   * before they do.
   */
  isReady(nodeId: number, duty: Duty): boolean {
    const address = this.#knownAddress(nodeId);
    return address !== undefined && this.#channels.isReady(address, duty);
  }

  /** Resolves when the node may be ready; look again. Rejects as `send` does, with stored `no`, at the latest after
   * `requestTimeoutMs`.
   */
  async open(nodeId: number, duty: Duty): Promise<void> {
    await this.#channels.at(this.#addressOf(nodeId), duty).open();
  }

  /** Sends one request, once: connects when needed, negotiates the version, does not look at error codes.
   * Rejects with `ConnectionError`, `TimeoutError`, `ProtocolError` (their `stored` is `no` when the request never
   * reached the socket, else `maybe`) or the signal's reason. Requests to one node and duty go out in call order; one
   * that meets its deadline ends its connection, so nothing is in flight after a rejection.
   */
  async send<Req, Res>(
    nodeId: number,
    duty: Duty,
    api: Api<Req, Res>,
    body: RequestBody<Req>,
    options: RequestOptions = {},
  ): Promise<Res> {
    if (nodeId === anyBroker)
      return this.#channels.sendToAny(this.#metadata.candidates(), api, body, options);
    return this.#channels.at(this.#addressOf(nodeId), duty).send(api, body, options);
  }

  /** A duty of one's own, for requests that wait long. */
  openLane(kind: 'fetch' | 'group'): Lane {
    return this.#channels.openLane(kind);
  }

  /** Where a node is that metadata may not list, such as a coordinator. */
  learnAddress(nodeId: number, address: Address): void {
    this.#learned.set(nodeId, address);
  }

  /** Keeps the process alive until the returned function is called (C4). */
  holdOpen(): () => void {
    return this.platform.holdOpen();
  }

  /** Ends all sockets at once; every waiting and later call rejects with `CLOSED`. Idempotent. */
  close(): void {
    this.#metadata.close();
    this.#channels.close();
    for (const listener of this.#closeListeners) listener(this.#channels.lifetime.reason);
    this.#closeListeners.clear();
  }

  #knownAddress(nodeId: number): Address | undefined {
    return this.snapshot.brokers.get(nodeId) ?? this.#learned.get(nodeId);
  }

  #addressOf(nodeId: number): Address {
    const address = this.#knownAddress(nodeId);
    if (address !== undefined) return { host: address.host, port: address.port };
    throw new ConnectionError(
      `Broker ${nodeId} is not in the metadata of ${this.snapshot.brokers.size} brokers`,
      {
        code: 'CONNECT',
        stored: 'no',
      },
    );
  }
}
