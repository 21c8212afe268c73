/** Which broker coordinates a group or a transactional id: looked up once, forgotten when a broker says so.
 * Invariant: the answer's address is kept with the node id, so a coordinator that metadata does not list is reached.
 * Source: KIP-699 (batched look-up, v4).
 */
import { KafkaError, TimeoutError } from '../../errors.ts';
import type { Address } from '../../platform.ts';
import { findCoordinatorApi } from '../../protocol/api/10-find-coordinator.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Channels } from './channels.ts';
import type { MetadataCache } from './metadata-cache.ts';
import type { ResolvedClientOptions } from './options.ts';
import { Backoff, brokerError, retryAction, sleep } from './retry.ts';

/** What is coordinated. */
export type CoordinatorType = 'group' | 'transaction';

/** How long to look. */
export interface CoordinatorOptions {
  /** On `platform.monotonicNow()`. Default: `requestTimeoutMs` from now. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Coordinator extends Address {
  readonly nodeId: number;
}

/** Finds and remembers coordinators. */
export class Coordinators {
  readonly #options: ResolvedClientOptions;
  readonly #channels: Channels;
  readonly #metadata: MetadataCache;
  readonly #known = new Map<string, Coordinator>();

  constructor(options: ResolvedClientOptions, channels: Channels, metadata: MetadataCache) {
    this.#options = options;
    this.#channels = channels;
    this.#metadata = metadata;
  }

  /** Where a node is that only a coordinator answer named. */
  addressOf(nodeId: number): Address | undefined {
    for (const coordinator of this.#known.values()) if (coordinator.nodeId === nodeId) return coordinator;
    return undefined;
  }

  /** Node id of the coordinator. Retries until the deadline; rejects with what stood in the way. */
  async find(type: CoordinatorType, key: string, options: CoordinatorOptions): Promise<number> {
    const known = this.#known.get(`${type}/${key}`);
    if (known !== undefined) return known.nodeId;
    const { platform, requestTimeoutMs } = this.#options;
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
    if (this.#known.get(name)?.nodeId === nodeId) this.#known.delete(name);
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
    const answer = await this.#channels.sendToAny(this.#metadata.candidates(), findCoordinatorApi, body, {
      timeoutMs,
      signal,
    });
    const coordinator = answer.coordinators[0] ?? answer;
    if (retryAction(coordinator.errorCode) !== 'none') {
      throw brokerError(coordinator.errorCode, `Looking up the coordinator of ${type} ${key}`, {
        stored: 'no',
      });
    }
    const { nodeId, host, port } = coordinator;
    if (nodeId < 0)
      throw brokerError(ErrorCodes.COORDINATOR_NOT_AVAILABLE, `Looking up the coordinator of ${key}`);
    this.#known.set(`${type}/${key}`, { nodeId, host, port });
    return nodeId;
  }
}
