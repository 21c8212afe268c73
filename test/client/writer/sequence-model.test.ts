/** The sequence path against a model of a cluster, under every order of events that fast-check thinks of: requests reach
 * a broker, answers reach the Writer, leaders move, metadata comes, connections die, calls are made and given up.
 * Only what one connection orders is ordered. Not here: bytes, sockets and time (model.test.ts).
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConnectionError, TimeoutError, type KafkaError } from '../../../src/errors.ts';
import { produceApi, type PartitionProduceResponse } from '../../../src/protocol/api/00-produce.ts';
import type { ProduceRequest, ProduceResponse } from '../../../src/protocol/api/00-produce.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { ErrorCodes } from '../../../src/protocol/error-codes.ts';
import { nextBatch } from '../../../src/protocol/records/batch.ts';
import { assignOffsets } from '../../../src/protocol/records/batch-builder.ts';
import { decodeRecordBatch } from '../../../src/protocol/records/plain-batch.ts';
import type { Api, Input } from '../../../src/protocol/schema.ts';
import { virtualWorld, type VirtualWorld } from '../../../src/runtime/virtual.ts';
import { ProducerStates } from '../../../src/testing/producer-states.ts';
import { withLeader, type LeaderHint } from '../../../src/client/cluster/metadata.ts';
import {
  shareCluster,
  silentLogger,
  withDeadline,
  type Broker,
  type Cluster,
  type MetadataSnapshot,
  type RequestBody,
  type TopicOptions,
  type TopicSnapshot,
} from '../../../src/client/cluster/index.ts';
import type { WriterCluster } from '../../../src/client/writer/accumulator.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import { Writer } from '../../../src/client/writer/writer.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
const nodeIds = [1, 2];
const deliveryTimeoutMs = 3000;

/** What a broker does with one batch. */
const behaviours = [
  'append',
  'append and lose the connection',
  'lose the connection',
  'NOT_ENOUGH_REPLICAS',
  'REQUEST_TIMED_OUT',
  'append, REQUEST_TIMED_OUT',
  'append, NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'append, NOT_LEADER_OR_FOLLOWER',
  'INVALID_RECORD',
] as const;
type Behaviour = (typeof behaviours)[number];

interface Waiting {
  readonly partitions: readonly number[];
  readonly request: ProduceRequest;
  answer: Input<ProduceResponse> | undefined;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: KafkaError) => void;
}

interface Partition {
  leader: number;
  epoch: number;
  readonly log: string[];
  readonly producers: ProducerStates;
}

/** Two brokers with one log per partition, as far as a Writer can tell. */
class ModelCluster implements WriterCluster {
  readonly platform: VirtualWorld['platform'];
  readonly logger: typeof silentLogger = silentLogger;
  readonly requestTimeoutMs = 1000;
  readonly partitions: Partition[];
  snapshot: MetadataSnapshot;
  /** Broken rules that only show on the way. */
  readonly offences: string[] = [];
  readonly #scheduler: fc.Scheduler;
  readonly #connections = new Map<number, Waiting[]>(nodeIds.map((nodeId) => [nodeId, []]));
  readonly #listeners = new Set<(snapshot: MetadataSnapshot) => void>();
  readonly #behaviours: readonly Behaviour[];
  readonly #maxBatchBytes: number;
  #batches = 0;

  constructor(
    world: VirtualWorld,
    scheduler: fc.Scheduler,
    partitions: number,
    maxBatchBytes: number,
    behaves: readonly Behaviour[],
  ) {
    this.platform = world.platform;
    this.#scheduler = scheduler;
    this.#maxBatchBytes = maxBatchBytes;
    this.#behaviours = behaves;
    this.partitions = Array.from({ length: partitions }, (_, index) => ({
      leader: nodeIds[index % 2] as number,
      epoch: 0,
      log: [],
      producers: new ProducerStates(),
    }));
    const brokers = nodeIds.map((nodeId): [number, Broker] => [
      nodeId,
      { nodeId, host: 'h', port: nodeId, rack: null },
    ]);
    this.snapshot = {
      version: 0,
      clusterId: 'c',
      controllerId: 1,
      brokers: new Map(brokers),
      topics: new Map(),
    };
  }

