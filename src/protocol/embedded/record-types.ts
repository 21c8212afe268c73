/** What the keys and values of records hold where Kafka itself wrote them: internal topics, and control records.
 * Names messages and versions and reads no more of the bytes than that takes; trace.ts walks them. No client imports this.
 * Invariant: parts lie one after another; what nobody knows has no part, and no bytes make this throw.
 * Source: Kafka's CoordinatorRecordSerde, AbstractApiMessageSerde, ControlRecordType and ControlRecordUtils.
 */
import { defineMessage, type Fields, type Message } from '../schema.ts';
import * as control from './control-records.ts';
import * as records from './records.ts';

/** One message in a key or a value, behind those before it. */
export interface EmbeddedPart {
  /** Such as `framing` or `offsetCommitKey`. */
  readonly name: string;
  readonly message: Message<unknown>;
  readonly version: number;
}

/** Tells what the records of a topic hold: all that is known, so nothing for a type or a version of a later release. */
export interface RecordTypes {
  /** What a key holds; undefined if nothing is known. */
  key(key: Uint8Array): readonly EmbeddedPart[] | undefined;
  /** What a value holds, by the key of its record too; undefined if nothing is known. */
  value(value: Uint8Array, key: Uint8Array | null): readonly EmbeddedPart[] | undefined;
}

/** What stands in front of a coordinator's keys and values. Of a key it is the number of the record's type. */
interface VersionFraming {
  version: number;
}

/** What stands in front of a metadata record. */
interface RecordFraming {
  frameVersion: number;
  type: number;
  version: number;
}

const versionFields: Fields<VersionFraming> = { version: 'int16' };
const recordFields: Fields<RecordFraming> = { frameVersion: 'uvarint', type: 'uvarint', version: 'uvarint' };

const versionFraming: Message<VersionFraming> = /* @__PURE__ */ defineMessage(
  'VersionFraming',
  -1,
  [0, 0],
  undefined,
  versionFields,
);
const recordFraming: Message<RecordFraming> = /* @__PURE__ */ defineMessage(
  'RecordFraming',
  -1,
  [0, 0],
  undefined,
  recordFields,
);

/** Behind an int16 of their own: the version of a coordinator's value, and all of a control record but its KRaft bodies. */
const versioned = (message: Message<unknown> | undefined, version: number): readonly EmbeddedPart[] =>
  parts(versionFraming, message, version);

/** The records of an internal topic, by the topic's name; undefined for any other topic. */
export function internalTopics(topic: string): RecordTypes | undefined {
  if (topic === '__consumer_offsets') return coordinatorRecords(records.consumerOffsetsRecords);
  if (topic === '__transaction_state') return coordinatorRecords(records.transactionStateRecords);
  if (topic === '__share_group_state') return coordinatorRecords(records.shareGroupStateRecords);
  if (topic === '__cluster_metadata') return metadataRecords(records.clusterMetadataRecords);
  if (topic === '__remote_log_metadata') return metadataRecords(records.remoteLogMetadataRecords);
  return undefined;
}

/** Control records, in any topic. A version above ours reads as our newest, as in Java. */
export const controlRecords: RecordTypes = {
  key: (key) => (int16(key, 0) === undefined ? undefined : versioned(control.controlRecordTypeSchema, 0)),
  value(value, key) {
    const type = key ? int16(key, 2) : undefined;
    const version = int16(value, 0);
    if (type === undefined || version === undefined) return undefined;
    if (type === 0 || type === 1) return versioned(control.endTxnMarker, 0);
    const body = kraftBody(type);
    // The version in front is the first field of the message itself.
    return body && parts(undefined, body, Math.min(Math.max(version, 0), body.versions.max));
  },
};

/** What a control record of the controller quorum's log holds. */
function kraftBody(type: number): Message<unknown> | undefined {
  if (type === 2) return control.leaderChangeMessage;
  if (type === 3) return control.snapshotHeaderRecord;
  if (type === 4) return control.snapshotFooterRecord;
  if (type === 5) return control.kRaftVersionRecord;
  return type === 6 ? control.votersRecord : undefined;
}

function coordinatorRecords(types: records.RecordMessages): RecordTypes {
  const typeOf = (key: Uint8Array | null) => types.find(([type]) => key && type === int16(key, 0));
  return {
    key(key) {
      if (int16(key, 0) === undefined) return undefined;
      return versioned(typeOf(key)?.[2], 0);
    },
    value(value, key) {
      const version = int16(value, 0);
      return version === undefined ? undefined : versioned(typeOf(key)?.[1], version);
    },
  };
}

function metadataRecords(types: records.RecordMessages): RecordTypes {
  return {
    key: () => undefined,
    value(value) {
      const framing = framingOf(value);
      const [, message] = types.find(([type]) => type === framing?.type) ?? [];
      return framing && parts(recordFraming, message, framing.version);
    },
  };
}

/** The framing, and the message if we have it in that version. */
function parts(
  framing: Message<unknown> | undefined,
  message: Message<unknown> | undefined,
  version: number,
): readonly EmbeddedPart[] {
  const found: EmbeddedPart[] = framing ? [{ name: 'framing', message: framing, version: 0 }] : [];
  if (message && version >= message.versions.min && version <= message.versions.max) {
    const name = message.name.charAt(0).toLowerCase() + message.name.slice(1);
    found.push({ name, message, version });
  }
  return found;
}

function framingOf(value: Uint8Array): RecordFraming | undefined {
  try {
    return recordFraming.decode(value, 0);
  } catch {
    return undefined; // too short, or no framing at all
  }
}

/** The int16 at a place; undefined if the bytes end before it does. */
function int16(bytes: Uint8Array, at: number): number | undefined {
  const [high, low] = bytes.subarray(at, at + 2);
  return high === undefined || low === undefined ? undefined : ((high << 24) >> 16) | low;
}
