/** Reads records: of given partitions, or of what a consumer group assigns; kafka-go's Reader in TypeScript.
 * The public face only: fetching is client/fetch, waiting calls are handout.ts, commits commits.ts.
 * Invariant: making one does nothing; the first call that wants records connects and joins (C4).
 */
import { UsageError } from '../../errors.ts';
import { codecsOf } from '../../compression/codecs.ts';
import { acquireCluster, closedError, integerOption, maxTimerMs } from '../cluster/index.ts';
import type {
  Cluster,
  ClusterLease,
  GroupMetadata,
  TopicPartition,
  TransactionSource,
} from '../cluster/index.ts';
import { AssignedPartition, FetchSet, latestTimestamp, listOffsets, nameOf } from '../fetch/index.ts';
import type { Message, MessageBatch, OffsetQuery } from '../fetch/index.ts';
import { Commits, type Committable, type CommitOptions, type ReaderCommitOutcome } from './commits.ts';
import { Handout } from './handout.ts';
import { Membership, startAt } from './membership.ts';
import { MessageLoop } from './message-loop.ts';
import { Source } from './source.ts';
import { resolveReaderOptions, type ReaderOptions, type ResolvedReaderOptions } from './options.ts';

/** How long a call may wait. */
export interface FetchCallOptions {
  /** Gives up the call, which then rejects with the signal's reason; no record is lost by that. */
  readonly signal?: AbortSignal | undefined;
}

/** How `fetchBatch` gathers. */
export interface FetchBatchOptions extends FetchCallOptions {
  /** Most messages, at least 1. Default: all that are at hand. */
  readonly maxRecords?: number | undefined;
  /** Milliseconds from the call in which `maxRecords` are waited for, 0-2147483647, default 0: what is at hand. The
   * first message is waited for without limit. */
  readonly maxWaitMs?: number | undefined;
}

/** How `close` ends. */
export interface ReaderCloseOptions {
  /** Milliseconds for the last commit and for leaving the group, 0-2147483647, default 5,000. */
  readonly timeoutMs?: number | undefined;
}

/** One partition of `ReaderStats`. */
export interface ReaderPartitionStats extends TopicPartition {
  /** Offset of the next record; undefined until it is known. */
  readonly position: number | undefined;
  /** One past the last record that consumers may see; undefined until a broker said. */
  readonly highWatermark: number | undefined;
  /** Records between both; undefined until both are known. */
  readonly lag: number | undefined;
}

/** Counts since the reader was made, and where it stands. */
export interface ReaderStats {
  /** Messages that were handed out. */
  readonly messages: number;
  /** Bytes of records that came from brokers, as they came. */
  readonly bytes: number;
  /** Fetch requests. */
  readonly fetches: number;
  /** Requests that failed and partitions that were refused; most of these heal by themselves. */
  readonly errors: number;
  /** Assignments by the group. */
  readonly rebalances: number;
  /** Commits that the group's coordinator took. */
  readonly commits: number;
  /** Bytes that wait to be read now. */
  readonly bufferedBytes: number;
  readonly partitions: readonly ReaderPartitionStats[];
}

