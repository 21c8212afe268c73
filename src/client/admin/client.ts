/** One client for several Writers and Readers, and typed raw requests to any broker (C6).
 * The administrative calls build on `request`. Invariant: it owns its sockets; closing it ends them for all sharers.
 */
import { UsageError } from '../../errors.ts';
import type { Api, Input } from '../../protocol/schema.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import {
  anyBroker,
  brokerError,
  clientOptionNames,
  Cluster,
  Coordinators,
  refuseUnknownOptions,
  shareCluster,
  type ClientOptions,
  type SharedClient,
  type TopicPartition,
} from '../cluster/index.ts';

/** Where a raw request goes; by default to any broker. At most one of the three. */
export interface ClientRequestOptions {
  /** Node id. */
  readonly broker?: number;
  /** To the partition's leader. */
  readonly topicPartition?: TopicPartition;
  /** To the group's coordinator. */
  readonly group?: string;
  /** Milliseconds for looking up the broker and for the request. Default `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Highest version to use. Default: the highest that both sides have. */
  readonly maxVersion?: number;
}

/** A connection to a cluster, to share between Writers and Readers or to send any request through. */
export class Client implements SharedClient {
  readonly #cluster: Cluster;
  readonly #coordinators: Coordinators;

  /** Does no I/O. Throws a `UsageError` for a wrong option. */
  constructor(options: ClientOptions) {
    refuseUnknownOptions('Client', options, clientOptionNames);
    this.#cluster = new Cluster(options);
    shareCluster(this, this.#cluster);
    this.#coordinators = new Coordinators(this.#cluster);
  }

  /** Sends one request and returns the decoded answer; error codes in it are left to the caller.
   * Rejects with `ConnectionError`, `TimeoutError`, `ProtocolError`, `BrokerError` (no such topic) or the signal's reason.
   */
  async request<Req, Res>(
    api: Api<Req, Res>,
    body: Input<Req> | ((version: number) => Input<Req>),
    options: ClientRequestOptions = {},
  ): Promise<Res> {
    const cluster = this.#cluster;
    const timeoutMs = options.timeoutMs ?? cluster.requestTimeoutMs;
    const deadlineMs = cluster.platform.monotonicNow() + timeoutMs;
    const release = cluster.holdOpen();
    try {
      const nodeId = await this.#route(options, deadlineMs);
      const leftMs = Math.max(1, deadlineMs - cluster.platform.monotonicNow());
      const { signal, maxVersion } = options;
      return await cluster.send(nodeId, 'control', api, body, { timeoutMs: leftMs, signal, maxVersion });
    } finally {
      release();
    }
  }

  /** Ends all sockets; Writers and Readers that share the client get `CLOSED`. Idempotent. */
  close(): Promise<void> {
    this.#cluster.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #route(options: ClientRequestOptions, deadlineMs: number): Promise<number> {
    const { broker, topicPartition, group, signal } = options;
    if ([broker, topicPartition, group].filter((target) => target !== undefined).length > 1) {
      throw new UsageError(
        'Options broker, topicPartition and group exclude each other: a request has one target',
      );
    }
    const cluster = this.#cluster;
    if (group !== undefined) return this.#coordinators.find('group', group, { deadlineMs, signal });
    if (topicPartition !== undefined) {
      const { topic, partition } = topicPartition;
      const leader = (await cluster.topic(topic, { deadlineMs, signal })).partitions[partition]?.leader;
      if (leader === undefined)
        throw brokerError(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, 'Routing', topicPartition);
      if (leader < 0) throw brokerError(ErrorCodes.LEADER_NOT_AVAILABLE, 'Routing', topicPartition);
      return leader;
    }
    if (broker === undefined) return anyBroker;
    if (!cluster.snapshot.brokers.has(broker)) await cluster.refresh(`broker ${broker}`);
    return broker;
  }
}
