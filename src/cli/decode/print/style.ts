/** How output looks: the colours, and how much of a tree is shown.
 * Not here: what is printed.
 */
import pc from 'picocolors';

/** Functions that colour text, or leave it as it is. */
export type Colours = ReturnType<typeof pc.createColors>;

/** How much of a tree is shown. */
export interface TreeOptions {
  readonly colours: Colours;
  /** Levels shown; Infinity for all. */
  readonly depth: number;
  /** Whether records are shown, or only their batches. */
  readonly withRecords: boolean;
  /** Whether long bytes and values are shown to their end. */
  readonly isFull: boolean;
}

/** The colours, or none. */
export function coloursFor(isColoured: boolean): Colours {
  return pc.createColors(isColoured);
}
