/** All partitions of one reader: brings each to its leader's fetcher and hands out what was fetched, in turns.
 * Not here: offsets and errors of a partition (fetcher.ts), who waits for records (client/reader).
 * Invariant: a partition belongs to at most one fetcher, and once it is removed nothing of it comes out any more.
 */
import { KafkaError } from '../../errors.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { Backoff, brokerError, sleep, type Cluster } from '../cluster/index.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import { BufferBudget } from './buffer-budget.ts';
import type { CompletedFetch } from './completed-fetch.ts';
import { Fetcher, type FetchContext, type FetchOptions, type FetchStats } from './fetcher.ts';
import { PartitionQueue } from './partition-queue.ts';
import { placeOf } from './position.ts';
import type { RecordRun } from './record-run.ts';

/** Milliseconds for which an unknown topic may be one that was just created. */
const doubtMs = 1000;

/** Fetches from any number of partitions. */
export class FetchSet {
  readonly stats: FetchStats = { fetches: 0, bytes: 0, errors: 0 };
  readonly #cluster: Cluster;
  readonly #onChange: () => void;
  readonly #budget: BufferBudget;
  readonly #context: FetchContext;
  readonly #queues = new Map<AssignedPartition, PartitionQueue>();
  readonly #fetchers = new Map<number, Fetcher>();
  /** Partitions that may have something to hand out, in turn. */
  readonly #ready: PartitionQueue[] = [];
  /** What was read to its end, but may still be in the application's hands (R9). */
  readonly #finished: CompletedFetch[] = [];
  readonly #life = new AbortController();
  #unsubscribe: (() => void) | undefined;
  readonly #topics = new Map<string, () => void>();
  #inflatedBytes = 0;
  #placing = false;

