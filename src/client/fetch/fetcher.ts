/** Keeps one broker's partitions filled: one Fetch under way, the next one as soon as there is room.
 * Not here: which broker leads a partition (fetch-set.ts), what a code means (position.ts), reading (partition-queue.ts).
 * Invariant: it is driven by events and decides anew at each one, so no wake-up can be lost; at most one Fetch and one
 * ListOffsets are under way, and an answer counts only for a partition that has not moved since (its version).
 */
import { KafkaError, ProtocolError } from '../../errors.ts';
import type { Timer } from '../../platform.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { Backoff, brokerError, type Cluster, type Lane } from '../cluster/index.ts';
import { nameOf } from './assigned-partition.ts';
import { Frame, type BufferBudget } from './buffer-budget.ts';
import { CompletedFetch, damagedAt, endOf, type ReadOptions } from './completed-fetch.ts';
import { exchangeFetch, type FetchAnswer, type FetchLimits, type FetchResult } from './fetch-exchange.ts';
import { askOffsets, latestTimestamp, type OffsetAnswer, type OffsetQuery } from './list-offsets.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { verdictOn } from './position.ts';

/** How to fetch. */
export interface FetchOptions extends FetchLimits, ReadOptions {
  /** Bytes of all buffers together. */
  readonly maxBufferedBytes: number;
  /** Where to go on after an offset that is out of range: ms, -1 latest, -2 earliest. */
  readonly resetTimestamp: number;
}

/** Counts since the reader began. */
export interface FetchStats {
  fetches: number;
  bytes: number;
  /** Failed requests and refused partitions. */
  errors: number;
}

/** What a fetcher shares with its siblings. */
export interface FetchContext {
  readonly cluster: Cluster;
  /** The reader's sockets for Fetch, which waits long. */
  readonly lane: Lane;
  readonly options: FetchOptions;
  readonly budget: BufferBudget;
  readonly stats: FetchStats;
  /** How many fetchers share the budget. */
  fetcherCount(): number;
  /** A partition has records, a new position or a failure. */
  changed(queue: PartitionQueue): void;
}

/** A look-up of the offset where a partition begins. */
interface Lookup extends OffsetQuery {
  readonly queue: PartitionQueue;
  readonly version: number;
}

/** Milliseconds after which an unanswered request makes the client look for a new leader. */
const lateMs = 1000;
/** Milliseconds that an empty answer takes at least, and that are waited when it came sooner. */
const emptyMs = 20;

/** Fetches from one broker. */
export class Fetcher {
  readonly nodeId: number;
  readonly #context: FetchContext;
  /** In the order in which the broker is asked to fill the answer. */
  readonly #queues = new Set<PartitionQueue>();
  readonly #life = new AbortController();
  readonly #backoff: Backoff;
  #fetching = false;
  #lookingUp = false;
  #notBeforeMs = 0;
  /** Since when a full partition has held up the others; 0 for not. */
  #heldSinceMs = 0;
  #timer: Timer | undefined;
  #waitsForRoom = false;

  constructor(nodeId: number, context: FetchContext) {
    this.nodeId = nodeId;
    this.#context = context;
    this.#backoff = new Backoff(context.cluster.platform);
  }

  get isEmpty(): boolean {
    return this.#queues.size === 0;
  }

  add(queue: PartitionQueue): void {
    this.#queues.add(queue);
  }

  remove(queue: PartitionQueue): void {
    this.#queues.delete(queue);
  }

  /** Ends for good; what is under way is abandoned. */
  stop(): void {
    this.#timer?.cancel();
    this.#life.abort();
  }

