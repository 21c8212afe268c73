/** Which broker coordinates a group or a transactional id: looked up once, forgotten when a broker says so.
 * Invariant: the cluster learns the answer's address, so a coordinator that metadata does not list is reached.
 * Source: KIP-699 (batched look-up, v4).
 */
import { findCoordinatorApi } from '../../protocol/api/10-find-coordinator.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { RequestOptions } from '../connection/connection.ts';
import { anyBroker, type Cluster } from './cluster.ts';
import { brokerError, repeat } from './retry.ts';

/** What is coordinated. */
export type CoordinatorType = 'group' | 'transaction';

/** How long to look. */
export interface CoordinatorOptions {
  /** On `platform.monotonicNow()`. Default: `requestTimeoutMs` from now. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What it needs of a cluster. */
type CoordinatorCluster = Pick<Cluster, 'platform' | 'requestTimeoutMs' | 'send' | 'learnAddress'>;

/** Finds and remembers coordinators. Made by the rooms that need it, so that a Writer alone does not carry it. */
export class Coordinators {
  readonly #cluster: CoordinatorCluster;
  readonly #known = new Map<string, number>();

  constructor(cluster: CoordinatorCluster) {
    this.#cluster = cluster;
  }

  /** Node id of the coordinator, from the cache or looked up until the deadline. Rejects with what stood in the way. */
  async find(type: CoordinatorType, key: string, options: CoordinatorOptions = {}): Promise<number> {
    const known = this.#known.get(`${type}/${key}`);
    if (known !== undefined) return known;
    const { platform, requestTimeoutMs } = this.#cluster;
    const { signal, deadlineMs = platform.monotonicNow() + requestTimeoutMs } = options;
    const failed = `No coordinator of ${type} ${key}`;
    return repeat(platform, failed, { deadlineMs, signal }, () => {
      const timeoutMs = Math.min(requestTimeoutMs, Math.max(1, deadlineMs - platform.monotonicNow()));
      return this.#ask(type, key, { timeoutMs, signal });
    });
  }

  /** Drops what is known, if it is still that node. */
  forget(type: CoordinatorType, key: string, nodeId: number): void {
    const name = `${type}/${key}`;
    if (this.#known.get(name) === nodeId) this.#known.delete(name);
  }

  async #ask(type: CoordinatorType, key: string, options: RequestOptions): Promise<number> {
    const keyType = type === 'group' ? 0 : 1;
    const body = (version: number): object =>
      version >= 4 ? { keyType, coordinatorKeys: [key] } : { keyType, key };
    const answer = await this.#cluster.send(anyBroker, 'control', findCoordinatorApi, body, options);
    const { errorCode, nodeId, host, port } = answer.coordinators[0] ?? answer;
    const code =
      errorCode === ErrorCodes.NONE && nodeId < 0 ? ErrorCodes.COORDINATOR_NOT_AVAILABLE : errorCode;
    if (code !== ErrorCodes.NONE) throw brokerError(code, `Finding the coordinator of ${type} ${key}`);
    this.#cluster.learnAddress(nodeId, { host, port });
    this.#known.set(`${type}/${key}`, nodeId);
    return nodeId;
  }
}
