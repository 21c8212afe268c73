/** Keeps the newest metadata snapshot of the topics in use, and asks for another one when told or when it is old.
 * Does not decide who needs what. Invariants: one request at a time; a refresh that is asked for begins after the
 * asking; two refreshes lie at least 100 ms apart, more after failures.
 * Source: `metadata.max.age.ms`, KIP-899 and KIP-1102 (bootstrap addresses stay candidates for ever).
 */
import { BrokerError, ConnectionError, KafkaError, TimeoutError } from '../../errors.ts';
import type { Address, Timer } from '../../platform.ts';
import { metadataApi } from '../../protocol/api/03-metadata.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { formatAddress } from '../connection/connection.ts';
import type { Channels } from './channels.ts';
import { emptySnapshot, metadataRequest, nextSnapshot, withLeader, type LeaderHint } from './metadata.ts';
import type { ResolvedClientOptions } from './options.ts';
import { Backoff, brokerError, retryAction, sleep, withDeadline } from './retry.ts';
import type { Broker, MetadataSnapshot, TopicSnapshot } from './types.ts';

/** How long to wait for a topic. */
export interface TopicOptions {
  /** On `platform.monotonicNow()`. */
  readonly deadlineMs: number;
  /** Milliseconds for which `UNKNOWN_TOPIC_OR_PARTITION` is doubted (a topic that was just created). Default: until the deadline. */
  readonly doubtMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The snapshot and its refreshes. */
export class MetadataCache {
  readonly #options: ResolvedClientOptions;
  readonly #channels: Channels;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<(snapshot: MetadataSnapshot) => void>();
  /** Topic name to the number of users. */
  readonly #inUse = new Map<string, number>();
  #snapshot: MetadataSnapshot = emptySnapshot;
  #running: Promise<MetadataSnapshot> | undefined;
  #following: Promise<MetadataSnapshot> | undefined;
  #notBeforeMs = 0;
  #ageTimer: Timer | undefined;

  constructor(options: ResolvedClientOptions, channels: Channels) {
    this.#options = options;
    this.#channels = channels;
    this.#backoff = new Backoff(options.platform);
  }

  get snapshot(): MetadataSnapshot {
    return this.#snapshot;
  }

