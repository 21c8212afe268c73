/** Random values of any message and version, made from the facts in fixtures/definitions and not from our tables. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import type {
  DefinitionFile,
  FieldFacts,
  MessageFacts,
  StructFacts,
} from '../../../tools/generate/definitions.ts';

/** The facts of one message. */
export function factsOf([file, side]: readonly [string, 'request' | 'response' | 'message']): MessageFacts {
  const url = new URL(`../../../fixtures/definitions/${file}`, import.meta.url);
  const facts = (JSON.parse(readFileSync(url, 'utf8')) as DefinitionFile)[side];
  if (!facts) throw new Error(`${file} has no ${side}`);
  return facts;
}

function has(versions: string | undefined, version: number): boolean {
  if (versions === undefined || versions === 'none') return false;
  const [first = '', last = first] = versions.split('-');
  return version >= Number.parseInt(first, 10) && (versions.endsWith('+') || version <= Number(last));
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ minLength: 100, maxLength: 140 }),
  fc.constantFrom('', '__proto__', 'constructor'),
);
const bytes = fc.uint8Array({ maxLength: 140 }).map((each) => Buffer.from(each).toString('base64'));

const SCALARS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int32: fc.integer(),
  int64: fc.maxSafeInteger().map(String),
  float64: fc.double({ noNaN: true }),
  string: text,
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((each) => Buffer.from(each).toString('base64url')),
  bytes,
  records: bytes,
};

/** Values of a message at a version, printed as the Java fixtures are: int64 as text, bytes in base64. */
export function valuesOf(message: MessageFacts, version: number): fc.Arbitrary<Record<string, unknown>> {
  return structOf(message.fields, version, message.commonStructs ?? []);
}

function structOf(
  fields: readonly FieldFacts[],
  version: number,
  shared: readonly StructFacts[],
): fc.Arbitrary<Record<string, unknown>> {
  const present = fields.filter(({ versions }) => has(versions, version));
  return fc.record(
    Object.fromEntries(
      present.map((field) => [
        field.name.charAt(0).toLowerCase() + field.name.slice(1),
        valueOf(field, version, shared),
      ]),
    ),
  );
}

function valueOf(field: FieldFacts, version: number, shared: readonly StructFacts[]): fc.Arbitrary<unknown> {
  const type = field.type.replace('[]', '');
  const fields = field.fields ?? shared.find(({ name }) => name === type)?.fields ?? [];
  const element = SCALARS[type] ?? structOf(fields, version, shared);
  const value = field.type.startsWith('[]') ? fc.array(element, { maxLength: 3 }) : element;
  return has(field.nullableVersions, version) ? fc.option(value, { nil: null }) : value;
}
