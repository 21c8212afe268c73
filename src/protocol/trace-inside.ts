/** What lies in the `bytes` and `records` fields of messages: record batches, and what Kafka's own clients and brokers
 * put there behind an int16 version: subscriptions, assignments, principals.
 * Not here: what the keys and values of records hold (embedded/record-types.ts).
 * Invariant: where nothing says what the bytes are, they are looked into only if they read to their last byte.
 * Source: KIP-559 (protocol type), KIP-590 (principal); ConsumerProtocol.java.
 */
import { assignment } from './embedded/assignment.ts';
import { defaultPrincipalData } from './embedded/principal.ts';
import type { RecordTypes } from './embedded/record-types.ts';
import { subscription } from './embedded/subscription.ts';
import { ByteReader } from './reader.ts';
import type { Message } from './schema.ts';
import { walkBatches, type RecordsView } from './trace-records.ts';
import type { Inside, OpaqueField, TraceWalker } from './trace-walker.ts';

/** What `insideOf` needs to know; see `TraceOptions`. */
export interface InsideOptions extends Omit<RecordsView, 'types'> {
  readonly topic: string | undefined;
  readonly recordTypes: ((topic: string) => RecordTypes | undefined) | undefined;
}

/** Looks into fields as the options say. */
export function insideOf(options: InsideOptions): Inside {
  return (field) => {
    if (field.kind === 'records') {
      const topic = topicOf(field.scope) ?? options.topic;
      const types = topic === undefined ? undefined : options.recordTypes?.(topic);
      return (walker, path) => walkBatches(walker, path, viewOf(options, types));
    }
    const message = versionedIn(field);
    return message && ((walker, path) => walkVersioned(walker, path, message));
  };
}

/** The options for records of one topic; what is inflated counts for all. */
export function viewOf(options: InsideOptions, types: RecordTypes | undefined): RecordsView {
  return {
    inflate: options.inflate,
    types,
    get inflatedLeft() {
      return options.inflatedLeft;
    },
    set inflatedLeft(bytes) {
      options.inflatedLeft = bytes;
    },
  };
}

/** The topic that the structs around a field name. */
function topicOf(scope: OpaqueField['scope']): string | undefined {
  for (const { topic, name } of scope.toReversed()) {
    if (typeof topic === 'string') return topic;
    if (typeof name === 'string') return name;
  }
  return undefined;
}

/** Fields whose messages have a version in front, by message and field. */
function versionedIn({ message, name, value, scope }: OpaqueField): Message<unknown> | undefined {
  switch (`${message}.${name}`) {
    case 'EnvelopeRequest.requestPrincipal':
      return defaultPrincipalData;
    case 'JoinGroupRequest.metadata':
    case 'JoinGroupResponse.metadata':
    case 'DescribeGroupsResponse.memberMetadata':
    case 'GroupMetadataValue.subscription':
      return ofConsumers(scope, subscription, value);
    case 'SyncGroupRequest.assignment':
    case 'SyncGroupResponse.assignment':
    case 'DescribeGroupsResponse.memberAssignment':
    case 'GroupMetadataValue.assignment':
      return ofConsumers(scope, assignment, value);
    default:
      return undefined;
  }
}

/** The message if the group is one of consumers, or if nothing says what it is and the bytes fit. */
function ofConsumers(
  scope: OpaqueField['scope'],
  message: Message<unknown>,
  value: Uint8Array,
): Message<unknown> | undefined {
  const type = scope.findLast(({ protocolType }) => typeof protocolType === 'string')?.['protocolType'];
  if (typeof type === 'string' && type !== '') return type === 'consumer' ? message : undefined;
  try {
    const reader = new ByteReader(value);
    message.decode(reader, versionIn(reader, message), { strict: true });
    return message;
  } catch {
    return undefined; // Something else's, or none that can be read.
  }
}

/** A version, and the message in it, or in our newest if that is older. */
function walkVersioned(walker: TraceWalker, path: string, message: Message<unknown>): void {
  const version = walker.leaf(`${path}.version`, 'int16', (reader) => versionIn(reader, message));
  walker.message(message, version, path);
}

function versionIn(reader: ByteReader, { versions }: Message<unknown>): number {
  const { position } = reader;
  const version = reader.int16();
  if (version < versions.min) throw reader.malformed(`version ${version}`, position);
  return Math.min(version, versions.max);
}
