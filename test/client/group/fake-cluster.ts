/** A group coordinator of a few lines on virtual time, behind the part of `Cluster` that the group room uses.
 * Every request and answer passes through the real tables. Not the embedded broker: no sockets, and it does what a
 * script says, also what no broker would.
 */
import { ConnectionError, TimeoutError } from '../../../src/errors.ts';
import type { CoordinatorFinder, GroupCluster } from '../../../src/client/group/coordinator.ts';
import { silentLogger, sleep, withDeadline } from '../../../src/client/cluster/index.ts';
import type {
  Duty,
  Lane,
  MetadataSnapshot,
  RequestBody,
  RequestOptions,
} from '../../../src/client/cluster/index.ts';
import type { Platform, Timer } from '../../../src/platform.ts';
import type { JoinGroupRequest } from '../../../src/protocol/api/11-join-group.ts';
import type { SyncGroupRequest } from '../../../src/protocol/api/14-sync-group.ts';
import type { OffsetCommitRequest } from '../../../src/protocol/api/08-offset-commit.ts';
import type { OffsetFetchRequest } from '../../../src/protocol/api/09-offset-fetch.ts';
import type { HeartbeatRequest } from '../../../src/protocol/api/12-heartbeat.ts';
import type { LeaveGroupRequest } from '../../../src/protocol/api/13-leave-group.ts';
import { ErrorCodes } from '../../../src/protocol/error-codes.ts';
import type { Api, Input } from '../../../src/protocol/schema.ts';

/** A request as it came in, decoded. */
export interface Sent {
  readonly api: string;
  readonly version: number;
  readonly duty: Duty;
  readonly timeMs: number;
  readonly timeoutMs: number | undefined;
  readonly node: number;
  // The tests know what they look at.
  readonly body: Record<string, unknown>;
}

/** An answer, an error instead of one, or a function that makes either, perhaps by serving the request after all. */
export type Answer =
  | object
  | Error
  | ((body: object, serve: () => Promise<object>) => object | Promise<object>);

interface Member {
  readonly id: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly { readonly name: string; readonly metadata: Uint8Array }[];
  session: Timer | undefined;
  join: ((answer: object) => void) | undefined;
  sync: ((answer: object) => void) | undefined;
  assignment: Uint8Array;
}

const { NONE, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, NOT_COORDINATOR } = ErrorCodes;

/** One group on one broker, or two. */
export class FakeBroker {
  readonly platform: Platform;
  readonly requests: Sent[] = [];
  readonly committed: Map<string, number> = new Map();
  readonly maxVersions: Map<string, number> = new Map();
  /** Node ids that do not answer, and those that refuse connections. */
  readonly frozen: Set<number> = new Set();
  readonly down: Set<number> = new Set();
  coordinatorId = 1;
  generation = 0;
  lookUps = 0;
  readonly #members = new Map<string, Member>();
  readonly #scripts = new Map<string, Answer[]>();
  readonly #clusters: FakeCluster[] = [];
  #topics: Record<string, number> = {};
  #state: 'empty' | 'preparing' | 'completing' | 'stable' = 'empty';
  #rebalance: Timer | undefined;
  #ids = 0;

  constructor(platform: Platform, topics: Record<string, number>) {
    this.platform = platform;
    this.#topics = topics;
  }

  /** A client of this broker. */
  cluster(): FakeCluster {
    const cluster = new FakeCluster(this);
    this.#clusters.push(cluster);
    return cluster;
  }

  /** What the next requests of an API get, in order; then the group's own answers again. */
  script(api: string, ...answers: readonly Answer[]): void {
    this.#scripts.set(api, [...(this.#scripts.get(api) ?? []), ...answers]);
  }

  sent(api: string): Sent[] {
    return this.requests.filter((request) => request.api === api);
  }

  memberCount(): number {
    return this.#members.size;
  }

