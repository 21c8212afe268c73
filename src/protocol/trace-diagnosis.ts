/** Finds the byte that is wrong in bytes that cannot be read: where a decode fails is often far behind it.
 * A checksum tells the byte at once. Without one, every length, count and tag in front of the failure is tried with
 * every other value: those with which all bytes can be read are compared by how much they need to be explained.
 * Not here: more than one wrong byte; then the leaf that could not be read is all there is to say.
 * Invariant: it never throws for bytes, and reads no more than a fixed number of them in all.
 */
import type { ProtocolError } from '../errors.ts';
import { crc32c } from './crc32c.ts';
import type { EmbeddedPart } from './embedded/record-types.ts';
import { ByteReader } from './reader.ts';
import { at, batchEnd } from './records/batch.ts';
import { crc32 } from './records/crc32.ts';
import { nextLogBatch } from './records/message-set.ts';
import { costOf } from './trace-cost.ts';
import { singleByteRepairs, type Repair } from './trace-syndrome.ts';
import { leavesOf, traceParts, traceRecords, type Trace, type TraceOptions } from './trace.ts';
import type { TraceNode } from './trace-walker.ts';

/** What is wrong, and where most likely. */
export interface Diagnosis {
  /** The leaf that holds the wrong byte, as it lies when the byte is right; of a failure, the leaf that could not be
   * read.
   */
  readonly leaf: TraceNode | undefined;
  /** How it was found: by a checksum, by reading on with other lengths, or not at all: `failure`. */
  readonly by: 'checksum' | 'structure' | 'failure';
  /** Of the byte, in the diagnosed bytes; of a failure, where it happened. */
  readonly offset: number;
  /** What the byte should be; absent for a failure. */
  readonly expected?: number;
  /** What reading the bytes fails with; undefined for a batch that only seems to be cut off. */
  readonly error: ProtocolError | undefined;
}

/** Bytes that are read at most while a repair is looked for, whatever the input. */
const WORK_BYTES = 0x400_0000;
/** Where a batch and a message have their format; a message's checksum covers it. */
const MAGIC = 16;

/** How the bytes are read. */
interface Subject {
  readonly bytes: Uint8Array;
  trace(bytes: Uint8Array, options?: TraceOptions): Trace;
  /** Whether all bytes can be read; checksums are not looked at. */
  reads(bytes: Uint8Array): boolean;
}

/** Finds the wrong byte in messages one after another, such as a header and a body, to the end of `bytes`; undefined if
 * they can be read to their last byte, strictly, and all checksums hold. Throws only for an unsupported version.
 */
export function diagnose(
  bytes: Uint8Array,
  parts: readonly EmbeddedPart[],
  options: TraceOptions = {},
): Diagnosis | undefined {
  const { start = 0 } = options;
  return diagnosisOf(
    {
      bytes,
      trace: (each, given) => traceParts(each, parts, { ...given, start }),
      reads(each) {
        const reader = new ByteReader(each, start);
        reader.strict = true;
        try {
          for (const { message, version } of parts) message.decode(reader, version);
          return reader.remaining === 0;
        } catch {
          return false; // That is the answer.
        }
      },
    },
    options,
  );
}

/** As `diagnose`, for record batches back to back. */
export function diagnoseRecords(bytes: Uint8Array, options: TraceOptions = {}): Diagnosis | undefined {
  const { start = 0 } = options;
  const trace = (each: Uint8Array, given?: TraceOptions): Trace => traceRecords(each, { ...given, start });
  return diagnosisOf({ bytes, trace, reads: () => true }, options);
}

function diagnosisOf(subject: Subject, options: TraceOptions): Diagnosis | undefined {
  const { bytes } = subject;
  const damaged = subject.trace(bytes);
  const { error, failed } = damaged;
  // A batch may be cut off, or its length be wrong: then the checksum holds with another one.
  const byChecksum = best(subject, checksumRepairs(subject, damaged));
  if (!error && !byChecksum && subject.reads(bytes)) return undefined;
  const repair = byChecksum ?? best(subject, structureRepairs(subject, damaged));
  if (!repair) {
    const offset = failed?.offset ?? error?.byteOffset ?? bytes.length;
    return { leaf: failed, by: 'failure', offset, error };
  }
  const { offset, expected } = repair;
  const leaf = holderOf(subject.trace(repaired(bytes, repair), options), offset);
  return { leaf, by: byChecksum ? 'checksum' : 'structure', offset, expected, error };
}

/** The repair that leaves the least to explain, of those after which nothing is wrong. */
function best(subject: Subject, repairs: Iterable<Repair>): Repair | undefined {
  let found: Repair | undefined;
  let least = Infinity;
  for (const repair of repairs) {
    const bytes = repaired(subject.bytes, repair);
    if (!subject.reads(bytes)) continue;
    const trace = subject.trace(bytes);
    if (trace.error) continue;
    const cost = costOf(trace);
    if (cost >= least) continue;
    least = cost;
    found = repair;
  }
  return found;
}

