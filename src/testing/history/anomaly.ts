/** The names of what a history can have against it, most of them those of Jepsen's Kafka workload.
 * Not here: how each is found (the passes).
 * Invariant: a test injects each of them into a clean history and finds it.
 */

/** What can be wrong:
 * `lost-write`: acknowledged, below what was read, and read by nobody. `unseen`: acknowledged and never read.
 * `duplicate`: at more than one place. `inconsistent-offsets`: a place with more than one value. `unknown-value`: read
 * and never sent. `G1a`: read, although its write failed or was aborted. `precommitted-read`: read before its commit
 * began. `torn-transaction`: one value of a transaction was read and another not.
 * `nonmonotonic-send`: the log's order is not that of the producer's calls; with `int-`, of one call.
 * `poll-skip`, `nonmonotonic-poll`: a consumer left records out, or went back; with `int-`, within one poll.
 * `never-settled`, `settled-twice`, `late-settle`: a call's promise. `order-of-callbacks`: not the order of the calls.
 * `sequence-gap`: a producer left out sequence numbers. `dual-owner`: two consumers read a partition in one epoch.
 * `commit-after-revoke`, `commit-beyond-processed`, `commit-regress`: a group's offset.
 */
export type AnomalyName =
  | 'lost-write'
  | 'unseen'
  | 'duplicate'
  | 'inconsistent-offsets'
  | 'unknown-value'
  | 'G1a'
  | 'precommitted-read'
  | 'torn-transaction'
  | 'nonmonotonic-send'
  | 'int-nonmonotonic-send'
  | 'poll-skip'
  | 'int-poll-skip'
  | 'nonmonotonic-poll'
  | 'int-nonmonotonic-poll'
  | 'never-settled'
  | 'settled-twice'
  | 'late-settle'
  | 'order-of-callbacks'
  | 'sequence-gap'
  | 'dual-owner'
  | 'commit-after-revoke'
  | 'commit-beyond-processed'
  | 'commit-regress';

/** One thing that is wrong. */
export interface Anomaly {
  readonly name: AnomalyName;
  /** A sentence: who, what, where. */
  readonly what: string;
}

/** Reports an anomaly. */
export type Found = (name: AnomalyName, what: string) => void;