  /** `onChange` is called when there may be something to hand out: records, or a failure. */
  constructor(cluster: Cluster, options: FetchOptions, onChange: () => void) {
    this.#cluster = cluster;
    this.#onChange = onChange;
    this.#budget = new BufferBudget(options.maxBufferedBytes, () => {
      for (const fetcher of this.#fetchers.values()) fetcher.roomCame();
    });
    this.#context = {
      cluster,
      lane: cluster.openLane('fetch'),
      options,
      budget: this.#budget,
      stats: this.stats,
      fetcherCount: () => this.#fetchers.size,
      changed: (queue) => this.#changed(queue),
    };
  }

  /** Bytes that wait to be read, inflated ones included. */
  get bufferedBytes(): number {
    return this.#budget.usedBytes;
  }

  get partitions(): Iterable<AssignedPartition> {
    return this.#queues.keys();
  }

  /** What stands in the way of a partition whose fetched records are all handed out; undefined if nothing. */
  failure(): KafkaError | undefined {
    for (const [owner, queue] of this.#queues)
      if (owner.failure !== undefined && queue.isEmpty) return owner.failure;
    return undefined;
  }

  /** Reads these too. Those without an offset or a look-up wait until `begin`. */
  add(partitions: Iterable<AssignedPartition>): void {
    this.#unsubscribe ??= this.#cluster.onSnapshot(() => this.#route());
    for (const owner of partitions) {
      this.#queues.set(owner, new PartitionQueue(owner, new Backoff(this.#cluster.platform)));
      if (!this.#topics.has(owner.topic))
        this.#topics.set(owner.topic, this.#cluster.useTopics([owner.topic]));
    }
    this.#route();
  }

  /** The partitions know now where to begin. */
  begin(partitions: Iterable<AssignedPartition>): void {
    for (const owner of partitions) {
      if (owner.fetchOffset >= 0) this.#queues.get(owner)?.resume(owner.fetchOffset);
    }
    this.#route();
  }

  /** Drops what was fetched, and fetches no more until `begin` or `rewind`. */
  hold(owner: AssignedPartition): void {
    owner.fetchFrom(-1);
    this.#queues.get(owner)?.clear();
  }

  /** Goes back to an offset; what was fetched is dropped. */
  rewind(owner: AssignedPartition, offset: number): void {
    const queue = this.#queues.get(owner);
    if (queue === undefined) return;
    queue.clear();
    queue.resume(offset);
    this.#fetchers.get(queue.leader)?.pump();
  }

  has(owner: AssignedPartition): boolean {
    return this.#queues.has(owner);
  }

  /** Forgets the partitions and all that was fetched of them. */
  remove(partitions: Iterable<AssignedPartition>): void {
    for (const owner of partitions) {
      owner.assigned = false;
      const queue = this.#queues.get(owner);
      if (queue === undefined) continue;
      this.#queues.delete(owner);
      this.#fetchers.get(queue.leader)?.remove(queue);
      queue.clear();
    }
    for (const [topic, release] of this.#topics) {
      if (Array.from(this.#queues.keys()).some((owner) => owner.topic === topic)) continue;
      release();
      this.#topics.delete(topic);
    }
    this.#route();
  }

  /** The next batch of records, partition after partition; undefined when there is none, a promise of it when the
   * partition was removed meanwhile. What was handed out before is no longer counted as buffered.
   * Throws, or rejects with, what damaged bytes deserve.
   */
  next(): RecordRun | Promise<RecordRun | undefined> | undefined {
    this.#settle();
    for (let queue = this.#ready.shift(); queue !== undefined; queue = this.#ready.shift()) {
      queue.isReady = false;
      const run = this.#take(queue);
      if (run === undefined) continue;
      this.#line(queue);
      return run;
    }
    this.#settle();
    return undefined;
  }

  /** The next batch of records of one partition, while what was handed out before stays in use. */
  nextOf(owner: AssignedPartition): RecordRun | Promise<RecordRun | undefined> | undefined {
    const queue = this.#queues.get(owner);
    return queue === undefined ? undefined : this.#take(queue);
  }

  /** A run's records do not hold what its header said. Returns the error to throw. */
  damaged(run: RecordRun, error: unknown): unknown {
    try {
      this.#queues.get(run.owner)?.damaged(run.owner.position, error);
    } catch (damage) {
      return damage;
    }
    return error;
  }

  /** Ends all fetching at once. */
  close(): void {
    this.#life.abort();
    this.#unsubscribe?.();
    this.remove([...this.#queues.keys()]);
    for (const fetcher of this.#fetchers.values()) fetcher.stop();
    this.#fetchers.clear();
    this.#context.lane.close();
  }

  #take(queue: PartitionQueue): RecordRun | Promise<RecordRun | undefined> | undefined {
    const before = queue.waitingBytes;
    const run = queue.take(this.#finished);
    if (queue.waitingBytes < before) this.#fetchers.get(queue.leader)?.pump();
    return run instanceof Promise ? run.then((inflated) => this.#count(inflated)) : this.#count(run);
  }

  #count(run: RecordRun | undefined): RecordRun | undefined {
    if (run !== undefined && run.inflatedBytes > 0) {
      this.#inflatedBytes += run.inflatedBytes;
      this.#budget.use(run.inflatedBytes);
    }
    return run;
  }

  /** The application has asked for more: what it had is its own now. */
  #settle(): void {
    for (const fetched of this.#finished.splice(0)) fetched.release();
    if (this.#inflatedBytes === 0) return;
    const bytes = this.#inflatedBytes;
    this.#inflatedBytes = 0;
    this.#budget.release(bytes);
  }

  #line(queue: PartitionQueue): void {
    if (queue.isReady || queue.isEmpty) return;
    queue.isReady = true;
    this.#ready.push(queue);
  }

  #changed(queue: PartitionQueue): void {
    this.#line(queue);
    this.#onChange();
  }

  /** Brings every partition to the fetcher of its leader. */
  #route(): void {
    if (this.#life.signal.aborted) return;
    let lost = false;
    for (const queue of this.#queues.values()) {
      const place = placeOf(this.#cluster.snapshot, queue.owner);
      lost ||= place === undefined;
      queue.leaderEpoch = place?.leaderEpoch ?? -1;
      const leader = place?.leader ?? -1;
      if (leader !== queue.leader) this.#move(queue, leader);
    }
    for (const [nodeId, fetcher] of this.#fetchers) {
      if (!fetcher.isEmpty) continue;
      fetcher.stop();
      this.#fetchers.delete(nodeId);
    }
    for (const fetcher of this.#fetchers.values()) fetcher.pump();
    if (lost && !this.#placing) void this.#place();
  }

  #move(queue: PartitionQueue, leader: number): void {
    this.#fetchers.get(queue.leader)?.remove(queue);
    // An answer of the old leader that is still under way must not count beside the new one's.
    queue.owner.version++;
    queue.leader = leader;
    queue.retryAtMs = 0;
    if (leader < 0) return;
    const fetcher = this.#fetchers.get(leader) ?? new Fetcher(leader, this.#context);
    this.#fetchers.set(leader, fetcher);
    fetcher.add(queue);
  }

  /** Looks for the leaders of partitions that have none, until each has one or is gone. Never rejects. */
  async #place(): Promise<void> {
    const backoff = new Backoff(this.#cluster.platform);
    this.#placing = true;
    while (!this.#life.signal.aborted) {
      const lost = [...this.#queues.values()].filter((queue) => queue.leader < 0);
      if (lost.length === 0) break;
      await Promise.all(
        Array.from(new Set(lost.map(({ owner }) => owner.topic)), (topic) => this.#find(topic, lost)),
      );
      if (this.#life.signal.aborted || !lost.some((queue) => queue.leader < 0 && queue.owner.assigned))
        continue;
      await sleep(this.#cluster.platform, backoff.next(), this.#life.signal).catch(() => undefined);
      await this.#cluster.refresh('partitions without a leader').catch(() => undefined);
    }
    this.#placing = false;
  }

  async #find(topic: string, lost: readonly PartitionQueue[]): Promise<void> {
    const { platform, requestTimeoutMs, logger } = this.#cluster;
    const queues = lost.filter(({ owner }) => owner.topic === topic);
    try {
      const deadlineMs = platform.monotonicNow() + requestTimeoutMs;
      const found = await this.#cluster.topic(topic, { deadlineMs, doubtMs, signal: this.#life.signal });
      for (const queue of queues) {
        const exists = found.partitions[queue.owner.partition] !== undefined;
        const code = ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
        queue.owner.refusal = exists ? undefined : brokerError(code, 'Metadata', queue.owner);
      }
      this.#route();
    } catch (error) {
      if (this.#life.signal.aborted) return;
      logger.warn?.('topic was not found', { topic, reason: String(error) });
      // Anything that is to heal by itself is silent, but that a topic does not exist is news.
      const isNews = error instanceof KafkaError && (!error.retriable || error.code === 'UNKNOWN_TOPIC');
      if (isNews) for (const queue of queues) queue.owner.refusal = error;
    }
    this.#onChange();
  }
}
