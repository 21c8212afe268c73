/** One direction of a proxied connection: what came in goes out in order, when and in the pieces that the link's faults
 * say. Not here: what goes in (exchange.ts).
 * Invariant: nothing overtakes, an end comes after the bytes before it, and what is held is bounded by `room`.
 */
import type { Platform, Transport } from '../../platform.ts';
import { wait } from '../wait.ts';
import type { LinkFault, ProxyFaults } from './proxy-faults.ts';

/** Bytes that may wait in one direction before its source is not read any more. */
const heldBytes = 4_194_304;
const foreverMs = 2 ** 31 - 1;
/** What a narrow link lets through at once, in seconds of its rate. */
const sliceSeconds = 0.01;

interface Item {
  readonly dueMs: number;
  /** Bytes to write, or what happens once all before it was written. */
  readonly what: Uint8Array | (() => void);
}

/** What a lane needs to know. */
export interface LaneSetting {
  readonly platform: Platform;
  readonly faults: ProxyFaults;
  readonly direction: 'to-broker' | 'to-client';
  /** The broker's id as it is known now. */
  readonly nodeId: () => number;
  /** Fires when the connection has ended; the lane drops what it holds. */
  readonly signal: AbortSignal;
}

/** A queue with a clock. */
export class Lane {
  readonly watchers: Set<() => void> = new Set();
  readonly #setting: LaneSetting;
  readonly #items: Item[] = [];
  #bytes = 0;
  #lastDueMs = 0;

  constructor(setting: LaneSetting) {
    this.#setting = setting;
  }

  /** Lets bytes go out, or `what` happen, behind everything before; `delayMs` later than the link's latency says. */
  push(what: Item['what'], delayMs = 0): void {
    const { platform } = this.#setting;
    const { latencyMs = 0, jitterMs = 0 } = this.#link();
    const travelMs = latencyMs + (jitterMs > 0 ? platform.random() * jitterMs : 0) + delayMs;
    this.#lastDueMs = Math.max(this.#lastDueMs, platform.monotonicNow() + travelMs);
    this.#items.push({ dueMs: this.#lastDueMs, what });
    if (typeof what !== 'function') this.#bytes += what.length;
    this.#changed();
  }

  /** Resolves when more may be pushed. */
  async room(): Promise<void> {
    while (this.#bytes > heldBytes && !this.#setting.signal.aborted) await this.#change();
  }

  /** Writes to `transport` until the connection ends. Rejects with what writing failed with. */
  async run(transport: Transport): Promise<void> {
    const { platform, signal, faults } = this.#setting;
    while (!signal.aborted) {
      const [item] = this.#items;
      const leftMs = item === undefined ? foreverMs : item.dueMs - platform.monotonicNow();
      if (item === undefined) await this.#change();
      // Rounded up: a timer that fires early would be set again and again.
      else if (leftMs > 0) await wait(platform, Math.min(Math.ceil(leftMs), foreverMs), signal);
      else if (this.#link().connections === 'frozen') await wait(platform, foreverMs, signal, [faults]);
      else if (typeof item.what === 'function') {
        this.#items.shift();
        item.what();
      } else await this.#write(transport);
    }
  }

  async #write(transport: Transport): Promise<void> {
    const { platform, signal } = this.#setting;
    const { coalesceMs = 0, bytesPerSecond, chunking } = this.#link();
    if (coalesceMs > 0) await wait(platform, coalesceMs, signal);
    const parts = this.#take(coalesceMs > 0);
    let stepBytes = Infinity;
    if (bytesPerSecond !== undefined) stepBytes = Math.ceil(bytesPerSecond * sliceSeconds);
    if (chunking === 'one-byte') stepBytes = 1;
    for (const part of parts) {
      for (let position = 0; position < part.length && !signal.aborted; position += stepBytes) {
        const slice = part.subarray(position, position + stepBytes);
        if (bytesPerSecond !== undefined)
          await wait(platform, (slice.length / bytesPerSecond) * 1000, signal);
        if (signal.aborted) return;
        await transport.write([slice]);
        // A turn of the loop between two pieces, so that the runtime does not join them.
        if (stepBytes !== Infinity) await new Promise<void>((resolve) => platform.defer(resolve));
      }
      this.#bytes -= part.length;
    }
    this.#changed();
  }

  /** The first item's bytes, or those of all items that are due, as one. */
  #take(all: boolean): Uint8Array[] {
    const nowMs = this.#setting.platform.monotonicNow();
    const parts: Uint8Array[] = [];
    for (let [item] = this.#items; item !== undefined; [item] = this.#items) {
      if (typeof item.what === 'function' || (parts.length > 0 && (!all || item.dueMs > nowMs))) break;
      parts.push(item.what);
      this.#items.shift();
    }
    return parts.length > 1 ? [joined(parts)] : parts;
  }

  #link(): LinkFault {
    const { faults, nodeId, direction } = this.#setting;
    return faults.link(nodeId(), direction);
  }

  #change(): Promise<void> {
    return wait(this.#setting.platform, foreverMs, this.#setting.signal, [this]);
  }

  #changed(): void {
    for (const watcher of this.watchers) watcher();
  }
}

/** The parts as one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
