/** The options of an embedded cluster, their defaults, and the checks that name a wrong one.
 * Invariant: an error names the option, what it must be and what it is.
 */
import { UsageError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { ClusterSettings } from './cluster-state.ts';
import type { Node } from './node.ts';
import type { ApiKey } from './faults.ts';
import { randomUuid } from './uuid.ts';

/** A topic to create. */
export interface NewTopic {
  /** 1 to 249 letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** 1 to 10,000. Default: the cluster's `defaultPartitions`. */
  readonly partitions?: number;
  /** 1 to the number of brokers. Default: 3, or as many as there are. */
  readonly replicationFactor?: number;
  /** Kafka's topic settings by name. Honoured are `max.message.bytes`, `message.timestamp.type`,
   * `message.timestamp.after.max.ms`, `min.insync.replicas`, and of `cleanup.policy` that compacted topics want keys.
   */
  readonly config?: Readonly<Record<string, string>>;
}

/** How to start a cluster. */
export interface EmbeddedClusterOptions {
  /** Number of brokers, 1 to 100; their ids are 1, 2, 3 ... Default 1. */
  readonly brokers?: number;
  /** Topics to begin with. Default none. */
  readonly topics?: readonly NewTopic[];
  /** Where to listen. */
  readonly listen?: {
    /** Default `127.0.0.1`. */
    readonly host?: string;
    /** A port for each broker. Default: free ones. */
    readonly ports?: readonly number[];
  };
  /** Sockets, clock, timers and random numbers. Default: the runtime's. Tests pass `virtualWorld().platform`. */
  readonly platform?: Platform;
  /** Whether asking for an unknown topic creates it, if the client allows. Default true.
   * Kafka: `auto.create.topics.enable`. */
  readonly autoCreateTopics?: boolean;
  /** Partitions of topics that do not say how many, 1 to 10,000. Default 1. Kafka: `num.partitions`. */
  readonly defaultPartitions?: number;
  /** Milliseconds for which the first rebalance of an empty group waits for more members, 0 to 3,600,000.
   * Default 0. Kafka: `group.initial.rebalance.delay.ms` (there 3,000). */
  readonly initialRebalanceDelayMs?: number;
  /** Shortest session a member may ask for, in milliseconds, 1 to 1,800,000. Default 100.
   * Kafka: `group.min.session.timeout.ms` (there 6,000). */
  readonly minSessionTimeoutMs?: number;
  /** Level of the feature transaction.version that is finalized (KIP-890), 1 or 2. Default 2. */
  readonly transactionVersion?: 1 | 2;
  /** Longest transaction a producer may ask for, in milliseconds, 1 to 2,147,483,647. Default 900,000.
   * Kafka: `transaction.max.timeout.ms`. */
  readonly maxTransactionTimeoutMs?: number;
  /** Milliseconds between the decision on a transaction and its markers, 0 to 600,000; the next transaction of that
   * producer is told CONCURRENT_TRANSACTIONS for as long. Default 0: at once. */
  readonly markerDelayMs?: number;
  /** Largest request in bytes, 1,024 to 1 GiB. Default 100 MiB. Kafka: `socket.request.max.bytes`. */
  readonly maxFrameBytes?: number;
  /** Highest versions to offer, as an older broker would: `[[fetchApi, 12]]`. Default: those of Kafka 4.4. */
  readonly maxVersions?: readonly (readonly [ApiKey, number])[];
  /** Whether the running cluster keeps the process alive. Default: true on the runtime's platform, false on a given one. */
  readonly holdOpen?: boolean;
}

const known: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'brokers',
  'topics',
  'listen',
  'platform',
  'autoCreateTopics',
  'defaultPartitions',
  'initialRebalanceDelayMs',
  'minSessionTimeoutMs',
  'transactionVersion',
  'maxTransactionTimeoutMs',
  'markerDelayMs',
  'maxFrameBytes',
  'maxVersions',
  'holdOpen',
]);
const maxSessionTimeoutMs = 1_800_000;

function integer(option: string, value: unknown, fallback: number, min: number, max: number): number {
  const number = value ?? fallback;
  if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number;
  throw new UsageError(`Option ${option} must be an integer from ${min} to ${max}; got ${String(value)}`);
}

/** What the options come to: settings and brokers. Throws UsageError. */
export function resolveOptions(
  options: EmbeddedClusterOptions,
  platform: Platform,
): { readonly settings: ClusterSettings; readonly nodes: Node[] } {
  const unknown = Object.keys(options).find((option) => !known.has(option));
  if (unknown !== undefined) throw new UsageError(`EmbeddedCluster has no option ${unknown}`);
  const brokers = integer('brokers', options.brokers, 1, 1, 100);
  const { host = '127.0.0.1', ports } = options.listen ?? {};
  if (ports !== undefined && ports.length !== brokers) {
    throw new UsageError(
      `Option listen.ports must name ${brokers} ports, one for each broker; got ${ports.length}`,
    );
  }
  const nodes = Array.from({ length: brokers }, (_, i): Node => {
    const port = integer(`listen.ports[${i}]`, ports?.[i], 0, 0, 65_535);
    return { nodeId: i + 1, host, port, isRunning: false };
  });
  const settings: ClusterSettings = {
    platform,
    clusterId: randomUuid(platform),
    autoCreateTopics: options.autoCreateTopics ?? true,
    defaultPartitions: integer('defaultPartitions', options.defaultPartitions, 1, 1, 10_000),
    initialRebalanceDelayMs: integer(
      'initialRebalanceDelayMs',
      options.initialRebalanceDelayMs,
      0,
      0,
      3_600_000,
    ),
    minSessionTimeoutMs: integer(
      'minSessionTimeoutMs',
      options.minSessionTimeoutMs,
      100,
      1,
      maxSessionTimeoutMs,
    ),
    maxSessionTimeoutMs,
    transactionVersion: integer('transactionVersion', options.transactionVersion, 2, 1, 2) === 1 ? 1 : 2,
    maxTransactionTimeoutMs: integer(
      'maxTransactionTimeoutMs',
      options.maxTransactionTimeoutMs,
      900_000,
      1,
      2_147_483_647,
    ),
    markerDelayMs: integer('markerDelayMs', options.markerDelayMs, 0, 0, 600_000),
    maxFrameBytes: integer('maxFrameBytes', options.maxFrameBytes, 104_857_600, 1_024, 1_073_741_824),
    maxVersions: new Map(options.maxVersions?.map(([{ key }, version]) => [key, version])),
  };
  return { settings, nodes };
}