  /** The budget has room again. */
  roomCame(): void {
    if (this.#waitsForRoom) this.pump();
  }

  /** Does what can be done now; to be called after every event that may change that. */
  pump(): void {
    if (this.#life.signal.aborted) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const now = this.#context.cluster.platform.monotonicNow();
    let wakeMs = Infinity;
    let full = false;
    const lookups: Lookup[] = [];
    const fetches: PartitionQueue[] = [];
    for (const queue of this.#queues) {
      const { owner } = queue;
      const readyMs = Math.max(queue.retryAtMs, this.#notBeforeMs);
      if (owner.damage !== undefined) continue;
      if (readyMs > now) wakeMs = Math.min(wakeMs, readyMs);
      else if (owner.lookup !== undefined) lookups.push(this.#lookupOf(queue, owner.lookup));
      else if (owner.fetchOffset < 0) continue;
      else if (queue.waitingBytes >= this.#context.options.maxPartitionBytes) full = true;
      else fetches.push(queue);
    }
    if (lookups.length > 0 && !this.#lookingUp) void this.#lookUp(lookups);
    if (fetches.length > 0 && !this.#fetching)
      wakeMs = Math.min(wakeMs, this.#fetchOrHold(fetches, full, now));
    if (wakeMs < Infinity) {
      const delayMs = Math.max(1, Math.ceil(wakeMs - now));
      this.#timer = this.#context.cluster.platform.setTimer(delayMs, () => this.pump());
    }
  }

  #lookupOf(queue: PartitionQueue, timestamp: number): Lookup {
    const { topic, partition, version } = queue.owner;
    return { queue, version, topic, partition, timestamp, leaderEpoch: queue.leaderEpoch };
  }

  /** Fetches now, or says when to look again. A long poll for the others while a full partition is left out would keep
   * that one waiting once it has been read, so the poll waits here instead of at the broker.
   */
  #fetchOrHold(queues: readonly PartitionQueue[], full: boolean, now: number): number {
    const { options, budget } = this.#context;
    if (!full) this.#heldSinceMs = 0;
    else {
      if (this.#heldSinceMs === 0) this.#heldSinceMs = now;
      const heldUntilMs = this.#heldSinceMs + options.maxWaitMs;
      if (now < heldUntilMs) return heldUntilMs;
      this.#heldSinceMs = now;
    }
    // Half of the budget is for fetches under way, so idle long polls cannot starve a sibling.
    const shareBytes = Math.floor(budget.limitBytes / 2 / this.#context.fetcherCount());
    const maxBytes = Math.max(1, Math.min(options.maxBytes, shareBytes));
    this.#waitsForRoom = !budget.ask(maxBytes);
    if (!this.#waitsForRoom)
      void this.#fetch(queues, { ...options, maxBytes, maxWaitMs: full ? 0 : options.maxWaitMs });
    return Infinity;
  }

  async #fetch(queues: readonly PartitionQueue[], limits: FetchLimits): Promise<void> {
    const { cluster, lane, budget, stats } = this.#context;
    const { platform } = cluster;
    const beganMs = platform.monotonicNow();
    const watch = this.#watch(limits.maxWaitMs + lateMs);
    this.#fetching = true;
    stats.fetches++;
    let answer: FetchAnswer | undefined;
    try {
      answer = await exchangeFetch(cluster, this.nodeId, lane.duty, queues, limits, this.#life.signal);
    } catch (error) {
      this.#failed('fetch', error);
    }
    watch.cancel();
    if (answer !== undefined && !this.#life.signal.aborted) {
      const brought = this.#receive(answer);
      const now = platform.monotonicNow();
      const isEarly = now - beganMs < Math.max(limits.maxWaitMs / 2, emptyMs);
      if (!brought && isEarly) this.#notBeforeMs = Math.max(this.#notBeforeMs, now + emptyMs);
    }
    // Not earlier: while the answer is taken apart the reader may already pull, and so call `pump`.
    this.#fetching = false;
    budget.answered(limits.maxBytes);
    this.pump();
  }

  /** Takes an answer apart; false when it had no records. */
  #receive({ errorCode, throttleTimeMs, results }: FetchAnswer): boolean {
    const { cluster, budget, stats } = this.#context;
    if (errorCode !== 0) {
      this.#failed('fetch', brokerError(errorCode, `Fetch from broker ${this.nodeId}`));
      return false;
    }
    this.#backoff.reset();
    this.#notBeforeMs = cluster.platform.monotonicNow() + throttleTimeMs;
    let frameBytes = 0;
    const full: FetchResult[] = [];
    for (const result of results) {
      if (result.queue.owner.version !== result.version || !result.queue.owner.assigned) continue;
      if (!this.#check(result.queue, result.data.errorCode, result.fetchOffset)) continue;
      const { owner } = result.queue;
      const bytes = result.data.records?.length ?? 0;
      owner.highWatermark = result.data.highWatermark;
      owner.lastStableOffset = result.data.lastStableOffset;
      owner.logStartOffset = result.data.logStartOffset;
      if (bytes > 0) full.push(result);
      frameBytes += bytes;
    }
    stats.bytes += frameBytes;
    const frame = new Frame(budget, frameBytes, full.length);
    for (const result of full) this.#store(result, frame);
    return full.length > 0;
  }

  #store({ queue, data, fetchOffset }: FetchResult, frame: Frame): void {
    const { owner } = queue;
    const { options } = this.#context;
    const records = data.records ?? new Uint8Array();
    const { abortedTransactions } = data;
    const { endOffset, damage } = endOf(records, fetchOffset);
    // Whoever was served goes to the end of the line.
    this.#queues.delete(queue);
    this.#queues.add(queue);
    if (endOffset > fetchOffset) {
      const fetched = { records, fetchOffset, abortedTransactions };
      queue.push(new CompletedFetch(owner, fetched, endOffset, frame, options));
      owner.fetchOffset = endOffset;
    } else {
      frame.release();
      const what = `${records.length} bytes without a whole batch at or after the offset; is maxPartitionBytes honoured?`;
      owner.damage = damagedAt(
        owner,
        fetchOffset,
        damage ?? new ProtocolError(what, { api: 'FetchResponse' }),
      );
    }
    this.#context.changed(queue);
  }

  async #lookUp(lookups: readonly Lookup[]): Promise<void> {
    const { cluster, options } = this.#context;
    const watch = this.#watch(lateMs);
    this.#lookingUp = true;
    try {
      const { signal } = this.#life;
      const answers = await askOffsets(cluster, this.nodeId, lookups, options.isolationLevel, { signal });
      for (const lookup of lookups) this.#found(lookup, answers.get(lookup));
    } catch (error) {
      this.#failed('offset look-up', error);
    }
    watch.cancel();
    this.#lookingUp = false;
    this.pump();
  }

  #found({ queue, version, timestamp }: Lookup, answer: OffsetAnswer | undefined): void {
    const { owner } = queue;
    if (owner.version !== version || !owner.assigned) return;
    if (answer === undefined) return this.#retryLater(queue);
    if (!this.#check(queue, answer.errorCode, -1)) return;
    const { offset } = answer;
    if (offset >= 0) {
      owner.startedAtLatest = timestamp === latestTimestamp;
      if (queue.resetFrom >= 0) {
        const fields = { partition: nameOf(owner), from: queue.resetFrom, to: offset };
        this.#context.cluster.logger.warn?.('offset was out of range: reading goes on elsewhere', fields);
        queue.resetFrom = -1;
      }
      queue.resume(offset);
    } else {
      // No record is as late as the time that was asked for: the next one to come will be.
      owner.fetchFromTimestamp(latestTimestamp);
    }
    this.#context.changed(queue);
  }

  /** Acts on a partition's error code; true when it is good. */
  #check(queue: PartitionQueue, errorCode: number, fetchOffset: number): boolean {
    const { owner } = queue;
    const { cluster, stats, options } = this.#context;
    const verdict = verdictOn(errorCode);
    if (verdict === 'none') {
      queue.backoff.reset();
      queue.unknownSinceMs = undefined;
      if (owner.refusal !== undefined) this.#refuse(queue, undefined);
      return true;
    }
    stats.errors++;
    if (verdict === 'reset') {
      queue.resetFrom = fetchOffset;
      owner.fetchFromTimestamp(options.resetTimestamp);
      return false;
    }
    const error = brokerError(errorCode, 'Fetch', owner);
    cluster.logger.warn?.('partition was refused', { broker: this.nodeId, reason: error.message });
    if (verdict === 'refuse' || this.#isGone(queue, errorCode)) this.#refuse(queue, error);
    this.#retryLater(queue);
    if (verdict === 'refresh-metadata') this.#refresh(error.message);
    return false;
  }

  #refuse(queue: PartitionQueue, error: KafkaError | undefined): void {
    queue.owner.refusal = error;
    this.#context.changed(queue);
  }

  /** Whether the topic has been unknown for so long that it is not a broker that has just started. */
  #isGone(queue: PartitionQueue, errorCode: number): boolean {
    const { platform, requestTimeoutMs } = this.#context.cluster;
    if (errorCode !== ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION && errorCode !== ErrorCodes.UNKNOWN_TOPIC_ID)
      return false;
    const now = platform.monotonicNow();
    queue.unknownSinceMs ??= now;
    return now - queue.unknownSinceMs >= requestTimeoutMs;
  }

  #retryLater(queue: PartitionQueue): void {
    queue.retryAtMs = this.#context.cluster.platform.monotonicNow() + queue.backoff.next();
  }

  /** A request failed as a whole: wait, and see whether others lead by now. */
  #failed(what: string, error: unknown): void {
    if (this.#life.signal.aborted) return;
    const { cluster, stats } = this.#context;
    stats.errors++;
    const reason = error instanceof KafkaError ? error.message : String(error);
    cluster.logger.warn?.(`${what} failed`, { broker: this.nodeId, reason });
    this.#notBeforeMs = cluster.platform.monotonicNow() + this.#backoff.next();
    this.#refresh(reason);
  }

  #refresh(reason: string): void {
    this.#context.cluster.refresh(reason).catch((error: unknown) => {
      this.#context.cluster.logger.debug?.('metadata refresh failed', { reason: String(error) });
    });
  }

  /** While a request stays unanswered, looks for new leaders: the broker may be frozen, and another one elected. */
  #watch(delayMs: number): { cancel(): void } {
    const { platform } = this.#context.cluster;
    const late = (): void => {
      this.#refresh(`broker ${this.nodeId} is late`);
      timer = platform.setTimer(lateMs, late);
    };
    let timer = platform.setTimer(delayMs, late);
    return { cancel: () => timer.cancel() };
  }
}
