/** A Reader in a group: what is committed when, what comes again, and what never comes after a rebalance. */
import { describe, expect, test } from 'vitest';
import type { Message, Reader } from '../../../src/client/reader/index.ts';
import { offsetCommitApi } from '../../../src/protocol/api/08-offset-commit.ts';
import { offsetFetchApi } from '../../../src/protocol/api/09-offset-fetch.ts';
import { joinGroupApi } from '../../../src/protocol/api/11-join-group.ts';
import { batchOf, concat, emptyBatch, endOfTransaction, range, transactional } from '../fetch/batches.ts';
import { withRig, type Rig } from '../fetch/rig.ts';

const group = { groupId: 'g', topic: 'orders' };
const two = { topics: [{ name: 'orders', partitions: 2 }] };

/** What the group has committed, `partition:offset`. */
function committed({ cluster }: Rig, groupId = 'g'): string[] {
  return cluster
    .committed(groupId)
    .map(({ partition, offset }) => `${partition}:${offset}`)
    .sort();
}

async function take(reader: Reader, count: number): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < count) messages.push(await reader.fetchMessage());
  return messages;
}

const offsets = (messages: readonly Message[]): number[] => messages.map(({ offset }) => offset);

describe('for await in a group (R1)', () => {
  test('commits once a second what is done, and never the message in hand', () =>
    withRig(async (rig) => {
      rig.cluster.appendRaw('orders', 0, batchOf(range(0, 5)));
      const seen: string[] = [];
      for await (const { offset } of rig.reader(group)) {
        await rig.world.advance(700);
        seen.push(committed(rig).join());
        if (offset === 4) break;
      }
      // Done at 700, 1400, 2100 ...; committed at 1700, 3100 ...; looked at every 700.
      expect(seen).toEqual(['', '', '0:2', '0:2', '0:4']);
    }));

  test('hands out again what was left by break, by throw, or by the end of the process', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      cluster.appendRaw('orders', 0, batchOf(range(0, 4)));
      const r = reader(group);
      for await (const { offset } of r) if (offset === 1) break;
      expect(offsets(await take(r, 1))).toEqual([1]);
      const failing = (async (): Promise<void> => {
        for await (const { offset } of r) if (offset === 2) throw new Error('processing failed');
      })();
      await expect(failing).rejects.toThrow('processing failed');
      expect(Array.from(await r.fetchBatch({ maxRecords: 1 }), ({ offset }) => offset)).toEqual([2]);
      await world.advance(3000);
      // 1 was handed out by fetchMessage and 2 by fetchBatch: neither was declared done.
      expect(committed(rig)).toEqual(['0:1']);
      await r.close();
      expect(offsets(await take(reader(group), 3))).toEqual([1, 2, 3]);
    }));

  test('goes back also when the loop was left at the last record that was fetched', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.appendRaw('orders', 0, concat(batchOf([0, 1]), batchOf([2])));
      const r = reader(group);
      for (const at of [1, 2]) {
        for await (const { offset } of r) if (offset === at) break;
        expect(offsets(await take(r, 1))).toEqual([at]);
      }
    }));

  test('does not hand out again what was committed by hand before the break', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.appendRaw('orders', 0, batchOf(range(0, 4)));
      const r = reader({ ...group, commits: 'manual' });
      for await (const message of r) {
        if (message.offset < 2) continue;
        await r.commitMessages(message);
        break;
      }
      expect(offsets(await take(r, 1))).toEqual([3]);
    }));

  test('with commitIntervalMs 0 commits each message before the next one comes', () =>
    withRig(async (rig) => {
      rig.cluster.appendRaw('orders', 0, batchOf(range(0, 4)));
      const seen: string[] = [];
      for await (const { offset } of rig.reader({ ...group, commitIntervalMs: 0 })) {
        seen.push(committed(rig).join());
        if (offset === 3) break;
      }
      expect(seen).toEqual(['', '0:1', '0:2', '0:3']);
    }));

  test('with commits manual commits nothing', () =>
    withRig(async (rig) => {
      rig.cluster.appendRaw('orders', 0, batchOf(range(0, 4)));
      for await (const { offset } of rig.reader({ ...group, commits: 'manual' })) if (offset === 3) break;
      await rig.world.advance(5000);
      expect(committed(rig)).toEqual([]);
    }));

  test('keeps trying to commit while commits fail, and goes on reading', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      cluster.appendRaw('orders', 0, batchOf(range(0, 3)));
      cluster.faults.inject({ api: offsetCommitApi, error: 'UNKNOWN_SERVER_ERROR', times: 2 });
      const r = reader(group);
      const loop = (async (): Promise<void> => {
        for await (const _ of r) continue;
      })();
      await world.advance(8000);
      expect(committed(rig)).toEqual(['0:3']);
      cluster.appendRaw('orders', 0, batchOf([3]));
      await world.advance(2000);
      expect(committed(rig)).toEqual(['0:4']);
      await r.close();
      await loop;
    }));
});

