/** What the cluster has agreed to run, such as `transaction.version`, as each new connection tells it.
 * Not here: what follows from a level. Invariant: what an older epoch said never replaces what a newer one said.
 * Source: KIP-584 (finalized features in ApiVersions).
 */
import type { ApiVersionsResponse } from '../../protocol/api/18-api-versions.ts';

/** The finalized features of one cluster. */
export class FinalizedFeatures {
  #epoch = -1;
  #levels: ReadonlyMap<string, number> = new Map();

  /** Takes over what a broker says, unless something newer is known. */
  learn({ finalizedFeaturesEpoch, finalizedFeatures }: ApiVersionsResponse): void {
    if (finalizedFeaturesEpoch < 0 || finalizedFeaturesEpoch < this.#epoch) return;
    this.#epoch = finalizedFeaturesEpoch;
    this.#levels = new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]));
  }

  /** The level of a feature; 0 where it is off, or nothing is known of it. */
  level(name: string): number {
    return this.#levels.get(name) ?? 0;
  }
}
