/** What the brokers of a cluster share: nodes, topics, leaders, groups and transactions. One copy, no replication.
 * Not here: sockets (broker.ts), requests (handlers).
 * Invariant: a leader and a coordinator is a running node, or there is none.
 */
import type { Platform } from '../platform.ts';
import { ErrorCodes } from '../protocol/error-codes.ts';
import { encodeEndMarker, type EndMarkerInput } from '../protocol/records/control.ts';
import { Coordinators, type CoordinatorType } from './coordinators.ts';
import { Faults } from './faults.ts';
import type { Group } from './group.ts';
import { Groups } from './groups.ts';
import type { Node } from './node.ts';
import { isValidTopicName, Partition, topicSettings, type Topic } from './topic.ts';
import type { NamedPartition, Transaction } from './transaction.ts';
import { Transactions } from './transactions.ts';
import { offsetsPartition, offsetsTopic, TransactionalOffsets } from './transactional-offsets.ts';
import { randomUuid } from './uuid.ts';
import type { Watched } from './wait.ts';

/** What is fixed when a cluster starts. */
export interface ClusterSettings {
  readonly platform: Platform;
  readonly clusterId: string;
  readonly autoCreateTopics: boolean;
  readonly defaultPartitions: number;
  readonly initialRebalanceDelayMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly maxFrameBytes: number;
  /** Level of the feature transaction.version. */
  readonly transactionVersion: 1 | 2;
  readonly maxTransactionTimeoutMs: number;
  /** From a transaction's decision to its markers. */
  readonly markerDelayMs: number;
  /** Highest version per API key that is offered; all of them where it says nothing. */
  readonly maxVersions: ReadonlyMap<number, number>;
}

/** A topic to create; `partitions` and `replicationFactor` -1 are the cluster's defaults. */
export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: ReadonlyMap<string, string>;
  /** Replicas of each partition, instead of the two numbers. */
  readonly assignment?: readonly (readonly number[])[];
}

const mostPartitions = 10_000;
const mostProblems = 100;

/** The shared state. */
export class ClusterState {
  readonly settings: ClusterSettings;
  readonly nodes: ReadonlyMap<number, Node>;
  readonly topics: Map<string, Topic> = new Map();
  readonly groups: Groups;
  readonly transactions: Transactions;
  readonly transactionalOffsets: TransactionalOffsets = new TransactionalOffsets();
  readonly faults: Faults = new Faults();
  /** What made brokers drop connections, the last 100. */
  readonly problems: string[] = [];
  readonly #topicsById = new Map<string, Topic>();
  readonly #coordinators: Coordinators;
  #nextProducerId = 0n;
  #nextReplica = 0;

  constructor(settings: ClusterSettings, nodes: readonly Node[]) {
    this.settings = settings;
    this.nodes = new Map(nodes.map((node) => [node.nodeId, node]));
    const { platform, maxTransactionTimeoutMs, markerDelayMs, transactionVersion } = settings;
    this.#coordinators = new Coordinators(platform, nodes);
    this.groups = new Groups(platform, settings.initialRebalanceDelayMs);
    this.transactions = new Transactions({
      platform,
      maxTimeoutMs: maxTransactionTimeoutMs,
      markerDelayMs,
      bumps: transactionVersion >= 2,
      newProducerId: () => this.nextProducerId(),
      writeMarker: (partition, marker) => this.#writeMarker(partition, marker),
    });
  }

  get runningNodes(): Node[] {
    return [...this.nodes.values()].filter(({ isRunning }) => isRunning);
  }

  topicById(topicId: string): Topic | undefined {
    return this.#topicsById.get(topicId);
  }