describe('commitMessages', () => {
  test('commits at once the highest offset of each partition plus 1, in any order, and never goes back', () =>
    withRig(async (rig) => {
      const { cluster, reader } = rig;
      for (const partition of [0, 1]) cluster.appendRaw('orders', partition, batchOf(range(0, 5)));
      const r = reader(group);
      const messages = await take(r, 10);
      const of = (partition: number, offset: number): Message => {
        const found = messages.find((each) => each.partition === partition && each.offset === offset);
        if (found === undefined) throw new Error('not read');
        return found;
      };
      expect(await r.commitMessages([of(0, 3), of(1, 1), of(0, 2)])).toEqual({ dropped: [] });
      expect(committed(rig)).toEqual(['0:4', '1:2']);
      await r.commitMessages(of(0, 1));
      expect(committed(rig)).toEqual(['0:4', '1:2']);
      expect(await r.committed({ topic: 'orders', partition: 1 })).toBe(2);
      expect(r.stats().commits).toBe(1);
    }, two));

  test('takes a batch, and rejects what no reader of this group gave out', () =>
    withRig(async (rig) => {
      const { cluster, reader } = rig;
      cluster.appendRaw('orders', 0, batchOf(range(0, 5)));
      const r = reader(group);
      await r.commitMessages(await r.fetchBatch({ maxRecords: 3 }));
      expect(committed(rig)).toEqual(['0:3']);
      const foreign = await reader({ topic: 'orders', partition: 0 }).fetchMessage();
      await expect(r.commitMessages(foreign)).rejects.toMatchObject({ code: 'USAGE' });
      for (const nonsense of [undefined, 5, [{ topic: 'orders', partition: 0, offset: 1 }]]) {
        await expect(r.commitMessages(nonsense as never)).rejects.toMatchObject({ code: 'USAGE' });
      }
      expect(committed(rig)).toEqual(['0:3']);
    }));

  test('with an interval resolves at once and commits within it', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      cluster.appendRaw('orders', 0, batchOf(range(0, 5)));
      const r = reader({ ...group, commitIntervalMs: 3000 });
      for (const message of await take(r, 4)) await r.commitMessages(message);
      expect(committed(rig)).toEqual([]);
      await world.advance(3100);
      expect(committed(rig)).toEqual(['0:4']);
      expect(cluster.faults.requests(offsetCommitApi).length).toBe(1);
    }));

  test('rejects with what the broker says', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.appendRaw('orders', 0, batchOf([0]));
      const r = reader(group);
      const message = await r.fetchMessage();
      cluster.faults.inject({ api: offsetCommitApi, error: 'GROUP_AUTHORIZATION_FAILED' });
      await expect(r.commitMessages(message)).rejects.toMatchObject({
        errorName: 'GROUP_AUTHORIZATION_FAILED',
      });
      await r.close();
      await expect(r.commitMessages(message)).rejects.toMatchObject({ code: 'CLOSED' });
    }));
});

describe('readMessage', () => {
  test('commits before it returns; a message that could not be committed comes again', () =>
    withRig(async (rig) => {
      const { cluster, reader } = rig;
      cluster.appendRaw('orders', 0, batchOf(range(0, 3)));
      const r = reader(group);
      expect((await r.readMessage()).offset).toBe(0);
      expect(committed(rig)).toEqual(['0:1']);
      cluster.faults.inject({ api: offsetCommitApi, error: 'GROUP_AUTHORIZATION_FAILED' });
      await expect(r.readMessage()).rejects.toMatchObject({ errorName: 'GROUP_AUTHORIZATION_FAILED' });
      expect((await r.readMessage()).offset).toBe(1);
      expect(committed(rig)).toEqual(['0:2']);
    }));
});

