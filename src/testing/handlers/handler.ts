/** What a handler of one API is, and what it is given: one file per API beside this one, and index.ts lists them.
 * Not here: frames, order and sockets (../connection.ts).
 * Invariant: a handler changes shared state only through `attempt`, so every fault finds its natural place.
 */
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { encodeResponse } from '../../protocol/frame.ts';
import type { ByteReader } from '../../protocol/reader.ts';
import type { Api, Input } from '../../protocol/schema.ts';
import type { ClusterState } from '../cluster-state.ts';
import type { Node } from '../node.ts';
import type { CoordinatorType } from '../coordinators.ts';
import type { RequestFaults, RequestOrigin, Verdict } from '../faults.ts';
import type { Group } from '../group.ts';
import type { Partition, Topic } from '../topic.ts';
import { wait } from '../wait.ts';

/** What the answer to a request is besides its parts: none (acks 0), none ever again, or the connection's end. */
export type NoAnswer = 'none' | 'silence' | 'disconnect';

/** What a handler makes of a request: a body (absent fields take Kafka's defaults), or no answer. */
export type Reply<Response> = Input<Response> | 'none' | 'disconnect';

/** A request on its way: where it came from, and what the handlers share. */
export class RequestContext {
  readonly cluster: ClusterState;
  readonly origin: RequestOrigin;
  readonly faults: RequestFaults;
  /** Fires when the connection ends: nobody waits for the answer any more. */
  readonly signal: AbortSignal;

  constructor(cluster: ClusterState, origin: RequestOrigin, faults: RequestFaults, signal: AbortSignal) {
    this.cluster = cluster;
    this.origin = origin;
    this.faults = faults;
    this.signal = signal;
  }

  get nodeId(): number {
    return this.origin.nodeId;
  }

  get apiVersion(): number {
    return this.origin.apiVersion;
  }

  get clientId(): string {
    return this.origin.clientId;
  }

  /** As Kafka prints the address of a client; a transport does not tell it. */
  get clientHost(): string {
    return '/127.0.0.1';
  }

  /** Does one part of a request, the whole of it where it names no topic: `effect`, unless a fault says otherwise. */
  attempt<T>(effect: () => T, refuse: (errorCode: number) => T, topic?: string, partition?: number): T;
  attempt<T>(
    effect: () => Promise<T>,
    refuse: (errorCode: number) => T,
    topic?: string,
    partition?: number,
  ): Promise<T>;
  attempt<T>(
    effect: () => T | Promise<T>,
    refuse: (errorCode: number) => T,
    topic?: string,
    partition?: number,
  ): T | Promise<T> {
    const { errorCode, hasEffect = true } = this.faults.at(topic, partition) ?? {};
    if (!hasEffect) return refuse(errorCode ?? 0);
    const done = effect();
    if (errorCode === undefined) return done;
    return done instanceof Promise ? done.then(() => refuse(errorCode)) : refuse(errorCode);
  }

  /** The topic a request names, by its id where the version has ids; or the error code for not finding it. */
  topic(name: string, topicId: string, firstVersionWithIds: number): Topic | number {
    if (this.apiVersion < firstVersionWithIds) {
      return this.cluster.topics.get(name) ?? ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
    }
    return this.cluster.topicById(topicId) ?? ErrorCodes.UNKNOWN_TOPIC_ID;
  }

  /** The partition, if this broker may serve it: as its leader, or, with `followerToo`, as any replica (KIP-392).
   * Else the error code. An epoch of -1 is not compared (KIP-320).
   */
  partition(topic: Topic, index: number, leaderEpoch: number, followerToo: boolean): Partition | number {
    const partition = topic.partitions[index];
    // A request may still hold a topic that was deleted while it waited.
    if (partition === undefined || this.cluster.topicById(topic.topicId) === undefined)
      return ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
    if (!partition.replicas.includes(this.nodeId)) return ErrorCodes.NOT_LEADER_OR_FOLLOWER;
    if (leaderEpoch >= 0 && leaderEpoch < partition.leaderEpoch) return ErrorCodes.FENCED_LEADER_EPOCH;
    if (leaderEpoch > partition.leaderEpoch) return ErrorCodes.UNKNOWN_LEADER_EPOCH;
    if (!followerToo && partition.leader !== this.nodeId) return ErrorCodes.NOT_LEADER_OR_FOLLOWER;
    return partition;
  }