/** Of every batch whose checksum does not hold. */
function* checksumRepairs({ bytes }: Subject, { fields }: Trace): Generator<Repair> {
  for (const { batch, limit } of batchesIn(fields, bytes.length)) {
    const { offset: start, length, note } = batch;
    let isSuspect = note !== undefined;
    const crc = batch.children?.find(({ path }) => path === `${batch.path}.crc`);
    const end = start + length;
    if (typeof crc?.value === 'number') {
      const isLegacy = batch.kind === 'message';
      const area = { start: start + (isLegacy ? MAGIC : at.attributes), end, crcAt: crc.offset };
      const covered = bytes.subarray(area.start, end);
      const computed = isLegacy ? crc32(covered) : crc32c(covered);
      if (computed !== crc.value) {
        isSuspect = true;
        yield* singleByteRepairs(bytes, area, crc.value, computed, isLegacy ? 0xedb88320 : 0x82f63b78);
      }
    }
    if (isSuspect) yield* frontRepairs(bytes, start, limit);
  }
}

/** Of a batch's length and format, which lie outside its checksum: those with which it holds. */
function* frontRepairs(bytes: Uint8Array, start: number, limit: number): Generator<Repair> {
  const copy = bytes.slice(start, limit);
  let work = WORK_BYTES;
  for (const position of [8, 9, 10, 11, MAGIC]) {
    const found = copy[position];
    if (found === undefined) continue;
    for (let expected = 0; expected < 256; expected++) {
      copy[position] = expected;
      const end = expected === found ? undefined : plausibleEnd(copy);
      if (end === undefined) continue;
      if ((work -= end) < 0) return;
      if (isSound(copy)) yield { offset: start + position, expected };
    }
    copy[position] = found;
  }
}

/** Where a batch ends, if another begins there or nothing. */
function plausibleEnd(bytes: Uint8Array): number | undefined {
  try {
    const end = batchEnd(bytes, 0);
    return end === undefined || (bytes[end + MAGIC] ?? 0) > 2 ? undefined : end;
  } catch {
    return undefined; // No batch.
  }
}

function isSound(bytes: Uint8Array): boolean {
  try {
    nextLogBatch(bytes, 0)?.verifyCrc();
    return true;
  } catch {
    return false; // That is the answer.
  }
}

/** The batches of a tree in the first space, each with the end of what holds it. */
function* batchesIn(
  nodes: readonly TraceNode[],
  limit: number,
): Generator<{ batch: TraceNode; limit: number }> {
  for (const node of nodes) {
    if (node.space !== 0) continue;
    if (node.kind === 'record batch' || node.kind === 'message') yield { batch: node, limit };
    else if (node.children) yield* batchesIn(node.children, node.offset + node.length);
  }
}

/** Other values for what says how the bytes go on, up to the failure; the nearest first. */
function* structureRepairs({ bytes }: Subject, trace: Trace): Generator<Repair> {
  const { failed } = trace;
  const end = failed ? failed.offset : bytes.length;
  let work = WORK_BYTES;
  const leaves = [...leavesOf(trace)].filter(({ space, offset }) => space === 0 && offset <= end);
  for (const leaf of leaves.toReversed()) {
    const from = leaf.offset;
    const size = leaf === failed ? Math.max(1, Math.min(leaf.length, 16)) : structureSize(leaf, bytes);
    for (let offset = from; offset < from + size && offset < bytes.length; offset++) {
      for (let expected = 0; expected < 256; expected++) {
        if (expected === bytes[offset]) continue;
        if ((work -= bytes.length) < 0) return;
        yield { offset, expected };
      }
    }
  }
}

/** How many bytes at the beginning of a leaf say how the bytes go on. */
function structureSize({ kind, path, offset, length }: TraceNode, bytes: Uint8Array): number {
  if (/\.(length|count|tag|size|present)$/.test(path)) return length;
  if (/^(compact|varint) /.test(kind)) return varintSize(bytes, offset);
  if (kind === 'string') return 2;
  return kind === 'bytes' || kind === 'records' ? Math.min(4, length) : 0;
}

function varintSize(bytes: Uint8Array, offset: number): number {
  let size = 1;
  while (size < 5 && (bytes[offset + size - 1] ?? 0) > 0x7f) size++;
  return size;
}

function holderOf(trace: Trace, at: number): TraceNode | undefined {
  for (const leaf of leavesOf(trace)) {
    if (leaf.space === 0 && at >= leaf.offset && at < leaf.offset + leaf.length) return leaf;
  }
  return undefined;
}

function repaired(bytes: Uint8Array, { offset, expected }: Repair): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = expected;
  return copy;
}
