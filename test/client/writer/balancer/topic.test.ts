/** What a Writer shows its balancer, and what it makes of a balancer that refuses. */
import { describe, expect, it } from 'vitest';
import type { BalancerTopic } from '../../../../src/client/writer/balancer/balancer.ts';
import { manual } from '../../../../src/client/writer/balancer/manual.ts';
import { WriteErrors } from '../../../../src/client/writer/errors.ts';
import { UsageError } from '../../../../src/errors.ts';
import { failureOf, play } from '../scene.ts';

describe('a balancer', () => {
  it('sees how long the oldest batch of a partition has been without its outcome, and how much waits', () =>
    play({ partitions: 2 }, async ({ world, cluster, writer }) => {
      const looks: { waited: number[]; buffered: number[] }[] = [];
      const balancer = (_message: unknown, _key: unknown, topic: BalancerTopic): number => {
        const ofEach = (look: (partition: number) => number): number[] => topic.partitions.map(look);
        looks.push({
          waited: ofEach((p) => topic.waitedMs(p)),
          buffered: ofEach((p) => topic.bufferedBytes(p)),
        });
        return 0;
      };
      const one = writer({ balancer });
      await one.writeMessages({ value: 'first' });
      const [address = ''] = cluster.brokers;
      world.network.freeze(address);
      for (let call = 0; call < 2; call++) {
        await one.enqueue({ value: 'x' });
        await new Promise<void>((resolve) => void world.platform.setTimer(300, resolve));
      }
      world.network.thaw(address);
      await one.flush();
      await one.writeMessages({ value: 'last' });
      const waited = looks.map((look) => look.waited.map(Math.round));
      expect(waited).toEqual([
        [0, 0],
        [0, 0],
        [300, 0],
        [0, 0],
      ]);
      expect(looks.map(({ buffered }) => buffered.map((bytes) => bytes > 0))).toEqual([
        [false, false],
        [false, false],
        [true, false],
        [false, false],
      ]);
    }));
});

describe('a Writer with the balancer manual()', () => {
  it('refuses a call of which one message has no partition, and sends nothing of it', () =>
    play({ partitions: 2 }, async ({ writer, allValues }) => {
      const one = writer({ balancer: manual() });
      const messages = [{ value: 'a', partition: 1 }, { value: 'b' }];
      const error = await failureOf(one.writeMessages(messages));
      expect(error).toBeInstanceOf(WriteErrors);
      const { errors } = error as WriteErrors;
      expect(errors[1]).toBeInstanceOf(UsageError);
      expect(errors[1]?.message).toContain('A message to t has no partition');
      expect(errors[1]?.stored).toBe('no');
      expect(await allValues()).toEqual([]);
    }));

  it('goes by the partition of each message', () =>
    play({ partitions: 2 }, async ({ writer, values }) => {
      await writer({ balancer: manual() }).writeMessages([
        { value: 'a', partition: 1 },
        { value: 'b', partition: 0, key: 'k' },
      ]);
      expect([await values(0), await values(1)]).toEqual([['b'], ['a']]);
    }));
});
