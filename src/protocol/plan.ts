/** A table at one version: which fields are there, how their lengths are written, what stands in for absent ones.
 * Shared by the three compilers (encode, decode, trace); reads no bytes itself.
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

/** How a value stands on the wire at one version. */
export interface Shape {
  readonly kind: AnyKind;
  /** Lengths are unsigned varints, one higher than the length. */
  readonly compact: boolean;
  readonly nullable: boolean;
}

/** One field at one version. */
export interface Step extends Shape {
  readonly name: string;
  /** Whether the version has the field. */
  readonly present: boolean;
  readonly tag: number | undefined;
  readonly ignorable: boolean;
  /** Value of an absent field; undefined for a struct of defaults. Never to be changed: it is shared. */
  readonly fallback: unknown;
}

/** A version of a message: what every nested table needs to know. */
export interface Edition {
  readonly version: number;
  readonly flexible: boolean;
}

const NO_BYTES: Uint8Array = /* @__PURE__ */ new Uint8Array(0);
const NO_ELEMENTS: readonly never[] = [];

/** The fields of a table at one version, in wire order. */
export function stepsOf(table: Table, { version, flexible }: Edition): Step[] {
  return Object.entries(table).map(([name, field]) => {
    const rules: AnyRules = typeof field === 'string' || isArrayKind(field) ? { type: field } : field;
    const { type: kind, since = 0, until = version, nullable, tag } = rules;
    return {
      name,
      kind,
      tag,
      present: version >= since && version <= until,
      compact: flexible && rules.compact !== false,
      nullable: nullable !== undefined && (nullable === true || version >= nullable),
      ignorable: rules.ignorable === true,
      fallback: 'default' in rules ? rules.default : emptyOf(kind),
    };
  });
}

/** Tells `[kind]` from a table; the built-in test does not know readonly arrays. */
export function isArrayKind(kind: unknown): kind is readonly [AnyKind] {
  return Array.isArray(kind);
}

function emptyOf(kind: AnyKind): unknown {
  if (typeof kind !== 'string') return isArrayKind(kind) ? NO_ELEMENTS : undefined;
  switch (kind) {
    case 'string':
      return '';
    case 'uuid':
      return ZERO_UUID;
    case 'bytes':
      return NO_BYTES;
    case 'records':
      return null;
    case 'bool':
      return false;
    case 'bigint':
      return 0n;
    default:
      return 0;
  }
}

const FIXED_BYTES: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  bigint: 8,
  float64: 8,
  uuid: 16,
};

/** The fewest bytes that a value of this shape takes; what an element count is checked against. At least 1. */
export function leastBytes({ kind, compact, nullable }: Shape, edition: Edition): number {
  if (typeof kind === 'string') return FIXED_BYTES[kind] ?? (compact ? 1 : kind === 'string' ? 2 : 4);
  if (isArrayKind(kind)) return compact ? 1 : 4;
  if (nullable) return 1;
  let least = edition.flexible ? 1 : 0;
  for (const step of stepsOf(kind, edition)) {
    if (step.present && step.tag === undefined) least += leastBytes(step, edition);
  }
  return Math.max(1, least);
}

/** An error on its way up, gathering the path of the field where it happened. */
export class Located {
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
  if (!(cause instanceof ProtocolError)) {
    return new ProtocolError(`${place}: the value does not fit the field`, {
      ...where,
      code: 'USAGE',
      cause,
    });
  }
  const { code, byteOffset, message } = cause;
  const offset = byteOffset === undefined ? undefined : { byteOffset };
  return new ProtocolError(`${place}: ${message}`, { ...where, ...offset, code });
}