  move(partition: number): void {
    const moved = this.partitions[partition] as Partition;
    moved.leader = 3 - moved.leader;
    moved.epoch++;
  }

  useTopics(): () => void {
    return () => undefined;
  }

  holdOpen(): () => void {
    return () => undefined;
  }

  isReady(): boolean {
    return true;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  onSnapshot(listener: (snapshot: MetadataSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  learnLeader(hint: LeaderHint, nodes: readonly Broker[]): void {
    this.#publish(withLeader(this.snapshot, hint, nodes));
  }

  async topic(_name: string, { deadlineMs }: TopicOptions): Promise<TopicSnapshot> {
    const limitMs = deadlineMs - this.platform.monotonicNow();
    const late = (): Error => new TimeoutError('no metadata', { limitMs });
    const { topics } = await withDeadline(this.platform, this.refresh(), limitMs, late);
    return topics.get('t') as TopicSnapshot;
  }

  async refresh(): Promise<MetadataSnapshot> {
    await this.#scheduler.schedule(Promise.resolve(), 'metadata');
    const partitions = this.partitions.map(({ leader, epoch: leaderEpoch }, partition) => ({
      partition,
      leader,
      leaderEpoch,
      replicas: nodeIds,
      isr: nodeIds,
    }));
    const topics = new Map([['t', { name: 't', topicId, errorCode: 0, partitions }]]);
    this.#publish({ ...this.snapshot, version: this.snapshot.version + 1, topics });
    return this.snapshot;
  }

  async send<Req, Res>(
    nodeId: number,
    _duty: string,
    api: Api<Req, Res>,
    body: RequestBody<Req>,
  ): Promise<Res> {
    if (api.key === initProducerIdApi.key) {
      await this.#scheduler.schedule(Promise.resolve(), 'producer id');
      return { errorCode: 0, producerId: 7n, producerEpoch: 0 } as Res;
    }
    // As it goes over the wire: the bytes of now.
    const request = produceApi.request.decode(
      produceApi.request.encode(body as Input<ProduceRequest>, 13),
      13,
    );
    const partitions = request.topicData.flatMap(({ partitionData }) =>
      partitionData.map(({ index }) => index),
    );
    const connection = this.#connections.get(nodeId) as Waiting[];
    for (const partition of partitions) {
      for (const [other, waiting] of this.#connections) {
        const isThere = waiting.some((each) => each.partitions.includes(partition));
        if (other !== nodeId && isThere) this.offences.push(`two leaders at once (P8): ${partition}`);
      }
    }
    if (connection.length >= 5) this.offences.push('more than five requests');
    return new Promise<Res>((resolve, reject) => {
      const waiting: Waiting = {
        partitions,
        request,
        answer: undefined,
        resolve: resolve as Waiting['resolve'],
        reject,
      };
      connection.push(waiting);
      void this.#scheduler.schedule(Promise.resolve(), `request ${nodeId}`).then(() => this.#arrive(nodeId));
    });
  }

  /** The oldest request that is under way reaches the broker. */
  #arrive(nodeId: number): void {
    const waiting = this.#connections.get(nodeId)?.find(({ answer }) => answer === undefined);
    if (waiting === undefined) return;
    let isLost = false;
    const responses = waiting.request.topicData.map(({ topicId: id, partitionData }) => ({
      topicId: id,
      partitionResponses: partitionData.map(({ index, records }) => {
        const behaviour = this.#behaviours[this.#batches++ % this.#behaviours.length] as Behaviour;
        isLost ||= behaviour.includes('lose');
        return this.#serve(nodeId, index, records ?? new Uint8Array(0), behaviour);
      }),
    }));
    if (isLost) return this.#lose(nodeId);
    const nodeEndpoints = nodeIds.map((each) => ({ nodeId: each, host: 'h', port: each }));
    const encoded = produceApi.response.encode({ responses, nodeEndpoints }, 13);
    waiting.answer = produceApi.response.decode(encoded, 13);
    void this.#scheduler.schedule(Promise.resolve(), `answer ${nodeId}`).then(() => this.#answer(nodeId));
  }

  #answer(nodeId: number): void {
    const connection = this.#connections.get(nodeId) as Waiting[];
    const [waiting] = connection;
    if (waiting?.answer === undefined) return;
    connection.shift();
    waiting.resolve(waiting.answer);
  }

  /** What has not arrived by now never does. */
  #lose(nodeId: number): void {
    for (const { reject } of this.#connections.get(nodeId)?.splice(0) ?? [])
      reject(new ConnectionError('lost', { stored: 'maybe' }));
  }

  #serve(
    nodeId: number,
    index: number,
    records: Uint8Array,
    behaviour: Behaviour,
  ): Input<PartitionProduceResponse> {
    const partition = this.partitions[index] as Partition;
    const { leader, epoch, log, producers } = partition;
    const fail = (errorCode: number): Input<PartitionProduceResponse> => ({
      index,
      errorCode,
      baseOffset: -1,
    });
    if (leader !== nodeId) {
      const currentLeader = { leaderId: leader, leaderEpoch: epoch };
      return { ...fail(ErrorCodes.NOT_LEADER_OR_FOLLOWER), currentLeader };
    }
    if (records.length > this.#maxBatchBytes) return fail(ErrorCodes.MESSAGE_TOO_LARGE);
    const error = behaviour.replace(/^append, /, '') as keyof typeof ErrorCodes;
    if (!behaviour.startsWith('append') && error in ErrorCodes) return fail(ErrorCodes[error]);
    if (behaviour === 'lose the connection') return fail(0);
    const sent = nextBatch(records, 0);
    if (sent === undefined) throw new Error('no batch');
    sent.verifyCrc();
    const known = producers.check(sent);
    if (known !== 0)
      return typeof known === 'number' ? fail(known) : { index, errorCode: 0, baseOffset: known.baseOffset };
    const stored = records.slice();
    assignOffsets(stored, log.length, epoch);
    const batch = nextBatch(stored, 0);
    if (batch !== undefined) producers.append(batch);
    const baseOffset = log.length;
    for (const { value } of decodeRecordBatch(stored).records)
      log.push(new TextDecoder().decode(value ?? undefined).trim());
    if (behaviour !== 'append' && error in ErrorCodes) return fail(ErrorCodes[error]);
    return { index, errorCode: 0, baseOffset };
  }

  #publish(snapshot: MetadataSnapshot): void {
    if (snapshot === this.snapshot) return;
    this.snapshot = snapshot;
    for (const listener of this.#listeners) listener(snapshot);
  }
}

/** What became of each message, as the Writer says. */
interface Fate {
  readonly stored: 'no' | 'maybe' | 'yes';
  readonly offset: number | undefined;
}

interface Step {
  readonly kind: 'write' | 'write and give up' | 'move' | 'look for the leaders' | 'wait';
  readonly n: number;
}

/** Calls a Writer and keeps the books. */
class Books {
  readonly fates = new Map<string, Fate>();
  readonly called: string[][];
  readonly told: string[][];
  readonly calls: Promise<void>[] = [];
  readonly late: string[] = [];
  readonly writer: Writer;
  readonly #world: VirtualWorld;
  readonly #cluster: ModelCluster;
  #count = 0;

