/** Readers and Writers on one shared client (C6): what waits long for one must not hold up the others. */
import { expect, test } from 'vitest';
import { Client } from '../../../src/client/admin/client.ts';
import { Writer } from '../../../src/client/writer/writer.ts';
import { withRig } from '../fetch/rig.ts';
import { Reader } from '../../../src/client/reader/index.ts';

test('two members of a group on one client join within the second', async () => {
  await withRig(
    async ({ world, cluster }) => {
      const { platform } = world;
      await using client = new Client({ brokers: cluster.brokers, platform });
      await using writer = new Writer({ client, topic: 'orders' });
      const messages = Array.from({ length: 4 }, (_, partition) => ({ partition, value: `${partition}` }));
      await writer.writeMessages(messages);
      const began = world.now();
      const readers = [0, 1].map(() => new Reader({ client, groupId: 'g', topics: ['orders'] }));
      const first = readers.map((reader) => reader.fetchMessage());
      await Promise.all(first);
      expect(world.now() - began).toBeLessThan(4000);
      const owned = readers.flatMap((reader) => reader.stats().partitions.map(({ partition }) => partition));
      expect(owned.toSorted()).toEqual([0, 1, 2, 3]);
      await Promise.all(readers.map((reader) => reader.close()));
      await writer.writeMessages({ partition: 0, value: 'the client is open still' });
    },
    { topics: [{ name: 'orders', partitions: 4 }] },
  );
});

test('a reader that waits at the end of its partition does not delay another one on the same client', async () => {
  await withRig(
    async ({ world, cluster }) => {
      const { platform } = world;
      await using client = new Client({ brokers: cluster.brokers, platform });
      await using writer = new Writer({ client, topic: 'orders' });
      const readers = [0, 1].map(
        (partition) => new Reader({ client, topic: 'orders', partition, maxWaitMs: 5000 }),
      );
      const waiting = readers.map((reader) => reader.fetchMessage());
      await world.advance(2000);
      const began = world.now();
      await writer.writeMessages({ partition: 1, value: 'now' });
      expect((await waiting[1])?.text()).toBe('now');
      expect(world.now() - began).toBeLessThan(50);
      const closed = expect(waiting[0]).rejects.toMatchObject({ code: 'CLOSED' });
      await Promise.all(readers.map((reader) => reader.close()));
      await closed;
    },
    { topics: [{ name: 'orders', partitions: 2 }] },
  );
});
