/** What a producer promises: calls that settle once and in time, callbacks, log order and sequences in send order.
 * Not here: whether what was acknowledged is in the log (log-pass.ts).
 */
import type { Found } from './anomaly.ts';
import type { BatchEvent, CallbackEvent, SendEvent, SettledEvent } from './history.ts';
import type { Ledger } from './ledger.ts';

/** A client may need so long to tell of a deadline that has passed. */
const settleGraceMs = 1_000;

/** Looks at every call, callback and batch. */
export function producerPass(ledger: Ledger, deliveryTimeoutMs: number, found: Found): void {
  const settlement = new Settlement(ledger, deliveryTimeoutMs, found);
  const callbacks = new CallbackOrder(ledger, found);
  const batches = new Sequences(found);
  for (const event of ledger.events) {
    if (event.kind === 'settled') settlement.settled(event);
    else if (event.kind === 'callback') callbacks.called(event);
    else if (event.kind === 'batch') batches.seen(event);
  }
  settlement.end();
  batches.end();
  checkLogOrder(ledger, found);
}

class Settlement {
  readonly #ledger: Ledger;
  readonly #limitMs: number;
  readonly #found: Found;
  readonly #open: Map<number, SendEvent>;

  constructor(ledger: Ledger, deliveryTimeoutMs: number, found: Found) {
    this.#ledger = ledger;
    this.#limitMs = deliveryTimeoutMs + settleGraceMs;
    this.#found = found;
    this.#open = new Map(ledger.sends);
  }

  settled({ call, atMs }: SettledEvent): void {
    const send = this.#ledger.sends.get(call);
    if (send === undefined) return;
    const what = `call ${call} of ${send.actor}`;
    if (!this.#open.delete(call)) this.#found('settled-twice', `${what} at ${atMs} ms again`);
    else if (atMs - send.atMs > this.#limitMs)
      this.#found('late-settle', `${what} after ${atMs - send.atMs} ms; the limit is ${this.#limitMs}`);
  }

  end(): void {
    for (const [call, { actor, values }] of this.#open)
      this.#found('never-settled', `call ${call} of ${actor} with ${values.length} values from ${values[0]}`);
  }
}

/** Values of one actor and partition are called back in the order of sending. */
class CallbackOrder {
  readonly #ledger: Ledger;
  readonly #found: Found;
  readonly #ranks = new Map<string, number>();
  readonly #last = new Map<string, number>();

  constructor(ledger: Ledger, found: Found) {
    this.#ledger = ledger;
    this.#found = found;
    for (const key of ledger.values.keys()) this.#ranks.set(key, this.#ranks.size);
  }

  called({ actor, topic, partition, values }: CallbackEvent): void {
    const key = `${actor}\0${topic}\0${partition}`;
    for (const value of values) {
      const rank = this.#ranks.get(`${topic}\0${value}`);
      if (rank === undefined || this.#ledger.value(topic, value)?.send.actor !== actor) continue;
      if (rank < (this.#last.get(key) ?? -1))
        this.#found('order-of-callbacks', `${actor}: ${value} of ${topic}[${partition}] after a later one`);
      this.#last.set(key, rank);
    }
  }
}

/** Sequence numbers that were left out, as half-open ranges, and the one that is next. */
interface SequenceState {
  next: number;
  missing: { readonly from: number; readonly to: number }[];
}

const sequenceCount = 2 ** 31;

/** The numbers of a producer's batches on the wire go on where the last new batch ended, or are a repetition. One that
 * was overtaken, for its request never left the client, may come later; one that never comes is a gap.
 */
class Sequences {
  readonly #found: Found;
  readonly #states = new Map<string, SequenceState>();

  constructor(found: Found) {
    this.#found = found;
  }

  seen({ producerId, producerEpoch, topic, partition, baseSequence, count }: BatchEvent): void {
    const key = `producer ${producerId} epoch ${producerEpoch}, ${topic}[${partition}]`;
    let state = this.#states.get(key);
    if (state === undefined) this.#states.set(key, (state = { next: 0, missing: [] }));
    const end = (baseSequence + count) % sequenceCount;
    if (distance(state.next, baseSequence) < sequenceCount / 2) {
      if (baseSequence !== state.next) state.missing.push({ from: state.next, to: baseSequence });
      state.next = end;
      return;
    }
    state.missing = state.missing.flatMap(({ from, to }) => {
      const isInside = distance(from, baseSequence) + count <= distance(from, to);
      if (!isInside) return [{ from, to }];
      const left = [
        { from, to: baseSequence },
        { from: end, to },
      ];
      return left.filter((range) => range.from !== range.to);
    });
  }

  end(): void {
    for (const [key, { missing }] of this.#states)
      for (const { from, to } of missing)
        this.#found(
          'sequence-gap',
          `${key}: ${from} to ${(to + sequenceCount - 1) % sequenceCount} were never sent`,
        );
  }
}

/** How far `to` lies ahead on the circle of int32 without sign; what lies behind is far ahead. */
function distance(from: number, to: number): number {
  return (to - from + sequenceCount) % sequenceCount;
}

/** In each partition, values of one actor stand in the order in which they were sent. */
function checkLogOrder(ledger: Ledger, found: Found): void {
  const last = new Map<string, { readonly call: number; readonly offset: number; readonly value: string }>();
  for (const sent of ledger.values.values()) {
    const { value, send, partition, offset } = sent;
    if (offset === undefined) continue;
    const key = `${send.actor}\0${send.topic}\0${partition}`;
    const before = last.get(key);
    if (before !== undefined && offset < before.offset) {
      const name = before.call === send.call ? 'int-nonmonotonic-send' : 'nonmonotonic-send';
      const places = `${value} at ${offset}, and ${before.value}, sent before, at ${before.offset}`;
      found(name, `${send.actor} in ${send.topic}[${partition}]: ${places}`);
    }
    last.set(key, { call: send.call, offset, value });
  }
}
