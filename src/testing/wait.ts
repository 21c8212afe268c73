/** Waiting: for time, for a change of partitions, or for a connection's end, whichever comes first.
 * Not here: what is waited for (handlers decide after each wake-up).
 * Invariant: a wait that ended leaves no timer and no listener behind.
 */
import type { Platform } from '../platform.ts';

/** Something that tells its watchers when it changed. */
export interface Watched {
  readonly watchers: Set<() => void>;
}

/** Resolves after `delayMs`, at the first change of one of `watched`, or when `signal` fires. Never rejects. */
export function wait(
  platform: Platform,
  delayMs: number,
  signal: AbortSignal,
  watched: readonly Watched[] = [],
): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', finish);
      for (const { watchers } of watched) watchers.delete(finish);
      resolve();
    };
    const timer = platform.setTimer(delayMs, finish);
    signal.addEventListener('abort', finish);
    for (const { watchers } of watched) watchers.add(finish);
    if (signal.aborted) finish();
  });
}

/** The promise's value, or undefined as soon as `signal` fires; what the promise does later is ignored. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(undefined);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