  /** Calls the listener with every later snapshot, until the returned function is called. */
  onSnapshot(listener: (snapshot: MetadataSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Counts the topics as used until the returned function is called (idempotent). */
  useTopics(topics: Iterable<string>): () => void {
    const names = [...topics];
    for (const name of names) this.#inUse.set(name, (this.#inUse.get(name) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      for (const name of names) {
        const users = (this.#inUse.get(name) ?? 1) - 1;
        if (users > 0) this.#inUse.set(name, users);
        else this.#inUse.delete(name);
      }
    };
  }

  /** A snapshot that was asked for after this call. Rejects when no broker answers. */
  refresh(reason: string): Promise<MetadataSnapshot> {
    if (this.#running === undefined) return this.#start(reason);
    if (this.#following === undefined) {
      const next = (): Promise<MetadataSnapshot> => {
        this.#following = undefined;
        return this.#start(reason);
      };
      this.#following = this.#running.then(next, next);
    }
    return this.#following;
  }

  /** The topic from the cache, or as soon as the cluster knows it. */
  async topic(name: string, options: TopicOptions): Promise<TopicSnapshot> {
    const cached = this.#snapshot.topics.get(name);
    if (cached?.errorCode === ErrorCodes.NONE) return cached;
    const release = this.useTopics([name]);
    try {
      return await this.#waitForTopic(name, options);
    } finally {
      release();
    }
  }

  /** Takes over a leader that a broker named, without asking; see `withLeader`. */
  learnLeader(hint: LeaderHint, nodes: readonly Broker[]): void {
    const next = withLeader(this.#snapshot, hint, nodes);
    if (next !== this.#snapshot) this.#publish(next);
  }

  /** Stops the age timer. */
  close(): void {
    this.#ageTimer?.cancel();
    this.#listeners.clear();
  }

  async #waitForTopic(
    name: string,
    { deadlineMs, doubtMs = Infinity, signal }: TopicOptions,
  ): Promise<TopicSnapshot> {
    const { platform } = this.#options;
    const beganMs = platform.monotonicNow();
    let failure: Error | undefined;
    const timeout = (): Error => {
      if (failure instanceof BrokerError) return failure;
      const limitMs = Math.max(0, Math.round(deadlineMs - beganMs));
      const text = `No metadata of topic ${name} within ${limitMs} ms: ${failure?.message ?? 'no broker answered'}`;
      return new TimeoutError(text, { limitMs, stored: 'no', cause: failure });
    };
    for (;;) {
      const leftMs = deadlineMs - platform.monotonicNow();
      if (leftMs <= 0) throw timeout();
      let topic: TopicSnapshot | undefined;
      try {
        const refreshed = this.refresh(`topic ${name}`);
        topic = (await withDeadline(platform, refreshed, leftMs, timeout, signal)).topics.get(name);
      } catch (error) {
        const heals = error instanceof KafkaError && error.retriable && error.code === 'CONNECT';
        if (!heals || error === failure) throw error;
        failure = error;
        continue;
      }
      if (topic?.errorCode === ErrorCodes.NONE) return topic;
      const code = topic?.errorCode ?? ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
      failure = brokerError(code, 'Metadata', { topic: name, stored: 'no' });
      const isUnknown = code === ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
      const isBelieved = isUnknown && platform.monotonicNow() - beganMs >= doubtMs;
      if (isBelieved || retryAction(code) === 'fail') throw failure;
    }
  }

  #start(reason: string): Promise<MetadataSnapshot> {
    this.#running = this.#fetch(reason).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #fetch(reason: string): Promise<MetadataSnapshot> {
    const { platform, logger } = this.#options;
    const waitMs = this.#notBeforeMs - platform.monotonicNow();
    if (waitMs > 0) await sleep(platform, waitMs, this.#channels.lifetime);
    logger.debug?.('metadata refresh', { reason, topics: this.#inUse.size });
    try {
      const request = metadataRequest(this.#inUse.keys(), this.#options.allowAutoTopicCreation);
      const timeoutMs = Math.min(this.#options.requestTimeoutMs, this.#options.connectTimeoutMs);
      const answer = await this.#channels.sendToAny(this.candidates(), metadataApi, request, { timeoutMs });
      if (answer.errorCode === ErrorCodes.REBOOTSTRAP_REQUIRED) {
        // The brokers that are known belong to another cluster now: only the bootstrap addresses are left (KIP-1102).
        this.#snapshot = { ...this.#snapshot, brokers: new Map() };
        throw new ConnectionError('The brokers ask to bootstrap again', { code: 'CONNECT', stored: 'no' });
      }
      this.#backoff.reset();
      this.#notBeforeMs = platform.monotonicNow() + this.#backoff.next();
      this.#backoff.reset();
      this.#replace(nextSnapshot(this.#snapshot, answer, this.#inUse));
      return this.#snapshot;
    } catch (error) {
      this.#notBeforeMs = platform.monotonicNow() + this.#backoff.next();
      throw error;
    }
  }

  /** Every address worth asking: the brokers of the snapshot, then the bootstrap addresses. */
  candidates(): readonly Address[] {
    const addresses = new Map<string, Address>();
    for (const each of [...this.#snapshot.brokers.values(), ...this.#options.bootstrap]) {
      addresses.set(formatAddress(each), { host: each.host, port: each.port });
    }
    return [...addresses.values()];
  }

  #replace(snapshot: MetadataSnapshot): void {
    this.#ageTimer?.cancel();
    this.#ageTimer = this.#options.platform.setTimer(this.#options.metadataMaxAgeMs, () =>
      this.#refreshByAge(),
    );
    this.#publish(snapshot);
  }

  #publish(snapshot: MetadataSnapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener(snapshot);
  }

  #refreshByAge(): void {
    if (this.#inUse.size === 0 || this.#channels.closed) return;
    this.refresh('age').catch((error: unknown) => {
      this.#options.logger.warn?.('metadata refresh failed', { reason: String(error) });
    });
  }
}
