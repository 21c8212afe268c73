/** Takes the facts out of Kafka's message definitions and keeps them in fixtures/definitions, one file per API.
 * Facts are names, types, versions, nullability, tags, defaults and the like; Kafka's prose stays behind.
 * Usage: unzip kafka-clients-4.4.0.jar 'common/message/*.json', then run this with that folder as its argument.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One field of a message, in Kafka's own terms. */
export interface FieldFacts {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean;
  readonly ignorable?: boolean;
  readonly mapKey?: boolean;
  readonly entityType?: string;
  readonly flexibleVersions?: string;
  readonly fields?: readonly FieldFacts[];
}

/** A struct that several fields of a message share. */
export interface StructFacts {
  readonly name: string;
  readonly versions: string;
  readonly fields: readonly FieldFacts[];
}

/** One message, in Kafka's own terms. */
export interface MessageFacts {
  readonly name: string;
  readonly validVersions: string;
  readonly flexibleVersions: string;
  readonly latestVersionUnstable?: boolean;
  readonly commonStructs?: readonly StructFacts[];
  readonly fields: readonly FieldFacts[];
}

/** What one file of fixtures/definitions holds: both messages of an API, or one message without a key. */
export interface DefinitionFile {
  /** Where the facts come from. */
  readonly source: string;
  readonly apiKey?: number;
  readonly request?: MessageFacts;
  readonly response?: MessageFacts;
  readonly message?: MessageFacts;
}

const FIELD_FACTS = [
  'name',
  'type',
  'versions',
  'nullableVersions',
  'taggedVersions',
  'tag',
  'default',
  'ignorable',
  'mapKey',
  'entityType',
  'flexibleVersions',
] as const;
const MESSAGE_FACTS = ['name', 'validVersions', 'flexibleVersions', 'latestVersionUnstable'] as const;

/** The APIs that are kept, by Kafka's name. */
const APIS =
  'Produce Fetch ListOffsets Metadata OffsetCommit OffsetFetch FindCoordinator JoinGroup Heartbeat LeaveGroup SyncGroup ' +
  'DescribeGroups ListGroups ApiVersions CreateTopics DeleteTopics InitProducerId';
/** Messages without a key that are kept. */
const OTHERS = 'ConsumerProtocolSubscription ConsumerProtocolAssignment RequestHeader ResponseHeader';

/** `ListOffsets` as `list-offsets`. */
export function kebabCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}

type Raw = Record<string, unknown>;

function pick(raw: Raw, names: readonly string[]): Raw {
  return Object.fromEntries(names.flatMap((name) => (name in raw ? [[name, raw[name]]] : [])));
}

function fieldFacts(raw: Raw): Raw {
  const facts = pick(raw, FIELD_FACTS);
  return raw['fields'] ? { ...facts, fields: (raw['fields'] as Raw[]).map(fieldFacts) } : facts;
}

function messageFacts(raw: Raw): Raw {
  const facts = pick(raw, MESSAGE_FACTS);
  const structs = raw['commonStructs'] as Raw[] | undefined;
  if (structs) {
    facts['commonStructs'] = structs.map((struct) => ({
      name: struct['name'],
      versions: struct['versions'],
      fields: (struct['fields'] as Raw[]).map(fieldFacts),
    }));
  }
  return { ...facts, fields: (raw['fields'] as Raw[]).map(fieldFacts) };
}

/** JSON with one field per line: short enough to read, long enough to diff. */
function print(value: unknown, indent: string = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((item) => inner + print(item, inner)).join(',\n')}\n${indent}]`;
  }
  const isField = 'type' in value;
  const entries = Object.entries(value).map(
    ([name, item]) => `${JSON.stringify(name)}: ${print(item, isField ? indent : inner)}`,
  );
  return isField ? `{ ${entries.join(', ')} }` : `{\n${inner}${entries.join(`,\n${inner}`)}\n${indent}}`;
}

/** Kafka's definitions are JSON with whole-line comments. */
function readDefinition(folder: string, name: string): Raw {
  const text = readFileSync(join(folder, `${name}.json`), 'utf8');
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as Raw;
}

function main(folder: string, source: string): void {
  const target = fileURLToPath(new URL('../fixtures/definitions/', import.meta.url));
  for (const name of APIS.split(' ')) {
    const request = readDefinition(folder, `${name}Request`);
    const response = readDefinition(folder, `${name}Response`);
    const apiKey = request['apiKey'] as number;
    const file = `${String(apiKey).padStart(2, '0')}-${kebabCase(name)}.json`;
    const facts = { source, apiKey, request: messageFacts(request), response: messageFacts(response) };
    writeFileSync(join(target, file), `${print(facts)}\n`);
  }
  for (const name of OTHERS.split(' ')) {
    const facts = { source, message: messageFacts(readDefinition(folder, name)) };
    writeFileSync(join(target, `${kebabCase(name)}.json`), `${print(facts)}\n`);
  }
  console.log(`${readdirSync(target).length} files in fixtures/definitions`);
}

const [script, folder] = process.argv.slice(1);
if (script === fileURLToPath(import.meta.url)) {
  if (folder) main(folder, 'org.apache.kafka:kafka-clients:4.4.0');
  else throw new Error('usage: generate-definitions.ts <folder with the definitions of kafka-clients 4.4.0>');
}
