/** What every contestant can do, and the work they are given; the files beside this one are the contestants.
 * Invariant: everyone reads the same topic from its beginning, and looks at every value.
 */

/** One measured piece of work. */
export interface Work {
  /** `host:port`. */
  readonly broker: string;
  readonly topic: string;
  readonly partitions: number;
  /** Records of the whole reading. */
  readonly records: number;
}

/** Reads all records from the beginning; calls `mark` after some with the records so far. */
export type Read = (mark: (soFar: number) => void) => Promise<void>;

/** A contestant. */
export interface Contestant {
  readonly byBatch: Read;
  readonly byRecord: Read;
}

/** How often reading by record is marked. */
export const markRecords = 1000;