  constructor(world: VirtualWorld, cluster: ModelCluster, batchSize: number) {
    this.#world = world;
    this.#cluster = cluster;
    this.called = cluster.partitions.map(() => []);
    this.told = cluster.partitions.map(() => []);
    const client = { close: () => Promise.resolve() };
    const model: WriterCluster = cluster;
    shareCluster(client, model as Cluster);
    this.writer = new Writer({
      client,
      topic: 't',
      batchSize,
      batchTimeoutMs: 5,
      deliveryTimeoutMs,
      completion: ({ partition, messages }) => {
        for (const { value } of messages) this.told[partition]?.push(String(value).trim());
      },
    });
  }

  take({ kind, n }: Step): void | Promise<void> {
    if (kind === 'move') return this.#cluster.move(n % this.called.length);
    if (kind === 'look for the leaders') return void this.#cluster.refresh();
    if (kind === 'wait') return this.#world.advance(n);
    const controller = new AbortController();
    this.#write(n, controller.signal);
    if (kind === 'write and give up') this.#world.platform.setTimer(n % 300, () => controller.abort());
    return undefined;
  }

  #write(n: number, signal: AbortSignal): void {
    const startedMs = this.#world.now();
    const messages = Array.from({ length: 1 + (n % 6) }, (_, index) => {
      const partition = (n + (index >> 1)) % this.called.length;
      const value = `${this.#count++}`;
      this.called[partition]?.push(value);
      // Some are too large by themselves.
      return { partition, value: value.padEnd(n % 9 === index ? 300 : 10) };
    });
    const note = (index: number, fate: Fate): void => {
      const value = String(messages[index]?.value).trim();
      if (this.fates.has(value)) throw new Error(`${value} settled twice`);
      this.fates.set(value, fate);
      if (this.#world.now() - startedMs > deliveryTimeoutMs + 1000) this.late.push(value);
    };
    this.calls.push(
      this.writer.writeMessages(messages, { signal }).then(
        (receipt) =>
          messages.forEach((_, index) => note(index, { stored: 'yes', offset: receipt.at(index).offset })),
        ({ errors, receipt }: WriteErrors) =>
          messages.forEach((_, index) => {
            const stored = errors[index] === null ? 'yes' : (errors[index]?.stored ?? 'no');
            note(index, { stored, offset: receipt.at(index).offset });
          }),
      ),
    );
  }

