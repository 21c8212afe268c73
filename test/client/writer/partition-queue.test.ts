/** The rules of one partition, one by one: which batch may go out, under which sequence, and when sequences change. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KafkaError } from '../../../src/errors.ts';
import { nextBatch, type RecordBatch } from '../../../src/protocol/records/batch.ts';
import { Batch, PartitionQueue, sequenceAfter } from '../../../src/client/writer/partition-queue.ts';
import type { ProducerIdentity } from '../../../src/client/writer/producer-id.ts';
import { ProducerStates } from '../../../src/testing/producer-states.ts';

class Identities {
  current: ProducerIdentity | undefined = { producerId: 7n, epoch: 0 };

  leave(identity: ProducerIdentity | undefined): void {
    if (identity === this.current && identity !== undefined)
      this.current = { ...identity, epoch: identity.epoch + 1 };
  }
}

const gone = new KafkaError('gone', { code: 'TIMEOUT', stored: 'maybe' });

class Bench {
  readonly producer = new Identities();
  readonly settled: number[] = [];
  readonly queue: PartitionQueue;
  readonly #batches: Batch[] = [];

  constructor({ idempotent = true, firstSequence = 0, established = true } = {}) {
    this.queue = new PartitionQueue('t', 0, {
      producer: idempotent ? this.producer : undefined,
      batchTimeoutMs: 10,
      firstSequence,
      settle: (batch) => {
        this.settled.push(this.#batches.indexOf(batch));
        batch.settle();
      },
      release: (batch) => batch.release(),
    });
    this.queue.leader = 1;
    if (established) {
      const first = this.add(1);
      this.send();
      this.queue.deliver(first, 0, -1);
    }
  }

  /** A sealed batch of `records` records. */
  add(records = 1): Batch {
    const batch = new Batch(this.queue, 0, 1000, true, 100);
    for (let record = 0; record < records; record++) {
      batch.builder?.append(null, 'v');
      batch.recordCount++;
    }
    batch.sealed = true;
    this.queue.batches.push(batch);
    this.#batches.push(batch);
    return batch;
  }

  /** Sends what may be sent next; what went out. */
  send(): RecordBatch | undefined {
    const { candidate } = this.queue;
    if (candidate === undefined || this.queue.dueAtMs(candidate) > 0) return undefined;
    const bytes = this.queue.send(candidate, this.queue.leader, undefined);
    const sent = nextBatch(bytes, 0);
    sent?.verifyCrc();
    return sent;
  }

  /** Epoch and sequence of everything that may be sent now. */
  sendAll(): [number, number][] {
    const sent: [number, number][] = [];
    for (let batch = this.send(); batch !== undefined; batch = this.send()) {
      sent.push([batch.producerEpoch, batch.baseSequence]);
    }
    return sent;
  }
}

