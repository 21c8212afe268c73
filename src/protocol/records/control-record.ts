/** Control records of every type as plain values: ends of transactions, and what frames the log of the controllers.
 * For tools and debuggers. Not here: what a client does with abort and commit (control.ts), tracing (embedded).
 * Invariant: what Java's ControlRecordType and ControlRecordUtils read, reads the same here.
 * Source: KIP-98, KIP-595 (leader change), KIP-630 (snapshots), KIP-853 (KRaft version and voters).
 */
import { ProtocolError } from '../../errors.ts';
import {
  endTxnMarker,
  kRaftVersionRecord,
  leaderChangeMessage,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
  type EndTxnMarker,
  type KRaftVersionRecord,
  type LeaderChangeMessage,
  type SnapshotFooterRecord,
  type SnapshotHeaderRecord,
  type VotersRecord,
} from '../embedded/control-records.ts';
import { ByteReader } from '../reader.ts';
import type { Message } from '../schema.ts';

/** What the value of a control record says, by its type. */
export interface ControlBodies {
  readonly abort: EndTxnMarker;
  readonly commit: EndTxnMarker;
  readonly leaderChange: LeaderChangeMessage;
  readonly snapshotHeader: SnapshotHeaderRecord;
  readonly snapshotFooter: SnapshotFooterRecord;
  readonly kraftVersion: KRaftVersionRecord;
  readonly kraftVoters: VotersRecord;
}

/** A control record. A type of a later Kafka is a number, and its body is not read. */
export type ControlRecord =
  | {
      [Type in keyof ControlBodies]: { readonly type: Type; readonly body: ControlBodies[Type] };
    }[keyof ControlBodies]
  | { readonly type: number; readonly body: undefined };

/** What a control record is made of, such as a record of a `DecodedBatch` that `isControl`. */
export interface ControlRecordBytes {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** Reads a record of a control batch. Versions above ours are read as our newest, as in Java.
 * Throws ProtocolError `MALFORMED` for a key or a value that is none of a control record.
 */
export function decodeControlRecord({ key, value }: ControlRecordBytes): ControlRecord {
  const type = versioned(key, 'key').reader.int16();
  switch (type) {
    case 0:
      return { type: 'abort', body: endTxnMarker.decode(versioned(value, 'value').reader, 0) };
    case 1:
      return { type: 'commit', body: endTxnMarker.decode(versioned(value, 'value').reader, 0) };
    case 2:
      return { type: 'leaderChange', body: bodyOf(leaderChangeMessage, value) };
    case 3:
      return { type: 'snapshotHeader', body: bodyOf(snapshotHeaderRecord, value) };
    case 4:
      return { type: 'snapshotFooter', body: bodyOf(snapshotFooterRecord, value) };
    case 5:
      return { type: 'kraftVersion', body: bodyOf(kRaftVersionRecord, value) };
    case 6:
      return { type: 'kraftVoters', body: bodyOf(votersRecord, value) };
    default:
      return { type, body: undefined };
  }
}

/** A body whose first field is the version that stands in front. */
function bodyOf<Body>(message: Message<Body>, value: Uint8Array | null): Body {
  const { reader, version } = versioned(value, 'value');
  reader.position = 0;
  return message.decode(reader, Math.min(version, message.versions.max));
}

/** The version that a key or a value begins with, and a reader behind it. */
function versioned(bytes: Uint8Array | null, what: string): { reader: ByteReader; version: number } {
  if (bytes === null) throw malformed(`${what} is null`);
  const reader = new ByteReader(bytes);
  const version = reader.int16();
  if (version < 0) throw malformed(`${what} of version ${version}`);
  return { reader, version };
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(`control record: ${what}`, { api: 'RecordBatch', version: 2 });
}
