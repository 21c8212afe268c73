/** Explains record batches back to back, as `records` fields and log segments hold them: all three formats, compressed
 * ones in byte spaces of their own, and what keys and values hold where that is known.
 * Invariant: it never throws for bytes. What is wrong in a batch is noted as damage, and the next batch is explained;
 * batch.ts, record-cursor.ts and message-set.ts decide what is wrong.
 * Source: Kafka's documentation, "Message format" and "Message sets".
 */
import { PRIMITIVES } from './compile-decode.ts';
import { controlRecords, type EmbeddedPart, type RecordTypes } from './embedded/record-types.ts';
import type { ByteReader } from './reader.ts';
import { batchEnd, LENGTH_OVERHEAD, MIN_BATCH_LENGTH, type RecordBatch } from './records/batch.ts';
import { cursorOf, LegacyBatch, nextLogBatch, type LogBatch } from './records/message-set.ts';
import { noteOf, type TraceNode, type TraceWalker } from './trace-walker.ts';
import { VarintReader } from './varint.ts';

/** Decompresses at once, to at most `maxBytes`; `magic` is the format of the batch. Undefined leaves an opaque leaf. */
export type Inflate = (
  codecId: number,
  bytes: Uint8Array,
  maxBytes: number,
  magic?: number,
) => Uint8Array | undefined;

/** How batches are looked into; shared by all of one trace. */
export interface RecordsView {
  readonly inflate: Inflate | undefined;
  /** Bytes that may still be inflated. */
  inflatedLeft: number;
  /** What keys and values hold. */
  readonly types: RecordTypes | undefined;
}

type Header = readonly (readonly [name: string, kind: string])[];

const FRONT: Header = [
  ['baseOffset', 'int64'],
  ['batchLength', 'int32'],
  ['partitionLeaderEpoch', 'int32'],
  ['magic', 'int8'],
];
const HEADER: Header = [
  ...FRONT,
  ['crc', 'uint32'],
  ['attributes', 'int16'],
  ['lastOffsetDelta', 'int32'],
  ['baseTimestamp', 'int64'],
  ['maxTimestamp', 'int64'],
  ['producerId', 'int64'],
  ['producerEpoch', 'int16'],
  ['baseSequence', 'int32'],
  ['recordCount', 'int32'],
];
const HEADER_V0: Header = [
  ['offset', 'int64'],
  ['messageSize', 'int32'],
  ['crc', 'uint32'],
  ['magic', 'int8'],
  ['attributes', 'int8'],
];
const HEADER_V1: Header = [...HEADER_V0, ['timestamp', 'int64']];
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
/** Note at what its bytes end in. */
const CUT = 'cut off by the end of the bytes';
/** Codecs that may wrap messages of v0 and v1. */
const LAST_LEGACY_CODEC = 3;
/** The smallest `batchLength` of v2. */
const LEAST_BATCH_LENGTH = 49;
/** Fewest bytes of a record and of a header. */
const [MIN_RECORD_BYTES, MIN_HEADER_BYTES] = [7, 2] as const;

/** Explains what is left of the walker's bytes: batches `path[0]`, `path[1]` and so on. */
export function walkBatches(walker: TraceWalker, path: string, view: RecordsView): void {
  for (let index = 0; walker.reader.remaining > 0; index++) {
    const { bytes, position, end: limit } = walker.reader;
    const at = `${path}[${index}]`;
    const within = bytes.subarray(0, limit);
    let end: number | undefined;
    try {
      end = batchEnd(within, position);
      const batch = nextLogBatch(within, position);
      if (batch === undefined) walkUnreadable(walker, at, limit, CUT);
      else if (batch instanceof LegacyBatch) walkMessage(walker, at, batch, view);
      else walkBatch(walker, at, batch, view);
    } catch (error) {
      walkUnreadable(walker, at, end ?? limit, noteOf(error), error);
    }
  }
}

