/** A topic that is deleted and created again under a Writer: another id, an empty log, perhaps fewer partitions. */
import { describe, expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import { failureOf, numbered, play } from './scene.ts';

describe('a topic that is created anew', () => {
  it.each([13, 12])('is written to with Produce v%i as soon as metadata knows it', (version) =>
    play({ maxVersions: [[produceApi, version]] }, async ({ world, cluster, writer, values }) => {
      const one = writer({ batchSize: 5 });
      await one.writeMessages(numbered(20, 'old'));
      cluster.deleteTopic('t');
      const call = one.writeMessages(numbered(20, 'new'));
      await world.advance(700);
      cluster.createTopic({ name: 't', partitions: 1 });
      const receipt = await call;
      expect([0, 19].map((index) => receipt.at(index).offset)).toEqual([0, 19]);
      expect(await values()).toEqual(numbered(20, 'new').map(({ value }) => value));
      // One look at the metadata heals it, however it is addressed.
      await one.writeMessages(numbered(20, 'later'));
      expect((await cluster.batches('t', 0)).every(({ producerEpoch }) => producerEpoch === 0)).toBe(true);
    }),
  );

  it('has sequences that go on, one batch at a time until its log has taken one', () =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer({ batchSize: 2 });
      await one.writeMessages(numbered(4, 'old'));
      cluster.deleteTopic('t');
      cluster.createTopic({ name: 't', partitions: 1 });
      cluster.faults.clear();
      cluster.faults.inject({ api: produceApi, error: 'NOT_ENOUGH_REPLICAS', topic: 't' });
      await one.writeMessages(numbered(8, 'new'));
      expect(await values()).toEqual(numbered(8, 'new').map(({ value }) => value));
      expect(
        (await cluster.batches('t', 0)).map(({ producerEpoch, baseSequence }) => [
          producerEpoch,
          baseSequence,
        ]),
      ).toEqual([
        [0, 4],
        [0, 6],
        [0, 8],
        [0, 10],
      ]);
      await world.advance(10);
    }));

  it('does not get records of the old one a second time', () =>
    play({}, async ({ cluster, writer, values }) => {
      const one = writer({ requestTimeoutMs: 500 });
      await one.writeMessages({ value: 'old' });
      cluster.faults.inject({ api: produceApi, outcome: 'silence', effect: true });
      const call = one.writeMessages({ value: 'under way' });
      cluster.deleteTopic('t');
      cluster.createTopic({ name: 't', partitions: 1 });
      await call;
      await one.writeMessages({ value: 'after' });
      expect(await values()).toEqual(['under way', 'after']);
    }));

  it('with fewer partitions is balanced over those, and messages of the others expire', () =>
    play({ partitions: 4 }, async ({ cluster, writer }) => {
      const one = writer({
        deliveryTimeoutMs: 3000,
        balancer: (_message, _key, { partitions }) => partitions.length - 1,
      });
      await one.writeMessages({ value: 'old' });
      cluster.faults.inject({ api: metadataApi, delayMs: 200 });
      cluster.deleteTopic('t');
      cluster.createTopic({ name: 't', partitions: 2 });
      const lost = (await failureOf(one.writeMessages({ value: 'for partition 3' }))) as WriteErrors;
      expect(lost.errors[0]).toMatchObject({ code: 'TIMEOUT', stored: 'maybe' });
      const receipt = await one.writeMessages({ value: 'new' });
      expect(receipt.at(0)).toMatchObject({ partition: 1, offset: 0 });
      await expect(one.writeMessages({ partition: 3, value: 'v' })).rejects.toThrow(
        'Message 0: it asks for partition 3; t has 0 to 1',
      );
    }));

  it('with more partitions is balanced over all', () =>
    play({ partitions: 1 }, async ({ cluster, writer }) => {
      const one = writer({ balancer: (_message, _key, { partitions }) => partitions.length - 1 });
      await one.writeMessages({ value: 'old' });
      cluster.deleteTopic('t');
      cluster.createTopic({ name: 't', partitions: 3 });
      await one.writeMessages({ value: 'finds out' });
      expect((await one.writeMessages({ value: 'new' })).at(0)).toMatchObject({ partition: 2, offset: 0 });
    }));
});
