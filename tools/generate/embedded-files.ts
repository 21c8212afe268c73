/** Writes src/protocol/embedded: the messages that lie in records, headers and files, one file a family.
 * Not here: those written by hand, as clients need helpers around them (see `BY_HAND`).
 */
import type { DefinitionFile, MessageFacts } from './definitions.ts';
import { messageNotes } from './overlay/index.ts';
import { comment, formatted, header, printInterface, printTable } from './print.ts';
import { camelCase, flexibleSince, spanText, validSpan } from './spans.ts';
import { Tables } from './tables.ts';

/** Messages that src/protocol/header.ts, embedded/subscription.ts and embedded/assignment.ts declare. */
export const BY_HAND: ReadonlySet<string> = new Set([
  'RequestHeader',
  'ResponseHeader',
  'ConsumerProtocolSubscription',
  'ConsumerProtocolAssignment',
]);

/** Messages of one file. */
interface Family {
  readonly file: string;
  readonly about: string;
  /** Of the artifact's messages those whose names match; the first family that fits has them. */
  readonly artifact: string;
  readonly names: RegExp;
}

const KEYED =
  'A key is its record type as an int16 and the message, a value its version as an int16 and the message';
const FRAMED =
  'A value is a frame version, the record type and the version, each an unsigned varint, and the message';
const METADATA = 'Records of `__cluster_metadata`, the log of the controller quorum';

const FAMILIES: readonly Family[] = [
  {
    file: 'control-records',
    about:
      'Keys and values of control records, which end transactions and frame the log of the controller quorum.',
    artifact: 'kafka-clients',
    names: /^(Control|EndTxn|LeaderChange|Snapshot|KRaft|Voters)/,
  },
  {
    file: 'principal',
    about: 'Who sent a request that a broker forwards.',
    artifact: 'kafka-clients',
    names: /Principal/,
  },
  {
    file: 'log-files',
    about: 'Files that a broker keeps beside the segments of a log.',
    artifact: 'kafka-clients',
    names: /^AbortedTxn$/,
  },
  {
    file: 'log-files',
    about: '',
    artifact: 'kafka-storage',
    names: /^ProducerSnapshot$/,
  },
  { file: 'log-files', about: '', artifact: 'kafka-raft', names: /^QuorumState/ },
  {
    file: 'offset-records',
    about: `Records of \`__consumer_offsets\`: offsets and classic groups. ${KEYED}.`,
    artifact: 'kafka-group-coordinator',
    names: /^((Legacy)?OffsetCommit|GroupMetadata)/,
  },
  {
    file: 'consumer-group-records',
    about: `Records of \`__consumer_offsets\`: groups of the consumer protocol (KIP-848). ${KEYED}.`,
    artifact: 'kafka-group-coordinator',
    names: /^ConsumerGroup/,
  },
  {
    file: 'share-group-records',
    about: `Records of \`__consumer_offsets\`: share groups (KIP-932). ${KEYED}.`,
    artifact: 'kafka-group-coordinator',
    names: /^ShareGroup/,
  },
  {
    file: 'streams-group-records',
    about: `Records of \`__consumer_offsets\`: groups of Kafka Streams (KIP-1071). ${KEYED}.`,
    artifact: 'kafka-group-coordinator',
    names: /^StreamsGroup/,
  },
  {
    file: 'transaction-state',
    about: `Records of \`__transaction_state\`. ${KEYED}.`,
    artifact: 'kafka-transaction-coordinator',
    names: /./,
  },
  {
    file: 'share-group-state',
    about: `Records of \`__share_group_state\`. ${KEYED}.`,
    artifact: 'kafka-share-coordinator',
    names: /./,
  },
  {
    file: 'remote-log-metadata',
    about: `Records of \`__remote_log_metadata\`. ${FRAMED}.`,
    artifact: 'kafka-storage',
    names: /^Remote/,
  },
  {
    file: 'metadata-topic-records',
    about: `${METADATA}: topics, partitions and configurations. ${FRAMED}.`,
    artifact: 'kafka-metadata',
    names: /^(?!.*Transaction).*(Topic|Partition|Config|Elr)/,
  },
  {
    file: 'metadata-access-records',
    about: `${METADATA}: who may do what, and how much. ${FRAMED}.`,
    artifact: 'kafka-metadata',
    names: /Scram|Token|AccessControl|Quota/,
  },
  {
    file: 'metadata-cluster-records',
    about: `${METADATA}: brokers, controllers, features and the log itself. ${FRAMED}.`,
    artifact: 'kafka-metadata',
    names: /./,
  },
];

