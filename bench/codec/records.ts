/** Record batches of 1,000 records, or 500 where 1,000 would be more than brokers take, with keys of 16 bytes, written and
 * read. We verify the checksum when we read, the peers do not. We show every record to a visitor, which takes note of where
 * its parts lie, and in a line of its own we make a lazy object of it; the peers always make their objects, with views.
 * Not here: codecs; the batches are not compressed.
 */
import { crc32c, encodeRecordBatch, type LogCursor, visitRecords } from 'kafka-wire/protocol';
import { type Case, type Contestant, inTurn, sameBytes, type Work } from './case.ts';
import type { RecordPeer, SampleRecord } from './peers.ts';

/** Taken in turn. What came from a socket is in a cache of this size. */
const batchesBytes = 1_048_576;
/** Bytes of a batch's header. */
const header = 61;
const baseTimestamp = 1_760_000_000_000;

/** A record as an application keeps it: where its parts lie. Keys and values become views when they are asked for. */
export class KeptRecord {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly timestampDelta: number;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly headersStart: number;
  readonly headerCount: number;

  constructor(cursor: LogCursor) {
    this.bytes = cursor.bytes;
    this.offset = cursor.offset;
    this.timestampDelta = cursor.timestampDelta;
    this.keyStart = cursor.keyStart;
    this.keyEnd = cursor.keyEnd;
    this.valueStart = cursor.valueStart;
    this.valueEnd = cursor.valueEnd;
    this.headersStart = cursor.headersStart;
    this.headerCount = cursor.headerCount;
  }
}

/** Records of one batch; `index` tells batches apart. */
export function sampleRecords(valueBytes: number, index: number): SampleRecord[] {
  const recordsPerBatch = valueBytes > 1000 ? 500 : 1000;
  return Array.from({ length: recordsPerBatch }, (_, record) => ({
    key: Buffer.from(`key-${String(index * recordsPerBatch + record).padStart(12, '0')}`),
    value: Buffer.alloc(valueBytes, 32 + ((index + record) % 90)),
    timestamp: baseTimestamp + record,
  }));
}

/** All records of a message's `records`, the checksum verified, as lazy objects. */
export function readLazily(bytes: Uint8Array): KeptRecord[] {
  const kept: KeptRecord[] = [];
  visitRecords(bytes, (cursor) => void kept.push(new KeptRecord(cursor)));
  return kept;
}

/** The number of records, the checksum verified; every one is looked at. */
function readVisiting(bytes: Uint8Array): number {
  let count = 0;
  let seen = 0;
  visitRecords(bytes, (cursor) => {
    count++;
    seen += cursor.offset + cursor.timestampDelta + cursor.keyStart + cursor.valueEnd - cursor.valueStart;
  });
  return seen > 0 ? count : 0;
}

/** Copies keys and values where they belong. */
function copyFields(target: Uint8Array, records: readonly SampleRecord[]): number {
  let position = header;
  for (const { key, value } of records) {
    target.set(key, position + 6);
    target.set(value, position + 24);
    position += 24 + value.length;
  }
  return records.length;
}

/** Goes from record to record by their lengths, which take two bytes here. */
function hop(bytes: Uint8Array): number {
  let position = header;
  let count = 0;
  while (position < bytes.length) {
    const low = bytes[position] as number;
    const length = (low & 0x7f) | ((bytes[position + 1] as number) << 7);
    position += 2 + (length >>> 1);
    count++;
  }
  return count;
}

async function checkPeer(peer: RecordPeer, samples: readonly (readonly SampleRecord[])[]): Promise<void> {
  for (const records of samples) {
    const bytes = encodeRecordBatch({ records });
    const theirs = peer.bytes(await peer.encode(peer.prepare(records)));
    // They differ in leader epoch, producer epoch and sequence; the records must not.
    sameBytes(peer.name, theirs.subarray(header), bytes.subarray(header));
    const counts = [await peer.decode(bytes), readLazily(bytes).length, readVisiting(bytes), hop(bytes)];
    if (counts.some((count) => count !== records.length))
      throw new Error(`not all is read: ${counts.join()}`);
    if (crc32c(bytes.subarray(21)) !== new DataView(bytes.buffer, bytes.byteOffset).getUint32(17))
      throw new Error('the checksum is not over what it should be');
  }
}

/** Encodes into memory that is there, as a client does that writes one batch after another. */
function encoding(samples: readonly (readonly SampleRecord[])[], memory: Uint8Array): Work {
  return inTurn(samples, (records) => {
    const { buffer } = encodeRecordBatch({ records }, memory);
    if (buffer !== memory.buffer) throw new Error('there was not room enough');
    return records.length;
  });
}

/** The cases for records with values of so many bytes. `peer` is undefined outside the peer's process. */
export async function recordCases(
  contestant: Contestant,
  valueBytes: number,
  peerName: string,
  peer?: RecordPeer,
): Promise<Case[]> {
  const batches = Math.round(
    batchesBytes / encodeRecordBatch({ records: sampleRecords(valueBytes, 0) }).length,
  );
  const samples = Array.from({ length: batches }, (_, index) => sampleRecords(valueBytes, index));
  const encoded = samples.map((records) => encodeRecordBatch({ records }));
  const memory = new Uint8Array(2 * (encoded[0]?.length ?? 0));
  const size = valueBytes === 1024 ? '1 KiB' : `${valueBytes} B`;
  const kept = `decode ${size}, an object each`;
  const named = (works: readonly Work[]): Case[] =>
    [`encode ${size}`, `decode ${size}`, kept].flatMap((name, index) => {
      const work = works[index];
      return work === undefined ? [] : { name, peer: peerName, work };
    });
  if (contestant === 'ours') {
    const keeping = inTurn(encoded, (bytes) => readLazily(bytes).length);
    return named([encoding(samples, memory), inTurn(encoded, readVisiting), keeping]);
  }
  if (peer === undefined) {
    const hopping = inTurn(encoded, hop);
    return named([inTurn(samples, (records) => copyFields(memory, records)), hopping, hopping]);
  }
  await checkPeer(peer, samples);
  const prepared = samples.map((records) => peer.prepare(records));
  const reading = inTurn(encoded, (bytes) => peer.decode(bytes));
  const writing = inTurn(prepared, async (batch) => {
    await peer.encode(batch);
    return samples[0]?.length ?? 0;
  });
  return named([writing, reading, reading]);
}
