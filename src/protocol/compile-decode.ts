/** Compiles a plan to closures that read it. Never `eval`: some runtimes refuse it.
 * Decides nothing about values: what the bytes say is returned.
 * Invariant: counts are checked against the bytes left before anything is allocated, and every field of the result
 * is set, always in the table's order.
 */
import { within, type Plan, type Step } from './plan.ts';
import type { ByteReader } from './reader.ts';

/** Reads one value. */
export type Read = (reader: ByteReader) => unknown;

/** Is told of every value's closure, and returns the one to use instead. */
export type Observe = (plan: Plan, read: Read) => Read;

const PRIMITIVES: Readonly<Record<string, Read>> = {
  bool: (reader) => reader.boolean(),
  int8: (reader) => reader.int8(),
  int16: (reader) => reader.int16(),
  uint16: (reader) => reader.uint16(),
  int32: (reader) => reader.int32(),
  int64: (reader) => reader.int64(),
  bigint: (reader) => reader.int64Big(),
  float64: (reader) => reader.float64(),
  uuid: (reader) => reader.uuid(),
};

/** Longest string that Java writes or accepts, in bytes. */
export const MAX_STRING_BYTES = 0x7fff;

/** A closure that reads what the plan says. */
export function compileDecode(plan: Plan, observe?: Observe): Read {
  const read = readerOf(plan, observe);
  return observe ? observe(plan, read) : read;
}

function readerOf(plan: Plan, observe: Observe | undefined): Read {
  const { kind, compact, nullable, element, steps } = plan;
  if (element) return arrayReader(plan, element, observe);
  if (steps) {
    const compile = (step: Step): Read =>
      step.present && step.tag === undefined ? compileDecode(step, observe) : defaultReader(step);
    const read = structReader(steps, compile, compact ? tagReader(steps, observe) : undefined);
    return nullable ? (reader) => (reader.int8() < 0 ? null : read(reader)) : read;
  }
  const primitive = PRIMITIVES[kind];
  if (primitive) return primitive;
  const readLength = lengthReader(plan);
  const isText = kind === 'string';
  return (reader) => {
    const length = readLength(reader);
    return length < 0 ? null : isText ? reader.text(length) : reader.raw(length);
  };
}

/** Reads the length in front of a string, of bytes or of an array; -1 for null, which is refused where it is not allowed. */
function lengthReader({ kind, compact, nullable }: Plan): (reader: ByteReader) => number {
  const isText = kind === 'string';
  const limit = isText ? MAX_STRING_BYTES : Infinity;
  return (reader) => {
    const at = reader.position;
    const length = compact ? reader.uvarint() - 1 : isText ? reader.int16() : reader.int32();
    if (length >= 0 && length <= limit) return length;
    if (length !== -1) throw reader.malformed(`length ${length} is out of range`, at);
    if (!nullable) throw reader.malformed('null is not allowed in this version', at);
    return -1;
  };
}

function arrayReader(plan: Plan, element: Plan, observe: Observe | undefined): Read {
  const readLength = lengthReader(plan);
  const read = compileDecode(element, observe);
  return (reader) => {
    const at = reader.position;
    const count = readLength(reader);
    if (count < 0) return null;
    // As in Java; memory grows with the elements that are there.
    if (count > reader.remaining)
      throw reader.malformed(`${count} elements announced, ${reader.remaining} bytes left`, at);
    const values: unknown[] = [];
    try {
      while (values.length < count) values.push(read(reader));
    } catch (error) {
      throw within(error, values.length);
    }
    return values;
  };
}

/** Reads the fields in order, each with what `compile` makes of it, and then the tags. */
function structReader(steps: readonly Step[], compile: (step: Step) => Read, readTags?: ReadTags): Read {
  const names = steps.map((step) => step.name);
  const reads = steps.map(compile);
  const count = steps.length;
  return (reader) => {
    const value: Record<string, unknown> = {};
    let index = 0;
    try {
      for (; index < count; index++) value[names[index] as string] = (reads[index] as Read)(reader);
    } catch (error) {
      throw within(error, names[index] as string);
    }
    if (readTags) readTags(reader, value);
    return value;
  };
}

/** Reads nothing and returns a default that nobody else holds. */
function defaultReader({ fallback, steps }: Step): Read {
  if (Array.isArray(fallback)) return () => [];
  return fallback === undefined && steps ? structReader(steps, defaultReader) : () => fallback;
}

type ReadTags = (reader: ByteReader, value: Record<string, unknown>) => void;

/** Reads the tagged fields behind a struct, in the ascending order that is required; unknown ones are passed over. */
function tagReader(steps: readonly Step[], observe: Observe | undefined): ReadTags {
  const known = new Map<number, { name: string; read: Read }>();
  for (const step of steps) {
    const { name, tag, present } = step;
    if (present && tag !== undefined) known.set(tag, { name, read: compileDecode(step, observe) });
  }
  const readTags: ReadTags = (reader, value) => {
    const { end } = reader;
    let previous = -1;
    let place = 'tags';
    try {
      for (let left = reader.uvarint(); left > 0; left--) {
        const at = reader.position;
        const tag = reader.uvarint();
        if (tag <= previous)
          throw reader.malformed(`tag ${tag} follows tag ${previous}: tags must ascend`, at);
        previous = tag;
        const size = reader.uvarint();
        // The field must not read into its neighbour.
        reader.end = reader.skip(size) + size;
        reader.position -= size;
        const field = known.get(tag);
        if (field) {
          place = field.name;
          value[place] = field.read(reader);
          place = 'tags';
        } else watched(`tags[${tag}]`, 'bytes', unknownTag, observe)(reader);
        if (reader.remaining > 0)
          throw reader.malformed(`tag ${tag} holds ${reader.remaining} bytes too many`);
        reader.end = end;
      }
    } catch (error) {
      throw within(error, place);
    }
  };
  if (!observe) return readTags;
  return (reader, value) => watched('tags', 'tags', () => readTags(reader, value), observe)(reader);
}

const unknownTag: Read = (reader) => reader.raw(reader.remaining);

/** The closure to use for what no table names. */
function watched(name: string, kind: string, read: Read, observe: Observe | undefined): Read {
  return observe ? observe({ name, kind, compact: false, nullable: false }, read) : read;
}