/** A consumer. Several calls may wait at once; they are served in their order. */
export class Reader implements AsyncIterable<Message>, AsyncDisposable, TransactionSource {
  readonly #options: ResolvedReaderOptions;
  readonly #lease: ClusterLease;
  readonly #fetches: FetchSet;
  readonly #handout: Handout;
  readonly #membership: Membership | undefined;
  readonly #commits: Commits | undefined;
  readonly #source: Source | undefined;
  /** Without a group: what to read. */
  readonly #manual: readonly AssignedPartition[];
  #started = false;
  #ignoreClient: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** Does no I/O. Throws a `UsageError` for a wrong option. */
  constructor(options: ReaderOptions) {
    this.#options = resolveReaderOptions(options);
    this.#lease = acquireCluster(options);
    const { cluster } = this.#lease;
    const { platform, logger } = cluster;
    const { group, startOffset } = this.#options;
    const codecs = [...this.#options.fetch.codecs, ...codecsOf(platform)];
    this.#fetches = new FetchSet(cluster, { ...this.#options.fetch, codecs }, () => this.#handout.wake());
    this.#handout = new Handout({
      platform,
      fetches: this.#fetches,
      failure: () => this.#membership?.failure,
      onDrained: () => this.#commits?.touch(),
    });
    this.#manual = this.#options.partitions.map(({ topic, partition, offset }) => {
      const owner = new AssignedPartition(topic, partition);
      startAt(owner, offset ?? startOffset);
      return owner;
    });
    if (group === undefined) return;
    const commits = new Commits({
      platform,
      logger,
      loopIntervalMs: group.loopIntervalMs,
      callIntervalMs: group.callIntervalMs,
      partitions: () => this.#assigned,
      send: (offsets, call) => membership.session.commit(offsets, call),
    });
    const context = {
      cluster,
      options: group,
      startOffset,
      fetches: this.#fetches,
      handout: this.#handout,
      commits,
    };
    const membership = new Membership(context);
    this.#commits = commits;
    this.#membership = membership;
    this.#source = new Source({ platform, membership, handout: this.#handout, commits });
  }

  /** The next message; waits for it as long as it takes, through network trouble and rebalances, and keeps the process
   * alive meanwhile. It commits nothing: see `commitMessages`.
   * Rejects with a `ProtocolError` for damaged bytes, naming topic, partition and offset, each time until the reader is
   * moved; a `BrokerError` where the broker refuses for good (such as no permission, or code `UNKNOWN_TOPIC`); `CLOSED`;
   * or the signal's reason.
   */
  fetchMessage({ signal }: FetchCallOptions = {}): Promise<Message> {
    this.#start();
    try {
      const message = signal?.aborted ? undefined : this.#handout.immediate();
      return message === undefined ? this.#handout.message(signal) : Promise.resolve(message);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The next message, committed before it is returned (at most once: a crash after that loses it), or within
   * `commitIntervalMs` where that is set. Without a group the same as `fetchMessage`. Rejects as `fetchMessage` and
   * `commitMessages`; a message that could not be committed comes again.
   */
  async readMessage(options: FetchCallOptions = {}): Promise<Message> {
    const message = await this.fetchMessage(options);
    try {
      await this.#commits?.commit(message, options);
    } catch (error) {
      this.#handout.putBack(message);
      throw error;
    }
    return message;
  }

  /** The next messages of one partition: what is at hand of it, or more within `maxWaitMs`. Its messages are made while
   * it is iterated, which makes this the cheapest way to read. Rejects as `fetchMessage`.
   */
  async fetchBatch({ signal, maxRecords, maxWaitMs }: FetchBatchOptions = {}): Promise<MessageBatch> {
    const limits = {
      maxRecords: integerOption(
        'maxRecords',
        maxRecords,
        Number.MAX_SAFE_INTEGER,
        1,
        Number.MAX_SAFE_INTEGER,
      ),
      maxWaitMs: integerOption('maxWaitMs', maxWaitMs, 0, 0, maxTimerMs),
    };
    this.#start();
    return this.#handout.batch(limits, signal);
  }

  /** Reads message after message until the reader is closed. In a group a message is done when the next one is asked
   * for, and what is done is committed every `commitIntervalMs` (unless `commits` is `'manual'`); one whose processing
   * was left by `break` or `throw` is handed out again by the next call.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message, undefined> {
    this.#start();
    return new MessageLoop(this.#handout, this.#commits);
  }

  /** Commits the highest offset given + 1 per partition, and so declares everything before it done. With
   * `commitIntervalMs` set it resolves at once and commits within that time. Offsets of partitions that were revoked in
   * the meantime are not committed and are reported. Rejects with a `UsageError` without a group or for messages of
   * another reader, a `BrokerError`, a `TimeoutError` or the signal's reason.
   */
  async commitMessages(messages: Committable, options: CommitOptions = {}): Promise<ReaderCommitOutcome> {
    if (this.#commits === undefined) throw new UsageError('commitMessages needs groupId');
    if (this.#closing !== undefined) throw closedError('The reader');
    return this.#commits.commit(messages, options);
  }

  /** Records between the position and the high watermark as the broker last told it, over the assigned partitions or of
   * one; undefined until both are known. Under read_committed undecided transactions count.
   */
  lag(of?: TopicPartition): number | undefined {
    if (this.#membership?.rebalances === 0) return undefined;
    let sum = 0;
    for (const owner of this.#select(of)) {
      const lag = lagOf(owner);
      if (lag === undefined) return undefined;
      sum += lag;
    }
    return sum;
  }

  /** As `lag()`, by asking the brokers now, also before the first record was read. Rejects with a `BrokerError`, a
   * `TimeoutError` after the client's `requestTimeoutMs`, or the signal's reason.
   */
  async readLag({ signal }: FetchCallOptions = {}): Promise<number> {
    if (this.#closing !== undefined) throw closedError('The reader');
    const { platform, requestTimeoutMs } = this.#cluster;
    const owners = [...this.#assigned];
    const query = (owner: AssignedPartition, timestamp: number): OffsetQuery => {
      const { topic, partition } = owner;
      return { topic, partition, timestamp, leaderEpoch: -1 };
    };
    const starts = owners.filter(
      ({ position, fetchOffset, lookup }) => position < 0 && fetchOffset < 0 && lookup !== undefined,
    );
    const release = this.#cluster.holdOpen();
    const forget = this.#cluster.useTopics(new Set(owners.map(({ topic }) => topic)));
    try {
      const options = { deadlineMs: platform.monotonicNow() + requestTimeoutMs, signal };
      const ask = (queries: OffsetQuery[], isolation: 0 | 1): Promise<number[]> =>
        listOffsets(this.#cluster, queries, isolation, options);
      const { isolationLevel } = this.#options.fetch;
      const [ends, begins] = await Promise.all([
        ask(
          owners.map((owner) => query(owner, latestTimestamp)),
          0,
        ),
        ask(
          starts.map((owner) => query(owner, owner.lookup ?? latestTimestamp)),
          isolationLevel,
        ),
      ]);
      return owners.reduce((sum, owner, index) => {
        const end = ends[index] ?? 0;
        const begin = begins[starts.indexOf(owner)] ?? -1;
        const position = [owner.position, owner.fetchOffset, begin].find((offset) => offset >= 0) ?? end;
        return sum + Math.max(0, end - position);
      }, 0);
    } finally {
      release();
      forget();
    }
  }

  /** Offset of the next record of a partition, past what nobody is to see; undefined until it is known. `of` may be left
   * out where one partition is assigned. Throws a `UsageError` otherwise, and for a partition that is not assigned.
   */
  position(of?: TopicPartition): number | undefined {
    return known(this.#only(of, 'position')?.position);
  }

  /** The group's committed offset of a partition; undefined if there is none. `of` as for `position`, but any partition
   * will do. Rejects with a `UsageError` without a group, a `BrokerError`, a `TimeoutError` or the signal's reason.
   */
  async committed(of?: TopicPartition, options: FetchCallOptions = {}): Promise<number | undefined> {
    if (this.#membership === undefined) throw new UsageError('committed needs groupId');
    const partition = of ?? this.#only(undefined, 'committed');
    if (partition === undefined) return undefined;
    const [committed] = await this.#membership.session.committed([partition], options);
    return known(committed?.offset);
  }

  /** Who this reader is to its group, for transactions (KIP-447). Throws a `UsageError` without a group. */
  groupMetadata(): GroupMetadata {
    return this.#asSource().groupMetadata();
  }

  /** For a Writer whose transactions read from here, see `TransactionSource`: from the first call on the reader commits
   * nothing by itself, and `commitMessages` and `readMessage` are refused. Throws a `KafkaError` of code `FENCED` for
   * offsets of partitions that were revoked since their records were handed out, or a `UsageError` without a group.
   */
  assertOwned<T extends TopicPartition & { readonly offset: number }>(offsets: readonly T[]): readonly T[] {
    return this.#asSource().assertOwned(offsets);
  }

  /** Goes back to the group's committed offsets: what was handed out beyond them comes again. Where the group has none,
   * to where reading began. Rejects as `committed`; until it has succeeded no offsets can be sent.
   */
  async rewindToCommitted(): Promise<void> {
    const release = this.#cluster.holdOpen();
    try {
      await this.#asSource().rewindToCommitted();
    } finally {
      release();
    }
  }

  /** What was read so far, and how far each assigned partition is. */
  stats(): ReaderStats {
    return {
      messages: this.#handout.messages,
      ...this.#fetches.stats,
      rebalances: this.#membership?.rebalances ?? 0,
      commits: this.#commits?.sent ?? 0,
      bufferedBytes: this.#fetches.bufferedBytes,
      partitions: Array.from(this.#assigned, (owner) => ({
        topic: owner.topic,
        partition: owner.partition,
        position: known(owner.position),
        highWatermark: known(owner.highWatermark),
        lag: lagOf(owner),
      })),
    };
  }

  /** Rejects waiting calls with `CLOSED`, commits what was done, leaves the group and closes its sockets (a shared
   * client's stay). Resolves within `timeoutMs` whatever happens. Idempotent.
   */
  close({ timeoutMs }: ReaderCloseOptions = {}): Promise<void> {
    const limitMs = integerOption('timeoutMs', timeoutMs, 5000, 0, maxTimerMs);
    this.#closing ??= this.#close(limitMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #asSource(): Source {
    if (this.#source === undefined) throw new UsageError('The source of a transaction needs groupId');
    return this.#source;
  }

  get #cluster(): Cluster {
    return this.#lease.cluster;
  }

  get #assigned(): Iterable<AssignedPartition> {
    return this.#membership?.owned ?? this.#manual;
  }

  #select(of: TopicPartition | undefined): Iterable<AssignedPartition> {
    if (of === undefined) return this.#assigned;
    for (const owner of this.#assigned)
      if (owner.topic === of.topic && owner.partition === of.partition) return [owner];
    throw new UsageError(`${nameOf(of)} is not assigned to this reader`);
  }

  #only(of: TopicPartition | undefined, what: string): AssignedPartition | undefined {
    const owners = [...this.#select(of)];
    if (owners.length > 1) throw new UsageError(`${what} needs a partition: ${owners.length} are assigned`);
    return owners[0];
  }

  /** The first call that wants records connects. */
  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#ignoreClient = this.#cluster.onClose((error) => {
      this.#handout.close(error);
      this.#fetches.close();
    });
    if (this.#cluster.closed) return;
    if (this.#membership === undefined) this.#fetches.add(this.#manual);
    else this.#membership.session.start();
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#started = true;
    this.#ignoreClient?.();
    this.#handout.close(closedError('The reader'));
    this.#fetches.close();
    this.#commits?.stop();
    await this.#membership?.close(timeoutMs);
    this.#lease.release();
  }
}

function known(offset: number | undefined): number | undefined {
  return offset === undefined || offset < 0 ? undefined : offset;
}

function lagOf({ highWatermark, position }: AssignedPartition): number | undefined {
  return highWatermark < 0 || position < 0 ? undefined : Math.max(0, highWatermark - position);
}
