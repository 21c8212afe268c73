/** Turns the facts of messages into what a file declares: one interface and one table for every struct.
 * Knows what a table may say (src/protocol/schema.ts), not how it is printed (print.ts).
 * Invariant: no message is special here; what only one needs stands in the overlay.
 */
import type { FieldFacts, MessageFacts, StructFacts } from './definitions.ts';
import { commonFields } from './overlay/index.ts';
import { camelCase, spanOf, validSpan, type Span } from './spans.ts';

/** One interface and its table. */
export interface Struct {
  /** Name of the interface. */
  readonly name: string;
  /** Name of the table. */
  readonly table: string;
  readonly about: string;
  readonly rows: readonly Row[];
}

/** One field, as a line of the interface and as one of the table. */
export interface Row {
  readonly name: string;
  readonly type: string;
  readonly doc: string;
  readonly rule: string;
}

/** What the overlay says of the fields of one or more messages. */
export interface FieldNotes {
  readonly fields?: Readonly<Record<string, string>> | undefined;
  readonly bigints?: readonly string[] | undefined;
}

/** What is fixed while one message is turned into structs. */
interface Context {
  readonly notes: FieldNotes;
  readonly valid: Span;
  readonly shared: ReadonlyMap<string, StructFacts>;
  readonly message: string;
}