/** What is no batch, or none to its end: as much of its header as there is, and the rest up to `end`. */
function walkUnreadable(walker: TraceWalker, at: string, end: number, note: string, error?: unknown): void {
  const { bytes, position } = walker.reader;
  const magic = bytes[position + 16];
  const isMessage = magic === 0 || magic === 1;
  const fields = magic === 2 ? HEADER : isMessage ? HEADER_V0 : FRONT;
  walker.branch(at, isMessage ? 'message' : 'record batch', (node) => {
    node.note = note;
    walker.limit(end, () => {
      walkHeaderFields(walker, at, fields);
      if (error !== undefined) walker.damaged(at, error, wrongLeaf(walker.nodes, error));
      walker.rest(`${at}.rest`);
    });
  });
}

/** The header's leaf for which a batch cannot be read. */
function wrongLeaf(header: readonly TraceNode[], error: unknown): TraceNode | undefined {
  const [offset, length, , format] = header;
  if ((error as { code?: string }).code === 'VALUE_RANGE') return offset;
  const magic = Number(format?.value);
  if (magic < 0 || magic > 2) return format;
  const least = magic === 2 ? LEAST_BATCH_LENGTH : MIN_BATCH_LENGTH;
  return Number(length?.value) < least ? length : header.at(-1);
}

function walkBatch(walker: TraceWalker, at: string, batch: RecordBatch, view: RecordsView): void {
  walker.branch(at, 'record batch', () => {
    walker.limit(batch.end, () => {
      walkHeaderFields(walker, at, HEADER);
      verifyCrc(walker, at, batch);
      walkPayload(walker, at, batch, view);
    });
  });
}

function verifyCrc(walker: TraceWalker, at: string, batch: LogBatch): void {
  try {
    batch.verifyCrc();
  } catch (error) {
    const path = `${at}.crc`;
    walker.damaged(
      path,
      error,
      walker.nodes.find((node) => node.path === path),
    );
  }
}

/** The records of a batch: in its own space, or in one of their own when they are compressed. */
function walkPayload(walker: TraceWalker, at: string, batch: RecordBatch, view: RecordsView): void {
  const path = `${at}.records`;
  const { codecId } = batch;
  if (codecId === 0) {
    walker.branch(path, 'records', () => walkRecords(walker, path, batch, view));
    return;
  }
  const leaf = walker.all(path, `${CODECS[codecId] ?? `codec ${codecId}`} records`);
  const inflated = inflate(walker, leaf, codecId, 2, view);
  if (inflated) walker.openSpace(leaf, inflated, () => walkRecords(walker, path, batch, view));
}

/** Inflates a leaf; undefined, with a note, where that cannot be done. */
function inflate(
  walker: TraceWalker,
  leaf: TraceNode,
  codecId: number,
  magic: number,
  view: RecordsView,
): Uint8Array | undefined {
  const bytes = leaf.value as Uint8Array;
  try {
    const inflated = view.inflate?.(codecId, bytes, view.inflatedLeft, magic);
    if (inflated) view.inflatedLeft -= inflated.length;
    else leaf.note = 'not inflated';
    return inflated;
  } catch (error) {
    leaf.note = noteOf(error);
    walker.damaged(leaf.path, error, leaf);
    return undefined;
  }
}

function walkRecords(walker: TraceWalker, path: string, batch: RecordBatch, view: RecordsView): void {
  const { recordCount: count, baseOffset, lastOffset } = batch;
  const { reader } = walker;
  const types = batch.isControl ? controlRecords : view.types;
  let at = path;
  let previous = baseOffset - 1;
  const offsetDelta = (each: ByteReader): number => {
    const { position } = each;
    const delta = each.varint();
    const offset = baseOffset + delta;
    if (offset <= previous || offset > lastOffset)
      throw each.malformed(`offset ${offset} after ${previous}`, position);
    previous = offset;
    return delta;
  };
  const { failed } = walker;
  try {
    if (count > reader.remaining / MIN_RECORD_BYTES)
      throw reader.malformed(`${count} records cannot lie in ${reader.remaining} bytes`);
    for (let index = 0; index < count; index++) {
      at = `${path}[${index}]`;
      walker.branch(at, 'record', () => walkRecord(walker, at, offsetDelta, types));
    }
    at = path;
    if (count > 0 && reader.remaining > 0)
      throw reader.malformed(`${reader.remaining} bytes after the last record`);
  } catch (error) {
    const leaf = walker.failed;
    walker.failed = failed;
    walker.damaged(leaf?.path ?? at, error, leaf);
  }
  const surplus = walker.rest(`${path}.surplus`);
  if (walker.damage && !walker.damage.leaf) walker.damage = { ...walker.damage, leaf: surplus };
}