describe('a partition queue', () => {
  it('has five batches on their way, each with its sequence and a right checksum', () => {
    const bench = new Bench();
    const batches = Array.from({ length: 7 }, () => bench.add(3));
    expect(bench.sendAll()).toEqual([
      [0, 1],
      [0, 4],
      [0, 7],
      [0, 10],
      [0, 13],
    ]);
    bench.queue.deliver(batches[0] as Batch, 1, -1);
    expect(bench.sendAll()).toEqual([[0, 16]]);
  });

  it('has one on its way until the broker has taken one under the identity', () => {
    const bench = new Bench({ established: false });
    const [first] = [bench.add(), bench.add()];
    expect(bench.sendAll()).toEqual([[0, 0]]);
    bench.queue.deliver(first, 0, -1);
    expect(bench.sendAll()).toEqual([[0, 1]]);
  });

  it('has one on its way without idempotence, however many were delivered', () => {
    const bench = new Bench({ idempotent: false });
    bench.add();
    bench.add();
    expect(bench.sendAll()).toEqual([[-1, -1]]);
  });

  it('sends nothing to a new leader while the old one owes an answer (P8)', () => {
    const bench = new Bench();
    const first = bench.add();
    bench.add();
    bench.send();
    bench.queue.leader = 2;
    expect(bench.sendAll()).toEqual([]);
    bench.queue.deliver(first, 1, -1);
    expect(bench.sendAll()).toEqual([[0, 2]]);
  });

  it('sends a failed batch again only when all are back, and alone', () => {
    const bench = new Bench();
    const [first, second, third] = [bench.add(), bench.add(), bench.add()];
    bench.sendAll();
    bench.add();
    first.maybeStored = second.maybeStored = third.maybeStored = true;
    bench.queue.retry(first, false);
    expect(bench.sendAll()).toEqual([]);
    bench.queue.retry(second, false);
    bench.queue.retry(third, false);
    expect(bench.sendAll()).toEqual([[0, 1]]);
    bench.queue.deliver(first, 1, -1);
    expect(bench.sendAll()).toEqual([[0, 2]]);
    bench.queue.deliver(second, 2, -1);
    bench.queue.deliver(third, 3, -1);
    expect(bench.sendAll()).toEqual([[0, 4]]);
  });

  it('gives sequences back that certainly never arrived', () => {
    const bench = new Bench();
    const [first, second] = [bench.add(2), bench.add(2)];
    bench.sendAll();
    bench.queue.retry(first, false);
    bench.queue.retry(second, false);
    expect([first.baseSequence, second.baseSequence]).toEqual([-1, -1]);
    expect(bench.sendAll()).toEqual([[0, 1]]);
  });

  it('keeps the sequence of what may be stored, and those before it', () => {
    const bench = new Bench();
    const [first, second] = [bench.add(2), bench.add(2)];
    bench.sendAll();
    second.maybeStored = true;
    bench.queue.retry(first, false);
    bench.queue.retry(second, false);
    expect([first.baseSequence, second.baseSequence]).toEqual([1, 3]);
  });

  it('sends nothing new behind a gap', () => {
    const bench = new Bench();
    const [first, second] = [bench.add(), bench.add()];
    bench.sendAll();
    bench.add();
    bench.queue.fail(first, gone);
    expect(bench.sendAll()).toEqual([]);
    second.maybeStored = true;
    bench.queue.retry(second, false);
    expect(bench.sendAll()).toEqual([[0, 2]]);
  });

  it('knows that there was no gap when a younger batch is taken', () => {
    const bench = new Bench();
    const [first, second] = [bench.add(), bench.add()];
    bench.sendAll();
    bench.queue.fail(first, gone);
    bench.queue.deliver(second, 2, -1);
    bench.add();
    expect(bench.sendAll()).toEqual([[0, 3]]);
  });

  it('does not take an older batch for a proof that there was no gap', () => {
    const bench = new Bench();
    const [first, second] = [bench.add(), bench.add()];
    bench.sendAll();
    bench.add();
    first.maybeStored = true;
    bench.queue.retry(first, false);
    bench.queue.fail(second, gone);
    expect(bench.sendAll()).toEqual([[0, 1]]);
    bench.queue.deliver(first, 1, -1);
    expect(bench.sendAll()).toEqual([[1, 0]]);
  });

  it('goes to the next epoch when the gap is all that is left', () => {
    const bench = new Bench();
    const first = bench.add();
    bench.sendAll();
    bench.queue.expire(first, gone);
    expect(bench.settled).toEqual([0, 1]);
    bench.add();
    expect(bench.sendAll()).toEqual([[0, 2]]);
    bench.queue.fail(first, gone);
    expect(bench.producer.current?.epoch).toBe(0);
    const [second] = bench.queue.batches as [Batch];
    bench.queue.fail(second, gone);
    bench.add();
    expect(bench.sendAll()).toEqual([[1, 0]]);
  });

  it('restarts what it has in the next epoch when the oldest is refused, with all back', () => {
    const bench = new Bench();
    const [first, second] = [bench.add(2), bench.add(2)];
    bench.sendAll();
    bench.queue.retry(first, true);
    expect(bench.sendAll()).toEqual([]);
    bench.queue.retry(second, false);
    expect(bench.sendAll()).toEqual([[1, 0]]);
    bench.queue.deliver(first, 1, -1);
    expect(bench.sendAll()).toEqual([[1, 2]]);
  });

  it('keeps its epoch while others raise theirs, until it rests', () => {
    const bench = new Bench();
    const first = bench.add();
    bench.send();
    bench.producer.leave(bench.producer.current);
    const second = bench.add();
    expect(bench.sendAll()).toEqual([[0, 2]]);
    bench.queue.deliver(first, 1, -1);
    bench.queue.deliver(second, 2, -1);
    bench.add();
    expect(bench.sendAll()).toEqual([[1, 0]]);
  });

  it('waits for an identity after a restart, rather than going on under the old one', () => {
    const bench = new Bench();
    const first = bench.add();
    bench.send();
    bench.producer.leave = () => void (bench.producer.current = undefined);
    bench.queue.retry(first, true);
    expect(bench.queue.identified).toBe(false);
    bench.producer.current = { producerId: 8n, epoch: 0 };
    expect(bench.queue.identified).toBe(true);
    expect(bench.send()).toMatchObject({ producerId: 8n, baseSequence: 0 });
  });

  it('tells outcomes in order, but does not wait for what was told already', () => {
    const bench = new Bench();
    const [first, second, third] = [bench.add(), bench.add(), bench.add()];
    bench.sendAll();
    bench.queue.deliver(second, 2, -1);
    expect(bench.settled).toEqual([0]);
    bench.queue.expire(first, gone);
    expect(bench.settled).toEqual([0, 1, 2]);
    bench.queue.deliver(third, 3, -1);
    expect(bench.settled).toEqual([0, 1, 2, 3]);
    expect(bench.queue.batches).toEqual([first]);
  });

  it('tells what was delivered behind a batch that expires on its way as delivered', () => {
    const bench = new Bench();
    const [first, second] = [bench.add(), bench.add()];
    bench.sendAll();
    bench.queue.deliver(second, 2, -1);
    bench.queue.expire(first, gone);
    expect(bench.settled).toEqual([0, 1, 2]);
    expect([first.error, second.error]).toEqual([gone, null]);
    expect(bench.queue.oldest).toBeUndefined();
  });

  it('counts sequences past 2^31-1 on from 0, as a broker does (B5)', () => {
    const bench = new Bench({ firstSequence: 2 ** 31 - 3, established: false });
    const broker = new ProducerStates();
    for (const records of [2, 5, 1, 3]) {
      const batch = bench.add(records);
      const sent = bench.send() as RecordBatch;
      expect(broker.check(sent)).toBe(0);
      broker.append(sent);
      expect(broker.check(sent)).not.toBe(0);
      bench.queue.deliver(batch, 0, -1);
    }
    expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0);
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.nat(1_000_000), (sequence, count) => {
        expect(sequenceAfter(sequence, count)).toBe((sequence + count) % 2 ** 31);
      }),
    );
  });
});
