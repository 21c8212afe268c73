/** Writes src/protocol/api/NN-name.ts, traced.ts and registry.ts from fixtures/definitions and generate-overlay.ts.
 * A new Kafka release is: new definitions (generate-definitions.ts), notes in the overlay, this.
 * Invariant: no API is special here; what only one API needs stands in the overlay.
 * Usage: generate-api.ts writes; generate-api.ts --check fails if a committed file differs.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, type FormatConfig } from 'oxfmt';
import {
  type DefinitionFile,
  type FieldFacts,
  type MessageFacts,
  type StructFacts,
} from './generate-definitions.ts';
import { commonFields, overlay, type ApiNotes } from './generate-overlay.ts';

const definitionsUrl = new URL('../fixtures/definitions/', import.meta.url);
const apiUrl = new URL('../src/protocol/api/', import.meta.url);
const { ignorePatterns: _, ...formatOptions } = JSON.parse(
  readFileSync(new URL('../.oxfmtrc.json', import.meta.url), 'utf8'),
) as FormatConfig & { printWidth: number };

/** First and last version; none if the range is empty. */
interface Span {
  readonly min: number;
  readonly max: number;
}

/** One interface and its table, still without an order among each other. */
interface Struct {
  /** Name of the interface; the table has the same in camelCase. */
  readonly name: string;
  readonly about: string;
  readonly fields: readonly Row[];
}

/** One field, as a line of the interface and as one of the table. */
interface Row {
  readonly name: string;
  readonly type: string;
  readonly doc: string;
  readonly rule: string;
}

/** What is fixed while one message is turned into structs. */
interface Context {
  readonly notes: ApiNotes;
  readonly valid: Span;
  readonly shared: ReadonlyMap<string, StructFacts>;
  /** Struct names that mean two different things in request and response. */
  readonly ambiguous: ReadonlySet<string>;
  readonly message: string;
  /** Every struct so far, those that contain others behind them: the order of the tables. */
  readonly structs: Map<string, Struct>;
  /** Their names, those that contain others before them: the order of the interfaces. */
  readonly outermostFirst: string[];
}

/** `3-13`, `9+` or `5` within `valid`; undefined if nothing is left. */
function spanOf(versions: string, valid: Span): Span | undefined {
  if (versions === 'none') return undefined;
  const [first = '', last = first] = versions.replace('+', '-999').split('-');
  const min = Math.max(Number(first), valid.min);
  const max = Math.min(Number(last), valid.max);
  return min <= max ? { min, max } : undefined;
}

const ANY: Span = { min: 0, max: 998 };

function validSpan({ name, validVersions }: MessageFacts): Span {
  const span = spanOf(validVersions, ANY);
  if (!span) throw new Error(`${name} has no valid version`);
  return span;
}

const camelCase = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

const NUMBERS = new Set(['int8', 'int16', 'uint16', 'int32', 'int64', 'float64']);
const SCALARS: Readonly<Record<string, string>> = {
  bool: 'boolean',
  bigint: 'bigint',
  string: 'string',
  uuid: 'string',
  bytes: 'Uint8Array',
  records: 'Uint8Array',
};

/** Interface type and table kind of one element of the field. */
function elementTypes(
  facts: FieldFacts,
  type: string,
  path: string,
  span: Span,
  context: Context,
): { type: string; kind: string } {
  if (type === 'int64' && isBigint(facts, path, context)) return { type: 'bigint', kind: `'bigint'` };
  if (NUMBERS.has(type)) return { type: 'number', kind: `'${type}'` };
  const scalar = SCALARS[type];
  if (scalar) return { type: scalar, kind: `'${type}'` };
  const shared = context.shared.get(type);
  const fields = facts.fields ?? shared?.fields;
  if (!fields) throw new Error(`${path}: nobody defines ${type}`);
  const name = context.ambiguous.has(type) ? context.message + type : type;
  // A struct that one field alone names is only met in that field's versions, so its own fields need not repeat them.
  const about = `${facts.type.startsWith('[]') ? 'Element' : 'Value'} of \`${path}\`.`;
  addStruct({ name, about, path, fields }, shared ? context : { ...context, valid: span });
  return { type: name, kind: camelCase(name) };
}