function walkRecord(
  walker: TraceWalker,
  at: string,
  offsetDelta: (reader: ByteReader) => number,
  types: RecordTypes | undefined,
): void {
  const length = walker.leaf(`${at}.length`, 'varint', (each) => counted(each, 1));
  const { reader } = walker;
  walker.limit(reader.position + length, () => {
    walker.leaf(`${at}.attributes`, 'int8', (each) => each.int8());
    walker.leaf(`${at}.timestampDelta`, 'varlong', varlong);
    walker.leaf(`${at}.offsetDelta`, 'varint', offsetDelta);
    const key = bytesLeaf(walker, `${at}.key`, varintBytes, 'varint', (value) => types?.key(value));
    bytesLeaf(walker, `${at}.value`, varintBytes, 'varint', (value) => types?.value(value, key));
    const headers = `${at}.headers`;
    walker.branch(headers, 'array', () => {
      const count = walker.leaf(`${headers}.length`, 'varint', (each) => counted(each, MIN_HEADER_BYTES));
      for (let index = 0; index < count; index++) walkHeader(walker, `${headers}[${index}]`);
    });
    if (reader.remaining === 0) return;
    walker.leaf(`${at}.surplus`, 'bytes', (each) => {
      throw each.malformed('the record is longer than its fields');
    });
  });
}

function walkHeader(walker: TraceWalker, at: string): void {
  walker.branch(at, 'struct', () => {
    walker.leaf(`${at}.key`, 'varint string', (each) => each.text(counted(each, 1)));
    walker.leaf(`${at}.value`, 'varint bytes', varintBytes);
  });
}

/** A message of v0 or v1, which may be a wrapper of others. */
function walkMessage(walker: TraceWalker, at: string, batch: LegacyBatch, view: RecordsView): void {
  const { codecId, magic } = batch;
  walker.branch(at, 'message', ({ children = [] }) => {
    walker.limit(batch.end, () => {
      walkHeaderFields(walker, at, magic === 0 ? HEADER_V0 : HEADER_V1);
      verifyCrc(walker, at, batch);
      walkMessageBody(walker, at, codecId === 0 ? view.types : undefined);
      const value = children.findLast(({ path }) => path === `${at}.value`);
      const isWrapper = codecId !== 0 && codecId <= LAST_LEGACY_CODEC && value?.value instanceof Uint8Array;
      if (isWrapper) walkWrapper(walker, at, batch, value, view);
      else judge(walker, at, batch, codecId === 0 ? batch.payload : undefined, []);
    });
  });
}

function walkWrapper(
  walker: TraceWalker,
  at: string,
  batch: LegacyBatch,
  value: TraceNode,
  view: RecordsView,
): void {
  const { codecId, magic } = batch;
  const path = `${at}.records`;
  walker.openLeaf(value, (value.value as Uint8Array).length, 'int32', () => {
    const payload = walker.all(path, `${CODECS[codecId] ?? ''} messages`);
    const inflated = inflate(walker, payload, codecId, magic, view);
    if (!inflated) return;
    walker.openSpace(payload, inflated, () => walkWrapped(walker, path, view));
    judge(walker, at, batch, inflated, payload.children ?? []);
  });
}

function walkWrapped(walker: TraceWalker, path: string, view: RecordsView): void {
  for (let index = 0; walker.reader.remaining > 0; index++) {
    const { reader } = walker;
    const at = `${path}[${index}]`;
    const length = reader.remaining < LENGTH_OVERHEAD ? Infinity : reader.view.getInt32(reader.position + 8);
    if (length > reader.remaining - LENGTH_OVERHEAD || length < 14) {
      const cut = walker.rest(at);
      if (cut) cut.note = CUT;
      return;
    }
    const end = reader.position + LENGTH_OVERHEAD + length;
    walker.branch(at, 'message', () => {
      walker.limit(end, () => {
        walkHeaderFields(walker, at, reader.bytes[reader.position + 16] === 0 ? HEADER_V0 : HEADER_V1);
        walkMessageBody(walker, at, view.types);
      });
    });
  }
}

