/** One cluster under several Writers and Readers (C6): a client that is passed in, or a cluster of one's own.
 * Invariant: who made the cluster closes it; a lease of a shared one leaves it open.
 */
import { UsageError } from '../../errors.ts';
import { Cluster } from './cluster.ts';
import { clientOptionNames, optionError, type ClientOptions } from './options.ts';

/** A client that several Writers and Readers share (C6): a `Client`. */
export interface SharedClient {
  close(): Promise<void>;
}

/** The clusters of shared clients, out of the public eye. */
const clusters: WeakMap<SharedClient, Cluster> = /* @__PURE__ */ new WeakMap();

/** Lets others share the cluster through the client. */
export function shareCluster(client: SharedClient, cluster: Cluster): void {
  clusters.set(client, cluster);
}

/** What every constructor takes: a way to reach the cluster, or a client to share. */
export type SharedOptions = ClientOptions | { readonly client: SharedClient };

/** A use of a cluster that ends with `release`. */
export interface ClusterLease {
  readonly cluster: Cluster;
  /** Closes the cluster if this lease made it; a shared one stays. Idempotent. */
  release(): void;
}

/** Names of the options of `SharedOptions`, for `refuseUnknownOptions`. */
export function sharedOptionNames(): readonly string[] {
  return [...clientOptionNames, 'client'];
}

/** Takes the shared cluster, or makes one of its own; does no I/O. Throws a `UsageError` for wrong options. */
export function acquireCluster(options: SharedOptions): ClusterLease {
  if (!('client' in options) || options.client === undefined) {
    const cluster = new Cluster(options as ClientOptions);
    return { cluster, release: () => cluster.close() };
  }
  const given: Partial<Record<string, unknown>> = { ...options };
  const extra = clientOptionNames.find((name) => given[name] !== undefined);
  if (extra !== undefined) {
    throw new UsageError(`Options client and ${extra} exclude each other: the client decides`);
  }
  const cluster = clusters.get(options.client);
  if (cluster === undefined) throw optionError('client', 'a Client', options.client);
  return { cluster, release: () => undefined };
}