function isBigint(facts: FieldFacts, path: string, { notes }: Context): boolean {
  if (facts.entityType === 'producerId' || notes.bigints?.includes(path)) return true;
  return facts.default !== undefined && !Number.isSafeInteger(Number(facts.default));
}

function addStruct(
  { name, about, path, fields }: { name: string; about: string; path: string; fields: readonly FieldFacts[] },
  context: Context,
): void {
  const { structs, outermostFirst } = context;
  if (structs.has(name)) return;
  outermostFirst.push(name);
  // Rows first: they add the structs whose tables must stand before this one's.
  const rows = rowsOf(fields, path, context);
  structs.set(name, { name, about, fields: rows });
}

function rowsOf(fields: readonly FieldFacts[], path: string, context: Context): Row[] {
  return fields.flatMap((facts) => {
    const span = spanOf(facts.versions, context.valid);
    return span ? [rowOf(facts, span, path, context)] : [];
  });
}

function rowOf(facts: FieldFacts, span: Span, parent: string, context: Context): Row {
  const { valid, notes } = context;
  const name = camelCase(facts.name);
  const path = `${parent}.${name}`;
  if (facts.taggedVersions !== undefined && facts.taggedVersions !== facts.versions) {
    throw new Error(`${path} is tagged in some of its versions only`);
  }
  const isArray = facts.type.startsWith('[]');
  const type = facts.type.replace('[]', '');
  const element = elementTypes(facts, type, path, span, context);
  const nullable = facts.nullableVersions === undefined ? undefined : spanOf(facts.nullableVersions, span);
  if (nullable && nullable.max < span.max) throw new Error(`${path} is nullable up to v${nullable.max} only`);
  const standard = defaultOf(facts, element.kind);
  const since = span.min > valid.min ? span.min : undefined;
  const until = span.max < valid.max ? span.max : undefined;
  const rules = [
    `type: ${isArray ? `[${element.kind}]` : element.kind}`,
    since !== undefined && `since: ${since}`,
    until !== undefined && `until: ${until}`,
    nullable && `nullable: ${nullable.min > span.min ? nullable.min : true}`,
    facts.tag !== undefined && `tag: ${facts.tag}`,
    standard !== undefined && `default: ${standard}`,
    facts.ignorable && `ignorable: true`,
    facts.flexibleVersions === 'none' && `compact: false`,
  ].filter((rule) => typeof rule === 'string');
  const isBare = rules.length === 1 && (isArray || element.kind.startsWith(`'`));
  return {
    name,
    type: element.type + (isArray ? '[]' : '') + (nullable ? ' | null' : ''),
    doc: docOf(
      since,
      until,
      standard ?? (nullable && emptyText(isArray ? '[]' : type)),
      notes.fields?.[path] ?? commonFields[name],
    ),
    rule: isBare ? (rules[0] as string).slice('type: '.length) : `{ ${rules.join(', ')} }`,
  };
}

/** The default as TypeScript; undefined where it is what an absent field is anyway. */
function defaultOf({ default: value, type }: FieldFacts, kind: string): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (value === 'null') return type === 'records' ? undefined : 'null';
  if (kind === `'bigint'`) return BigInt(value) === 0n ? undefined : `${BigInt(value)}n`;
  if (type === 'bool') return String(value) === 'true' ? 'true' : undefined;
  if (type === 'string') return `'${value}'`;
  return Number(value) === 0 ? undefined : String(Number(value));
}

/** What an absent field is that may be null but is not by itself: easily taken for null, so the docs say it. */
function emptyText(type: string): string | undefined {
  return { string: `''`, bytes: 'no bytes', '[]': '[]' }[type];
}

function docOf(
  since: number | undefined,
  until: number | undefined,
  standard: string | undefined,
  text: string = '',
): string {
  const versions = versionsText(since, until);
  const facts = [versions, standard && `${versions ? 'default' : 'Default'} ${standard}`]
    .filter(Boolean)
    .join(', ');
  return [facts && `${facts}.`, text].filter(Boolean).join(' ');
}

function versionsText(since: number | undefined, until: number | undefined): string {
  if (since === undefined) return until === undefined ? '' : `Up to v${until}`;
  return until === undefined ? `v${since}+` : `v${since}-v${until}`;
}