/** As many of the fields as there are bytes for. */
function walkHeaderFields(walker: TraceWalker, at: string, fields: Header): void {
  for (const [name, kind] of fields) {
    if (walker.reader.remaining < sizeOf(kind)) break;
    headerLeaf(walker, at, name, kind);
  }
}

/** Key, value and what follows; where they cannot be read, the rest as bytes: `judge` tells why. */
function walkMessageBody(walker: TraceWalker, at: string, types: RecordTypes | undefined): void {
  const { failed } = walker;
  try {
    const key = bytesLeaf(walker, `${at}.key`, int32Bytes, 'int32', (value) => types?.key(value));
    bytesLeaf(walker, `${at}.value`, int32Bytes, 'int32', (value) => types?.value(value, key));
  } catch (error) {
    walker.damaged(walker.failed?.path ?? at, error, walker.failed);
    walker.failed = failed;
  }
  walker.rest(`${at}.surplus`);
}

/** Lets the cursor of the format find what the walk does not look at. Without a payload, asking for it tells. */
function judge(
  walker: TraceWalker,
  at: string,
  batch: LegacyBatch,
  payload: Uint8Array | undefined,
  messages: readonly TraceNode[],
): void {
  let index = 0;
  try {
    const cursor = cursorOf(batch, payload ?? batch.payload);
    while (cursor.next()) index++;
  } catch (error) {
    const message = messages[index];
    walker.damaged(message?.path ?? at, error, message?.children?.[0] ?? walker.nodes[0]);
  }
}

function headerLeaf(walker: TraceWalker, at: string, name: string, kind: string): unknown {
  const path = `${at}.${name}`;
  if (kind === 'int64' && name !== 'producerId') return walker.leaf(path, kind, int64);
  const read = PRIMITIVES[name === 'producerId' ? 'bigint' : kind];
  return read && walker.leaf(path, kind, read);
}

/** A leaf of bytes; what they hold, if `look` knows it, becomes its children. */
function bytesLeaf(
  walker: TraceWalker,
  path: string,
  read: (reader: ByteReader) => Uint8Array | null,
  lengthKind: string,
  look: (value: Uint8Array) => readonly EmbeddedPart[] | undefined,
): Uint8Array | null {
  const value = walker.leaf(path, lengthKind === 'int32' ? 'bytes' : `${lengthKind} bytes`, read);
  const leaf = walker.nodes.at(-1);
  const parts = value && value.length > 0 ? look(value) : undefined;
  if (value && leaf && parts?.length)
    walker.openLeaf(leaf, value.length, lengthKind, () => walkParts(walker, path, parts));
  return value;
}

/** Messages one after another. */
export function walkParts(walker: TraceWalker, path: string, parts: readonly EmbeddedPart[]): void {
  for (const { name, message, version } of parts) {
    const at = path === '' ? name : `${path}.${name}`;
    walker.branch(at, 'struct', () => walker.message(message, version, at));
  }
}

/** Null for every negative length, as in Java. */
function varintBytes(reader: ByteReader): Uint8Array | null {
  const length = reader.varint();
  return length < 0 ? null : reader.raw(length);
}

/** As `varintBytes`. */
function int32Bytes(reader: ByteReader): Uint8Array | null {
  const length = reader.int32();
  return length < 0 ? null : reader.raw(length);
}

/** Reads how many follow, of at least so many bytes each. */
function counted(reader: ByteReader, least: number): number {
  const { position } = reader;
  const count = reader.varint();
  if (count >= 0 && count * least <= reader.remaining) return count;
  throw reader.malformed(`${count} announced, ${reader.remaining} bytes left`, position);
}

/** A number where it is exact, else a bigint. */
function int64(reader: ByteReader): number | bigint {
  const value = reader.int64Big();
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** As `int64`. */
function varlong(reader: ByteReader): number | bigint {
  const { position } = reader;
  const value = reader.varlong();
  return Number.isSafeInteger(value) ? value : new VarintReader(reader.bytes, position).varlongBigInt();
}

function sizeOf(kind: string): number {
  if (kind === 'int64') return 8;
  if (kind === 'int16') return 2;
  return kind === 'int8' ? 1 : 4;
}
