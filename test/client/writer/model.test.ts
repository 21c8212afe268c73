/** Random calls against random trouble: what a Writer says about each record must agree with the log.
 * Checked: written records are there once, at their offset; `no` means absent, `maybe` at most once; each partition has
 * its records in call order (P3), tells outcomes in that order (P4), and settles each call in time (P5).
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { KafkaError } from '../../../src/errors.ts';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { gzip } from '../../../src/compression/index.ts';
import { WriteErrors } from '../../../src/client/writer/errors.ts';
import type { WriteReceipt } from '../../../src/client/writer/receipt.ts';
import type { Writer } from '../../../src/client/writer/writer.ts';
import { noise, play, type Scene } from './scene.ts';

const partitions = 3;
const brokers = 3;
const deliveryTimeoutMs = 4000;
/** So that batches of more than a few large messages have to be halved. */
const config = { 'max.message.bytes': '700' };

const rarely = ['abort', 'flush', 'move', 'restart', 'network', 'throttle'] as const;

/** One thing that happens, with a number that says more. */
interface Step {
  readonly kind: 'write' | 'enqueue' | 'fault' | (typeof rarely)[number];
  readonly n: number;
  readonly waitMs: number;
}

/** What comes back with a message. */
interface Context {
  readonly partition: number;
  readonly value: string;
  readonly enqueued?: boolean;
}

/** What became of the records of a call. */
type Fate = 'written' | 'no' | 'maybe';

/** Those of sequences and sizes are left to the broker: it means them. */
const errors = [
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_RECORD',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_SERVER_ERROR',
] as const;

/** Errors that a broker gives after an append, too. */
const afterAppend = new Set<string>([
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_SERVER_ERROR',
]);

/** Drives a Writer and keeps the books. */
class Player {
  readonly fates = new Map<string, Fate>();
  readonly offsets = new Map<string, number>();
  /** Values in the order of the calls, per partition. */
  readonly called: string[][] = Array.from({ length: partitions }, () => []);
  readonly settled: string[][] = Array.from({ length: partitions }, () => []);
  readonly late: string[] = [];
  readonly calls: Promise<void>[] = [];
  readonly #scene: Scene;
  readonly #writer: Writer;
  #count = 0;
  readonly #stopped = new Set<number>();

  constructor(scene: Scene, writer: Writer) {
    this.#scene = scene;
    this.#writer = writer;
  }

  write(n: number, signal?: AbortSignal): void {
    const messages = Array.from({ length: 1 + (n % 7) }, (_, index) => {
      const partition = (n + index * (n % 3)) % partitions;
      const value = `${this.#count++}`;
      (this.called[partition] as string[]).push(value);
      // Some are large, and some too large even by themselves.
      const headers = n % 5 === 0 ? { h: noise(n % 40 === 0 ? 900 : 90, n + index) } : {};
      return { partition, value, headers, context: { partition, value } };
    });
    const { world } = this.#scene;
    const startedMs = world.now();
    const note = (receipt: WriteReceipt, failures: readonly (KafkaError | null)[]): void => {
      if (world.now() - startedMs > deliveryTimeoutMs + 1000) this.late.push(messages[0]?.value ?? '');
      for (const [index, { value }] of messages.entries()) {
        const failure = failures[index] ?? null;
        if (this.fates.has(value)) throw new Error(`${value} settled twice`);
        this.fates.set(value, failure === null ? 'written' : (failure.stored as Fate));
        const { offset } = receipt.at(index);
        if (offset !== undefined) this.offsets.set(value, offset);
      }
    };
    this.calls.push(
      this.#writer.writeMessages(messages, { signal }).then(
        (receipt) => note(receipt, []),
        (error: unknown) => {
          if (!(error instanceof WriteErrors)) throw error;
          note(error.receipt, error.errors);
        },
      ),
    );
  }

  async enqueue(n: number): Promise<void> {
    const value = `${this.#count++}`;
    const partition = n % partitions;
    try {
      const room = this.#writer.enqueue({ partition, value, context: { partition, value, enqueued: true } });
      (this.called[partition] as string[]).push(value);
      await room;
    } catch (error) {
      // With whenFull 'fail' it is thrown, and completion hears nothing of it.
      if (!(error instanceof KafkaError) || error.code !== 'BUFFER_FULL') throw error;
    }
  }

  completed({ partition, value, enqueued }: Context, error: KafkaError | null): void {
    (this.settled[partition] as string[]).push(value);
    if (enqueued !== true) return;
    if (this.fates.has(value)) throw new Error(`${value} settled twice`);
    this.fates.set(value, error === null ? 'written' : (error.stored as Fate));
  }

  step({ kind, n }: Step): void | Promise<void> {
    const { world, cluster } = this.#scene;
    const nodeId = 1 + (n % brokers);
    const address = cluster.brokers[nodeId - 1] as string;
    const later = (ms: number, undo: () => void): void => void world.platform.setTimer(ms, undo);
    switch (kind) {
      case 'write':
        return this.write(n);
      case 'enqueue':
        return this.enqueue(n);
      case 'abort': {
        const controller = new AbortController();
        this.write(n, controller.signal);
        return later(n % 150, () => controller.abort());
      }
      case 'throttle':
        return void cluster.faults.inject({ api: produceApi, nodeId, throttleMs: n % 1500, delayMs: 1 });
      case 'flush':
        return void this.#writer.flush();
      case 'fault':
        return this.#fault(n);
      case 'move':
        if (!this.#stopped.has(nodeId)) cluster.moveLeader('t', n % partitions, nodeId);
        return undefined;
      case 'restart':
        return this.#restart(nodeId, 50 + (n % 700));
      case 'network':
        if (n % 2 === 0) return world.network.cut(address);
        world.network.freeze(address);
        return later(n % 900, () => world.network.thaw(address));
    }
  }

  #restart(nodeId: number, afterMs: number): void {
    const { world, cluster } = this.#scene;
    if (this.#stopped.has(nodeId)) return;
    this.#stopped.add(nodeId);
    void cluster.stopBroker(nodeId).then(() =>
      world.platform.setTimer(afterMs, () => {
        void cluster.startBroker(nodeId).then(() => this.#stopped.delete(nodeId));
      }),
    );
  }

  #fault(n: number): void {
    const { faults } = this.#scene.cluster;
    const error = errors[n % errors.length] as (typeof errors)[number];
    const times = 1 + (n % 4);
    if (n % 11 === 0)
      return void faults.inject({ api: initProducerIdApi, error: 'COORDINATOR_LOAD_IN_PROGRESS', times });
    if (n % 11 === 1) return void faults.inject({ api: metadataApi, outcome: 'disconnect', times });
    if (n % 5 === 0)
      return void faults.inject({ api: produceApi, outcome: 'disconnect', effect: n % 2 === 0, times });
    if (n % 5 === 1)
      return void faults.inject({ api: produceApi, outcome: 'silence', effect: n % 2 === 0, times: 1 });
    if (n % 5 === 2) return void faults.inject({ api: produceApi, delayMs: n % 2000, times });
    const effect = afterAppend.has(error) && n % 2 === 0;
    faults.inject({ api: produceApi, topic: 't', partition: n % partitions, error, effect, times });
  }
}