describe('positions that nobody declares done', () => {
  test('are committed over control, aborted and compacted records, so that lag reaches 0 (R2)', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      cluster.appendRaw(
        'orders',
        0,
        concat(
          transactional(7n, ['a', 'b'], 0),
          endOfTransaction(7n, 'commit', 2),
          transactional(8n, ['x'], 3),
          endOfTransaction(8n, 'abort', 4),
          emptyBatch(5, 4),
        ),
        { keepOffsets: true },
      );
      const r = reader(group);
      const messages = await take(r, 2);
      void r.fetchMessage().catch(() => undefined);
      await world.advance(3000);
      expect(r.position()).toBe(10);
      expect(committed(rig)).toEqual([]);
      await r.commitMessages(messages.slice(0, 1));
      await world.advance(3000);
      expect(committed(rig)).toEqual(['0:1']);
      await r.commitMessages(messages);
      expect(committed(rig)).toEqual(['0:10']);
      cluster.appendRaw('orders', 0, concat(transactional(7n, ['y']), endOfTransaction(7n, 'abort')));
      await world.advance(3000);
      expect(committed(rig)).toEqual(['0:12']);
    }));

  test('at the end of the log are committed once, so that a restart skips nothing (R6)', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      cluster.appendRaw('orders', 0, batchOf(range(0, 5)));
      const r = reader({ ...group, startOffset: 'latest' });
      void r.fetchMessage().catch(() => undefined);
      await world.advance(3000);
      expect(committed(rig)).toEqual(['0:5', '1:0']);
      await r.close();
      cluster.appendRaw('orders', 0, batchOf([5]));
      expect((await reader({ ...group, startOffset: 'latest' }).fetchMessage()).offset).toBe(5);
    }, two));

  test('at the beginning of the log are not', () =>
    withRig(async (rig) => {
      void rig
        .reader(group)
        .fetchMessage()
        .catch(() => undefined);
      await rig.world.advance(3000);
      expect(committed(rig)).toEqual([]);
    }));
});

describe('a rebalance', () => {
  test('commits what is done, drops what is buffered, and the new owner goes on from there', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      for (const partition of [0, 1]) cluster.appendRaw('orders', partition, batchOf(range(0, 50)));
      const seen: [string, number, number][] = [];
      const consume = async (name: string, r: Reader): Promise<void> => {
        for await (const { partition, offset } of r) {
          seen.push([name, partition, offset]);
          await world.advance(100);
        }
      };
      const [a, b] = [reader(group), reader(group)];
      void consume('a', a);
      await world.advance(2550);
      const before = seen.length;
      void consume('b', b);
      await world.advance(20_000);
      const owners = new Map(seen.slice(before + 1).map(([name, partition]) => [partition, name]));
      expect(new Set(owners.values()).size).toBe(2);
      for (const partition of [0, 1]) {
        const read = seen.filter((each) => each[1] === partition);
        expect(new Set(read.map(([, , offset]) => offset))).toEqual(new Set(range(0, 50)));
        // Only the message in hand at the rebalance comes twice.
        expect(read.length).toBeLessThanOrEqual(51);
        const moved = read.findIndex(([name]) => name === 'b');
        if (moved >= 0) expect(read.slice(moved).every(([name]) => name === 'b')).toBe(true);
      }
      await world.advance(2000);
      expect(a.stats().partitions.length + b.stats().partitions.length).toBe(2);
      expect(committed(rig)).toEqual(['0:50', '1:50']);
    }, two));

  test('makes commits of messages from before it drop, and says so (R3)', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      for (const partition of [0, 1]) cluster.appendRaw('orders', partition, batchOf(range(0, 5)));
      const a = reader(group);
      const messages = await take(a, 10);
      const b = reader(group);
      void b.fetchMessage().catch(() => undefined);
      await world.advance(10_000);
      const { dropped } = await a.commitMessages(messages);
      expect(dropped.map(({ partition, offset }) => `${partition}:${offset}`).sort()).toEqual(['0:5', '1:5']);
      expect(committed(rig)).toEqual([]);
      // What a still owns comes again.
      expect((await a.fetchMessage()).offset).toBe(0);
    }, two));

  test('lets nothing of a revoked partition out, not even what is being fetched', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      for (const partition of [0, 1]) cluster.appendRaw('orders', partition, batchOf(range(0, 1000)));
      const [a, b] = [reader(group), reader({ ...group, commits: 'manual' })];
      await take(a, 10);
      void b.fetchBatch({ maxRecords: 1 }).catch(() => undefined);
      await world.advance(10_000);
      const mine = a.stats().partitions.map(({ partition }) => partition);
      expect(mine.length).toBe(1);
      const later = await take(a, 1000);
      expect(new Set(later.map(({ partition }) => partition))).toEqual(new Set(mine));
      expect(offsets(later)).toEqual(range(0, 1000));
      expect(a.stats().rebalances).toBeGreaterThanOrEqual(2);
    }, two));
});