  /** 0 when this broker coordinates the group, or the transactional id, else the error code. */
  coordinatorError(key: string, type: CoordinatorType = 'group'): number {
    return this.cluster.coordinatorError(type, key, this.nodeId);
  }

  /** As `coordinatorError` for requests that only groups with a name can send. */
  memberRequestError(groupId: string): number {
    return groupId === '' ? ErrorCodes.INVALID_GROUP_ID : this.coordinatorError(groupId);
  }

  /** As `coordinatorError` for requests about a transaction. */
  transactionError(transactionalId: string): number {
    return transactionalId === ''
      ? ErrorCodes.INVALID_REQUEST
      : this.coordinatorError(transactionalId, 'transaction');
  }

  /** The error code for this version of the request: before `firstVersion` clients do not know PRODUCER_FENCED (KIP-588). */
  fencingError(errorCode: number, firstVersion: number): number {
    const isNew = errorCode === ErrorCodes.PRODUCER_FENCED && this.apiVersion < firstVersion;
    return isNew ? ErrorCodes.INVALID_PRODUCER_EPOCH : errorCode;
  }

  group(groupId: string): Group | undefined {
    return this.cluster.groups.get(groupId);
  }

  /** Resolves after `delayMs`, when one of the partitions changes, or when the connection ends. */
  wait(delayMs: number, partitions: readonly Partition[] = []): Promise<void> {
    return wait(this.cluster.settings.platform, delayMs, this.signal, partitions);
  }
}

/** Where to find the leaders that an answer names (KIP-951). */
export class LeaderHints {
  readonly #cluster: ClusterState;
  readonly #nodes = new Map<number, Node>();

  constructor(cluster: ClusterState) {
    this.#cluster = cluster;
  }

  /** The leader of a partition for an answer's `currentLeader`. */
  of(partition: Partition | undefined): { leaderId: number; leaderEpoch: number } {
    const node = this.#cluster.nodes.get(partition?.leader ?? -1);
    if (node !== undefined) this.#nodes.set(node.nodeId, node);
    return { leaderId: partition?.leader ?? -1, leaderEpoch: partition?.leaderEpoch ?? -1 };
  }

  /** For the answer's `nodeEndpoints`. */
  get endpoints(): { nodeId: number; host: string; port: number }[] {
    return Array.from(this.#nodes.values(), ({ nodeId, host, port }) => ({ nodeId, host, port }));
  }
}

/** A handler, its types hidden: what a connection needs of it. */
export interface Handler {
  readonly api: Api<never, never> | Api<unknown, unknown>;
  /** Decodes a body, lets hooks and faults have their way, and makes the parts of the answer.
   * Throws what the decoder says of a malformed body, or what a hook threw.
   */
  serve(body: ByteReader, context: RequestContext, frameBytes: number): Promise<Uint8Array[] | NoAnswer>;
}

/** Makes a handler of one API. */
export function handler<Request, Response>(
  api: Api<Request, Response>,
  handle: (request: Request, context: RequestContext) => Reply<Response> | Promise<Reply<Response>>,
): Handler {
  return {
    api,
    async serve(body, context, frameBytes) {
      const { cluster, origin, faults } = context;
      const request = api.request.decode(body, origin.apiVersion);
      const atMs = cluster.settings.platform.now();
      cluster.faults.record({ ...origin, apiKey: api.key, atMs, request }, frameBytes);
      const verdict = (await cluster.faults.intercept(api.key, request, origin)) as Verdict<Response>;
      if (verdict === 'silence' || verdict === 'disconnect') return verdict;
      const reply = verdict ?? (faults.preventsAll ? 'none' : await handle(request, context));
      if (faults.outcome !== 'answer') return faults.outcome;
      if (reply === 'none' || reply === 'disconnect') return reply;
      if (faults.delayMs > 0) await context.wait(faults.delayMs);
      const { throttleMs } = faults;
      const answer = throttleMs > 0 ? { ...(reply as object), throttleTimeMs: throttleMs } : reply;
      return encodeResponse(api, origin.apiVersion, origin.correlationId, answer as Input<Response>);
    },
  };
}
