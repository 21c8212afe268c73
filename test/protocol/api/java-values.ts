/** Between our values and the JSON of Java's (tools/java-reference/Values.java): int64 as text, bytes in base64, unknown
 * tagged fields as `unknownTags`; only the fields that a version has.
 * Invariant: what the plan does not say is not guessed: a value of another type than its kind is an error.
 */
import type { Plan, Step } from '../../../src/protocol/plan.ts';
import { unknownTags, type UnknownTag } from '../../../src/protocol/schema.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A tagged field that a table does not know, as Java prints it. */
interface PrintedTag {
  readonly tag: number;
  readonly data: string;
}

/** The fields of a struct that its version has. */
export function presentSteps({ steps = [] }: Plan): readonly Step[] {
  return steps.filter(({ present }) => present);
}

/** A value of ours as Java prints it. */
export function toJavaJson(plan: Plan, value: unknown): unknown {
  if (value === null) return null;
  switch (plan.kind) {
    case 'struct':
      return structToJson(plan, value as Fields & { readonly [unknownTags]?: readonly UnknownTag[] });
    case 'array':
      return (value as readonly unknown[]).map((element) => toJavaJson(elementOf(plan), element));
    case 'bytes':
    case 'records':
      return base64(value as Uint8Array);
    case 'bool':
      return expected(plan, value, 'boolean');
    case 'string':
    case 'uuid':
      return expected(plan, value, 'string');
    case 'bigint':
      return String(expected(plan, value, 'bigint'));
    case 'int64':
      return String(expected(plan, value, 'number'));
    case 'float64':
      expected(plan, value, 'number');
      if (Object.is(value, -0)) return '-0.0';
      return Number.isFinite(value) ? value : String(value);
    default:
      return expected(plan, value, 'number');
  }
}

/** The opposite of `toJavaJson`. An int64 beyond 2^53-1 in a number field becomes the nearest number. */
export function fromJavaJson(plan: Plan, value: unknown): unknown {
  if (value === null) return null;
  switch (plan.kind) {
    case 'struct':
      return structFromJson(plan, value as Fields & { readonly unknownTags?: readonly PrintedTag[] });
    case 'array':
      return (value as readonly unknown[]).map((element) => fromJavaJson(elementOf(plan), element));
    case 'bytes':
    case 'records':
      return fromBase64(value as string);
    case 'bigint':
      return BigInt(expected(plan, value, 'string') as string);
    case 'int64':
      return Number(expected(plan, value, 'string'));
    case 'float64':
      return Number(value);
    default:
      return value;
  }
}

/** A value in which what was left out is its default. */
export function completed(plan: Plan, value: unknown): unknown {
  const { element } = plan;
  if (value === null) return null;
  if (element) return (value as readonly unknown[]).map((each) => completed(element, each));
  if (!plan.steps) return value;
  const struct = value as Fields;
  const fields = presentSteps(plan).map((step) => {
    const given = struct[step.name];
    const standard = step.fallback === undefined ? {} : step.fallback;
    return [step.name, completed(step, given === undefined ? standard : given)];
  });
  return { ...struct, ...Object.fromEntries(fields) };
}

function structToJson(
  plan: Plan,
  value: Fields & { readonly [unknownTags]?: readonly UnknownTag[] },
): Fields {
  const unknown = value[unknownTags];
  return {
    ...Object.fromEntries(presentSteps(plan).map((step) => [step.name, toJavaJson(step, value[step.name])])),
    ...(unknown && { unknownTags: unknown.map(({ tag, data }) => ({ tag, data: base64(data) })) }),
  };
}

function structFromJson(
  plan: Plan,
  { unknownTags: unknown, ...value }: Fields & { readonly unknownTags?: readonly PrintedTag[] },
): Fields {
  return {
    ...Object.fromEntries(
      presentSteps(plan).map((step) => [step.name, fromJavaJson(step, value[step.name])]),
    ),
    ...(unknown && { [unknownTags]: unknown.map(({ tag, data }) => ({ tag, data: fromBase64(data) })) }),
  };
}

function elementOf({ element }: Plan): Plan {
  if (!element) throw new Error('an array without an element');
  return element;
}

function expected(plan: Plan, value: unknown, type: string): unknown {
  if (typeof value === type) return value;
  throw new Error(`${plan.name ?? 'an element'}, ${plan.kind}, is ${typeof value} and not ${type}`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** Kafka's name of a field: our request header says `apiKey` where Kafka says `requestApiKey`. */
export function javaName(message: string, field: string): string {
  return message === 'RequestHeader' && field.startsWith('api') ? `requestA${field.slice(1)}` : field;
}

/** The JSON of a message with Kafka's names. */
export function withJavaNames(message: string, value: unknown): object {
  return Object.fromEntries(
    Object.entries(value as object).map(([name, field]) => [javaName(message, name), field]),
  );
}
