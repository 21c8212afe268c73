/** The groups of a cluster, by id. Not here: a group's states (group.ts), its coordinator (cluster-state.ts).
 * Invariant: a group is created once and lives as long as the cluster; only a join or a commit creates one.
 */
import type { Platform } from '../platform.ts';
import { Group } from './group.ts';

/** All groups, in the order they came. */
export class Groups {
  readonly #platform: Platform;
  readonly #initialDelayMs: number;
  readonly #groups = new Map<string, Group>();

  constructor(platform: Platform, initialDelayMs: number) {
    this.#platform = platform;
    this.#initialDelayMs = initialDelayMs;
  }

  get all(): Group[] {
    return [...this.#groups.values()];
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId);
  }

  getOrCreate(groupId: string): Group {
    const known = this.#groups.get(groupId);
    if (known !== undefined) return known;
    const group = new Group(groupId, this.#platform, this.#initialDelayMs);
    this.#groups.set(groupId, group);
    return group;
  }

  close(): void {
    for (const group of this.#groups.values()) group.close();
  }
}
