/** One cluster under several Writers and Readers (C6): a client that is passed in, or a cluster of one's own.
 * Invariant: who made the cluster closes it; a lease of a shared one leaves it open.
 */
import { UsageError } from '../../errors.ts';
import { Cluster } from './cluster.ts';
import { clientOptionNames, optionError, type ClientOptions } from './options.ts';

/** Key under which a shared client keeps its cluster, out of the public eye. */
export const sharedCluster: unique symbol = Symbol('kafka-wire.cluster');

/** A client that several Writers and Readers share (C6); `Client` is one. */
export interface SharedClient {
  readonly [sharedCluster]: Cluster;
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
  const cluster = options.client?.[sharedCluster];
  if (cluster === undefined) throw optionError('client', 'a Client', options.client);
  return { cluster, release: () => undefined };
}
