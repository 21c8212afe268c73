/** What every runtime's `dial` has in common: the deadline, the caller's signal, and errors with a code.
 * Not here: how a connection is made.
 * Invariant: no timer and no listener on the signal is left when the attempt has ended.
 */
import type { Address, DialOptions, Platform } from '../platform.ts';

/** A plain error as Node's system calls give it: `code` tells what happened, such as `ECONNREFUSED`. */
export function errorWithCode(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

/** Resolves when `start` calls `resolve`. Rejects when it calls `reject`, with the signal's reason when that fires,
 * or with code `ETIMEDOUT` after `connectTimeoutMs`.
 */
export async function connecting(
  address: Address,
  { signal, connectTimeoutMs }: DialOptions,
  setTimer: Platform['setTimer'],
  start: (resolve: () => void, reject: (reason: unknown) => void) => void,
): Promise<void> {
  signal?.throwIfAborted();
  let stop = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const cancel = (): void => reject(signal?.reason);
      const deadline = setTimer(connectTimeoutMs, () => {
        const what = `no connection to ${address.host}:${address.port} within ${connectTimeoutMs} ms`;
        reject(errorWithCode(what, 'ETIMEDOUT'));
      });
      signal?.addEventListener('abort', cancel);
      stop = () => {
        deadline.cancel();
        signal?.removeEventListener('abort', cancel);
      };
      start(resolve, reject);
    });
  } finally {
    stop();
  }
}