async function check(player: Player, scene: Scene, once: boolean): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const log = await scene.values(partition);
    const called = player.called[partition] as string[];
    const inLog = new Map<string, number[]>();
    for (const [offset, value] of log.entries()) inLog.set(value, [...(inLog.get(value) ?? []), offset]);
    for (const value of called) {
      const offsets = inLog.get(value) ?? [];
      const fate = player.fates.get(value);
      expect(fate, `fate of ${value}`).toBeDefined();
      if (fate === 'written') expect(offsets.length, `written ${value}`).toBeGreaterThanOrEqual(1);
      if (fate === 'no') expect(offsets, `refused ${value}`).toEqual([]);
      if (once) expect(offsets.length, `copies of ${value}`).toBeLessThanOrEqual(1);
      if (player.offsets.has(value)) expect(offsets).toContain(player.offsets.get(value));
    }
    expect([...inLog.keys()]).toEqual(called.filter((value) => inLog.has(value)));
    const order = new Map(called.map((value, index) => [value, index]));
    const settled = (player.settled[partition] as string[]).map((value) => order.get(value) ?? -1);
    expect(settled).toEqual(settled.toSorted((a, b) => a - b));
  }
  expect(player.late).toEqual([]);
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constant('write' as const) },
    { weight: 2, arbitrary: fc.constantFrom('enqueue' as const, 'fault' as const) },
    { weight: 5, arbitrary: fc.constantFrom(...rarely) },
  ),
  n: fc.nat(10_000),
  waitMs: fc.oneof(fc.constant(0), fc.nat(30), fc.nat(800)),
});

const scenario = fc.record({
  seed: fc.nat(),
  chunking: fc.constantFrom('whole' as const, 'random' as const),
  idempotent: fc.constantFrom(true, true, true, false),
  batchSize: fc.constantFrom(1, 2, 5, 1000),
  maxBufferedBytes: fc.constantFrom(1024, 1_000_000),
  whenFull: fc.constantFrom('wait' as const, 'wait' as const, 'fail' as const),
  compressed: fc.boolean(),
  steps: fc.array(step, { minLength: 5, maxLength: 60 }),
});

it('tells the truth about every record, whatever happens', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scenario, ({ seed, chunking, steps, compressed, ...settings }) =>
      play({ seed, chunking, partitions, brokers, config, limitMs: 3_600_000 }, async (scene) => {
        const { world, cluster } = scene;
        const player: Player = new Player(
          scene,
          scene.writer({
            ...settings,
            ...(compressed ? { compression: gzip } : {}),
            deliveryTimeoutMs,
            requestTimeoutMs: 1500,
            batchTimeoutMs: 5,
            completion: ({ messages, error }) => {
              for (const { context } of messages) player.completed(context as Context, error);
            },
            logger: {
              error: (message, fields) => {
                throw new Error(`${message} ${JSON.stringify(fields)}`);
              },
            },
          }),
        );
        for (const each of steps) {
          const waiting = player.step(each);
          if (waiting instanceof Promise) player.calls.push(waiting.catch(() => undefined));
          if (each.waitMs > 0) await world.advance(each.waitMs);
        }
        await world.advance(deliveryTimeoutMs + 6000);
        await Promise.all(player.calls);
        cluster.faults.clear();
        await check(player, scene, settings.idempotent);
      }),
    ),
    { numRuns: Number(process.env['KAFKA_WIRE_RUNS'] ?? 150) },
  );
});
