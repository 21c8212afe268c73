/** A Kafka cluster inside the process: brokers for clients to talk to, and controls for tests to turn.
 * Not here: replication (one copy of each log), disks, fetch sessions, security.
 * Invariant: everything runs on the platform that was given, so in a virtual world a test repeats exactly; `close`
 * leaves nothing behind.
 */
import { BrokerError, UsageError } from '../errors.ts';
import { errorCode as errorInfo } from '../protocol/error-codes.ts';
import { nextBatch } from '../protocol/records/batch.ts';
import { decodeRecordBatch, type DecodedBatch, type DecodedRecord } from '../protocol/records/plain-batch.ts';
import { Broker } from './broker.ts';
import { ClusterState } from './cluster-state.ts';
import type { CoordinatorType } from './coordinators.ts';
import { defaultPlatform } from './default-platform.ts';
import type { FaultControl } from './faults.ts';
import type { GroupState } from './group.ts';
import type { GroupMember } from './group-member.ts';
import type { CommittedOffset } from './group-offsets.ts';
import { handlerTable } from './handlers/index.ts';
import { resolveOptions, type EmbeddedClusterOptions, type NewTopic } from './options.ts';
import { inflate } from './payload.ts';
import type { Partition, Topic } from './topic.ts';
import type { TransactionState } from './transaction.ts';

/** A group as its coordinator sees it. */
export interface GroupSnapshot {
  readonly groupId: string;
  readonly state: GroupState;
  /** 0 before the first. */
  readonly generation: number;
  /** The assignor the members agreed on, null while there are none. */
  readonly protocol: string | null;
  /** Member id of the leader, null while there is none. */
  readonly leader: string | null;
  readonly members: readonly GroupMember[];
}

/** A transactional id as its coordinator sees it. */
export interface TransactionSnapshot {
  readonly transactionalId: string;
  readonly state: TransactionState;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** Of the open transaction; while it ends, those that wait for their marker. */
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
}

/** A partition as its leader sees it. */
export interface PartitionState {
  /** Node id, -1 while no replica runs. */
  readonly leader: number;
  readonly leaderEpoch: number;
  /** First readable offset. */
  readonly startOffset: number;
  /** Offset up to which `read_committed` reads. */
  readonly lastStableOffset: number;
  /** Offset of the next record, the high watermark. */
  readonly endOffset: number;
}

/** A running cluster. Its brokers speak Kafka 4.4's versions of the APIs they have, in memory, with one copy of each log. */
export class EmbeddedCluster {
  /** What goes wrong, and the record of requests. */
  readonly faults: FaultControl;
  readonly #state: ClusterState;
  readonly #brokers: readonly Broker[];
  readonly #release: () => void;

  private constructor(state: ClusterState, release: () => void) {
    const handlers = handlerTable();
    this.faults = state.faults;
    this.#state = state;
    this.#brokers = Array.from(state.nodes.values(), (node) => new Broker(node, state, handlers));
    this.#release = release;
  }

