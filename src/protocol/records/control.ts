/** Markers that end a transaction in a partition's log: the first record of a control batch.
 * Not here: which records an abort hides (client/fetch), control records of another kind (undefined here).
 * Invariant: what Java's ControlRecordType reads, reads the same here; versions above 0 are read as version 0.
 * Source: KIP-98; ControlRecordTypeSchema and EndTxnMarker of Kafka's message definitions.
 */
import { ByteReader } from '../reader.ts';
import { assignOffsets, BatchBuilder, stampProducer } from './batch-builder.ts';
import { CONTROL, TRANSACTIONAL, type RecordBatch } from './batch.ts';
import { RecordCursor } from './record-cursor.ts';

/** How a transaction ended. */
export type ControlType = 'abort' | 'commit';

/** What a marker says. */
export interface EndMarker {
  readonly type: ControlType;
  /** Epoch of the transaction coordinator that wrote it. */
  readonly coordinatorEpoch: number;
}

/** What `encodeEndMarker` writes. */
export interface EndMarkerInput extends EndMarker {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** Default 0. */
  readonly baseOffset?: number;
  /** Default -1. */
  readonly partitionLeaderEpoch?: number;
}

/** How a transaction ended by this batch: undefined for a batch that ends none. `payload` as for `RecordCursor`.
 * Throws ProtocolError for a control record without a valid key.
 */
export function controlType(
  batch: RecordBatch,
  payload: Uint8Array = batch.payload,
): ControlType | undefined {
  const cursor = controlRecord(batch, payload);
  return cursor && typeOf(cursor);
}

/** As `controlType`, with what the marker's value says. Throws ProtocolError for an invalid value too. */
export function readEndMarker(
  batch: RecordBatch,
  payload: Uint8Array = batch.payload,
): EndMarker | undefined {
  const cursor = controlRecord(batch, payload);
  const type = cursor && typeOf(cursor);
  if (cursor === undefined || type === undefined) return undefined;
  return { type, coordinatorEpoch: versioned(cursor, cursor.valueStart, cursor.valueEnd).int32() };
}

/** The control batch that ends a transaction of `producerId` in one partition. */
export function encodeEndMarker(marker: EndMarkerInput): Uint8Array {
  const key = new DataView(new ArrayBuffer(4));
  key.setInt16(2, marker.type === 'commit' ? 1 : 0);
  const value = new DataView(new ArrayBuffer(6));
  value.setInt32(2, marker.coordinatorEpoch);
  const builder = new BatchBuilder(128);
  builder.timestamp = marker.timestamp;
  builder.append(new Uint8Array(key.buffer), new Uint8Array(value.buffer));
  const batch = builder.finish(false);
  const { producerId, producerEpoch } = marker;
  stampProducer(batch, {
    producerId,
    producerEpoch,
    baseSequence: -1,
    attributes: TRANSACTIONAL | CONTROL,
  });
  assignOffsets(batch, marker.baseOffset ?? 0, marker.partitionLeaderEpoch ?? -1);
  return batch;
}

/** A cursor at the first record of a control batch. */
function controlRecord(batch: RecordBatch, payload: Uint8Array): RecordCursor | undefined {
  if (!batch.isControl) return undefined;
  const cursor = new RecordCursor(batch, payload);
  return cursor.next() ? cursor : undefined;
}

function typeOf(cursor: RecordCursor): ControlType | undefined {
  const type = versioned(cursor, cursor.keyStart, cursor.keyEnd).int16();
  if (type === 0) return 'abort';
  return type === 1 ? 'commit' : undefined;
}

/** A reader behind the version that a control record's key or value begins with. */
function versioned(cursor: RecordCursor, start: number, end: number): ByteReader {
  const reader = new ByteReader(cursor.bytes, start, end);
  const version = reader.int16();
  if (version < 0) throw cursor.malformed(`control record of version ${version}`);
  return reader;
}
