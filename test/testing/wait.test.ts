/** Waiting ends in three ways and leaves nothing behind in any of them. */
import { describe, expect, it } from 'vitest';
import { virtualWorld } from '../../src/testing/index.ts';
import { unlessAborted, wait } from '../../src/testing/wait.ts';

describe('wait', () => {
  it.each(['time', 'change', 'signal', 'aborted before'])('ends by %s', async (way) => {
    const world = virtualWorld();
    const watched = { watchers: new Set<() => void>() };
    const ending = new AbortController();
    if (way === 'aborted before') ending.abort();
    await world.run(async () => {
      const waiting = wait(world.platform, 1_000, ending.signal, [watched, watched]);
      const startMs = world.now();
      if (way === 'change') for (const watcher of watched.watchers) watcher();
      if (way === 'signal') ending.abort();
      await waiting;
      expect(world.now() - startMs).toBe(way === 'time' ? 1_000 : 0);
    });
    expect(watched.watchers.size).toBe(0);
  });
});

describe('unlessAborted', () => {
  it('gives the value or the failure, or undefined once the signal fires', async () => {
    const ending = new AbortController();
    const never = new Promise<number>(() => undefined);
    await expect(unlessAborted(Promise.resolve(1), ending.signal)).resolves.toBe(1);
    await expect(unlessAborted(Promise.reject(new Error('no')), ending.signal)).rejects.toThrow('no');
    const pending = unlessAborted(never, ending.signal);
    ending.abort();
    await expect(pending).resolves.toBeUndefined();
    await expect(unlessAborted(never, ending.signal)).resolves.toBeUndefined();
  });
});
