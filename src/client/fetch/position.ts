/** Where reading begins and goes on: every decision about offsets out of range, leaders, epochs and resets.
 * Pure. Not here: asking brokers (fetcher.ts, list-offsets.ts).
 * Invariant: a position is never changed in silence: a reset says from where, and the fetcher logs to where.
 * Source: KIP-320 (leader epochs), `auto.offset.reset`.
 */
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { retryAction, type MetadataSnapshot, type TopicPartition } from '../cluster/index.ts';
import { earliestTimestamp, latestTimestamp } from './list-offsets.ts';

/** Where to begin: an offset, the first or the next record, or the first one at or after a time. */
export type StartOffset = 'earliest' | 'latest' | number | Date;

/** What follows from an error code about one partition. */
export type Verdict = 'none' | 'retry' | 'refresh-metadata' | 'reset' | 'refuse';

/** How the fetcher answers an error code of Fetch or ListOffsets. */
export function verdictOn(errorCode: number): Verdict {
  if (errorCode === ErrorCodes.OFFSET_OUT_OF_RANGE) return 'reset';
  const action = retryAction(errorCode);
  // Fetch and ListOffsets have no coordinator; whatever a broker means by it, the same again does no harm.
  if (action === 'find-coordinator') return 'retry';
  return action === 'fail' ? 'refuse' : action;
}

/** The ListOffsets timestamp for a start; undefined for an offset, which needs no look-up. */
export function timestampOf(start: StartOffset): number | undefined {
  if (typeof start === 'number') return undefined;
  if (start === 'earliest') return earliestTimestamp;
  return start === 'latest' ? latestTimestamp : start.getTime();
}

/** Where to go on when the broker no longer has the offset, or not yet: the start again, but for an offset the earliest. */
export function resetTimestamp(start: StartOffset): number {
  return timestampOf(start) ?? earliestTimestamp;
}

/** Who leads a partition, as metadata has it. */
export interface Place {
  readonly leader: number;
  readonly leaderEpoch: number;
}

/** Where to fetch a partition from; undefined while nobody leads it. */
export function placeOf(snapshot: MetadataSnapshot, { topic, partition }: TopicPartition): Place | undefined {
  const place = snapshot.topics.get(topic)?.partitions[partition];
  return place === undefined || place.leader < 0 ? undefined : place;
}
