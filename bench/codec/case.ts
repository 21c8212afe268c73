/** What the codec benchmark measures: one piece of work, done by us, by a peer and by the least that could do it.
 * Not here: the pieces of work (records.ts, bytes.ts), the clock (worker.ts), the factors to hold (main.ts).
 * Invariant: contestants get the same input; what they make was compared before it is measured.
 */

/** Does the work once; the amount of it, in records or bytes. */
export type Work = () => number | Promise<number>;

/** One line of the table. */
export interface Case {
  readonly name: string;
  /** Who the peer is. */
  readonly peer: string;
  /** The work of the contestant whose process this is. */
  readonly work: Work;
}

/** The contestants: us, a peer, and the least that moves the same bytes. Each has a process of its own. */
export type Contestant = 'ours' | 'peer' | 'floor';

/** Work that takes its inputs in turn, so that caches and predictors see more than one. */
export function inTurn<T>(inputs: readonly T[], work: (input: T) => number | Promise<number>): Work {
  let next = 0;
  return () => {
    const input = inputs[next++ % inputs.length];
    if (input === undefined) throw new Error('no input');
    return work(input);
  };
}

/** Fails the benchmark: what is measured must be the same work. */
export function sameBytes(name: string, ours: Uint8Array, theirs: Uint8Array): void {
  if (Buffer.compare(ours, theirs) !== 0) throw new Error(`${name}: the peer's bytes are not ours`);
}