  check(): void {
    expect(this.#cluster.offences).toEqual([]);
    expect(this.late).toEqual([]);
    for (const [partition, { log }] of this.#cluster.partitions.entries()) {
      const called = this.called[partition] as string[];
      expect(new Set(log).size, `copies (P2) in ${log.join()}`).toBe(log.length);
      expect(log, 'order (P3)').toEqual(called.filter((value) => log.includes(value)));
      const told = this.told[partition] as string[];
      expect(told, 'order of outcomes (P4)').toEqual(called.filter((value) => told.includes(value)));
      for (const value of called) {
        const fate = this.fates.get(value);
        expect(fate, `an outcome of ${value} (P5)`).toBeDefined();
        if (fate?.stored === 'yes') expect(log, `acknowledged (P1, P9): ${value}`).toContain(value);
        if (fate?.stored === 'no') expect(log, `certainly not stored (P6): ${value}`).not.toContain(value);
        if (fate?.offset !== undefined) expect(log[fate.offset], `offset of ${value}`).toBe(value);
      }
    }
    expect(this.writer.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
  }
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant<Step['kind']>('write') },
    {
      weight: 5,
      arbitrary: fc.constantFrom<Step['kind'][]>(
        'write and give up',
        'move',
        'move',
        'look for the leaders',
        'wait',
      ),
    },
  ),
  n: fc.nat(2000),
});

const scenario = fc.record({
  batchSize: fc.constantFrom(1, 3, 100),
  maxBatchBytes: fc.constantFrom(110, 1_000_000),
  partitions: fc.constantFrom(1, 1, 2),
  behaves: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<Behaviour>('append') },
      { weight: 2, arbitrary: fc.constantFrom(...behaviours) },
    ),
    { minLength: 1, maxLength: 30 },
  ),
  steps: fc.array(step, { minLength: 1, maxLength: 40 }),
});

it('keeps P1 to P6, P8 and P9 in every order of events', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      scenario,
      async (scheduler, { partitions, maxBatchBytes, behaves, ...rest }) => {
        const world = virtualWorld();
        await world.run(
          async () => {
            const cluster = new ModelCluster(world, scheduler, partitions, maxBatchBytes, behaves);
            const books = new Books(world, cluster, rest.batchSize);
            const { task: allMade } = scheduler.scheduleSequence(
              rest.steps.map((each) => ({
                label: `${each.kind} ${each.n}`,
                builder: async () => books.take(each),
              })),
            );
            const run = { isOver: false };
            const allSettled = async (): Promise<void> => {
              await allMade;
              await Promise.all(books.calls);
              await books.writer.flush();
              run.isOver = true;
            };
            const settled = allSettled();
            while (!run.isOver || scheduler.count() > 0) {
              if (scheduler.count() > 0) await scheduler.waitOne();
              await world.advance(scheduler.count() > 0 ? 1 : 20);
            }
            await settled;
            books.check();
            await books.writer.close();
          },
          { limitMs: 3_600_000 },
        );
      },
    ),
    { numRuns: Number(process.env['KAFKA_WIRE_RUNS'] ?? 1000) },
  );
});