/** Structs by name, nested ones included. */
function structFacts({ commonStructs = [], fields }: MessageFacts): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (all: readonly FieldFacts[]): void => {
    for (const field of all) {
      if (!field.fields) continue;
      found.set(field.type.replace('[]', ''), JSON.stringify(field.fields));
      visit(field.fields);
    }
  };
  for (const struct of commonStructs) {
    found.set(struct.name, JSON.stringify(struct.fields));
    visit(struct.fields);
  }
  visit(fields);
  return found;
}

function ambiguousStructs(request: MessageFacts, response: MessageFacts): Set<string> {
  const theirs = structFacts(response);
  return new Set(
    [...structFacts(request)].flatMap(([name, facts]) =>
      (theirs.get(name) ?? facts) === facts ? [] : [name],
    ),
  );
}

/** Adds the structs of one message to those of the API. */
function addMessage(
  message: MessageFacts,
  about: string,
  context: Pick<Context, 'notes' | 'ambiguous' | 'structs' | 'outermostFirst'>,
): void {
  const shared = new Map((message.commonStructs ?? []).map((struct) => [struct.name, struct]));
  const { name, fields } = message;
  addStruct(
    { name, about, path: name, fields },
    { ...context, valid: validSpan(message), shared, message: name },
  );
}

function wrapped(text: string, prefix: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && prefix.length + line.length + 1 + word.length > formatOptions.printWidth) {
      lines.push(line);
      line = '';
    }
    line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].map((each) => prefix + each).join('\n');
}

function comment(text: string, indent: string): string {
  const single = `${indent}/** ${text} */`;
  if (single.length <= formatOptions.printWidth) return single;
  return `${wrapped(text, `${indent} * `).replace(`${indent} * `, `${indent}/** `)}\n${indent} */`;
}

function printInterface({ name, about, fields }: Struct): string {
  const lines = fields.flatMap((field) => [
    ...(field.doc ? [comment(field.doc, '  ')] : []),
    `  ${field.name}: ${field.type};`,
  ]);
  const body = lines.length === 0 ? '' : `\n${lines.join('\n')}\n`;
  return `${comment(about, '')}\nexport interface ${name} {${body}}`;
}

function printTable({ name, fields }: Struct): string {
  const lines = fields.map((field) => `  ${field.name}: ${field.rule},`);
  return `const ${camelCase(name)}: Fields<${name}> = {${lines.length === 0 ? '' : `\n${lines.join('\n')}\n`}};`;
}

/** The text of one API file, formatted. */
async function apiFile(file: string, { apiKey, request, response }: DefinitionFile): Promise<string> {
  if (apiKey === undefined || !request || !response) throw new Error(`${file} is no API`);
  const name = request.name.replace(/Request$/, '');
  const notes = overlay[name];
  if (!notes) throw new Error(`no notes on ${name} in generate-overlay.ts`);
  const valid = validSpan(request);
  const flexible = spanOf(request.flexibleVersions, valid);
  if (
    response.validVersions !== request.validVersions ||
    response.flexibleVersions !== request.flexibleVersions
  ) {
    throw new Error(`${name}: request and response differ in their versions`);
  }
  const span = `v${valid.min}-v${valid.max}`;
  const structs = new Map<string, Struct>();
  const outermostFirst: string[] = [];
  const context = { notes, ambiguous: ambiguousStructs(request, response), structs, outermostFirst };
  addMessage(request, `${name} request, ${span}.`, context);
  addMessage(response, `${name} response, ${span}.`, context);
  const flexibility = flexible ? `flexible from v${flexible.min}` : 'never flexible';
  const origin = `Generated from fixtures/definitions/${file} and tools/generate-overlay.ts by tools/generate-api.ts.`;
  const constant = camelCase(name);
  const definition = [
    `key: ${apiKey}`,
    `name: '${name}'`,
    `versions: [${valid.min}, ${valid.max}]`,
    flexible && `flexibleSince: ${flexible.min}`,
    request.latestVersionUnstable && 'unstable: true',
    `request: ${constant}Request`,
    `response: ${constant}Response`,
  ];
  const text = `/** ${file.slice(0, 2)} ${name}, ${span}, ${flexibility}.
${wrapped(notes.history, ' * ')}
${wrapped(origin, ' * ')}
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

${outermostFirst.map((struct) => printInterface(structs.get(struct) as Struct)).join('\n\n')}

${[...structs.values()].map(printTable).join('\n\n')}

${comment(notes.about, '')}
export const ${constant}Api: Api<${name}Request, ${name}Response> = /* @__PURE__ */ defineApi({
  ${definition.filter(Boolean).join(',\n  ')},
});
`;
  return formatted(file.replace('.json', '.ts'), text);
}

/** The text of the registry, formatted. */
async function registryFile(files: readonly { file: string; constant: string }[]): Promise<string> {
  const text = `/** Every API by key or name. It imports all tables, so no client does: it is for testing, cli and tools.
 * Generated; change fixtures/definitions and run tools/generate-api.ts.
 */
import type { TracedApi } from '../trace.ts';
import { ${files.map(({ constant }) => constant).join(', ')} } from './traced.ts';

/** All APIs, by ascending key. */
export const apis: readonly TracedApi<unknown, unknown>[] = [${files.map(({ constant }) => constant).join(', ')}];

/** The API with this key, or with this name as Kafka writes it (\`ListOffsets\`); undefined if it is not known. */
export function api(keyOrName: number | string): TracedApi<unknown, unknown> | undefined {
  return apis.find(({ key, name }) => key === keyOrName || name === keyOrName);
}
`;
  return formatted('registry.ts', text);
}

/** The text of the file that gives every API its `trace`, formatted. */
async function tracedFile(files: readonly { file: string; constant: string }[]): Promise<string> {
  const imports = files.map(({ file, constant }) => {
    const type = constant.replace(/Api$/, '').replace(/^./, (first) => first.toUpperCase());
    const names = `${constant} as untraced${type}, type ${type}Request, type ${type}Response`;
    return `import { ${names} } from './${file.replace('.json', '.ts')}';`;
  });
  const constants = files.map(({ constant }) => {
    const type = constant.replace(/Api$/, '').replace(/^./, (first) => first.toUpperCase());
    return `/** ${type}, with \`trace\` on both messages. */
export const ${constant}: TracedApi<${type}Request, ${type}Response> = /* @__PURE__ */ tracedApi(untraced${type});`;
  });
  const text = `/** Every API with \`trace\` on its messages, as the public entries have it; a client's bundle does without.
 * Generated; change fixtures/definitions and run tools/generate-api.ts.
 */
import { tracedApi, type TracedApi } from '../trace.ts';
${imports.join('\n')}

${constants.join('\n\n')}
`;
  return formatted('traced.ts', text);
}

async function formatted(file: string, text: string): Promise<string> {
  const { code, errors } = await format(file, text, formatOptions);
  if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ message }) => message).join(', ')}`);
  return code;
}

