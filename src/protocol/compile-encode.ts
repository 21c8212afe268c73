/** Compiles a plan to closures that write it. Never `eval`: some runtimes refuse it.
 * Does not balance, batch or choose versions.
 * Invariant: a value that the version cannot carry is an error that names the field, unless the field is ignorable or
 * the value its default, as in Java's generated classes.
 */
import { ProtocolError } from '../errors.ts';
import { MAX_STRING_BYTES } from './compile-decode.ts';
import { within, type Plan, type Step } from './plan.ts';
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
  int64: (writer, value) => writer.int64(value as number),
  bigint: (writer, value) => writer.int64Big(value as bigint),
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
      writer.int8(value === null ? -1 : 1);
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
    const record = value as Record<string, unknown>;
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
  };
}

/** In the place of a field that the version lacks. */
function refuseUnlessDefault(step: Step): Write {
  return (_, value) => {
    if (isDefault(value, step)) return;
    throw new ProtocolError('this version cannot carry the field, and its value is not the default', {
      code: 'UNSUPPORTED_VERSION',
    });
  };
}

/** Whether a value is what the field is when absent. */
function isDefault(value: unknown, { fallback, steps }: Step): boolean {
  if (value === undefined || value === fallback) return true;
  if (typeof value !== 'object' || value === null || fallback === null) return false;
  if (steps) return steps.every((step) => isDefault((value as Record<string, unknown>)[step.name], step));
  return (value as ArrayLike<unknown>).length === 0;
}

type WriteTags = (writer: ByteWriter, value: Record<string, unknown>) => void;

/** Writes the tagged fields behind a struct that are not at their default, in ascending order. */
function tagWriter(steps: readonly Step[]): WriteTags {
  const fields: { step: Step; tag: number; write: Write }[] = [];
  for (const step of steps) {
    const { tag, present } = step;
    if (present && tag !== undefined) fields.push({ step, tag, write: compileEncode(step) });
  }
  fields.sort((a, b) => a.tag - b.tag);
  return (writer, value) => {
    // No struct knows 128 tags, so the count takes one byte.
    const countAt = writer.reserve(1);
    let count = 0;
    for (const { step, tag, write } of fields) {
      const { name } = step;
      const given = value[name];
      if (isDefault(given, step)) continue;
      try {
        writer.uvarint(tag);
        const start = writer.reserve(1);
        write(writer, given);
        const length = writer.position - start - 1;
        prefix(writer, start, 1, length, length);
      } catch (error) {
        throw within(error, name);
      }
      count++;
    }
    writer.bytes[countAt] = count;
  };
}
