/** The way to the group's coordinator: found when needed, forgotten when it was wrong or gone, asked again with backoff.
 * Does not know what is asked. Invariant: a coordinator that refused or did not answer is looked up anew before the
 * next request.
 */
import { ConnectionError, TimeoutError } from '../../errors.ts';
import type { Api } from '../../protocol/schema.ts';
import {
  brokerError,
  retryAction,
  repeat,
  type Cluster,
  type Coordinators,
  type Duty,
  type Lane,
  type Patience,
  type RequestBody,
} from '../cluster/index.ts';

/** What this room needs of a cluster. */
export type GroupCluster = Pick<
  Cluster,
  | 'platform'
  | 'logger'
  | 'requestTimeoutMs'
  | 'snapshot'
  | 'useTopics'
  | 'refresh'
  | 'onSnapshot'
  | 'send'
  | 'openLane'
  | 'holdOpen'
>;

/** What this room needs to find its coordinator. */
export type CoordinatorFinder = Pick<Coordinators, 'find' | 'forget'>;

/** How to ask once. */
export interface AskOptions {
  /** For the look-up. On `platform.monotonicNow()`; default: `requestTimeoutMs` from now. */
  readonly deadlineMs?: number | undefined;
  /** For the request; default `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly maxVersion?: number | undefined;
}

/** Reaches the coordinator of one group. */
export class GroupCoordinator {
  readonly cluster: GroupCluster;
  readonly groupId: string;
  /** For JoinGroup and SyncGroup, which wait for the other members. */
  readonly lane: Lane;
  readonly #coordinators: CoordinatorFinder;
  #nodeId = -1;

  constructor(cluster: GroupCluster, coordinators: CoordinatorFinder, groupId: string) {
    this.cluster = cluster;
    this.#coordinators = coordinators;
    this.groupId = groupId;
    this.lane = cluster.openLane('group');
  }

  /** Looks the coordinator up, if it is not known. */
  async find({ deadlineMs, signal }: AskOptions): Promise<number> {
    this.#nodeId = await this.#coordinators.find('group', this.groupId, { deadlineMs, signal });
    return this.#nodeId;
  }

  /** Asks once. Rejects as `Coordinators.find` and `Cluster.send` do. */
  async ask<Req, Res>(
    duty: Duty,
    api: Api<Req, Res>,
    body: RequestBody<Req>,
    options: AskOptions = {},
  ): Promise<Res> {
    const { signal, timeoutMs, maxVersion } = options;
    const nodeId = await this.find(options);
    try {
      return await this.cluster.send(nodeId, duty, api, body, { timeoutMs, signal, maxVersion });
    } catch (error) {
      if (error instanceof ConnectionError || error instanceof TimeoutError) this.#forget();
      throw error;
    }
  }

  /** Throws a `BrokerError` unless the code is 0, and draws the conclusion about who coordinates. */
  check(errorCode: number, what: string, topic?: string, partition?: number): void {
    const action = retryAction(errorCode);
    if (action === 'none') return;
    if (action === 'find-coordinator') this.#forget();
    const where = topic === undefined || partition === undefined ? {} : { topic, partition };
    throw brokerError(errorCode, `${what} of group ${this.groupId}`, where);
  }

  /** Repeats `attempt` as `repeat` of the cluster room does. */
  repeat<T>(what: string, patience: Patience, attempt: () => Promise<T>): Promise<T> {
    const failed = `${what} of group ${this.groupId} did not succeed`;
    return repeat(this.cluster.platform, failed, patience, attempt);
  }

  #forget(): void {
    this.#coordinators.forget('group', this.groupId, this.#nodeId);
  }
}
