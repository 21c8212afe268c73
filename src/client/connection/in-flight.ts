/** The requests of one connection that wait for an answer, oldest first, with one timer for the earliest deadline.
 * A broker answers a connection's requests in order, so a response belongs to the head or the stream is broken.
 * Invariant: every entry that is added is settled exactly once.
 */
import type { Platform, Timer } from '../../platform.ts';

/** One request on the wire. */
export interface InFlightRequest {
  readonly name: string;
  /** On `platform.monotonicNow()`. */
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  /** Decodes and settles; throws what the bytes deserve. */
  settle(frame: Uint8Array): void;
  reject(error: unknown): void;
}

/** FIFO of requests on the wire. `onExpired` is called once with the first request whose deadline passed. */
export class InFlight {
  readonly #platform: Platform;
  readonly #onExpired: (request: InFlightRequest) => void;
  #requests: InFlightRequest[] = [];
  #timer: Timer | undefined;
  #timerDeadlineMs = Infinity;

  constructor(platform: Platform, onExpired: (request: InFlightRequest) => void) {
    this.#platform = platform;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#requests.length;
  }

  add(request: InFlightRequest): void {
    this.#requests.push(request);
    if (request.deadlineMs < this.#timerDeadlineMs) this.#arm(request.deadlineMs);
  }

  /** Takes the oldest request; undefined when none waits. */
  shift(): InFlightRequest | undefined {
    // The timer stays: an early tick re-arms or finds nothing, which is cheaper than a timer per request.
    return this.#requests.shift();
  }

  /** Empties the queue and hands out what was in it. */
  drain(): readonly InFlightRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    this.#disarm();
    return requests;
  }

  #arm(deadlineMs: number): void {
    this.#timer?.cancel();
    this.#timerDeadlineMs = deadlineMs;
    const delayMs = Math.max(0, Math.ceil(deadlineMs - this.#platform.monotonicNow()));
    this.#timer = this.#platform.setTimer(Math.min(delayMs, 2 ** 31 - 1), () => this.#tick());
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDeadlineMs = Infinity;
  }

  #tick(): void {
    const now = this.#platform.monotonicNow();
    let earliest: InFlightRequest | undefined;
    for (const request of this.#requests) {
      if (earliest === undefined || request.deadlineMs < earliest.deadlineMs) earliest = request;
    }
    this.#disarm();
    if (earliest === undefined) return;
    if (earliest.deadlineMs <= now) this.#onExpired(earliest);
    else this.#arm(earliest.deadlineMs);
  }
}
