/** One partition as its reader sees it: where to fetch next, where the application stands, what was declared done.
 * State only: when to fetch is the fetcher's business, what an error means position.ts's, what to commit the reader's.
 * Invariant: the object lives exactly as long as the partition is assigned without a break, so its identity says
 * whether a record that was handed out may still be committed (R3).
 */
import type { KafkaError } from '../../errors.ts';
import type { TopicPartition } from '../cluster/index.ts';

/** A partition that is being read. */
export class AssignedPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** The group session's number for this assignment; 0 without a group. */
  readonly ownership: number;

  /** Next offset to ask a broker for; -1 until it is known. */
  fetchOffset = -1;
  /** What ListOffsets is to find out first: a timestamp in ms, -1 latest, -2 earliest; undefined for nothing. */
  lookup: number | undefined;
  /** Grows whenever fetching begins somewhere else, so that answers from before are recognised. */
  version = 0;
  /** Next offset to hand out: past control, aborted and compacted records as soon as they were passed. -1 until known. */
  position = -1;
  /** Leader epoch of the batch before `position`; -1 unknown. */
  epoch = -1;
  /** As the broker last said; -1 until then. */
  highWatermark = -1;
  lastStableOffset = -1;
  logStartOffset = -1;

  /** Where the first record that may be handed out is looked for; -1 until reading began. */
  began = -1;
  /** One past the last offset that was handed out. Below `done` or equal: nothing is outstanding. */
  handedOut = -1;
  /** One past the last offset that was declared done, and its leader epoch. */
  done = -1;
  doneEpoch = -1;
  /** What needs no commit any more: the committed offset, or where reading began. */
  committed = -1;
  /** Whether reading began at the end of the log: then its position is worth a commit of its own (R6). */
  startedAtLatest = false;

  /** Bytes that cannot be read: no more is fetched until the reader is moved. */
  damage: KafkaError | undefined;
  /** What the broker refused at the last attempt; it goes on being tried. */
  refusal: KafkaError | undefined;
  /** False once it was revoked or the reader closed; nothing of it is handed out from then on. */
  assigned = true;

  constructor(topic: string, partition: number, ownership = 0) {
    this.topic = topic;
    this.partition = partition;
    this.ownership = ownership;
  }

  /** What stands in the way of the records after `position`. */
  get failure(): KafkaError | undefined {
    return this.damage ?? this.refusal;
  }

  /** Fetching goes on at `offset`. */
  fetchFrom(offset: number): void {
    this.version++;
    this.fetchOffset = offset;
    this.lookup = undefined;
    this.damage = undefined;
  }

  /** Fetching goes on where ListOffsets finds `timestamp` (ms; -1 latest, -2 earliest). */
  fetchFromTimestamp(timestamp: number): void {
    this.version++;
    this.fetchOffset = -1;
    this.lookup = timestamp;
  }

  /** What comes out next is the record at `offset` or the first one after it. */
  standAt(offset: number): void {
    if (this.handedOut < 0) {
      this.began = this.handedOut = this.done = offset;
      if (!this.startedAtLatest) this.committed = Math.max(this.committed, offset);
    } else if (offset < this.position) {
      this.handedOut = Math.min(this.handedOut, offset);
      this.done = Math.min(this.done, offset);
    }
    this.position = offset;
  }

  /** The offset that may be committed: what was declared done, or all of it and the gaps after it (R2). */
  get committable(): number {
    return this.done < this.handedOut ? this.done : Math.max(this.done, this.position);
  }
}

/** `topic[partition]`, for errors and logs. */
export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}[${partition}]`;
}
