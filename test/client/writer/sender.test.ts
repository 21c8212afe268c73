/** Produce requests: what goes into one, whose turn it is, and answers that are not what they should be. */
import { describe, expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import { failureOf, numbered, play } from './scene.ts';

describe('a produce request', () => {
  it('holds at most 4 MiB, one batch of a partition, and the partitions take turns', () =>
    play({ partitions: 10 }, async ({ cluster, writer }) => {
      const one = writer();
      await one.writeMessages(Array.from({ length: 10 }, (_, partition) => ({ partition, value: 'x' })));
      const requests: number[][] = [];
      cluster.faults.on(produceApi, ({ topicData }) => {
        requests.push(topicData.flatMap(({ partitionData }) => partitionData.map(({ index }) => index)));
        return undefined;
      });
      const large = Array.from({ length: 30 }, (_, i) => ({
        partition: i % 10,
        value: new Uint8Array(900_000),
      }));
      await one.writeMessages(large);
      expect(requests.flat()).toHaveLength(30);
      for (const partitions of requests) expect(partitions.length).toBeLessThanOrEqual(4);
      for (let round = 0; round < 3; round++) {
        expect(new Set(requests.flat().slice(round * 10, round * 10 + 10)).size).toBe(10);
      }
    }));

  it('takes a batch alone that is larger than a request should be', () =>
    play({ config: { 'max.message.bytes': '8000000' } }, async ({ cluster, writer }) => {
      await writer({ batchBytes: 6_000_000 }).writeMessages({ value: new Uint8Array(5_500_000) });
      expect(cluster.partition('t', 0).endOffset).toBe(1);
    }));

  it('is on its way at most five times at once to a broker', () =>
    play({ partitions: 20 }, async ({ world, cluster, writer }) => {
      const one = writer();
      await one.writeMessages(Array.from({ length: 20 }, (_, partition) => ({ partition, value: 'x' })));
      cluster.faults.clear();
      cluster.faults.inject({ api: produceApi, delayMs: 100, times: 1000 });
      const calls: Promise<unknown>[] = [];
      for (let partition = 0; partition < 20; partition++) {
        calls.push(one.writeMessages({ partition, value: 'y' }));
        await world.advance(1);
      }
      const withinFirstAnswer = cluster.faults.requests(produceApi).length;
      await Promise.all(calls);
      expect(withinFirstAnswer).toBeLessThanOrEqual(5);
      expect(cluster.faults.requests(produceApi).length).toBeLessThan(12);
    }));

  it('names topics where metadata has no topic ids', () =>
    play({ maxVersions: [[metadataApi, 9]] }, async ({ cluster, writer, values }) => {
      await writer().writeMessages(numbered(2));
      expect(cluster.faults.requests(produceApi)[0]?.apiVersion).toBe(12);
      expect(await values()).toEqual(['m0', 'm1']);
    }));
});

describe('an answer', () => {
  it('that leaves a batch out fails it, as maybe stored', () =>
    play({ partitions: 2 }, async ({ cluster, writer }) => {
      const one = writer();
      cluster.faults.on(produceApi, (request) => ({
        responses: request.topicData.map(({ topicId }) => ({
          topicId,
          partitionResponses: [{ index: 1, errorCode: 0, baseOffset: 40 }],
        })),
      }));
      const call = one.writeMessages([0, 1].map((partition) => ({ partition, value: 'v' })));
      const failure = (await failureOf(call)) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ code: 'MALFORMED', stored: 'maybe' });
      expect(failure.errors[0]?.message).toContain('leaves out t[0]');
      expect(failure.errors[1]).toBeNull();
      expect(failure.receipt.at(1)).toMatchObject({ partition: 1, offset: 40 });
      expect(failure.message).toContain('1 of 2 messages were not written');
    }));

  it('may come in another order, and speak of what was not asked', () =>
    play({ partitions: 3 }, async ({ cluster, writer }) => {
      cluster.faults.on(produceApi, ({ topicData: [topic] }) => ({
        responses: [
          { topicId: 'BBBBBBBBBBBBBBBBBBBBBA', partitionResponses: [{ index: 0, errorCode: 3 }] },
          {
            topicId: topic?.topicId ?? '',
            partitionResponses: [2, 7, 1, 0].map((index) => ({
              index,
              errorCode: 0,
              baseOffset: index * 10,
            })),
          },
        ],
      }));
      const receipt = await writer().writeMessages([0, 1, 2].map((partition) => ({ partition, value: 'v' })));
      expect([0, 1, 2].map((index) => receipt.at(index).offset)).toEqual([0, 10, 20]);
    }));

  it('that cannot be read fails the batches as maybe stored, and the Writer goes on', () =>
    play({}, async ({ world, writer, values }) => {
      let garbled = false;
      const one = writer({
        dial: async (address, options) => {
          const transport = await world.platform.dial(address, options);
          const read = async (): Promise<Uint8Array | null> => {
            const chunk = await transport.read();
            // Length and correlation id stay.
            if (garbled) chunk?.fill(255, 8);
            return chunk;
          };
          return {
            write: (parts) => transport.write(parts),
            close: () => transport.close(),
            abort: () => transport.abort(),
            read,
          };
        },
      });
      await one.writeMessages({ value: 'before' });
      garbled = true;
      const failure = (await failureOf(one.writeMessages({ value: 'v' }))) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ code: 'MALFORMED', stored: 'maybe' });
      garbled = false;
      await one.writeMessages({ value: 'after' });
      expect(await values()).toEqual(['before', 'v', 'after']);
    }));
});
