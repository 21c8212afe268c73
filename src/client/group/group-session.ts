/** A member of a consumer group: joins, keeps alive, gives up and joins again until it is closed (classic, eager).
 * Does not fetch. Invariants: one generation at a time; every partition that was assigned is given up by exactly one
 * of `onRevoked` and `onLost` before it can be assigned again; heartbeats go on while the application is called.
 * Source: Kafka's classic group protocol, as Java's ConsumerCoordinator lives it.
 */
import { BrokerError, KafkaError, TimeoutError } from '../../errors.ts';
import type { JoinGroupResponse } from '../../protocol/api/11-join-group.ts';
import { leaveGroupApi, type LeaveGroupRequest } from '../../protocol/api/13-leave-group.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import {
  Backoff,
  closedError,
  integerOption,
  maxTimerMs,
  optionError,
  sleep,
  stringOption,
  withDeadline,
  type GroupMetadata,
  type TopicPartition,
  type Patience,
} from '../cluster/index.ts';
import type { Assignor } from './assignor/assignor.ts';
import { rangeAssignor } from './assignor/range.ts';
import { Commits, type CommitOutcome, type OffsetToCommit } from './commits.ts';
import { fetchCommitted, type CommittedOffset } from './committed.ts';
import { GroupCoordinator, type CoordinatorFinder, type GroupCluster } from './coordinator.ts';
import { Generation, type Ending } from './generation.ts';
import { keepAlive } from './heartbeat.ts';
import { joinGroup, syncGroup, type Identity, type JoinOptions } from './join.ts';
import { lead } from './leader.ts';
import { Ownership, type OwnedPartition } from './ownership.ts';

/** Learns what happens to the member. Calls come one after another; only `onLost` and `onError` may come while
 * `onAssigned` or `onRevoked` is awaited. What a callback throws is reported to `onError`.
 */
export interface GroupListener {
  /** The member owns these now, all others it gave up before; none is an assignment too. */
  onAssigned(added: readonly OwnedPartition[]): void | Promise<void>;
  /** The member gives these up when the promise resolves, at the latest `rebalanceTimeoutMs` after the last calm heartbeat; until then they
   * may be committed. */
  onRevoked(partitions: readonly OwnedPartition[]): void | Promise<void>;
  /** The member has lost these already; commits for them are dropped. */
  onLost(partitions: readonly OwnedPartition[]): void;
  /** Trouble. A retriable error is being healed; any other one has ended the session. */
  onError(error: KafkaError): void;
}

/** What a member needs to know. */
export interface GroupSessionOptions {
  /** Kafka: `group.id`. */
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly listener: GroupListener;
  /** Milliseconds without an answered heartbeat after which the member's partitions are lost; the broker limits it.
   * Default 45,000. Kafka: `session.timeout.ms`. */
  readonly sessionTimeoutMs?: number | undefined;
  /** Milliseconds between heartbeats, less than the session. Default 3,000. Kafka: `heartbeat.interval.ms`. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** Milliseconds that members have to give up their partitions and join again. Default 60,000. Below the session it
   * also limits the time without an answered heartbeat. Kafka: `max.poll.interval.ms`, which plays this part there. */
  readonly rebalanceTimeoutMs?: number | undefined;
  /** In the order of preference. Default: range alone. Kafka: `partition.assignment.strategy`. */
  readonly assignors?: readonly Assignor[] | undefined;
}

/** How long to try. */
export interface GroupCallOptions {
  /** On `platform.monotonicNow()`. Default: 60,000 ms from now (Kafka: `default.api.timeout.ms`). */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Default deadline of `commit` and `committed`. */
const defaultCallMs = 60_000;
/** How long a session that failed tries to leave. */
const leaveMs = 5000;

/** A member of one group. Making it does nothing; `start` joins. */
export class GroupSession {
  readonly #cluster: GroupCluster;
  readonly #listener: GroupListener;
  readonly #options: JoinOptions & { readonly heartbeatIntervalMs: number };
  readonly #coordinator: GroupCoordinator;
  readonly #ownership = new Ownership();
  readonly #commits: Commits;
  readonly #identity: Identity = { memberId: '', generationId: -1, awaitsId: false };
  /** Aborts joining. */
  readonly #life = new AbortController();
  /** Aborts waiting for the application. */
  readonly #patience = new AbortController();
  #generation: Generation | undefined;
  #revoking = false;
  #reason: string | null = null;
  #failure: KafkaError | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;
  #closed: Promise<void> | undefined;

