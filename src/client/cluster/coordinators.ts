/** Which broker coordinates a group or a transactional id: looked up once, forgotten when a broker says so.
 * Invariant: the cluster learns the answer's address, so a coordinator that metadata does not list is reached.
 * Source: KIP-699 (batched look-up, v4).
 */
import { KafkaError, TimeoutError } from '../../errors.ts';
import { findCoordinatorApi } from '../../protocol/api/10-find-coordinator.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { anyBroker, type Cluster } from './cluster.ts';
import { Backoff, brokerError, sleep } from './retry.ts';

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
    const beganMs = platform.monotonicNow();
    const deadlineMs = options.deadlineMs ?? beganMs + requestTimeoutMs;
    const backoff = new Backoff(platform);
    for (;;) {
      const leftMs = deadlineMs - platform.monotonicNow();
      let failure: unknown;
      try {
        return await this.#ask(type, key, Math.min(requestTimeoutMs, Math.max(1, leftMs)), options.signal);
      } catch (error) {
        failure = error;
        if (!(error instanceof KafkaError) || !error.retriable || options.signal?.aborted) throw error;
      }
      const waitMs = backoff.next();
      if (platform.monotonicNow() + waitMs >= deadlineMs) {
        const limitMs = Math.round(deadlineMs - beganMs);
        const text = `No coordinator of ${type} ${key} within ${limitMs} ms`;
        throw new TimeoutError(text, { limitMs, stored: 'no', cause: failure });
      }
      await sleep(platform, waitMs, options.signal);
    }
  }

  /** Drops what is known, if it is still that node. */
  forget(type: CoordinatorType, key: string, nodeId: number): void {
    const name = `${type}/${key}`;
    if (this.#known.get(name) === nodeId) this.#known.delete(name);
  }

  async #ask(
    type: CoordinatorType,
    key: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const keyType = type === 'group' ? 0 : 1;
    const body = (version: number): object =>
      version >= 4 ? { keyType, coordinatorKeys: [key] } : { keyType, key };
    const options = { timeoutMs, signal };
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
