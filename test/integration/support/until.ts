/** Waiting for what comes about by itself, with an end to it. */
import { setTimeout as delay } from 'node:timers/promises';

/** How long to wait, and how often to look: milliseconds. */
export interface UntilOptions {
  readonly patienceMs?: number;
  readonly everyMs?: number;
}

/** Asks until it holds: for 30 s, every 20 ms. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { patienceMs = 30_000, everyMs = 20 }: UntilOptions = {},
): Promise<void> {
  for (const giveUp = Date.now() + patienceMs; !(await holds()); await delay(everyMs)) {
    if (Date.now() > giveUp) throw new Error(`not within ${patienceMs} ms: ${what}`);
  }
}
