/** What a cluster is asked to be and what it offers. The contract between `startKafka`, its two ways of serving it and the
 * tests; no behaviour of its own. */
import type { KafkaNode } from './node.ts';
import type { ListenerOption, NodePlan, Properties } from './properties.ts';

/** What to start. */
export interface KafkaOptions {
  /** Nodes, each broker and controller; default 1. Three replicate: factor 3, at least 2 in sync. */
  readonly nodes?: 1 | 3;
  /** Release; default 4.3.1. */
  readonly version?: string;
  /** Server properties over the rig's own, the same for all nodes or by node (racks, proxies). */
  readonly properties?: Properties | ((node: NodePlan) => Properties);
  /** Listeners beside the plain one, each on a port of its own: `node.addresses.get(name)`. */
  readonly listeners?: readonly ListenerOption[];
  /** Flags for StorageTool, such as `--feature`, `share.version=0` or `--add-scram`. */
  readonly formatFlags?: readonly string[];
  /** Heap limit of each node, MiB; default 320 for one node, 256 for three. */
  readonly heapMb?: number;
  /** Options of the JVM; `-XX:TieredStopAtLevel=4` for the full compiler. */
  readonly jvm?: readonly string[];
}

/** A running cluster. */
export interface KafkaCluster {
  readonly version: string;
  /** Bootstrap addresses, "host:port". */
  readonly brokers: readonly string[];
  /** The nodes by ascending id; empty for a cluster that was not started from jars. */
  readonly nodes: readonly KafkaNode[];
  /** The node with this id, 1 to 3. Throws when this launcher does not own it. */
  node(nodeId: number): KafkaNode;
  /** Kills all nodes and deletes their data; with `keepLogs` the logs stay. Idempotent. */
  close(options?: { readonly keepLogs?: boolean }): Promise<void>;
}