  /** Partition counts by topic, as metadata will say; the clients hear of it at once. */
  setTopics(topics: Record<string, number>): void {
    this.#topics = topics;
    for (const cluster of this.#clusters) cluster.hear();
  }

  snapshot(version: number): MetadataSnapshot {
    const topics = Object.entries(this.#topics).map(([name, count]) => {
      const partitions = Array.from({ length: count }, (_, partition) => {
        return { partition, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1] };
      });
      return [name, { name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', errorCode: 0, partitions }] as const;
    });
    const brokers = new Map([[1, { nodeId: 1, host: 'localhost', port: 9092, rack: null }]]);
    return { version, clusterId: 'fake', controllerId: 1, brokers, topics: new Map(topics) };
  }

  async answer(api: string, body: object, node: number): Promise<object> {
    const serve = (): Promise<object> => this.#serve(api, body, node);
    const script = this.#scripts.get(api)?.shift();
    if (script === undefined) return serve();
    if (script instanceof Error) throw script;
    return typeof script === 'function' ? script(body, serve) : script;
  }

  async #serve(api: string, body: object, node: number): Promise<object> {
    if (node !== this.coordinatorId) return refusal(api, body, NOT_COORDINATOR);
    switch (api) {
      case 'JoinGroup':
        return this.#join(body as JoinGroupRequest);
      case 'SyncGroup':
        return this.#sync(body as SyncGroupRequest);
      case 'Heartbeat':
        return this.#heartbeat(body as HeartbeatRequest);
      case 'LeaveGroup':
        return this.#leave(body as LeaveGroupRequest);
      case 'OffsetCommit':
        return this.#commit(body as OffsetCommitRequest);
      case 'OffsetFetch':
        return this.#fetch(body as OffsetFetchRequest);
      default:
        throw new Error(`the fake coordinator has no ${api}`);
    }
  }

  #join(request: JoinGroupRequest): object | Promise<object> {
    if (request.memberId === '') {
      return { errorCode: ErrorCodes.MEMBER_ID_REQUIRED, memberId: this.#admit(`member-${++this.#ids}`).id };
    }
    const member = this.#members.get(request.memberId);
    if (member === undefined) return { errorCode: UNKNOWN_MEMBER_ID };
    const { sessionTimeoutMs, rebalanceTimeoutMs, protocols } = request;
    Object.assign(member, { sessionTimeoutMs, rebalanceTimeoutMs, protocols });
    member.session?.cancel();
    return new Promise((resolve) => {
      member.join = resolve;
      this.#prepare();
    });
  }

