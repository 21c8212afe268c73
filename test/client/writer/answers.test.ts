/** What a Produce answer says beyond success and code: records at fault, leaders, silence (KIP-467, KIP-951, KIP-219). */
import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../src/errors.ts';
import { produceApi, type ProduceResponse } from '../../../src/protocol/api/00-produce.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { ErrorCodes } from '../../../src/protocol/error-codes.ts';
import type { Input } from '../../../src/protocol/schema.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import type { BatchOutcome } from '../../../src/client/writer/options.ts';
import { failureOf, numbered, play, type Scene } from './scene.ts';

type PartitionAnswer = NonNullable<
  NonNullable<Input<ProduceResponse>['responses']>[number]['partitionResponses']
>[number];

/** Answers the next Produce request for partition 0 like this, once, and stores nothing. */
function answerOnce({ cluster }: Scene, answer: PartitionAnswer): void {
  const stop = cluster.faults.on(produceApi, ({ topicData: [topic] }) => {
    stop();
    const { name = '', topicId = '' } = topic ?? {};
    return { responses: [{ name, topicId, partitionResponses: [answer] }] };
  });
}

describe('records that the broker names', () => {
  const invalid: PartitionAnswer = {
    index: 0,
    errorCode: ErrorCodes.INVALID_RECORD,
    errorMessage: 'One or more records have been rejected',
    recordErrors: [
      { batchIndex: 1, batchIndexErrorMessage: 'no key' },
      { batchIndex: 4, batchIndexErrorMessage: null },
      { batchIndex: 6, batchIndexErrorMessage: 'not there' },
      { batchIndex: -1, batchIndexErrorMessage: 'not there' },
    ],
  };

  it('fail with what it says of them, and the others of the batch say that they failed with them', () =>
    play({}, async (scene) => {
      const outcomes: BatchOutcome[] = [];
      const one = scene.writer({ completion: (outcome) => outcomes.push(outcome) });
      await one.writeMessages({ value: 'before' });
      answerOnce(scene, invalid);
      // Two calls share the batch: indexes are those of the batch, errors those of each call.
      const [first, second] = (await Promise.all([
        failureOf(one.writeMessages(numbered(3, 'a'))),
        failureOf(one.writeMessages(numbered(3, 'b'))),
      ])) as [WriteErrors, WriteErrors];
      const others =
        'Not written with 2 of the 6 messages of its batch, which are at fault; the first: Produce failed for t[0]: INVALID_RECORD (87): no key';
      expect(first.errors.map((error) => error?.message)).toEqual([
        others,
        'Produce failed for t[0]: INVALID_RECORD (87): no key',
        others,
      ]);
      expect(second.errors.map((error) => error?.message)).toEqual([
        others,
        'Produce failed for t[0]: INVALID_RECORD (87): One or more records have been rejected',
        others,
      ]);
      expect(first.errors.map((error) => [error?.stored, error?.retriable])).toEqual([
        ['no', true],
        ['no', false],
        ['no', true],
      ]);
      expect(first.errors.every((error) => error instanceof BrokerError && error.errorCode === 87)).toBe(
        true,
      );
      expect(first.message).toContain('the first: Produce failed for t[0]: INVALID_RECORD (87): no key');
      expect(first.retriable).toBe(false);
      const { error, recordErrors } = outcomes.at(-1) as BatchOutcome;
      expect(error?.message).toBe(others);
      expect([...(recordErrors ?? [])].map(([index]) => index)).toEqual([1, 4]);
      expect(outcomes[0]?.recordErrors).toBeUndefined();
      await one.writeMessages({ value: 'after' });
      expect(await scene.values()).toEqual(['before', 'after']);
    }));

  it("that are none leave the error to all, with the broker's words", () =>
    play({}, async (scene) => {
      answerOnce(scene, { ...invalid, recordErrors: [] });
      const failure = (await failureOf(scene.writer().writeMessages(numbered(2)))) as WriteErrors;
      expect(failure.errors.map((error) => error?.message)).toEqual(
        Array(2).fill('Produce failed for t[0]: INVALID_RECORD (87): One or more records have been rejected'),
      );
    }));

  it('do not make an error as long as the broker likes', () =>
    play({}, async (scene) => {
      answerOnce(scene, { index: 0, errorCode: ErrorCodes.INVALID_RECORD, errorMessage: 'x'.repeat(30_000) });
      const failure = (await failureOf(scene.writer().writeMessages(numbered(1)))) as WriteErrors;
      expect(failure.message.length).toBeLessThan(1000);
    }));
});

