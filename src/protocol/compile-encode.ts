/** Compiles a plan to closures that write it. Never `eval`: some runtimes refuse it.
 * Does not balance, batch or choose versions.
 * Invariant: a value that the version cannot carry is an error that names the field, unless the field is ignorable or
 * the value its default, as in Java's generated classes.
 */
import { ProtocolError } from '../errors.ts';
import { MAX_STRING_BYTES } from './compile-decode.ts';
import { unknownTags, within, type Plan, type Step, type Struct, type UnknownTag } from './plan.ts';
import { uvarintLength } from './varint.ts';
import type { ByteWriter } from './writer.ts';

/** Writes one value. */
export type Write = (writer: ByteWriter, value: unknown) => void;

const PRIMITIVES: Readonly<Record<string, Write>> = {
  bool: (writer, value) => writer.boolean(value as boolean),
  int8: (writer, value) => writer.int8(value as number),
  int16: (writer, value) => writer.int16(value as number),
  uint16: (writer, value) => writer.uint16(value as number),
  int32: (writer, value) => writer.int32(value as number),
  uint32: (writer, value) => writer.uint32(value as number),
  int64: (writer, value) => writer.int64(value as number),
  bigint: (writer, value) => writer.int64Big(value as bigint),
  uvarint: (writer, value) => writer.uvarint(value as number),
  varint: (writer, value) => writer.varint(value as number),
  varlong: (writer, value) => writer.varlong(value as number),
  float64: (writer, value) => writer.float64(value as number),
  uuid: (writer, value) => writer.uuid(value as string),
};

/** A closure that writes what the plan says. */
export function compileEncode(plan: Plan): Write {
  const { kind, nullable, element, steps } = plan;
  if (element) return arrayWriter(plan, element);
  if (steps) {
    const write = structWriter(plan, steps);
    if (!nullable) return write;
    return (writer, value) => {
      writer.int8(value !== null ? 1 : plan.tag === undefined ? -1 : 0);
      if (value !== null) write(writer, value);
    };
  }
  return PRIMITIVES[kind] ?? (kind === 'string' ? stringWriter(plan) : bytesWriter(plan));
}

function stringWriter(plan: Plan): Write {
  const { compact } = plan;
  return (writer, value) => {
    if (typeof value !== 'string') return writeNull(writer, value, plan);
    // The length is not known before the text is written; ASCII is assumed and the text moved if that was wrong.
    const prefixBytes = compact ? uvarintLength(value.length + 1) : 2;
    const start = writer.reserve(prefixBytes);
    const length = writer.text(value);
    if (length > MAX_STRING_BYTES) {
      throw new ProtocolError(`text of ${length} bytes, the limit is ${MAX_STRING_BYTES}`, {
        code: 'VALUE_RANGE',
      });
    }
    if (compact) prefix(writer, start, prefixBytes, length + 1, length);
    else writer.view.setInt16(start, length);
  };
}

function bytesWriter(plan: Plan): Write {
  const isRecords = plan.kind === 'records';
  return (writer, value) => {
    if (!(value instanceof Uint8Array)) return writeNull(writer, value, plan);
    writeLength(writer, value.length, plan);
    if (isRecords && writer.byReference) writer.reference(value);
    else writer.raw(value);
  };
}

function arrayWriter(plan: Plan, element: Plan): Write {
  const write = compileEncode(element);
  return (writer, value) => {
    if (!Array.isArray(value)) return writeNull(writer, value, plan);
    const { length } = value;
    writeLength(writer, length, plan);
    let index = 0;
    try {
      for (; index < length; index++) write(writer, value[index]);
    } catch (error) {
      throw within(error, index);
    }
  };
}

/** Writes `size` into `reserved` bytes at `start`; moves the `length` bytes behind them if it needs more. */
function prefix(writer: ByteWriter, start: number, reserved: number, size: number, length: number): void {
  const missing = uvarintLength(size) - reserved;
  if (missing > 0) {
    writer.reserve(missing);
    const from = start + reserved;
    writer.bytes.copyWithin(from + missing, from, from + length);
  }
  writer.position = start;
  writer.uvarint(size);
  writer.position += length;
}

function writeLength(writer: ByteWriter, length: number, { compact }: Plan): void {
  if (compact) writer.uvarint(length + 1);
  else writer.int32(length);
}