  #admit(id: string): Member {
    const member: Member = {
      id,
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 60_000,
      protocols: [],
      session: undefined,
      join: undefined,
      sync: undefined,
      assignment: new Uint8Array(),
    };
    this.#members.set(id, member);
    this.#touch(member);
    return member;
  }

  /** Restarts the member's session. */
  #touch(member: Member): void {
    member.session?.cancel();
    member.session = this.platform.setTimer(member.sessionTimeoutMs, () => this.remove(member.id));
  }

  /** Removes a member as an expired session does. */
  remove(id: string): void {
    const member = this.#members.get(id);
    member?.session?.cancel();
    member?.join?.({ errorCode: UNKNOWN_MEMBER_ID });
    member?.sync?.({ errorCode: UNKNOWN_MEMBER_ID });
    if (this.#members.delete(id)) this.#prepare();
  }

  #prepare(): void {
    if (this.#state !== 'preparing') {
      this.#state = 'preparing';
      for (const member of this.#members.values()) {
        member.sync?.({ errorCode: REBALANCE_IN_PROGRESS });
        member.sync = undefined;
      }
      const limitMs = Math.max(
        0,
        ...Array.from(this.#members.values(), (member) => member.rebalanceTimeoutMs),
      );
      this.#rebalance = this.platform.setTimer(limitMs, () => this.#complete());
    }
    if ([...this.#members.values()].every((member) => member.join !== undefined)) this.#complete();
  }

  #complete(): void {
    this.#rebalance?.cancel();
    for (const member of this.#members.values()) {
      if (member.join !== undefined) continue;
      member.session?.cancel();
      this.#members.delete(member.id);
    }
    const members = [...this.#members.values()];
    const leader = members[0];
    this.#state = leader === undefined ? 'empty' : 'completing';
    if (leader === undefined) return;
    this.generation++;
    const protocolName = leader.protocols[0]?.name ?? '';
    for (const member of members) {
      const all = members.map(({ id, protocols }) => {
        return { memberId: id, metadata: protocols.find(({ name }) => name === protocolName)?.metadata };
      });
      member.join?.({
        generationId: this.generation,
        protocolType: 'consumer',
        protocolName,
        leader: leader.id,
        memberId: member.id,
        members: member === leader ? all : [],
      });
      member.join = undefined;
      this.#touch(member);
    }
  }

  /** The member, or what is wrong with how it names itself. */
  #known(memberId: string, generation: number): Member | number {
    const member = this.#members.get(memberId);
    if (member === undefined) return UNKNOWN_MEMBER_ID;
    return generation === this.generation ? member : ILLEGAL_GENERATION;
  }

  #sync(request: SyncGroupRequest): object | Promise<object> {
    const member = this.#known(request.memberId, request.generationId);
    if (typeof member === 'number') return { errorCode: member };
    if (this.#state === 'preparing') return { errorCode: REBALANCE_IN_PROGRESS };
    const byName = { protocolType: 'consumer', protocolName: request.protocolName };
    if (this.#state === 'stable') return { ...byName, assignment: member.assignment };
    return new Promise((resolve) => {
      member.sync = (answer) => resolve({ ...byName, ...answer });
      if (request.assignments.length === 0) return;
      for (const { memberId, assignment } of request.assignments) {
        const of = this.#members.get(memberId);
        if (of !== undefined) of.assignment = assignment;
      }
      this.#state = 'stable';
      for (const each of this.#members.values()) {
        each.sync?.({ assignment: each.assignment });
        each.sync = undefined;
      }
    });
  }

  #heartbeat(request: HeartbeatRequest): object {
    const member = this.#known(request.memberId, request.generationId);
    if (typeof member === 'number') return { errorCode: member };
    this.#touch(member);
    return { errorCode: this.#state === 'preparing' ? REBALANCE_IN_PROGRESS : NONE };
  }

  #leave(request: LeaveGroupRequest): object {
    const ids = [request.memberId, ...request.members.map((member) => member.memberId)].filter(
      (id) => id !== '',
    );
    for (const id of ids) this.remove(id);
    return { members: request.members };
  }

  #commit(request: OffsetCommitRequest): object {
    const member = this.#known(request.memberId, request.generationIdOrMemberEpoch);
    const errorCode = typeof member === 'number' ? member : NONE;
    return commitAnswer(request, (topic, partition, offset) => {
      if (errorCode === NONE) this.committed.set(`${topic}:${partition}`, offset);
      return errorCode;
    });
  }

  #fetch(request: OffsetFetchRequest): object {
    const group = request.groups[0] ?? request;
    const topics = (group.topics ?? []).map(({ name, partitionIndexes }) => {
      const partitions = partitionIndexes.map((partitionIndex) => {
        const committedOffset = this.committed.get(`${name}:${partitionIndex}`) ?? -1;
        return { partitionIndex, committedOffset, metadata: '' };
      });
      return { name, partitions };
    });
    return request.groups.length > 0 ? { groups: [{ groupId: group.groupId, topics }] } : { topics };
  }
}

/** An OffsetCommit answer with a code for each partition. */
export function commitAnswer(
  body: object,
  codeOf: (topic: string, partition: number, offset: number) => number,
): object {
  const topics = (body as OffsetCommitRequest).topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, committedOffset }) => ({
      partitionIndex,
      errorCode: codeOf(name, partitionIndex, committedOffset),
    })),
  }));
  return { topics };
}

/** An answer of any group API that consists of an error code. */
export function refusal(api: string, body: object, errorCode: number): object {
  if (api === 'OffsetCommit') return commitAnswer(body, () => errorCode);
  if (api !== 'OffsetFetch') return { errorCode };
  const { groups } = body as OffsetFetchRequest;
  return groups.length === 0 ? { errorCode } : { groups: [{ groupId: groups[0]?.groupId ?? '', errorCode }] };
}