const NUMBERS = new Set(['int8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'float64']);
const SCALARS: Readonly<Record<string, string>> = {
  bool: 'boolean',
  string: 'string',
  uuid: 'string',
  bytes: 'Uint8Array',
  records: 'Uint8Array',
};

/** The structs of all messages of one file. */
export class Tables {
  readonly #ambiguous: ReadonlySet<string>;
  readonly #structs = new Map<string, Struct>();
  readonly #outermostFirst: Struct[] = [];
  readonly #paths = new Set<string>();
  /** What the overlay says of fields that are not there. */
  readonly remarks: string[] = [];

  /** For a file that holds these messages and no other. */
  constructor(messages: readonly MessageFacts[]) {
    this.#ambiguous = ambiguousStructs(messages);
  }

  /** Those that contain others before them: the order of the interfaces. */
  get outermostFirst(): readonly Struct[] {
    return this.#outermostFirst;
  }

  /** Those that contain others behind them: the order of the tables. */
  get innermostFirst(): readonly Struct[] {
    return [...this.#structs.values()];
  }

  /** Adds a message, whose table is to have the name `table`. */
  add(message: MessageFacts, table: string, about: string, notes: FieldNotes): void {
    const shared = new Map((message.commonStructs ?? []).map((struct) => [struct.name, struct]));
    const { name, fields } = message;
    const context = { notes, valid: validSpan(message), shared, message: name };
    this.#add({ name, table, about, path: name, fields }, context);
    for (const path of [...Object.keys(notes.fields ?? {}), ...(notes.bigints ?? [])]) {
      const isOwn = path.startsWith(`${name}.`);
      if (isOwn && !this.#paths.has(path))
        this.remarks.push(`there is no ${path}, of which the overlay speaks`);
    }
  }

  #add(
    struct: Omit<Struct, 'rows'> & { path: string; fields: readonly FieldFacts[] },
    context: Context,
  ): void {
    const { name, table, about, path, fields } = struct;
    const place = this.#outermostFirst.length;
    // Rows first: they add the structs whose tables must stand before this one's.
    const rows = fields.flatMap((facts) => {
      const span = spanOf(facts.versions, context.valid);
      return span ? [this.#row(facts, span, path, context)] : [];
    });
    const known = this.#structs.get(name);
    if (!known) {
      const added = { name, table, about, rows };
      this.#structs.set(name, added);
      this.#outermostFirst.splice(place, 0, added);
    } else if (rulesOf(known) !== rulesOf({ rows })) throw new Error(`${name} of ${path} has two meanings`);
  }

  #row(facts: FieldFacts, span: Span, parent: string, context: Context): Row {
    const { valid, notes } = context;
    const name = camelCase(facts.name);
    const path = `${parent}.${name}`;
    this.#paths.add(path);
    if (facts.taggedVersions !== undefined && facts.taggedVersions !== facts.versions)
      throw new Error(`${path} is tagged in some of its versions only`);
    const isArray = facts.type.startsWith('[]');
    const type = facts.type.replace('[]', '');
    const element = this.#element(facts, type, path, span, context);
    const nullable = facts.nullableVersions === undefined ? undefined : spanOf(facts.nullableVersions, span);
    if (nullable && nullable.max < span.max)
      throw new Error(`${path} is nullable up to v${nullable.max} only`);
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
    const shown = standard ?? (nullable && emptyText(isArray ? '[]' : type));
    return {
      name,
      type: element.type + (isArray ? '[]' : '') + (nullable ? ' | null' : ''),
      doc: [
        factsText(versionsText(since, until), shown),
        keysText(fieldsOf(facts, context), span),
        notes.fields?.[path] ?? commonFields[name],
      ]
        .filter(Boolean)
        .join(' '),
      rule: isBare ? (rules[0] as string).slice('type: '.length) : `{ ${rules.join(', ')} }`,
    };
  }

  /** Interface type and table kind of one element of the field. */
  #element(
    facts: FieldFacts,
    type: string,
    path: string,
    span: Span,
    context: Context,
  ): { type: string; kind: string } {
    if (type === 'int64' && isBigint(facts, path, context.notes)) return { type: 'bigint', kind: `'bigint'` };
    if (NUMBERS.has(type)) return { type: 'number', kind: `'${type}'` };
    const scalar = SCALARS[type];
    if (scalar) return { type: scalar, kind: `'${type}'` };
    const fields = fieldsOf(facts, context);
    if (!fields) throw new Error(`${path}: nobody defines ${type}`);
    const name = this.#ambiguous.has(type) ? context.message + type : type;
    const table = camelCase(name);
    const about = `${facts.type.startsWith('[]') ? 'Element' : 'Value'} of \`${path}\`.`;
    // A struct that one field alone names is only met in that field's versions, so its own fields need not repeat them.
    const inner = facts.fields ? { ...context, valid: span } : context;
    this.#add({ name, table, about, path, fields }, inner);
    return { type: name, kind: table };
  }
}

const rulesOf = ({ rows }: Pick<Struct, 'rows'>): string =>
  rows.map(({ name, type, rule }) => `${name} ${type} ${rule}`).join('\n');

function fieldsOf({ type, fields }: FieldFacts, { shared }: Context): readonly FieldFacts[] | undefined {
  return fields ?? shared.get(type.replace('[]', ''))?.fields;
}

function isBigint(facts: FieldFacts, path: string, { bigints }: FieldNotes): boolean {
  if (facts.entityType === 'producerId' || bigints?.includes(path)) return true;
  return facts.default !== undefined && !Number.isSafeInteger(Number(facts.default));
}

/** The default as TypeScript; undefined where it is what an absent field is anyway. JSON's null is no default in Java. */
function defaultOf({ default: value, type }: FieldFacts, kind: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
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

function factsText(versions: string, standard: string | undefined): string {
  const facts = [versions, standard && `${versions ? 'default' : 'Default'} ${standard}`];
  const text = facts.filter(Boolean).join(', ');
  return text && `${text}.`;
}

function versionsText(since: number | undefined, until: number | undefined): string {
  if (since === undefined) return until === undefined ? '' : `Up to v${until}`;
  return until === undefined ? `v${since}+` : `v${since}-v${until}`;
}

/** By which fields Java finds an element: on the wire it is an array all the same, in any order, even with doubles. */
function keysText(fields: readonly FieldFacts[] | undefined, span: Span): string {
  const keys = (fields ?? []).filter(({ mapKey, versions }) => mapKey && spanOf(versions, span));
  const names = keys.map(({ name }) => `\`${camelCase(name)}\``);
  return names.length > 0 ? `Keyed by ${names.join(', ')}.` : '';
}

/** Names of structs that mean different things in messages of the same file. */
function ambiguousStructs(messages: readonly MessageFacts[]): Set<string> {
  const meanings = new Map<string, string>();
  const ambiguous = new Set<string>();
  const visit = (name: string, fields: readonly FieldFacts[]): void => {
    const meaning = JSON.stringify(fields);
    if ((meanings.get(name) ?? meaning) !== meaning) ambiguous.add(name);
    meanings.set(name, meaning);
    for (const field of fields) if (field.fields) visit(field.type.replace('[]', ''), field.fields);
  };
  for (const { name, fields, commonStructs = [] } of messages) {
    for (const struct of commonStructs) visit(struct.name, struct.fields);
    visit(name, fields);
  }
  return ambiguous;
}
