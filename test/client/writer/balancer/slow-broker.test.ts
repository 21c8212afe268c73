/** Messages without a key while one broker of three is slow or silent, by the whole Writer in virtual time: what KIP-794
 * is for.
 */
import { describe, expect, it } from 'vitest';
import { sticky, type StickyOptions } from '../../../../src/client/writer/balancer/sticky.ts';
import type { Writer } from '../../../../src/client/writer/writer.ts';
import { produceApi } from '../../../../src/protocol/api/00-produce.ts';
import { play, type Scene } from '../scene.ts';

const partitions = 6;
/** The broker in trouble, of 1 to 3; each leads two partitions. */
const troubled = 3;
const value = new Uint8Array(1000);

function writerTo({ writer }: Scene, options: StickyOptions): Writer {
  const balancer = sticky({ bytes: 10_000, ...options });
  return writer({ balancer, batchBytes: 20_000, maxBufferedBytes: 2 ** 30 });
}

/** Hands over 100 messages `rounds` times, 2 ms apart, and waits for no outcome. */
async function enqueue({ world }: Scene, writer: Writer, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let count = 0; count < 100; count++) await writer.enqueue({ value });
    await new Promise<void>((resolve) => void world.platform.setTimer(2, resolve));
  }
}

/** How many messages are in the troubled broker's partitions, and in all. */
function counts({ cluster }: Scene): { troubled: number; all: number } {
  const count = { troubled: 0, all: 0 };
  for (let partition = 0; partition < partitions; partition++) {
    const { leader, endOffset } = cluster.partition('t', partition);
    count.all += endOffset;
    if (leader === troubled) count.troubled += endOffset;
  }
  return count;
}

describe('while a broker takes 100 ms for each request', () => {
  /** The part of its partitions, and the milliseconds until all is written. */
  async function outcome(options: StickyOptions): Promise<{ part: number; flushMs: number }> {
    let found = { part: 0, flushMs: 0 };
    await play({ brokers: 3, partitions }, async (scene) => {
      const { cluster, world } = scene;
      cluster.faults.inject({ api: produceApi, nodeId: troubled, delayMs: 100, times: 100_000 });
      const writer = writerTo(scene, options);
      await enqueue(scene, writer, 200);
      const startMs = world.platform.monotonicNow();
      await writer.flush();
      const { troubled: slow, all } = counts(scene);
      expect(all).toBe(20_000);
      found = { part: slow / all, flushMs: world.platform.monotonicNow() - startMs };
    });
    return found;
  }

  it('sticky gives it what it can take', async () => {
    const adaptive = await outcome({});
    const uniform = await outcome({ adaptive: false });
    expect(uniform.part).toBeGreaterThan(0.3);
    expect(adaptive.part).toBeLessThan(0.05);
    expect(adaptive.flushMs * 5).toBeLessThan(uniform.flushMs);
  });
});

describe('while a broker is silent', () => {
  /** Messages without an outcome after 0.2 s and after 1 s. Once it is back they arrive, and it gets new ones. */
  async function outcome(options: StickyOptions): Promise<{ early: number; late: number }> {
    let found = { early: 0, late: 0 };
    await play({ brokers: 3, partitions }, async (scene) => {
      const { cluster, world } = scene;
      const writer = writerTo(scene, options);
      await enqueue(scene, writer, 10);
      await writer.flush();
      const address = cluster.brokers[troubled - 1] ?? '';
      world.network.freeze(address);
      await enqueue(scene, writer, 100);
      const early = writer.stats().pendingMessages;
      await enqueue(scene, writer, 400);
      found = { early, late: writer.stats().pendingMessages };
      world.network.thaw(address);
      await writer.flush();
      const before = counts(scene);
      await enqueue(scene, writer, 50);
      await writer.flush();
      const after = counts(scene);
      expect(after.all).toBe(56_000);
      expect(after.troubled - before.troubled, 'messages to the broker after its return').toBeGreaterThan(
        500,
      );
    });
    return found;
  }

  it('sticky leaves it out after availabilityTimeoutMs, until it is back', async () => {
    const limited = await outcome({ availabilityTimeoutMs: 100 });
    const unlimited = await outcome({});
    expect(limited.late - limited.early).toBeLessThan(200);
    expect(unlimited.late - unlimited.early).toBeGreaterThan(300);
  });
});