/** One client's view of the fake broker. */
export class FakeCluster implements GroupCluster, CoordinatorFinder {
  readonly platform: Platform;
  readonly logger = silentLogger;
  readonly requestTimeoutMs = 30_000;
  snapshot: MetadataSnapshot;
  topicsInUse = 0;
  /** Cut off: nothing goes out any more, as for a killed process. */
  dead = false;
  readonly #broker: FakeBroker;
  readonly #listeners = new Set<(snapshot: MetadataSnapshot) => void>();
  #coordinator: number | undefined;

  constructor(broker: FakeBroker) {
    this.#broker = broker;
    this.platform = broker.platform;
    this.snapshot = broker.snapshot(1);
  }

  /** Takes over the newest metadata. */
  hear(): void {
    this.snapshot = this.#broker.snapshot(this.snapshot.version + 1);
    for (const listener of this.#listeners) listener(this.snapshot);
  }

  useTopics(topics: Iterable<string>): () => void {
    const count = [...topics].length;
    this.topicsInUse += count;
    return () => void (this.topicsInUse -= count);
  }

  async refresh(): Promise<MetadataSnapshot> {
    await sleep(this.platform, 1);
    this.hear();
    return this.snapshot;
  }

  onSnapshot(listener: (snapshot: MetadataSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  openLane(): Lane {
    return { duty: 'group', close: () => undefined };
  }

  async find(
    _type: 'group' | 'transaction',
    _key: string,
    options: { readonly deadlineMs?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number> {
    if (this.#coordinator !== undefined) return this.#coordinator;
    const { coordinatorId } = this.#broker;
    const deadlineMs = options.deadlineMs ?? this.platform.monotonicNow() + this.requestTimeoutMs;
    await sleep(this.platform, 1, options.signal);
    while (this.dead || this.#broker.down.has(coordinatorId)) {
      const leftMs = deadlineMs - this.platform.monotonicNow();
      if (leftMs <= 0) throw new TimeoutError('no coordinator', { limitMs: 0 });
      await sleep(this.platform, Math.min(leftMs, 100), options.signal);
    }
    this.#broker.lookUps++;
    this.#coordinator = this.#broker.coordinatorId;
    return this.#coordinator;
  }

  forget(_type: 'group' | 'transaction', _key: string, nodeId: number): void {
    if (this.#coordinator === nodeId) this.#coordinator = undefined;
  }

  holdOpen(): () => void {
    return this.platform.holdOpen();
  }

  async send<Req, Res>(
    node: number,
    duty: Duty,
    api: Api<Req, Res>,
    body: RequestBody<Req>,
    options: RequestOptions = {},
  ): Promise<Res> {
    const { timeoutMs, signal, maxVersion = 99 } = options;
    const most = this.#broker.maxVersions.get(api.name) ?? 99;
    const version = Math.min(api.request.versions.max, maxVersion, most);
    const value = typeof body === 'function' ? (body as (version: number) => Input<Req>)(version) : body;
    const request = api.request.decode(api.request.encode(value, version), version, { strict: true });
    signal?.throwIfAborted();
    const exchange = async (): Promise<object> => {
      await sleep(this.platform, 1);
      if (this.dead || this.#broker.frozen.has(node)) return new Promise<object>(() => undefined);
      if (this.#broker.down.has(node))
        throw new ConnectionError('refused', { code: 'CONNECT', stored: 'no' });
      const timeMs = this.platform.monotonicNow();
      const seen = { ...request } as Record<string, unknown>;
      this.#broker.requests.push({ api: api.name, version, duty, timeMs, timeoutMs, node, body: seen });
      const answer = await this.#broker.answer(api.name, seen, node);
      await sleep(this.platform, 1);
      return answer;
    };
    const limitMs = timeoutMs ?? this.requestTimeoutMs;
    const timeout = (): Error => new TimeoutError(`${api.name} was not answered`, { limitMs });
    const answer = await withDeadline(this.platform, exchange(), limitMs, timeout, signal);
    return api.response.decode(api.response.encode(answer as Input<Res>, version), version);
  }
}
