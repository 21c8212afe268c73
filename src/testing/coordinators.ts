/** Which broker coordinates a group or a transactional id, and since when. Not here: what it coordinates.
 * Invariant: a coordinator is a running node, or there is none.
 */
import type { Platform } from '../platform.ts';
import { ErrorCodes } from '../protocol/error-codes.ts';
import type { Node } from './node.ts';

/** What a broker can coordinate. */
export type CoordinatorType = 'group' | 'transaction';

/** The coordinators of a cluster. */
export class Coordinators {
  readonly #platform: Platform;
  readonly #nodes: readonly Node[];
  readonly #chosen = new Map<string, { readonly nodeId: number; readonly loadedAtMs: number }>();

  constructor(platform: Platform, nodes: readonly Node[]) {
    this.#platform = platform;
    this.#nodes = nodes;
  }

  /** The coordinator: by the key's hash, the next node where that one is down; undefined while no node runs. */
  find(type: CoordinatorType, key: string): Node | undefined {
    const nodes = this.#nodes;
    const chosen = this.#chosen.get(`${type} ${key}`)?.nodeId;
    const first =
      chosen === undefined ? hash(key) % nodes.length : nodes.findIndex((n) => n.nodeId === chosen);
    return [...nodes.slice(first), ...nodes.slice(0, first)].find(({ isRunning }) => isRunning);
  }

  /** Makes a node the coordinator, which has read its state only after `loadingMs`. */
  choose(type: CoordinatorType, key: string, nodeId: number, loadingMs: number): void {
    const loadedAtMs = this.#platform.monotonicNow() + loadingMs;
    this.#chosen.set(`${type} ${key}`, { nodeId, loadedAtMs });
  }

  /** 0 when the node coordinates the key, else the error code. */
  error(type: CoordinatorType, key: string, nodeId: number): number {
    if (this.find(type, key)?.nodeId !== nodeId) return ErrorCodes.NOT_COORDINATOR;
    const loadedAtMs = this.#chosen.get(`${type} ${key}`)?.loadedAtMs ?? 0;
    return this.#platform.monotonicNow() < loadedAtMs ? ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS : 0;
  }
}

/** Java's String.hashCode without its sign, as Kafka places groups and transactional ids. */
export function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) | 0;
  return value & 0x7fff_ffff;
}