  /** Creates a topic, or says by an error code why not; with `validateOnly` it is only looked at. */
  createTopic(plan: TopicPlan, validateOnly = false): Topic | number {
    if (!isValidTopicName(plan.name)) return ErrorCodes.INVALID_TOPIC_EXCEPTION;
    if (this.topics.has(plan.name)) return ErrorCodes.TOPIC_ALREADY_EXISTS;
    const settings = topicSettings(plan.config);
    if (settings === undefined) return ErrorCodes.INVALID_CONFIG;
    const assignment = plan.assignment ?? this.#assign(plan);
    if (typeof assignment === 'number') return assignment;
    if (!assignment.every((replicas) => this.#areReplicas(replicas)))
      return ErrorCodes.INVALID_REPLICA_ASSIGNMENT;
    const topic: Topic = {
      name: plan.name,
      topicId: randomUuid(this.settings.platform),
      config: plan.config,
      settings,
      partitions: assignment.map((replicas, i) => new Partition(i, replicas, this.#firstRunning(replicas))),
    };
    if (!validateOnly) {
      this.topics.set(topic.name, topic);
      this.#topicsById.set(topic.topicId, topic);
    }
    return topic;
  }

  deleteTopic(topic: Topic): void {
    this.topics.delete(topic.name);
    this.#topicsById.delete(topic.topicId);
    for (const group of this.groups.all) group.offsets.forgetTopic(topic.name);
    for (const partition of topic.partitions) partition.notify();
  }

  /** The node that coordinates a group or a transactional id; undefined while none runs. */
  coordinator(type: CoordinatorType, key: string): Node | undefined {
    return this.#coordinators.find(type, key);
  }

  /** 0 when the node coordinates the key, else the error code. */
  coordinatorError(type: CoordinatorType, key: string, nodeId: number): number {
    return this.#coordinators.error(type, key, nodeId);
  }

  /** Makes a node the coordinator of a group or a transactional id. */
  moveCoordinator(type: CoordinatorType, key: string, nodeId: number, loadingMs: number): void {
    this.#handingOver(() => this.#coordinators.choose(type, key, nodeId, loadingMs));
  }

  /** Starts or stops a node: partitions without a running leader get one of their running replicas, groups move. */
  setRunning(node: Node, isRunning: boolean): void {
    this.#handingOver(() => {
      node.isRunning = isRunning;
    });
    for (const { partitions } of this.topics.values()) {
      for (const partition of partitions) {
        const leader = this.nodes.get(partition.leader);
        const next = leader?.isRunning === true ? leader.nodeId : this.#firstRunning(partition.replicas);
        if (next !== partition.leader) partition.lead(next);
      }
    }
  }

  /** Makes a change, and hands over what another node coordinates after it. */
  #handingOver(change: () => void): void {
    const ofGroup = ({ groupId }: Group): Node | undefined => this.coordinator('group', groupId);
    const ofTransaction = ({ transactionalId }: Transaction): Node | undefined =>
      this.coordinator('transaction', transactionalId);
    const groups = this.groups.all.map((group) => ({ group, before: ofGroup(group) }));
    const transactions = this.transactions.all.map((transaction) => ({
      transaction,
      before: ofTransaction(transaction),
    }));
    change();
    for (const { group, before } of groups) if (ofGroup(group) !== before) group.handOver();
    for (const { transaction, before } of transactions) {
      if (ofTransaction(transaction) !== before) transaction.coordinatorEpoch++;
    }
  }

  /** Ends a transaction in one partition; what to watch where there is no leader to do it. */
  #writeMarker([name, index]: NamedPartition, marker: EndMarkerInput): Watched | undefined {
    if (name === offsetsTopic) {
      this.transactionalOffsets.end(index, marker);
      for (const group of this.groups.all) {
        if (offsetsPartition(group.groupId)[1] === index)
          group.offsets.endTransaction(marker.producerId, marker.type === 'commit');
      }
      return undefined;
    }
    const partition = this.topics.get(name)?.partitions[index];
    // The topic was deleted while the transaction was open.
    if (partition === undefined) return undefined;
    if (partition.leader === -1) return partition;
    partition.log.append(encodeEndMarker(marker), partition.leaderEpoch);
    partition.notify();
    return undefined;
  }

  reportProblem(problem: string): void {
    if (this.problems.push(problem) > mostProblems) this.problems.shift();
  }

  nextProducerId(): bigint {
    return this.#nextProducerId++;
  }

  #firstRunning(replicas: readonly number[]): number {
    return replicas.find((nodeId) => this.nodes.get(nodeId)?.isRunning === true) ?? -1;
  }

  #areReplicas(replicas: readonly number[]): boolean {
    const isKnown = replicas.every((nodeId) => this.nodes.has(nodeId));
    return isKnown && replicas.length > 0 && new Set(replicas).size === replicas.length;
  }

  /** Spreads replicas over the nodes, one further for each partition. */
  #assign({ partitions, replicationFactor }: TopicPlan): number[][] | number {
    const nodeIds = [...this.nodes.keys()];
    const count = partitions === -1 ? this.settings.defaultPartitions : partitions;
    const replicas = replicationFactor === -1 ? Math.min(3, nodeIds.length) : replicationFactor;
    if (!(replicas >= 1 && replicas <= nodeIds.length)) return ErrorCodes.INVALID_REPLICATION_FACTOR;
    if (!(count >= 1 && count <= mostPartitions)) return ErrorCodes.INVALID_PARTITIONS;
    return Array.from({ length: count }, () => {
      const first = this.#nextReplica++ % nodeIds.length;
      return [...nodeIds.slice(first), ...nodeIds.slice(0, first)].slice(0, replicas);
    });
  }
}