  /** Starts the brokers and creates the topics.
   * Rejects with UsageError for a wrong option, BrokerError for a topic that cannot be, or what listening failed with.
   */
  static async start(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
    const platform = options.platform ?? defaultPlatform;
    const { settings, nodes } = resolveOptions(options, platform);
    const holds = options.holdOpen ?? options.platform === undefined;
    const release = holds ? platform.holdOpen() : (): void => undefined;
    const cluster = new EmbeddedCluster(new ClusterState(settings, nodes), release);
    try {
      for (const broker of cluster.#brokers) await broker.start();
      for (const topic of options.topics ?? []) cluster.createTopic(topic);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** `host:port` of every broker, stopped ones too, by node id. */
  get brokers(): readonly string[] {
    return Array.from(this.#state.nodes.values(), ({ host, port }) => `${host}:${port}`);
  }

  /** 22 characters. */
  get clusterId(): string {
    return this.#state.settings.clusterId;
  }

  /** What clients did that made a broker drop their connection, such as malformed requests: the last 100. */
  get problems(): readonly string[] {
    return this.#state.problems;
  }

  /** Creates a topic. Throws BrokerError when a broker would refuse to. */
  createTopic({ name, partitions = -1, replicationFactor = -1, config = {} }: NewTopic): void {
    const plan = { name, partitions, replicationFactor, config: new Map(Object.entries(config)) };
    const topic = this.#state.createTopic(plan);
    if (typeof topic === 'number') throw refused(`Topic ${name} cannot be created`, topic, name);
  }

  /** Deletes a topic, its records and the offsets committed for it; a new one of the name has another id. */
  deleteTopic(name: string): void {
    this.#state.deleteTopic(this.#topic(name));
  }

  /** Deletes a topic and creates it anew in one step: another id, empty logs, leader epochs from 0, and the same name,
   * replicas and settings.
   */
  recreateTopic(name: string): void {
    const { config, partitions } = this.#topic(name);
    this.deleteTopic(name);
    const assignment = partitions.map(({ replicas }) => replicas);
    this.#state.createTopic({ name, partitions: -1, replicationFactor: -1, config, assignment });
  }

  /** Leader and offsets of a partition. */
  partition(topic: string, partition: number): PartitionState {
    const { leader, leaderEpoch, log } = this.#partition(topic, partition);
    const { startOffset, lastStableOffset, endOffset } = log;
    return { leader, leaderEpoch, startOffset, lastStableOffset, endOffset };
  }

  /** Makes a running broker the leader of a partition, with a new leader epoch, and a replica if it was none. */
  moveLeader(topic: string, partition: number, nodeId: number): void {
    const moved = this.#partition(topic, partition);
    const { node } = this.#broker(nodeId);
    if (!node.isRunning) throw new UsageError(`Broker ${nodeId} is stopped and cannot lead`);
    if (!moved.replicas.includes(nodeId)) moved.replicas = [...moved.replicas, nodeId];
    moved.lead(nodeId);
  }

  /** Node id of the coordinator of a group, or of a transactional id; undefined while no broker runs. */
  coordinator(key: string, type: CoordinatorType = 'group'): number | undefined {
    return this.#state.coordinator(type, key)?.nodeId;
  }

  /** Makes a broker the coordinator of a group or a transactional id. Members whose joins and syncs wait are told
   * NOT_COORDINATOR; for `loadingMs` the new one answers COORDINATOR_LOAD_IN_PROGRESS.
   */
  moveCoordinator(
    key: string,
    nodeId: number,
    { type = 'group', loadingMs = 0 }: { readonly type?: CoordinatorType; readonly loadingMs?: number } = {},
  ): void {
    this.#state.moveCoordinator(type, key, this.#broker(nodeId).node.nodeId, loadingMs);
  }

  /** Stops a broker as if it was killed: connections are reset, others lead its partitions and groups. */
  stopBroker(nodeId: number): Promise<void> {
    return this.#broker(nodeId).stop();
  }

  /** Starts a stopped broker at its old address. What moved away stays where it is. */
  async startBroker(nodeId: number): Promise<void> {
    const broker = this.#broker(nodeId);
    if (!broker.node.isRunning) await broker.start();
  }

  /** Appends record batches of format v2 as they are, unchecked: transactional ones, end markers, compacted or corrupt
   * ones. They get the next offsets; with `keepOffsets` they keep their own, which must not be below the end offset.
   */
  appendRaw(
    topic: string,
    partition: number,
    batches: Uint8Array,
    { keepOffsets = false }: { readonly keepOffsets?: boolean } = {},
  ): void {
    const { log, leaderEpoch } = this.#partition(topic, partition);
    for (let position = 0; position < batches.length;) {
      const batch = nextBatch(batches, position);
      if (batch === undefined)
        throw new UsageError(`No whole record batch at byte ${position} of ${batches.length}`);
      const baseOffset = keepOffsets ? batch.baseOffset : log.endOffset;
      if (baseOffset < log.endOffset)
        throw new UsageError(`Offset ${baseOffset} is below the end ${log.endOffset}`);
      log.append(batches.subarray(position, batch.end), leaderEpoch, baseOffset);
      position = batch.end;
    }
    this.#partition(topic, partition).notify();
  }

  /** Makes the records below an offset unreadable, as retention or DeleteRecords do. */
  deleteRecords(topic: string, partition: number, beforeOffset: number): void {
    const shortened = this.#partition(topic, partition);
    shortened.log.deleteBefore(beforeOffset);
    shortened.notify();
  }

  /** Every batch in the log, decoded. Rejects for batches that cannot be: corrupt ones. */
  batches(topic: string, partition: number): Promise<DecodedBatch[]> {
    const { platform } = this.#state.settings;
    const stored = [...this.#partition(topic, partition).log.batches];
    return Promise.all(
      stored.map(async ({ bytes }) => {
        const batch = nextBatch(bytes, 0);
        const inflated = batch && (await inflate(platform, batch));
        return decodeRecordBatch(bytes, { inflate: () => inflated });
      }),
    );
  }

  /** Every record in the log, markers left out, records of aborted transactions not. Rejects as `batches` does. */
  async records(topic: string, partition: number): Promise<DecodedRecord[]> {
    const batches = await this.batches(topic, partition);
    return batches.flatMap(({ isControl, records }) => (isControl ? [] : records));
  }

  /** The offsets that a group has committed. */
  committed(groupId: string): readonly CommittedOffset[] {
    return this.#state.groups.get(groupId)?.offsets.all ?? [];
  }

  /** A group as it is now; undefined when there never was one. */
  group(groupId: string): GroupSnapshot | undefined {
    const group = this.#state.groups.get(groupId);
    if (group === undefined) return undefined;
    const { state, generation, protocol, leader, members } = group;
    return { groupId, state, generation, protocol, leader, members };
  }

  /** A transactional id as its coordinator knows it; undefined when there never was one. */
  transaction(transactionalId: string): TransactionSnapshot | undefined {
    const transaction = this.#state.transactions.get(transactionalId);
    if (transaction === undefined) return undefined;
    const { state, producerId, producerEpoch, timeoutMs } = transaction;
    const partitions = Array.from(transaction.partitions, ([topic, indexes]) =>
      Array.from(indexes, (partition) => ({ topic, partition })),
    ).flat();
    return { transactionalId, state, producerId, producerEpoch, timeoutMs, partitions };
  }

  /** Stops every broker and timer. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.stop()));
    this.#state.groups.close();
    this.#state.transactions.close();
    this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #broker(nodeId: number): Broker {
    const broker = this.#brokers.find(({ node }) => node.nodeId === nodeId);
    if (broker === undefined)
      throw new UsageError(`There is no broker ${nodeId}; ids are 1 to ${this.#brokers.length}`);
    return broker;
  }

  #topic(name: string): Topic {
    const topic = this.#state.topics.get(name);
    if (topic === undefined) throw new UsageError(`There is no topic ${name}`);
    return topic;
  }

  #partition(name: string, index: number): Partition {
    const { partitions } = this.#topic(name);
    const partition = partitions[index];
    if (partition === undefined)
      throw new UsageError(`Topic ${name} has partitions 0 to ${partitions.length - 1}, not ${index}`);
    return partition;
  }
}

function refused(what: string, code: number, topic: string): BrokerError {
  const { name, retriable } = errorInfo(code);
  return new BrokerError(`${what}: ${name} (${code})`, {
    errorCode: code,
    errorName: name,
    retriable,
    topic,
  });
}
