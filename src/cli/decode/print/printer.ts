/** What a printer is: blocks of text for each piece, as they come. The three kinds are text.ts, headers.ts and json.ts.
 * Invariant: a block is at most a few lines, so that a writer with back pressure bounds what is in memory.
 */
import type { Explanation } from '../explanation.ts';
import type { Identity } from '../identify/identity.ts';
import type { Form } from '../input/form.ts';
import type { Fault, Frame, LogBatch } from '../piece.ts';

/** A frame or batch with what it says. */
export type Explained =
  | { readonly piece: Frame; readonly identity: Identity; readonly explanation: Explanation }
  | { readonly piece: LogBatch; readonly explanation: Explanation };

/** What was found in all. */
export interface Totals {
  frames: number;
  requests: number;
  responses: number;
  batches: number;
  /** Of record batches, as their headers say. */
  records: number;
  /** Frames and batches with damage, and faults between them. */
  damaged: number;
  /** Bytes between frames and batches. */
  skippedBytes: number;
}

/** Prints pieces. */
export interface Printer {
  begin(form: Form): Iterable<string>;
  piece(explained: Explained, index: number): Iterable<string>;
  fault(fault: Fault): Iterable<string>;
  /** `notes` are sentences about the whole input. */
  end(totals: Totals, notes: readonly string[]): Iterable<string>;
}
