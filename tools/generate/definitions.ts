/** Takes the facts out of Kafka's message definitions and keeps them in fixtures/definitions, one file an API, one file
 * for every other message. Facts are names, types, versions, nullability, tags, defaults and the like; Kafka's prose
 * stays behind. The definitions lie in the jars of a release (jars.ts).
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../kafka/cache.ts';
import type { JarDefinition } from './jars.ts';

/** One field of a message, in Kafka's own terms. */
export interface FieldFacts {
  readonly name: string;
  readonly type: string;
  /** Of a tagged field that does not say, as in Java: its `taggedVersions`. */
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  /** Null is no default at all, as in Java; the text `null` is one. */
  readonly default?: string | number | boolean | null;
  readonly ignorable?: boolean;
  /** Whether the field is part of the key by which Java finds elements of the array. */
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

/** What one file of fixtures/definitions holds: both messages of an API, or another message. */
export interface DefinitionFile {
  /** Where the facts come from: group, artifact and version of a jar. */
  readonly source: string;
  /** Key of an API; of a record the number of its type. */
  readonly apiKey?: number;
  /** Of what is no API: `data`, `header`, `metadata`, `coordinator-key` or `coordinator-value`. */
  readonly kind?: string;
  readonly request?: MessageFacts;
  readonly response?: MessageFacts;
  readonly message?: MessageFacts;
}

/** How many messages a release defines. */
export interface DefinitionCounts {
  readonly apis: number;
  /** Keys of APIs that are defined without any version. */
  readonly unusedKeys: readonly number[];
  readonly otherMessages: number;
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

/** A definition as it lies in a jar: facts among much else. */
interface Raw extends MessageFacts {
  readonly type: string;
  readonly apiKey?: number;
}

/** The files of fixtures/definitions, by name: APIs by ascending key, then the others in alphabetical order. */
export function readDefinitions(): Map<string, DefinitionFile> {
  const folder = definitionsFolder();
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return new Map(
    names
      .sort()
      .map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as DefinitionFile]),
  );
}

/** Replaces fixtures/definitions by the facts of a release. */
export function writeDefinitions(definitions: readonly JarDefinition[]): DefinitionCounts {
  const parsed = definitions.map(({ source, text }) => ({ source, raw: parseDefinition(text) }));
  const responses = new Map(parsed.map(({ raw }) => [raw.name, raw]));
  const files = new Map<string, DefinitionFile>();
  const unusedKeys: number[] = [];
  for (const { source, raw } of parsed) {
    const { name, type, apiKey, validVersions } = raw;
    const key = apiKey === undefined ? {} : { apiKey };
    if (type === 'response') continue;
    if (validVersions === 'none') unusedKeys.push(Number(apiKey));
    else if (type === 'request') {
      const api = name.replace(/Request$/, '');
      const response = responses.get(`${api}Response`);
      if (!response) throw new Error(`${source} has no ${api}Response`);
      const file = `${String(apiKey).padStart(2, '0')}-${kebabCase(api)}.json`;
      files.set(file, {
        source,
        ...key,
        request: messageFacts(raw),
        response: messageFacts(response),
      });
    } else files.set(`${kebabCase(name)}.json`, { source, ...key, kind: type, message: messageFacts(raw) });
  }
  const folder = definitionsFolder();
  for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name));
  for (const [name, facts] of files) writeFileSync(join(folder, name), `${print(facts)}\n`);
  const apis = [...files.values()].filter(({ request }) => request).length;
  return { apis, unusedKeys: unusedKeys.sort((a, b) => a - b), otherMessages: files.size - apis };
}

function definitionsFolder(): string {
  return join(repositoryRoot(), 'fixtures/definitions');
}

/** `ListOffsets` as `list-offsets`. */
function kebabCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}

/** Kafka's definitions are JSON with whole-line comments. */
function parseDefinition(text: string): Raw {
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as Raw;
}

/** The named properties, in that order, of those that are there. */
function pick<T extends object, Name extends keyof T>(from: T, names: readonly Name[]): Pick<T, Name> {
  const present = names.filter((name) => name in from);
  return Object.fromEntries(present.map((name) => [name, from[name]])) as Pick<T, Name>;
}

function messageFacts(raw: MessageFacts): MessageFacts {
  const commonStructs = raw.commonStructs?.map((struct) => ({
    ...pick(struct, ['name', 'versions']),
    fields: struct.fields.map(fieldFacts),
  }));
  return {
    ...pick(raw, MESSAGE_FACTS),
    ...(commonStructs && { commonStructs }),
    fields: raw.fields.map(fieldFacts),
  };
}

function fieldFacts(raw: FieldFacts): FieldFacts {
  // A tagged field may leave its versions out.
  const { versions = raw.taggedVersions ?? '' } = raw as Partial<FieldFacts>;
  const facts = pick({ ...raw, versions }, FIELD_FACTS);
  return raw.fields ? { ...facts, fields: raw.fields.map(fieldFacts) } : facts;
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
