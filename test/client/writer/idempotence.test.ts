/** Retries that neither double, lose nor reorder: sequences, epochs, and the answers that touch them (W4-W8, B1-B5). */
import { describe, expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { initProducerIdApi } from '../../../src/protocol/api/22-init-producer-id.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { nextBatch } from '../../../src/protocol/records/batch.ts';
import type { EmbeddedCluster } from '../../../src/testing/index.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import { failureOf, numbered, play } from './scene.ts';

interface Sent {
  readonly partition: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly records: number;
  readonly bytes: string;
}

/** Every batch that reached a broker, in order, stored or not. */
function sent(cluster: EmbeddedCluster): Sent[] {
  const batches: Sent[] = [];
  for (const { request } of cluster.faults.requests(produceApi)) {
    for (const { partitionData } of request.topicData) {
      for (const { index, records } of partitionData) {
        const batch = nextBatch(records ?? new Uint8Array(0), 0);
        if (batch === undefined) continue;
        const { producerEpoch: epoch, baseSequence: sequence, recordCount } = batch;
        batches.push({ partition: index, epoch, sequence, records: recordCount, bytes: String(records) });
      }
    }
  }
  return batches;
}

const places = (cluster: EmbeddedCluster): [number, number][] =>
  sent(cluster).map(({ epoch, sequence }) => [epoch, sequence]);

describe('an idempotent Writer', () => {
  it('gives 10,000 concurrent writes 10,000 offsets, all in the log, in order (B1)', () =>
    play({}, async ({ writer, values }) => {
      const one = writer({ batchSize: 100 });
      const receipts = await Promise.all(numbered(10_000).map((message) => one.writeMessages(message)));
      expect(receipts.map((receipt) => receipt.at(0).offset)).toEqual(receipts.map((_, index) => index));
      expect(await values()).toEqual(numbered(10_000).map(({ value }) => value));
    }));

  it('counts sequences on over batches', () =>
    play({}, async ({ cluster, writer }) => {
      const one = writer({ batchSize: 3 });
      await one.writeMessages(numbered(7));
      await one.writeMessages(numbered(2));
      expect(places(cluster)).toEqual([
        [0, 0],
        [0, 3],
        [0, 6],
        [0, 7],
      ]);
    }));

  it.each([
    'NOT_LEADER_OR_FOLLOWER',
    'REQUEST_TIMED_OUT',
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'LEADER_NOT_AVAILABLE',
    'KAFKA_STORAGE_ERROR',
    'CORRUPT_MESSAGE',
  ] as const)('sends the same bytes with the same sequence again after %s', (error) =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer();
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, error, times: 3 });
      const receipt = await one.writeMessages({ value: 'v' });
      const [, ...attempts] = sent(cluster);
      expect(attempts).toHaveLength(4);
      expect(new Set(attempts.map(({ bytes }) => bytes)).size).toBe(1);
      expect(receipt.at(0).offset).toBe(1);
      expect(await values()).toEqual(['before', 'v']);
      expect(one.stats().total.retries).toBe(3);
    }),
  );

  it.each(['answer', 'disconnect', 'silence'] as const)(
    'stores a batch once whose answer was lost after the append: %s',
    (outcome) =>
      play({}, async ({ cluster, writer, values }) => {
        const one = writer({ requestTimeoutMs: 1000 });
        await one.writeMessages({ value: 'before' });
        const error = outcome === 'answer' ? ({ error: 'REQUEST_TIMED_OUT' } as const) : {};
        cluster.faults.inject({ api: produceApi, effect: true, outcome, times: 2, ...error });
        const receipt = await one.writeMessages(numbered(3));
        expect(receipt.at(2).offset).toBe(3);
        expect(await values()).toEqual(['before', 'm0', 'm1', 'm2']);
      }),
  );

  it('keeps the order of five batches on their way when the first is refused', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer({ batchSize: 2 });
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, error: 'NOT_ENOUGH_REPLICAS', times: 1 });
      await one.writeMessages(numbered(20));
      expect(await values()).toEqual(['before', ...numbered(20).map(({ value }) => value)]);
      expect(sent(cluster).every(({ epoch }) => epoch === 0)).toBe(true);
    }));

  it('does not let a second batch overtake a first one that a broker has no state for', () =>
    play({}, async ({ cluster, writer, values }) => {
      cluster.faults.inject({ api: produceApi, error: 'NOT_ENOUGH_REPLICAS', times: 1 });
      await writer({ batchSize: 2 }).writeMessages(numbered(8));
      expect(await values()).toEqual(numbered(8).map(({ value }) => value));
    }));

  it('keeps its sequences when metadata forgets the topic for a moment (B2)', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer({ batchSize: 5 });
      await one.writeMessages(numbered(10, 'a'));
      cluster.faults.inject({ api: metadataApi, topic: 't', error: 'UNKNOWN_TOPIC_OR_PARTITION', times: 2 });
      cluster.faults.inject({ api: produceApi, error: 'UNKNOWN_TOPIC_OR_PARTITION', times: 2 });
      const calls: Promise<unknown>[] = [];
      // Before, while and after metadata forgets it.
      for (const prefix of ['b', 'c', 'd', 'e']) {
        calls.push(one.writeMessages(numbered(10, prefix)));
        await world.advance(100);
      }
      await Promise.all(calls);
      const expected = ['a', 'b', 'c', 'd', 'e'].flatMap((prefix) => numbered(10, prefix));
      expect(await values()).toEqual(expected.map(({ value }) => value));
      expect(sent(cluster).every(({ epoch }) => epoch === 0)).toBe(true);
    }));

  it('never lets new records look like those that timed out after their append (B3)', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer({ deliveryTimeoutMs: 1000 });
      await one.writeMessages({ value: 'before' });
      const fault = cluster.faults.inject({
        api: produceApi,
        error: 'REQUEST_TIMED_OUT',
        effect: true,
        times: 100,
      });
      const failure = (await failureOf(one.writeMessages({ value: 'timed out' }))) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ code: 'TIMEOUT', stored: 'maybe' });
      fault.remove();
      const receipt = await one.writeMessages({ value: 'after' });
      expect(await values()).toEqual(['before', 'timed out', 'after']);
      expect(receipt.at(0).offset).toBe(2);
      expect(sent(cluster).at(-1)).toMatchObject({ epoch: 1, sequence: 0 });
    }));

  it('goes to the next epoch when a batch expires that may not be stored, and the others follow at 0 when they rest', () =>
    play({ partitions: 2 }, async ({ world, cluster, writer, values }) => {
      const one = writer({ deliveryTimeoutMs: 2000, requestTimeoutMs: 500 });
      const to = (partition: number, value: string) => one.writeMessages({ partition, value });
      await Promise.all([to(0, 'a0'), to(1, 'b0')]);
      const fault = cluster.faults.inject({
        api: produceApi,
        topic: 't',
        partition: 0,
        error: 'NOT_LEADER_OR_FOLLOWER',
        times: 100,
      });
      const failing = failureOf(to(0, 'lost'));
      await to(1, 'b1');
      expect(sent(cluster).at(-1)).toMatchObject({ partition: 1, epoch: 0, sequence: 1 });
      await failing;
      fault.remove();
      await world.advance(10);
      await Promise.all([to(0, 'a1'), to(1, 'b2')]);
      expect(
        sent(cluster)
          .slice(-2)
          .map(({ epoch, sequence }) => [epoch, sequence]),
      ).toEqual([
        [1, 0],
        [1, 0],
      ]);
      expect(await values(0)).toEqual(['a0', 'a1']);
      expect(await values(1)).toEqual(['b0', 'b1', 'b2']);
      expect(cluster.faults.requests(initProducerIdApi)).toHaveLength(1);
    }));

  it.each(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH'] as const)(
    'begins again in the next epoch when the oldest batch gets %s',
    (error) =>
      play({}, async ({ cluster, writer, values }) => {
        const one = writer({ batchSize: 2 });
        await one.writeMessages({ value: 'before' });
        cluster.faults.inject({ api: produceApi, error, times: 1 });
        await one.writeMessages(numbered(10));
        expect(await values()).toEqual(['before', ...numbered(10).map(({ value }) => value)]);
        expect(sent(cluster).at(-1)?.epoch).toBe(1);
        expect(cluster.faults.requests(initProducerIdApi)).toHaveLength(1);
      }),
  );

  it('fails a batch that is refused for good, and goes on behind it in the next epoch', () =>
    play({ config: { 'max.message.bytes': '1000' } }, async ({ cluster, writer, values }) => {
      const one = writer();
      await one.writeMessages({ value: 'before' });
      const failure = (await failureOf(one.writeMessages({ value: 'x'.repeat(2000) }))) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
        errorName: 'MESSAGE_TOO_LARGE',
        stored: 'no',
        topic: 't',
        partition: 0,
      });
      await one.writeMessages({ value: 'after' });
      expect(await values()).toEqual(['before', 'after']);
      expect(cluster.problems).toEqual([]);
    }));

  it('settles batches in their order, also when a younger one fails first (P4)', () =>
    play({ config: { 'max.message.bytes': '1000' } }, async ({ cluster, writer, values }) => {
      const one = writer({ batchSize: 1 });
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, error: 'REQUEST_TIMED_OUT', effect: true, times: 1 });
      const order: string[] = [];
      const note = (name: string) => (): void => void order.push(name);
      const first = one.writeMessages({ value: 'first' }).then(note('first'));
      const second = one.writeMessages({ value: 'x'.repeat(2000) }).catch(note('second'));
      const third = one.writeMessages({ value: 'third' }).then(note('third'));
      await Promise.all([first, second, third]);
      expect(order).toEqual(['first', 'second', 'third']);
      expect(await values()).toEqual(['before', 'first', 'third']);
    }));

  it('takes DUPLICATE_SEQUENCE_NUMBER for success only after an earlier send', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer();
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, effect: true, outcome: 'disconnect' });
      cluster.faults.inject({ api: produceApi, error: 'DUPLICATE_SEQUENCE_NUMBER' });
      const receipt = await one.writeMessages({ value: 'twice' });
      expect(receipt.at(0).offset).toBeUndefined();
      cluster.faults.inject({ api: produceApi, error: 'DUPLICATE_SEQUENCE_NUMBER' });
      const failure = (await failureOf(one.writeMessages({ value: 'first try' }))) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ errorName: 'DUPLICATE_SEQUENCE_NUMBER', stored: 'maybe' });
      await one.writeMessages({ value: 'after' });
      expect(await values()).toEqual(['before', 'twice', 'after']);
      expect(sent(cluster).at(-1)).toMatchObject({ epoch: 1, sequence: 0 });
    }));

  it('asks for a new producer id past epoch 32767', () =>
    play({}, async ({ cluster, writer, values }) => {
      let ids = 0;
      cluster.faults.on(initProducerIdApi, () => ({
        errorCode: 0,
        producerId: BigInt(100 + ids++),
        producerEpoch: 32_767,
      }));
      const one = writer();
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' });
      await one.writeMessages({ value: 'after' });
      expect(ids).toBe(2);
      expect(await values()).toEqual(['before', 'after']);
      const [, last] = await cluster.batches('t', 0);
      expect(last).toMatchObject({ producerId: 101n, baseSequence: 0 });
    }));

  it('waits for a producer id through errors that pass', () =>
    play({}, async ({ cluster, writer, values }) => {
      cluster.faults.inject({ api: initProducerIdApi, error: 'COORDINATOR_LOAD_IN_PROGRESS', times: 3 });
      cluster.faults.inject({ api: initProducerIdApi, outcome: 'disconnect', times: 1 });
      await writer().writeMessages(numbered(2));
      expect(await values()).toEqual(['m0', 'm1']);
    }));

  it('fails at once when it may not have a producer id', () =>
    play({}, async ({ cluster, writer }) => {
      cluster.faults.inject({ api: initProducerIdApi, error: 'CLUSTER_AUTHORIZATION_FAILED', times: 2 });
      const one = writer();
      const failure = (await failureOf(one.writeMessages(numbered(2)))) as WriteErrors;
      expect(failure.errors[1]).toMatchObject({ errorName: 'CLUSTER_AUTHORIZATION_FAILED', stored: 'no' });
      await one.writeMessages(numbered(1));
    }));

  it('follows a leader that moves, with at most one leader at a time (P8)', () =>
    play({ brokers: 3 }, async ({ world, cluster, writer, values }) => {
      const one = writer({ batchSize: 10 });
      let open = 0;
      const calls: Promise<unknown>[] = [];
      for (let round = 0; round < 30; round++) {
        calls.push(one.writeMessages(numbered(25, `${round}-`)));
        if (round % 5 === 4) cluster.moveLeader('t', 0, 1 + (((round / 5) | 0) % 3));
        await world.advance(30);
        open = Math.max(open, one.stats().pendingMessages);
      }
      await Promise.all(calls);
      const expected = Array.from({ length: 30 }, (_, round) => numbered(25, `${round}-`)).flat();
      expect(await values()).toEqual(expected.map(({ value }) => value));
      expect(sent(cluster).every(({ epoch }) => epoch === 0)).toBe(true);
    }));

  it('heals when a broker restarts', () =>
    play({ brokers: 2, partitions: 4 }, async ({ world, cluster, writer, allValues }) => {
      const one = writer();
      const calls: Promise<unknown>[] = [];
      for (let round = 0; round < 20; round++) {
        calls.push(
          one.writeMessages(numbered(20, `${round}-`).map(({ value }, i) => ({ value, key: `${i}` }))),
        );
        if (round === 5) await cluster.stopBroker(1);
        if (round === 10) await cluster.startBroker(1);
        if (round === 12) await cluster.stopBroker(2);
        if (round === 16) await cluster.startBroker(2);
        await world.advance(100);
      }
      await Promise.all(calls);
      const all = await allValues();
      expect(all).toHaveLength(400);
      expect(new Set(all).size).toBe(400);
    }));
});

describe('a Writer without idempotence', () => {
  it('has one batch of a partition on its way, so that a retry cannot reorder (W4)', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer({ idempotent: false, batchSize: 2 });
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, error: 'NOT_ENOUGH_REPLICAS', times: 2 });
      await one.writeMessages(numbered(10));
      expect(await values()).toEqual(['before', ...numbered(10).map(({ value }) => value)]);
      expect((await cluster.batches('t', 0)).every(({ producerId }) => producerId === -1n)).toBe(true);
    }));

  it('is the choice for requiredAcks 0 and 1', () =>
    play({}, async ({ writer, values, world }) => {
      await writer({ requiredAcks: 1 }).writeMessages({ value: 'a' });
      await writer({ requiredAcks: 0 }).writeMessages({ value: 'b' });
      await world.advance(10);
      expect(await values()).toEqual(['a', 'b']);
    }));
});
