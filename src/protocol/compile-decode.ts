/** Compiles a plan to closures that read it. Never `eval`: some runtimes refuse it.
 * Decides nothing about values: what the bytes say is returned. trace-walker.ts walks the same plans with the same parts.
 * Invariant: counts are checked against the bytes left before anything is allocated, and every field of the result
 * is set, always in the table's order.
 */
import { NO_BYTES, unknownTags, within, type Plan, type Step, type Struct, type UnknownTag } from './plan.ts';
import type { ByteReader } from './reader.ts';

/** Reads one value. */
export type Read = (reader: ByteReader) => unknown;

/** Reads a value of a kind without a length. */
export const PRIMITIVES: Readonly<Record<string, Read>> = {
  bool: (reader) => reader.boolean(),
  int8: (reader) => reader.int8(),
  int16: (reader) => reader.int16(),
  uint16: (reader) => reader.uint16(),
  int32: (reader) => reader.int32(),
  uint32: (reader) => reader.uint32(),
  int64: (reader) => reader.int64(),
  bigint: (reader) => reader.int64Big(),
  uvarint: (reader) => reader.uvarint(),
  varint: (reader) => reader.varint(),
  varlong: (reader) => reader.exactVarlong(),
  float64: (reader) => reader.float64(),
  uuid: (reader) => reader.uuid(),
};

/** Longest string that Java writes or accepts, in bytes. */
export const MAX_STRING_BYTES = 0x7fff;

/** A closure that reads what the plan says. */
export function compileDecode(plan: Plan): Read {
  const { kind, nullable, element, steps } = plan;
  if (element) return arrayReader(plan, element);
  if (steps) {
    const read = structReader(steps, fieldReader, plan.compact ? tagReader(steps) : undefined);
    if (!nullable) return read;
    const isTagged = plan.tag !== undefined;
    return (reader) => (reader.isPresent(isTagged) ? read(reader) : null);
  }
  return PRIMITIVES[kind] ?? lengthReader(plan, kind === 'string' ? readText : readBytes);
}

const readText = (reader: ByteReader, length: number): string => reader.text(length);
const readBytes = (reader: ByteReader, length: number): Uint8Array =>
  length === 0 ? NO_BYTES : reader.raw(length);

/** Reads a length and hands it to `read`, which is what it counts; null for -1, which is refused where it is not allowed. */
export function lengthReader(
  { kind, compact, nullable }: Plan,
  read: (reader: ByteReader, length: number, at: number) => unknown,
): Read {
  const isText = kind === 'string';
  const limit = isText ? MAX_STRING_BYTES : Infinity;
  return (reader) => {
    const at = reader.position;
    const length = compact ? reader.uvarint() - 1 : isText ? reader.int16() : reader.int32();
    if (length >= 0 && length <= limit) return read(reader, length, at);
    if (length !== -1) throw reader.malformed(`length ${length} is out of range`, at);
    if (!nullable) throw reader.malformed('null is not allowed in this version', at);
    return null;
  };
}

/** Throws unless `count` elements may follow; `at` is where the count stands. An element of no bytes counts as one, as in Java. */
export function checkCount(reader: ByteReader, count: number, least: number, at: number): void {
  const { remaining } = reader;
  if (count * (least || 1) > remaining)
    throw reader.malformed(`${count} elements announced, ${remaining} bytes left`, at);
}

function arrayReader(plan: Plan, element: Plan): Read {
  const { least } = element;
  const read = compileDecode(element);
  return lengthReader(plan, (reader, count, at) => {
    checkCount(reader, count, least, at);
    // Of the right size at once: what grows by `push` begins with room for 17.
    const values = Array<unknown>(count);
    let index = 0;
    try {
      for (; index < count; index++) values[index] = read(reader);
    } catch (error) {
      throw within(error, index);
    }
    return values;
  });
}

const fieldReader = (step: Step): Read =>
  step.present && step.tag === undefined ? compileDecode(step) : defaultReader(step);

/** Reads the fields in order, each with what `compile` makes of it, and then the tags. */
function structReader(steps: readonly Step[], compile: (step: Step) => Read, readTags?: ReadTags): Read {
  const names = steps.map((step) => step.name);
  const reads = steps.map(compile);
  const count = steps.length;
  return (reader) => {
    const value: Struct = {};
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
export function defaultReader({ fallback, steps }: Step): Read {
  if (Array.isArray(fallback)) return () => [];
  return fallback === undefined && steps ? structReader(steps, defaultReader) : () => fallback;
}

type ReadTags = (reader: ByteReader, value: Struct) => void;

/** Reads the tagged fields behind a struct; unknown ones are kept. */
function tagReader(steps: readonly Step[]): ReadTags {
  const known = new Map<number, { name: string; read: Read }>();
  for (const step of steps) {
    const { name, tag, present } = step;
    if (present && tag !== undefined) known.set(tag, { name, read: compileDecode(step) });
  }
  return (reader, value) => {
    let place = 'tags';
    try {
      let left = readTagCount(reader);
      if (left === 0) return;
      const { end } = reader;
      const unknown: UnknownTag[] = [];
      for (let tag = -1; left > 0; left--) {
        tag = readTag(reader, tag);
        enterTag(reader);
        const field = known.get(tag);
        if (field) {
          place = field.name;
          value[place] = field.read(reader);
          place = 'tags';
        } else unknown.push({ tag, data: readBytes(reader, reader.remaining) });
        leaveTag(reader, tag, end);
      }
      // A copy has no room to grow.
      if (unknown.length > 0) value[unknownTags] = unknown.slice();
    } catch (error) {
      throw within(error, place);
    }
  };
}

/** Reads how many tagged fields there are; each takes two bytes at least. */
export function readTagCount(reader: ByteReader): number {
  const at = reader.position;
  const count = reader.uvarint();
  if (count > 0) checkCount(reader, count, 2, at);
  return count;
}

/** Reads a tag, which must be higher than the one before: KIP-482. */
export function readTag(reader: ByteReader, previous: number): number {
  const at = reader.position;
  const tag = reader.uvarint();
  if (tag > previous) return tag;
  throw reader.malformed(`tag ${tag} follows tag ${previous}: tags must ascend`, at);
}

/** Reads a tagged field's size and ends the reader there: the field must not read into its neighbour. */
export function enterTag(reader: ByteReader): void {
  const size = reader.uvarint();
  reader.end = reader.skip(size) + size;
  reader.position -= size;
}

/** Gives the reader its end back; the field must have been read to its last byte. */
export function leaveTag(reader: ByteReader, tag: number, end: number): void {
  if (reader.remaining > 0) throw reader.malformed(`tag ${tag} holds ${reader.remaining} bytes too many`);
  reader.end = end;
}