/** Null, or an error for whatever else has no length. */
function writeNull(writer: ByteWriter, value: unknown, { kind, compact, nullable }: Plan): void {
  if (value !== null) throw new ProtocolError(`a ${typeof value} where ${kind} belongs`, { code: 'USAGE' });
  if (!nullable) throw new ProtocolError('null is not allowed in this version', { code: 'VALUE_RANGE' });
  if (compact) writer.int8(0);
  else if (kind === 'string') writer.int16(-1);
  else writer.int32(-1);
}

function structWriter(plan: Plan, steps: readonly Step[]): Write {
  const fields: { name: string; write: Write; fallback: unknown }[] = [];
  for (const step of steps) {
    const { name, present, fallback = {} } = step;
    if (!present) {
      if (!step.ignorable) fields.push({ name, write: refuseUnlessDefault(step), fallback: undefined });
    } else if (step.tag === undefined) fields.push({ name, write: compileEncode(step), fallback });
  }
  const count = fields.length;
  const writeTags = plan.compact ? tagWriter(steps) : undefined;
  return (writer, value) => {
    if (typeof value !== 'object' || value === null) return writeNull(writer, value, plan);
    const record = value as Struct;
    let index = 0;
    try {
      for (; index < count; index++) {
        const { name, write, fallback } = fields[index] as (typeof fields)[number];
        const given = record[name];
        write(writer, given === undefined ? fallback : given);
      }
    } catch (error) {
      throw within(error, fields[index]?.name ?? '');
    }
    if (writeTags) writeTags(writer, record);
    else if (record[unknownTags]?.length) throw within(unsupported(), 'tags');
  };
}

function unsupported(): ProtocolError {
  return new ProtocolError('this version cannot carry the field, and its value is not the default', {
    code: 'UNSUPPORTED_VERSION',
  });
}

/** In the place of a field that the version lacks. */
function refuseUnlessDefault(step: Step): Write {
  return (_, value) => {
    if (isDefault(value, step)) return;
    throw unsupported();
  };
}

/** Whether a value is what the field is when absent. */
function isDefault(value: unknown, { fallback, steps }: Step): boolean {
  if (value === undefined || value === fallback) return true;
  if (typeof value !== 'object' || value === null || fallback === null) return false;
  if (steps) {
    const struct = value as Struct;
    return !struct[unknownTags]?.length && steps.every((step) => isDefault(struct[step.name], step));
  }
  return (value as ArrayLike<unknown>).length === 0;
}

type WriteTags = (writer: ByteWriter, value: Struct) => void;

/** Writes the tagged fields behind a struct: those not at their default and unknown ones, in ascending order. */
function tagWriter(steps: readonly Step[]): WriteTags {
  const fields: { step: Step; tag: number; write: Write }[] = [];
  for (const step of steps) {
    const { tag, present } = step;
    if (present && tag !== undefined) fields.push({ step, tag, write: compileEncode(step) });
  }
  fields.sort((a, b) => a.tag - b.tag);
  return (writer, value) => {
    const unknown = value[unknownTags];
    const countAt = writer.reserve(1);
    let count = unknown ? unknown.length : 0;
    let next = 0;
    let place = 'tags';
    try {
      for (const { step, tag, write } of fields) {
        if (unknown) next = writeUnknown(writer, unknown, next, tag);
        const given = value[step.name];
        if (isDefault(given, step)) continue;
        place = step.name;
        writeTag(writer, tag, write, given);
        place = 'tags';
        count++;
      }
      if (unknown) writeUnknown(writer, unknown, next, Infinity);
    } catch (error) {
      throw within(error, place);
    }
    if (count > 0) prefix(writer, countAt, 1, count, writer.position - countAt - 1);
    else writer.bytes[countAt] = 0;
  };
}

function writeTag(writer: ByteWriter, tag: number, write: Write, value: unknown): void {
  writer.uvarint(tag);
  const start = writer.reserve(1);
  write(writer, value);
  const length = writer.position - start - 1;
  prefix(writer, start, 1, length, length);
}

/** Writes the unknown tags below `known`, a tag that must not be among them; returns which is next. */
function writeUnknown(
  writer: ByteWriter,
  unknown: readonly UnknownTag[],
  from: number,
  known: number,
): number {
  let index = from;
  for (; index < unknown.length; index++) {
    const { tag, data } = unknown[index] as UnknownTag;
    if (tag > known) break;
    if (tag === known || (index > 0 && tag <= (unknown[index - 1] as UnknownTag).tag))
      throw new ProtocolError(`unknown tag ${tag} is known or does not ascend`, { code: 'VALUE_RANGE' });
    writeTag(writer, tag, writeRaw, data);
  }
  return index;
}

const writeRaw: Write = (writer, value) => writer.raw(value as Uint8Array);