/** A message of a generated file. */
export interface EmbeddedMessage {
  /** Such as `offset-records.ts`. */
  readonly file: string;
  /** Such as `OffsetCommitKey`. */
  readonly name: string;
  readonly artifact: string;
  /** Number of the record's type. */
  readonly type: number | undefined;
  /** As in `DefinitionFile`. */
  readonly kind: string;
}

/** A generated file of embedded messages. */
export interface EmbeddedFile {
  readonly file: string;
  readonly text: string;
  /** What the overlay lacks, or has too much of. */
  readonly remarks: readonly string[];
}

interface Member extends EmbeddedMessage {
  readonly about: string;
  readonly facts: MessageFacts;
}

/** The files of all definitions that are no API, and their messages, family by family. */
export async function embeddedFiles(
  definitions: Iterable<DefinitionFile>,
): Promise<{ files: EmbeddedFile[]; messages: EmbeddedMessage[] }> {
  const members = [...definitions].flatMap((definition) => memberOf(definition) ?? []);
  const families = [...new Set(FAMILIES.map(({ file }) => file))];
  const files: EmbeddedFile[] = [];
  const messages: EmbeddedMessage[] = [];
  for (const family of families) {
    const own = members.filter(({ file }) => file === `${family}.ts`).sort(byType);
    if (own.length > 0) files.push(await familyFile(`${family}.ts`, own));
    messages.push(...own);
  }
  return { files, messages };
}

/** By record type, the key before its value. */
function byType(one: Member, other: Member): number {
  return (one.type ?? -1) - (other.type ?? -1) || (one.name < other.name ? -1 : 1);
}

function memberOf({ source, apiKey, kind = '', message }: DefinitionFile): Member | undefined {
  if (!message || BY_HAND.has(message.name)) return undefined;
  const { name } = message;
  const artifact = source.split(':')[1] ?? '';
  const family = FAMILIES.find((each) => each.artifact === artifact && each.names.test(name));
  if (!family) throw new Error(`tools/generate/embedded-files.ts has no family for ${name} of ${artifact}`);
  return {
    file: `${family.file}.ts`,
    name,
    artifact,
    type: apiKey,
    kind,
    about: family.about,
    facts: message,
  };
}

async function familyFile(file: string, members: readonly Member[]): Promise<EmbeddedFile> {
  const tables = new Tables(members.map(({ facts }) => facts));
  const constants: string[] = [];
  const unknown: string[] = [];
  for (const { name, facts } of members) {
    const notes = messageNotes[name] ?? { about: `${name}.` };
    if (!(name in messageNotes)) unknown.push(`the overlay has no words on ${name}`);
    const constant = camelCase(name);
    const valid = validSpan(facts);
    tables.add(facts, `${constant}Fields`, `${name}, ${spanText(valid)}.`, notes);
    const args = [
      `'${name}'`,
      '-1',
      `[${valid.min}, ${valid.max}]`,
      String(flexibleSince(facts)),
      `${constant}Fields`,
    ];
    constants.push(
      `${comment([notes.about, notes.history].filter(Boolean).join(' '), '')}
export const ${constant}: Message<${name}> = /* @__PURE__ */ defineMessage(${args.join(', ')});`,
    );
  }
  const about = members.map((member) => member.about).find(Boolean) ?? '';
  const origin = 'Generated by tools/generate from fixtures/definitions and the overlay.';
  const text = `${header(about, origin)}
import { defineMessage, type Fields, type Message } from '../schema.ts';

${tables.outermostFirst.map(printInterface).join('\n\n')}

${tables.innermostFirst.map(printTable).join('\n\n')}

${constants.join('\n\n')}
`;
  return { file, text: await formatted(file, text), remarks: [...unknown, ...tables.remarks] };
}
