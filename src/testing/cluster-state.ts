/** What the brokers of a cluster share: nodes, topics, leaders, groups and producer ids. One copy, no replication.
 * Not here: sockets (broker.ts), requests (handlers).
 * Invariant: a leader and a coordinator is a running node, or there is none.
 */
import type { Platform } from '../platform.ts';
import { ErrorCodes } from '../protocol/error-codes.ts';
import { Faults } from './faults.ts';
import type { Group } from './group.ts';
import { Groups } from './groups.ts';
import { isValidTopicName, Partition, topicSettings, type Topic } from './topic.ts';
import { randomUuid } from './uuid.ts';

/** One broker as clients see it. */
export interface Node {
  readonly nodeId: number;
  host: string;
  port: number;
  isRunning: boolean;
}

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
  readonly faults: Faults = new Faults();
  /** What made brokers drop connections, the last 100. */
  readonly problems: string[] = [];
  readonly #topicsById = new Map<string, Topic>();
  readonly #coordinators = new Map<string, number>();
  #nextProducerId = 0n;
  #nextReplica = 0;

  constructor(settings: ClusterSettings, nodes: readonly Node[]) {
    this.settings = settings;
    this.nodes = new Map(nodes.map((node) => [node.nodeId, node]));
    this.groups = new Groups(settings.platform, settings.initialRebalanceDelayMs);
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

  /** The node that coordinates a group: by its id's hash, the next one where that is down; undefined without any. */
  coordinator(groupId: string): Node | undefined {
    const nodes = [...this.nodes.values()];
    const chosen = this.#coordinators.get(groupId);
    const first =
      chosen === undefined ? hash(groupId) % nodes.length : nodes.findIndex((n) => n.nodeId === chosen);
    return [...nodes.slice(first), ...nodes.slice(0, first)].find(({ isRunning }) => isRunning);
  }

  /** Makes a node the coordinator of a group. */
  moveCoordinator(groupId: string, nodeId: number): void {
    const before = this.coordinator(groupId);
    this.#coordinators.set(groupId, nodeId);
    if (this.coordinator(groupId) !== before) this.groups.get(groupId)?.handOver();
  }

  /** Starts or stops a node: partitions without a running leader get one of their running replicas, groups move. */
  setRunning(node: Node, isRunning: boolean): void {
    const coordinators = new Map<Group, Node | undefined>();
    for (const group of this.groups.all) coordinators.set(group, this.coordinator(group.groupId));
    node.isRunning = isRunning;
    for (const { partitions } of this.topics.values()) {
      for (const partition of partitions) {
        const leader = this.nodes.get(partition.leader);
        const next = leader?.isRunning === true ? leader.nodeId : this.#firstRunning(partition.replicas);
        if (next !== partition.leader) partition.lead(next);
      }
    }
    for (const [group, before] of coordinators) {
      if (this.coordinator(group.groupId) !== before) group.handOver();
    }
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

/** Java's String.hashCode without its sign, as Kafka places groups. */
function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) | 0;
  return value & 0x7fff_ffff;
}