  /** Throws a `UsageError` that names a wrong option. */
  constructor(cluster: GroupCluster, coordinators: CoordinatorFinder, options: GroupSessionOptions) {
    this.#cluster = cluster;
    this.#listener = options.listener;
    const topics = [...new Set(options.topics.map((topic) => stringOption('topics', topic)))];
    if (topics.length === 0) throw optionError('topics', 'at least one topic', options.topics);
    const ms = (name: 'sessionTimeoutMs' | 'rebalanceTimeoutMs', fallback: number): number =>
      integerOption(name, options[name], fallback, 1, maxTimerMs - 5000);
    const sessionTimeoutMs = ms('sessionTimeoutMs', 45_000);
    const { heartbeatIntervalMs } = options;
    this.#options = {
      topics,
      sessionTimeoutMs,
      rebalanceTimeoutMs: ms('rebalanceTimeoutMs', 60_000),
      heartbeatIntervalMs: integerOption(
        'heartbeatIntervalMs',
        heartbeatIntervalMs,
        3000,
        1,
        sessionTimeoutMs - 1,
      ),
      assignors: options.assignors ?? [rangeAssignor],
    };
    this.#coordinator = new GroupCoordinator(cluster, coordinators, stringOption('groupId', options.groupId));
    this.#commits = new Commits({
      coordinator: this.#coordinator,
      ownership: this.#ownership,
      generation: () => this.#generation,
      end: (generation, ending) => this.#end(generation, ending),
    });
  }

  /** Joins in the background, and again whenever it must. Idempotent. */
  start(): void {
    if (!this.#stopping) this.#running ??= this.#run();
  }

  /** What the member owns now. */
  owned(): readonly OwnedPartition[] {
    return this.#ownership.list();
  }

  /** Who the member is to the broker, for transactions (KIP-447). */
  metadata(): GroupMetadata {
    const { memberId, generationId } = this.#identity;
    return { groupId: this.#coordinator.groupId, memberId, generationId, groupInstanceId: null };
  }

  /** Commits offsets of owned partitions; what is no longer owned is dropped and reported (R3). Within one ownership
   * the highest offset wins. Rejects with a `BrokerError`, a `TimeoutError` at the deadline, or the signal's reason.
   */
  commit(offsets: readonly OffsetToCommit[], options: GroupCallOptions = {}): Promise<CommitOutcome> {
    return this.#call(options, (patience) => this.#commits.commit(offsets, patience));
  }

  /** The group's committed offsets in the order of `partitions`, stable ones only. Besides the errors of `commit`:
   * code `FENCED`, retriable, when the member's generation ended before the answer came.
   */
  committed(
    partitions: readonly TopicPartition[],
    options: GroupCallOptions = {},
  ): Promise<CommittedOffset[]> {
    if (partitions.length === 0) return Promise.resolve([]);
    return this.#call(options, async (patience) => {
      const generation = this.#generation;
      const fetched = fetchCommitted(this.#coordinator, partitions, patience);
      if (generation === undefined) return fetched;
      const leftMs = patience.deadlineMs - this.#cluster.platform.monotonicNow();
      const timeout = (): Error => new TimeoutError('OffsetFetch timed out', { limitMs: Math.round(leftMs) });
      return withDeadline(this.#cluster.platform, fetched, leftMs, timeout, generation.ending);
    });
  }

  /** Gives up what is owned, with `onRevoked`, and leaves the group; never takes longer than `timeoutMs` and never
   * rejects. Idempotent. */
  close({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  async #call<T>(options: GroupCallOptions, work: (patience: Patience) => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#life.signal.aborted && this.#generation === undefined) throw this.#closedError();
    const { platform } = this.#cluster;
    const release = this.#cluster.holdOpen();
    try {
      const deadlineMs = options.deadlineMs ?? platform.monotonicNow() + defaultCallMs;
      return await work({ deadlineMs, signal: options.signal });
    } finally {
      release();
    }
  }

  /** Lives generation after generation. Never rejects. */
  async #run(): Promise<void> {
    const { platform } = this.#cluster;
    const release = this.#cluster.useTopics(this.#options.topics);
    const backoff = new Backoff(platform);
    try {
      while (!this.#stopping) {
        if (await this.#live()) backoff.reset();
        else await sleep(platform, backoff.next(), this.#life.signal);
      }
    } catch (error) {
      if (!this.#stopping) await this.#fail(error);
    } finally {
      release();
    }
  }

  /** One generation. False: wait before the next one. Rejects with what joining again would not heal. */
  async #live(): Promise<boolean> {
    const { memberId } = this.#identity;
    try {
      const joined = await joinGroup(
        this.#coordinator,
        this.#identity,
        this.#options,
        this.#reason,
        this.#life.signal,
      );
      if (joined !== undefined && !this.#stopping) return await this.#enter(joined);
      return memberId === '' && this.#identity.memberId !== '';
    } catch (error) {
      if (this.#stopping || !(error instanceof KafkaError) || !error.retriable) throw error;
      this.#report(error);
      return false;
    }
  }

  /** From the answer to JoinGroup to the end of its generation. False: it did not become stable. */
  async #enter(joined: JoinGroupResponse): Promise<boolean> {
    const { platform } = this.#cluster;
    const generation = new Generation(joined.generationId, joined.memberId, platform.monotonicNow());
    const end = this.#end.bind(this);
    this.#generation = generation;
    void keepAlive(this.#coordinator, generation, { ...this.#options, end });
    try {
      const assignment = await this.#assignment(joined, generation);
      if (assignment === undefined || generation.over.aborted) return false;
      this.#cluster.logger.info?.('joined group', { ...this.metadata(), partitions: assignment.size });
      await this.#serve(generation, assignment);
      return true;
    } catch (error) {
      if (!generation.over.aborted) throw error;
      // It was lost while the assignment was on its way; an error of its own says more than the broken wait.
      const ending = await generation.ended;
      if (ending.kind === 'failed') throw ending.error;
      return false;
    } finally {
      generation.finish();
      this.#generation = undefined;
    }
  }

  async #assignment(
    joined: JoinGroupResponse,
    generation: Generation,
  ): Promise<ReadonlyMap<string, readonly number[]> | undefined> {
    const { assignors, rebalanceTimeoutMs } = this.#options;
    const leads = joined.leader === joined.memberId && !joined.skipAssignment;
    const plan = leads
      ? await lead(this.#cluster, joined, assignors, generation, this.#end.bind(this))
      : undefined;
    return syncGroup(
      this.#coordinator,
      this.#identity,
      generation,
      joined.protocolName,
      plan,
      rebalanceTimeoutMs,
    );
  }

  /** Owns the assignment until the generation ends, and gives it up. Rejects when the session cannot go on. */
  async #serve(generation: Generation, assignment: ReadonlyMap<string, readonly number[]>): Promise<void> {
    const added = this.#ownership.assign(assignment);
    generation.stable = true;
    const assigned = this.#callback(generation, () => this.#listener.onAssigned(added));
    const ending = await generation.ended;
    const deadlineMs = generation.calmMs + this.#options.rebalanceTimeoutMs;
    await this.#await('onAssigned', assigned, deadlineMs);
    if (ending.kind === 'failed') throw ending.error;
    const partitions = this.#ownership.list();
    if (partitions.length === 0) return;
    this.#revoking = true;
    await this.#await(
      'onRevoked',
      this.#callback(generation, () => this.#listener.onRevoked(partitions)),
      deadlineMs,
    );
    this.#revoking = false;
    this.#ownership.clear();
  }

  /** Ends a generation, unless another one has followed it. Lost partitions are lost at once, whoever is waiting. */
  #end(generation: Generation, ending: Ending): void {
    if (generation !== this.#generation) return;
    generation.end(ending);
    if (ending.kind === 'closed') {
      if (!generation.stable) generation.finish();
      return;
    }
    this.#reason = ending.kind === 'rebalance' ? ending.reason : ending.error.message;
    if (ending.kind === 'rebalance') return;
    this.#cluster.logger.warn?.('lost group membership', { ...this.metadata(), reason: this.#reason });
    const { error } = ending;
    const unknown = error instanceof BrokerError && error.errorCode === ErrorCodes.UNKNOWN_MEMBER_ID;
    if (unknown) this.#identity.memberId = '';
    this.#identity.generationId = -1;
    generation.finish();
    const partitions = this.#ownership.clear();
    if (partitions.length === 0 || this.#revoking) return; // inside onRevoked the application gives them up already
    void this.#callback(generation, () => this.#listener.onLost(partitions));
  }

  /** Calls the application; what it throws is reported. */
  async #callback(generation: Generation, call: () => void | Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      // A question whose generation ended meanwhile: the next assignment asks again.
      if (error === generation.ending.reason) return;
      this.#report(new KafkaError('A group callback failed', { retriable: true, cause: error }));
    }
  }

  /** Waits for the application until the deadline, and reports when it took longer. */
  async #await(name: string, work: Promise<void>, deadlineMs: number): Promise<void> {
    const { platform } = this.#cluster;
    const limitMs = this.#options.rebalanceTimeoutMs;
    const text = `${name} took longer than the rebalance timeout of ${limitMs} ms; the group goes on without it`;
    const timeout = (): Error => new TimeoutError(text, { limitMs });
    try {
      await withDeadline(
        platform,
        work,
        deadlineMs - platform.monotonicNow(),
        timeout,
        this.#patience.signal,
      );
    } catch (error) {
      if (error instanceof TimeoutError) this.#report(error);
    }
  }

  async #fail(error: unknown): Promise<void> {
    const failed = `Group ${this.#coordinator.groupId} failed: ${String(error)}`;
    const failure = error instanceof KafkaError ? error : new KafkaError(failed, { cause: error });
    this.#failure = failure;
    this.#report(failure);
    await this.#leave(this.#cluster.platform.monotonicNow() + leaveMs);
  }

  #report(error: KafkaError): void {
    const { logger } = this.#cluster;
    logger.warn?.('group trouble', { groupId: this.#coordinator.groupId, reason: error.message });
    try {
      this.#listener.onError(error);
    } catch (cause) {
      logger.error?.('onError failed', { reason: String(cause) });
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    const { platform, logger } = this.#cluster;
    const deadlineMs = platform.monotonicNow() + timeoutMs;
    const release = this.#cluster.holdOpen();
    this.#stopping = true;
    if (this.#generation !== undefined) this.#end(this.#generation, { kind: 'closed' });
    if (!this.#identity.awaitsId) this.#life.abort(this.#closedError());
    // Three quarters for giving up the partitions; leaving gets the rest.
    const limitMs = timeoutMs * 0.75;
    const timeout = (): Error =>
      new TimeoutError(`Giving up partitions took over ${limitMs} ms`, { limitMs });
    try {
      await withDeadline(platform, this.#running ?? Promise.resolve(), limitMs, timeout);
    } catch (error) {
      logger.warn?.('group closed with work left', { reason: String(error) });
    }
    this.#life.abort(this.#closedError());
    this.#patience.abort();
    this.#generation?.finish();
    this.#ownership.clear();
    await this.#leave(deadlineMs);
    this.#coordinator.lane.close();
    release();
  }

  /** Tells the coordinator, so that the group need not wait for the session to end. Never rejects. */
  async #leave(deadlineMs: number): Promise<void> {
    const { memberId } = this.#identity;
    const { groupId } = this.#coordinator;
    if (memberId === '') return;
    this.#identity.memberId = '';
    this.#identity.generationId = -1;
    const body = (version: number): Input<LeaveGroupRequest> =>
      version >= 3 ? { groupId, members: [{ memberId, reason: 'closed' }] } : { groupId, memberId };
    try {
      await this.#coordinator.repeat('LeaveGroup', { deadlineMs }, async () => {
        const { errorCode } = await this.#coordinator.ask('control', leaveGroupApi, body, { deadlineMs });
        this.#coordinator.check(errorCode, 'LeaveGroup');
      });
    } catch (error) {
      this.#cluster.logger.warn?.('leaving the group failed', { groupId, reason: String(error) });
    }
  }

  #closedError(): KafkaError {
    return closedError(`The member of group ${this.#coordinator.groupId}`);
  }
}
