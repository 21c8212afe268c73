/** Finds offsets by time, record by record where the records can be read.
 * Not here: the special times and isolation levels (handlers/02-list-offsets.ts).
 * Invariant: of records that are late enough the first in the log is found, whatever the order of their times.
 */
import type { Platform } from '../platform.ts';
import { nextBatch } from '../protocol/records/batch.ts';
import { RecordCursor, timestampBigInt } from '../protocol/records/record-cursor.ts';
import type { PartitionLog, StoredBatch } from './partition-log.ts';
import { inflate } from './payload.ts';

/** A record found by its time. */
export interface FoundOffset {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

/** The first record with a timestamp of at least `timestamp`; undefined when there is none. */
export async function firstAtOrAfter(
  platform: Platform,
  log: PartitionLog,
  timestamp: number,
): Promise<FoundOffset | undefined> {
  for (const batch of log.batches) {
    if (batch.maxTimestamp < timestamp) continue;
    const found = await firstIn(platform, batch, timestamp, log.startOffset);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first record with the highest timestamp of all; undefined in an empty log. */
export function firstWithMaxTimestamp(
  platform: Platform,
  log: PartitionLog,
): Promise<FoundOffset | undefined> {
  const highest = log.batches.reduce((max, batch) => Math.max(max, batch.maxTimestamp), -1);
  return firstAtOrAfter(platform, log, highest);
}

async function firstIn(
  platform: Platform,
  { bytes, leaderEpoch, baseOffset, maxTimestamp }: StoredBatch,
  timestamp: number,
  startOffset: number,
): Promise<FoundOffset | undefined> {
  const batch = nextBatch(bytes, 0);
  if (batch === undefined) return { offset: baseOffset, timestamp: maxTimestamp, leaderEpoch };
  const cursor = new RecordCursor(batch, await inflate(platform, batch));
  while (cursor.next()) {
    const time = batch.isLogAppendTime ? maxTimestamp : Number(timestampBigInt(cursor));
    if (time >= timestamp && cursor.offset >= startOffset)
      return { offset: cursor.offset, timestamp: time, leaderEpoch };
  }
  return undefined;
}
