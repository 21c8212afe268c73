/** One broker of a cluster: a listening socket and its connections. Not here: what it serves (handlers), the shared
 * state (cluster-state.ts).
 * Invariant: after `stop` nothing of it is left, and its next start is at the same address.
 */
import { UsageError } from '../errors.ts';
import type { Listener, Transport } from '../platform.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Node } from './node.ts';
import { serveConnection } from './connection.ts';
import type { HandlerTable } from './handlers/index.ts';

interface Served {
  readonly transport: Transport;
  readonly ending: AbortController;
  readonly done: Promise<void>;
}

/** A broker; `node` is how the cluster knows it. */
export class Broker {
  readonly node: Node;
  readonly #cluster: ClusterState;
  readonly #handlers: HandlerTable;
  readonly #connections = new Set<Served>();
  #listener: Listener | undefined;

  constructor(node: Node, cluster: ClusterState, handlers: HandlerTable) {
    this.node = node;
    this.#cluster = cluster;
    this.#handlers = handlers;
  }

  /** Listens, at its old port if it had one, and takes over partitions that have no leader. */
  async start(): Promise<void> {
    const { listen, name } = this.#cluster.settings.platform;
    if (listen === undefined)
      throw new UsageError(`The runtime ${name} cannot listen; give a platform that can`);
    const { host, port } = this.node;
    this.#listener = await listen({ host, port }, (transport) => this.#accept(transport));
    this.node.port = this.#listener.address.port;
    this.#cluster.setRunning(this.node, true);
  }

  /** Dies as a killed process does: its connections are reset, and others lead its partitions. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    const connections = [...this.#connections];
    for (const { transport, ending } of connections) {
      transport.abort();
      ending.abort();
    }
    if (this.node.isRunning) this.#cluster.setRunning(this.node, false);
    await listener?.close();
    await Promise.all(connections.map(({ done }) => done));
  }

  #accept(transport: Transport): void {
    if (this.#listener === undefined) {
      transport.abort();
      return;
    }
    const ending = new AbortController();
    const owner = { cluster: this.#cluster, nodeId: this.node.nodeId, handlers: this.#handlers };
    const served: Served = { transport, ending, done: serveConnection(transport, owner, ending.signal) };
    this.#connections.add(served);
    served.done.finally(() => {
      this.#connections.delete(served);
      ending.abort();
    });
  }
}
