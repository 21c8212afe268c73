/** One form for what three witnesses say of a message at a version: Kafka's definition, Java's generated class, our table.
 * Only what stands on the wire, and what an absent field is; names of structs are nobody else's business.
 */
import type { Plan, Step } from '../../../src/protocol/plan.ts';
import { presentSteps, toJavaJson } from '../../protocol/api/java-values.ts';

/** A struct: its fields in wire order, tagged ones last, by their tags. */
export interface StructForm {
  /** Whether it ends with tagged fields. */
  readonly flexible: boolean;
  readonly fields: readonly FieldForm[];
}

/** A field. */
export interface FieldForm {
  readonly name: string;
  /** Kafka's type; `struct` for all structs, `[]` in front of the type of an array's elements. */
  readonly type: string;
  readonly nullable: boolean;
  /** -1: not tagged. */
  readonly tag: number;
  /** Whether its length is a varint. */
  readonly compact: boolean;
  readonly compactElement: boolean;
  /** As Java prints values; `struct` for a struct of defaults. */
  readonly default: unknown;
  readonly struct?: StructForm;
}

/** A definition as it lies in Kafka's jars. */
export interface Definition {
  readonly name: string;
  readonly type: string;
  readonly apiKey?: number;
  readonly validVersions: string;
  readonly flexibleVersions?: string;
  readonly latestVersionUnstable?: boolean;
  readonly fields: readonly DefinitionField[];
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly DefinitionField[] }[];
}

/** A field of a definition. */
export interface DefinitionField {
  readonly name: string;
  readonly type: string;
  readonly versions?: string;
  readonly nullableVersions?: string;
  readonly flexibleVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean;
  readonly fields?: readonly DefinitionField[];
}

const PREFIXED = new Set(['string', 'bytes', 'records']);

/** Whether `3-13`, `9+`, `5` or `none` contains a version. */
export function contains(versions: string | undefined, version: number): boolean {
  if (versions === undefined || versions === 'none') return false;
  const [first = '', last = first] = versions.split(/[-+]/);
  return version >= Number(first) && (versions.endsWith('+') || version <= Number(last));
}

/** What a definition says. */
export function formOfDefinition(definition: Definition, version: number): StructForm {
  return structOfDefinition(definition.fields, definition, version);
}

function structOfDefinition(
  fields: readonly DefinitionField[],
  definition: Definition,
  version: number,
): StructForm {
  return {
    flexible: contains(definition.flexibleVersions, version),
    fields: fields
      .filter(({ versions, taggedVersions }) => contains(versions ?? taggedVersions, version))
      .map((field) => fieldOfDefinition(field, definition, version))
      .sort((a, b) => a.tag - b.tag),
  };
}

function fieldOfDefinition(field: DefinitionField, definition: Definition, version: number): FieldForm {
  const isArray = field.type.startsWith('[]');
  const type = field.type.replace('[]', '');
  const inner = structFields(field, definition);
  const flexible = contains(field.flexibleVersions ?? definition.flexibleVersions, version);
  return {
    name: field.name.charAt(0).toLowerCase() + field.name.slice(1),
    type: (isArray ? '[]' : '') + (inner ? 'struct' : type),
    nullable: contains(field.nullableVersions, version),
    tag: contains(field.taggedVersions, version) ? (field.tag ?? NaN) : -1,
    compact: flexible && (isArray || PREFIXED.has(type)),
    compactElement: flexible && isArray && PREFIXED.has(type),
    default: defaultOfDefinition(field.default, isArray ? '[]' : inner ? 'struct' : type),
    ...(inner && { struct: structOfDefinition(inner, definition, version) }),
  };
}

/** The fields of the struct in a field, its own or one that several fields share. */
function structFields(
  field: DefinitionField,
  { commonStructs = [] }: Definition,
): readonly DefinitionField[] | undefined {
  const type = field.type.replace('[]', '');
  return field.fields ?? commonStructs.find(({ name }) => name === type)?.fields;
}

function defaultOfDefinition(value: string | number | boolean | undefined, type: string): unknown {
  if (value === 'null') return null;
  switch (type) {
    case '[]':
      return [];
    case 'struct':
      return 'struct';
    case 'records':
      return null;
    case 'string':
    case 'bytes':
      return value ?? '';
    case 'uuid':
      return value ?? 'AAAAAAAAAAAAAAAAAAAAAA';
    case 'bool':
      return String(value) === 'true';
    case 'int64':
      return String(BigInt(value ?? 0));
    default:
      return Number(value ?? 0);
  }
}

/** What our table says; `rename` gives the fields of the message itself Kafka's names. */
export function formOfPlan(plan: Plan, rename: (name: string) => string = String): StructForm {
  return {
    flexible: plan.compact,
    fields: presentSteps(plan)
      .map((step) => fieldOfStep(step, rename(step.name)))
      .sort((a, b) => a.tag - b.tag),
  };
}

function fieldOfStep(step: Step, name: string): FieldForm {
  const isArray = step.kind === 'array';
  const element = step.element ?? step;
  const type = element.kind === 'bigint' ? 'int64' : element.kind;
  return {
    name,
    type: (isArray ? '[]' : '') + type,
    nullable: step.nullable,
    tag: step.tag ?? -1,
    compact: step.compact && (isArray || PREFIXED.has(type)),
    compactElement: element.compact && isArray && PREFIXED.has(type),
    default:
      step.kind === 'struct' && step.fallback === undefined ? 'struct' : toJavaJson(step, step.fallback),
    ...(element.kind === 'struct' && { struct: formOfPlan(element) }),
  };
}

/** How many fields a form has, those of structs inside included. */
export function countFields({ fields }: StructForm): number {
  return fields.reduce((sum, { struct }) => sum + 1 + (struct ? countFields(struct) : 0), 0);
}

/** The fields that a version is missing, by path, and a value of the message in which that field alone is set. */
export function missingFields(plan: Plan): Map<string, object> {
  const found = new Map<string, object>();
  const walk = ({ steps = [] }: Plan, path: string, around: (struct: object) => object): void => {
    for (const step of steps) {
      const inner = `${path}${step.name}`;
      if (!step.present) found.set(inner, around({ [step.name]: otherThanDefault(step) }));
      else if (step.element?.steps)
        walk(step.element, `${inner}.`, (struct) => around({ [step.name]: [struct] }));
      else if (step.steps) walk(step, `${inner}.`, (struct) => around({ [step.name]: struct }));
    }
  };
  walk(plan, '', (struct) => struct);
  return found;
}

/** A value that is not what the field is when absent. */
function otherThanDefault(step: Step): unknown {
  switch (step.kind) {
    case 'array':
      return [step.element?.steps ? {} : otherThanDefault({ ...step, ...step.element } as Step)];
    case 'struct': {
      const [first] = step.steps ?? [];
      return first && { [first.name]: otherThanDefault(first) };
    }
    case 'string':
      return 'set';
    case 'bytes':
    case 'records':
      return new Uint8Array(1);
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAQ';
    case 'bool':
      return step.fallback !== true;
    case 'bigint':
      return 77n;
    default:
      return 77;
  }
}
