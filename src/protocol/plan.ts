/** A table at one version: which fields are there, how their lengths are written, what stands in for absent ones.
 * Shared by encode, decode and trace; reads no bytes itself.
 * Invariant: flexible versions, tags and nulls are decided here and nowhere else.
 * Source: KIP-482; Kafka's generated message classes.
 */
import { ProtocolError } from '../errors.ts';
import { ZERO_UUID } from './text.ts';

/** A field's kind, without the types that `Kind` checks. */
export type AnyKind = string | readonly [AnyKind] | Table;

/** A field's rules, without the types that `Rules` checks. */
interface AnyRules {
  readonly type: AnyKind;
  readonly since?: number;
  readonly until?: number;
  readonly nullable?: true | number;
  readonly tag?: number;
  readonly default?: unknown;
  readonly ignorable?: true;
  readonly compact?: false;
}

/** A table, without the types that `Fields` checks. */
export interface Table {
  readonly [name: string]: string | readonly [AnyKind] | AnyRules;
}

/** A tagged field that the table does not know: see `unknownTags`. */
export interface UnknownTag {
  /** 0 to 2^32-1. */
  readonly tag: number;
  readonly data: Uint8Array;
}

/** Property of a decoded struct that holds the tagged fields its table does not know, by ascending tag; absent where
 * there were none. Encoding writes them back (KIP-482).
 */
export const unknownTags: unique symbol = /* @__PURE__ */ Symbol.for('kafka-wire.unknownTags');

/** A struct while it is read or written. */
export interface Struct {
  [name: string]: unknown;
  [unknownTags]?: readonly UnknownTag[];
}

/** How a value stands on the wire at one version. */
export interface Plan {
  /** One of the names in `Kind`, or `array`, or `struct`. */
  readonly kind: string;
  /** Lengths are unsigned varints, one higher than the length; structs end with tagged fields. */
  readonly compact: boolean;
  readonly nullable: boolean;
  /** Bytes that it takes at least. */
  readonly least: number;
  /** Of a field; elements have none. */
  readonly name?: string;
  /** Of a tagged field. In front of a tagged struct that may be null stands a varint, not an int8. */
  readonly tag?: number | undefined;
  /** Of an array. */
  readonly element?: Plan;
  /** Fields of a struct, in wire order, absent ones included. */
  readonly steps?: readonly Step[];
}

/** One field at one version. */
export interface Step extends Plan {
  readonly name: string;
  /** Whether the version has the field. */
  readonly present: boolean;
  readonly tag: number | undefined;
  readonly ignorable: boolean;
  /** Value of an absent field; undefined for a struct of defaults. Never to be changed: it is shared. */
  readonly fallback: unknown;
}

/** Shared by all byte fields that are empty: a view costs more than a hundred bytes. */
export const NO_BYTES: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** What an absent value of a kind is; of all others 0. */
const EMPTY: Readonly<Record<string, unknown>> = {
  string: '',
  uuid: ZERO_UUID,
  bytes: NO_BYTES,
  records: null,
  bool: false,
  bigint: 0n,
  array: [],
  struct: undefined,
};

/** Bytes of the kinds of fixed size; lengths take 2 (of text) or 4, varints and what is compact 1 at least. */
const SIZES: Readonly<Record<string, number>> = {
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  bigint: 8,
  float64: 8,
  uuid: 16,
  string: 2,
  bytes: 4,
  records: 4,
  array: 4,
};

/** The plan of a kind at a version, which is flexible or not. */
export function planOf(
  kind: AnyKind,
  version: number,
  flexible: boolean,
  compact: boolean = flexible,
  nullable = false,
): Plan {
  if (typeof kind === 'string') return leaf(kind, compact, nullable);
  if (isArrayKind(kind))
    return { ...leaf('array', compact, nullable), element: planOf(kind[0], version, flexible, compact) };
  const steps = Object.entries(kind).map(([name, field]) => stepOf(name, field, version, flexible));
  // A null is one byte; the tags that end a flexible struct are one at least.
  let least = flexible || nullable ? 1 : 0;
  if (!nullable) for (const step of steps) if (step.present && step.tag === undefined) least += step.least;
  return { kind: 'struct', compact: flexible, nullable, least, steps };
}

function leaf(kind: string, compact: boolean, nullable: boolean): Plan {
  const isPrefixed = kind === 'string' || kind === 'array' || kind === 'bytes' || kind === 'records';
  return { kind, compact, nullable, least: compact && isPrefixed ? 1 : (SIZES[kind] ?? 1) };
}

function stepOf(name: string, field: Table[string], version: number, flexible: boolean): Step {
  const rules: AnyRules = typeof field === 'string' || isArrayKind(field) ? { type: field } : field;
  const { type, since = 0, until = version, nullable, tag, ignorable = false } = rules;
  const isNullable = nullable === true || version >= (nullable ?? Infinity);
  const plan = planOf(type, version, flexible, flexible && rules.compact !== false, isNullable);
  return {
    ...plan,
    name,
    tag,
    ignorable,
    present: version >= since && version <= until,
    fallback: 'default' in rules ? rules.default : plan.kind in EMPTY ? EMPTY[plan.kind] : 0,
  };
}

/** Tells `[kind]` from a table; the built-in test does not know readonly arrays. */
function isArrayKind(kind: unknown): kind is readonly [AnyKind] {
  return Array.isArray(kind);
}

/** An error on its way up, gathering the path of the field where it happened. */
class Located {
  path: string = '';
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** The error, one step further from its field. Nothing of this costs anything before an error happens. */
export function within(error: unknown, step: string | number): Located {
  const located = error instanceof Located ? error : new Located(error);
  const { path } = located;
  const dot = path === '' || path.startsWith('[') ? '' : '.';
  located.path = (typeof step === 'number' ? `[${step}]` : step) + dot + path;
  return located;
}

/** The error as the caller sees it, with message, version and path. What was no `ProtocolError` is its cause. */
export function located(error: unknown, api: string, version: number): ProtocolError {
  const { path, cause } = error instanceof Located ? error : { path: '', cause: error };
  const where = { api, version, ...(path && { path }) };
  const place = `${api} v${version}${path && `, ${path}`}`;
  if (!(cause instanceof ProtocolError))
    return new ProtocolError(`${place}: the value does not fit the field`, {
      ...where,
      code: 'USAGE',
      cause,
    });
  const { code, byteOffset, message } = cause;
  const offset = byteOffset === undefined ? undefined : { byteOffset };
  return new ProtocolError(`${place}: ${message}`, { ...where, ...offset, code });
}