describe('a leader that the answer names', () => {
  it('is written to at once, without asking for metadata first', () =>
    play({ brokers: 3 }, async ({ world, cluster, writer, values }) => {
      const one = writer({ batchSize: 2 });
      await one.writeMessages({ value: 'before' });
      const old = cluster.partition('t', 0).leader;
      const next = 1 + (old % 3);
      cluster.moveLeader('t', 0, next);
      const metadata = cluster.faults.inject({ api: metadataApi, delayMs: 5000, times: 100 });
      const startedMs = world.now();
      await one.writeMessages(numbered(20));
      expect(world.now() - startedMs).toBeLessThan(50);
      metadata.remove();
      expect(await values()).toEqual(['before', ...numbered(20).map(({ value }) => value)]);
    }));

  it('is reached at the address that comes with it, also where metadata knew no such broker', () =>
    play({ brokers: 2 }, async ({ world, cluster, writer, values }) => {
      // Metadata that knows broker 1 alone.
      const [address = ''] = cluster.brokers;
      if (cluster.partition('t', 0).leader !== 1) cluster.moveLeader('t', 0, 1);
      const [host = '', port] = address.split(':');
      let asked = 0;
      const topicId = new Set<string>();
      const one = writer();
      await one.writeMessages({ value: 'before' });
      for (const { request } of cluster.faults.requests(produceApi))
        for (const each of request.topicData) topicId.add(each.topicId);
      const [id = ''] = topicId;
      cluster.faults.on(metadataApi, () => {
        asked++;
        return {
          brokers: [{ nodeId: 1, host, port: Number(port) }],
          topics: [
            {
              name: 't',
              topicId: id,
              partitions: [
                { partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] },
              ],
            },
          ],
        };
      });
      const two = writer();
      await two.writeMessages({ value: 'known' });
      cluster.moveLeader('t', 0, 2);
      const startedMs = world.now();
      await two.writeMessages({ value: 'moved' });
      expect(world.now() - startedMs).toBeLessThan(50);
      expect(asked).toBeGreaterThan(0);
      expect(await values()).toEqual(['before', 'known', 'moved']);
    }));

  it('is not believed with an epoch that is not newer', () =>
    play({ brokers: 2 }, async (scene) => {
      const { cluster, writer, values } = scene;
      const one = writer();
      await one.writeMessages({ value: 'before' });
      const { leader, leaderEpoch } = cluster.partition('t', 0);
      answerOnce(scene, {
        index: 0,
        errorCode: ErrorCodes.NOT_LEADER_OR_FOLLOWER,
        currentLeader: { leaderId: 3 - leader, leaderEpoch },
      });
      await one.writeMessages({ value: 'after' });
      expect(cluster.faults.requests(produceApi).map(({ nodeId }) => nodeId)).toEqual([
        leader,
        leader,
        leader,
      ]);
      expect(await values()).toEqual(['before', 'after']);
    }));
});

describe('a broker that asks for silence', () => {
  it('is left alone for as long, while others are written to, and messages gather', () =>
    play({ brokers: 2, partitions: 2 }, async ({ world, cluster, writer, allValues }) => {
      const one = writer();
      const to = (partition: number, value: string): Promise<unknown> =>
        one.writeMessages({ partition, value });
      const { leader } = cluster.partition('t', 0);
      if (cluster.partition('t', 1).leader === leader) cluster.moveLeader('t', 1, 3 - leader);
      await Promise.all([to(0, 'a'), to(1, 'b')]);
      cluster.faults.inject({ api: produceApi, nodeId: leader, throttleMs: 1000 });
      await to(0, 'c');
      cluster.faults.clear();
      const startedMs = world.now();
      const calls = [to(0, 'd')];
      await world.advance(500);
      calls.push(to(0, 'e'), to(1, 'f'));
      await calls[2];
      expect(world.now() - startedMs).toBeLessThan(510);
      await Promise.all(calls);
      expect(world.now() - startedMs).toBeGreaterThanOrEqual(990);
      expect(world.now() - startedMs).toBeLessThan(1050);
      expect(cluster.faults.requests(produceApi).map(({ nodeId }) => nodeId)).toEqual([3 - leader, leader]);
      expect((await allValues()).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
      expect(one.stats().total.throttleMs).toMatchObject({ count: 1, sum: 1000 });
    }));

  it('is not waited for by a record whose time is over, and that is certainly not stored', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer({ deliveryTimeoutMs: 2000 });
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, throttleMs: 60_000 });
      await one.writeMessages({ value: 'throttled' });
      const startedMs = world.now();
      const failure = (await failureOf(one.writeMessages({ value: 'late' }))) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ code: 'TIMEOUT', stored: 'no' });
      expect(world.now() - startedMs).toBeLessThan(3000);
      await one.close();
      expect(world.now() - startedMs).toBeLessThan(3100);
      expect(await values()).toEqual(['before', 'throttled']);
    }));

  it('can be withdrawn from: what waits was not sent', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer();
      await one.writeMessages({ value: 'before' });
      cluster.faults.inject({ api: produceApi, throttleMs: 500 });
      await one.writeMessages({ value: 'throttled' });
      const controller = new AbortController();
      const call = failureOf(one.writeMessages({ value: 'given up' }, { signal: controller.signal }));
      controller.abort();
      expect(await call).toMatchObject({ stored: 'no' });
      await one.writeMessages({ value: 'after' });
      expect(await values()).toEqual(['before', 'throttled', 'after']);
    }));
});
