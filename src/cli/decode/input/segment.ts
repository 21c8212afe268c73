/** A broker's log segment as record batches, one at a time, and the way back to the next batch after damage.
 * Not here: what a batch says. Also reads the checkpoints of the metadata log, which are batches too.
 * Invariant: memory holds one batch; a search verifies checksums of at most as many bytes as it has passed, and 64 MiB.
 */
import { MAX_FRAME_BYTES, type Fault, type LogBatch } from '../piece.ts';
import { batchHead, HEAD_BYTES, holdsChecksum, type BatchHead } from './batch-head.ts';
import type { ByteSource } from './byte-source.ts';

const SEARCH_BYTES = 0x4_0000;
const FREE_CHECKED_BYTES = 0x400_0000;

/** The topic that a segment's directory is named after: `__consumer_offsets-12` without the partition. */
export function topicOfPath(path: string): string | undefined {
  return /([^/\\]+)-\d+[/\\][^/\\]+$/.exec(path)?.[1];
}

/** The batches of a segment. */
export async function* segmentBatches(source: ByteSource, topic?: string): AsyncGenerator<LogBatch | Fault> {
  while (await source.fill(1)) {
    await source.fill(HEAD_BYTES);
    const at = source.position;
    const head = batchHead(source.peek(HEAD_BYTES), 0);
    const problem = problemOf(head);
    if (problem !== undefined) {
      if (await onlyZeros(source)) return yield padding(at, source.position - at);
      const skipped = await search(source, 1);
      yield { kind: 'fault', at: at + head.wrongAt, skipped, what: problem, isDamage: true };
      continue;
    }
    await source.fill(head.length);
    const length = await trustedLength(source, head);
    yield { kind: 'batch', bytes: source.take(length), at, ...(topic !== undefined && { topic }) };
  }
}

function problemOf({ isSound, what, length }: BatchHead): string | undefined {
  if (!isSound) return what;
  return length > MAX_FRAME_BYTES
    ? `a batch of ${length} bytes, where at most ${MAX_FRAME_BYTES} can be`
    : undefined;
}

/** The batch's length, unless its checksum fails, no batch begins behind it and one begins before. */
async function trustedLength(source: ByteSource, { length: said, magic }: BatchHead): Promise<number> {
  const length = Math.min(said, source.available);
  const hasNext = await source.fill(length + HEAD_BYTES);
  const isFollowed = hasNext ? batchHead(source.peek(), length).isSound : source.available === said;
  if (isFollowed || holdsChecksum(source.peek(length), 0, length, magic)) return length;
  const bytes = source.peek();
  for (let at = HEAD_BYTES; at < length; at++) {
    const head = batchHead(bytes, at);
    if (head.isSound && head.length <= bytes.length - at && holdsChecksum(bytes, at, head.length, head.magic))
      return at;
  }
  return length;
}

/** Passes over bytes until a batch begins whose checksum holds, or the input ends; says how many. */
async function search(source: ByteSource, from: number): Promise<number> {
  const start = source.position;
  let budget = FREE_CHECKED_BYTES;
  source.take(from);
  while (await source.fill(HEAD_BYTES)) {
    await source.fill(SEARCH_BYTES);
    const end = source.available - HEAD_BYTES + 1;
    let at = 0;
    for (; at < end; at++) {
      const head = batchHead(source.peek(), at);
      if (!head.isSound || head.length > Math.min(budget, MAX_FRAME_BYTES)) continue;
      if (!(await source.fill(at + head.length))) continue;
      budget -= head.length;
      if (!holdsChecksum(source.peek(), at, head.length, head.magic)) continue;
      source.take(at);
      return source.position - start;
    }
    budget += at;
    source.take(at);
  }
  source.take(source.available);
  return source.position - start;
}

/** Whether nothing but zeros is left; takes them. A broker reserves a segment's space ahead when told to. */
async function onlyZeros(source: ByteSource): Promise<boolean> {
  if (source.peek(HEAD_BYTES).some((byte) => byte !== 0)) return false;
  while (await source.fill(1)) {
    await source.fill(SEARCH_BYTES);
    if (source.peek().some((byte) => byte !== 0)) return false;
    source.take(source.available);
  }
  return true;
}

function padding(at: number, skipped: number): Fault {
  return { kind: 'fault', at, skipped, what: 'reserved space, all zeros', isDamage: false };
}