describe('committed offsets', () => {
  test('that cannot be fetched are asked for again, and nothing is read in the meantime', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      cluster.appendRaw('orders', 0, batchOf(range(0, 5)));
      const first = reader(group);
      await first.commitMessages(await take(first, 3));
      await first.close();
      cluster.faults.inject({ api: offsetFetchApi, error: 'COORDINATOR_LOAD_IN_PROGRESS', times: 20 });
      const second = reader({ ...group, startOffset: 'latest' });
      const next = second.fetchMessage();
      await world.advance(2000);
      expect(second.position()).toBeUndefined();
      expect((await next).offset).toBe(3);
    }));

  test('that come late, with rebalances meanwhile, are still where reading begins (B10)', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      for (const partition of [0, 1]) cluster.appendRaw('orders', partition, batchOf(range(0, 10)));
      const first = reader(group);
      await first.commitMessages(await take(first, 20));
      await first.close();
      for (const partition of [0, 1]) cluster.appendRaw('orders', partition, batchOf(range(10, 12)));
      const slow = cluster.faults.inject({ api: offsetFetchApi, delayMs: 4000, times: 100 });
      const [a, b] = [reader(group), reader({ ...group, startOffset: 'latest' })];
      const lowest = Promise.all([a.fetchBatch(), b.fetchBatch()]);
      await world.advance(2000);
      const c = reader(group);
      c.fetchMessage().catch(() => undefined);
      await world.advance(6000);
      await c.close();
      await world.advance(2000);
      slow.remove();
      expect((await lowest).map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset])).toEqual([
        [10, 11],
        [10, 11],
      ]);
    }, two));

  test('that may not be fetched are an error, until they may', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      cluster.appendRaw('orders', 0, batchOf([0]));
      const fault = cluster.faults.inject({
        api: offsetFetchApi,
        error: 'TOPIC_AUTHORIZATION_FAILED',
        times: 1000,
      });
      const r = reader(group);
      await expect(r.fetchMessage()).rejects.toMatchObject({ errorName: 'TOPIC_AUTHORIZATION_FAILED' });
      fault.remove();
      await world.advance(3000);
      expect((await r.fetchMessage()).offset).toBe(0);
    }));

  test('below the log are reset as startOffset says', () =>
    withRig(async (rig) => {
      const { cluster, reader } = rig;
      cluster.appendRaw('orders', 0, concat(batchOf(range(0, 5)), batchOf(range(5, 10))));
      const first = reader(group);
      await first.commitMessages(await take(first, 2));
      await first.close();
      cluster.deleteRecords('orders', 0, 5);
      expect((await reader(group).fetchMessage()).offset).toBe(5);
    }));
});

describe('membership', () => {
  test('that the broker refuses ends in its error, each time', () =>
    withRig(async ({ cluster, reader }) => {
      cluster.faults.inject({ api: joinGroupApi, error: 'GROUP_AUTHORIZATION_FAILED', times: 1000 });
      const r = reader(group);
      for (const _ of [1, 2]) {
        await expect(r.fetchMessage()).rejects.toMatchObject({ errorName: 'GROUP_AUTHORIZATION_FAILED' });
      }
    }));

  test('ends with close, after a last commit of what is done', () =>
    withRig(async (rig) => {
      const { cluster, reader } = rig;
      cluster.appendRaw('orders', 0, batchOf(range(0, 5)));
      const r = reader({ ...group, commitIntervalMs: 60_000 });
      for await (const { offset } of r) if (offset === 3) break;
      expect(committed(rig)).toEqual([]);
      await r.close();
      expect(committed(rig)).toEqual(['0:3']);
      expect(cluster.group('g')?.members).toEqual([]);
    }));

  test('survives a broker that restarts', () =>
    withRig(async (rig) => {
      const { cluster, reader, world } = rig;
      cluster.appendRaw('orders', 0, batchOf([0]));
      const r = reader(group);
      const loop: number[] = [];
      void (async (): Promise<void> => {
        for await (const { offset } of r) loop.push(offset);
      })();
      await world.advance(2000);
      await cluster.stopBroker(1);
      await world.advance(5000);
      await cluster.startBroker(1);
      cluster.appendRaw('orders', 0, batchOf([1]));
      await world.advance(20_000);
      expect(new Set(loop)).toEqual(new Set([0, 1]));
    }));
});
