/** One timer for everything in a Writer that waits for a moment.
 * Invariant: after `arm(t)` the callback runs at t at the latest, if not stopped; an earlier run decides anew.
 */
import type { Platform, Timer } from '../../platform.ts';

/** A timer that is only ever moved forward, so that busy Writers do not set and cancel one per batch. */
export class Alarm {
  readonly #platform: Platform;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  #atMs = Infinity;

  constructor(platform: Platform, ring: () => void) {
    this.#platform = platform;
    this.#ring = ring;
  }

  /** On `platform.monotonicNow()`; Infinity asks for nothing. */
  arm(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.#timer?.cancel();
    this.#atMs = atMs;
    const delayMs = Math.max(0, Math.ceil(atMs - this.#platform.monotonicNow()));
    this.#timer = this.#platform.setTimer(delayMs, () => {
      this.#atMs = Infinity;
      this.#ring();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#atMs = -Infinity;
  }
}