/** Every generated file: name in src/protocol/api to text. */
export async function generate(): Promise<Map<string, string>> {
  const files = readdirSync(definitionsUrl).filter((file) => /^\d\d-.*\.json$/.test(file));
  const texts = new Map<string, string>();
  const all: { file: string; constant: string }[] = [];
  for (const file of files) {
    const definition = JSON.parse(readFileSync(new URL(file, definitionsUrl), 'utf8')) as DefinitionFile;
    texts.set(file.replace('.json', '.ts'), await apiFile(file, definition));
    all.push({ file, constant: `${camelCase((definition.request?.name ?? '').replace(/Request$/, ''))}Api` });
  }
  texts.set('traced.ts', await tracedFile(all));
  return texts.set('registry.ts', await registryFile(all));
}

/** Names of generated files that are not committed as they would be generated now. */
export async function outdated(): Promise<string[]> {
  const texts = await generate();
  const committed = readdirSync(apiUrl);
  const differing = [...texts].filter(
    ([file, text]) => !committed.includes(file) || readFileSync(new URL(file, apiUrl), 'utf8') !== text,
  );
  return [...differing.map(([file]) => file), ...committed.filter((file) => !texts.has(file))];
}

async function main(): Promise<void> {
  if (process.argv.includes('--check')) {
    const files = await outdated();
    if (files.length > 0) throw new Error(`outdated: ${files.join(', ')}; run tools/generate-api.ts`);
    return;
  }
  for (const [file, text] of await generate()) writeFileSync(new URL(file, apiUrl), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
