/** Compiles a table at one version to closures that write it. Never `eval`: some runtimes refuse it.
 * Does not balance, batch or choose versions.
 * Invariant: a value that the version cannot carry is an error that names the field, unless the field is ignorable or
 * the value its default, as in Java's generated classes.
 */
import { ProtocolError } from '../errors.ts';
import { elementOf, MAX_STRING_BYTES } from './compile-decode.ts';
import { isArrayKind, stepsOf, within, type Edition, type Shape, type Step, type Table } from './plan.ts';
import { uvarintBytes, type ByteWriter } from './writer.ts';

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

/** A closure that writes a value of the shape. */
export function compileEncode(shape: Shape, edition: Edition): Write {
  const { kind, nullable } = shape;
  if (isArrayKind(kind)) return arrayWriter(shape, kind[0], edition);
  if (typeof kind !== 'string') {
    const write = structWriter(kind, edition);
    if (!nullable) return write;
    return (writer, value) => {
      writer.int8(value === null ? -1 : 1);
      if (value !== null) write(writer, value);
    };
  }
  return PRIMITIVES[kind] ?? (kind === 'string' ? stringWriter(shape) : bytesWriter(shape));
}

function stringWriter(shape: Shape): Write {
  const { compact } = shape;
  return (writer, value) => {
    if (typeof value !== 'string') return writeNull(writer, value, shape);
    // The length is not known before the text is written; ASCII is assumed and the text moved if that was wrong.
    const prefixBytes = compact ? uvarintBytes(value.length + 1) : 2;
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

function bytesWriter(shape: Shape): Write {
  const { kind } = shape;
  return (writer, value) => {
    if (!(value instanceof Uint8Array)) return writeNull(writer, value, shape);
    writeLength(writer, value.length, shape);
    if (kind === 'records' && writer.byReference) writer.reference(value);
    else writer.raw(value);
  };
}

function arrayWriter(shape: Shape, elementKind: Shape['kind'], edition: Edition): Write {
  const write = compileEncode(elementOf(shape, elementKind), edition);
  return (writer, value) => {
    if (!Array.isArray(value)) return writeNull(writer, value, shape);
    const { length } = value;
    writeLength(writer, length, shape);
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
  const missing = uvarintBytes(size) - reserved;
  if (missing > 0) {
    writer.reserve(missing);
    const from = start + reserved;
    writer.bytes.copyWithin(from + missing, from, from + length);
  }
  writer.position = start;
  writer.uvarint(size);
  writer.position += length;
}

function writeLength(writer: ByteWriter, length: number, { compact }: Shape): void {
  if (compact) writer.uvarint(length + 1);
  else writer.int32(length);
}

/** Null, or an error for whatever else has no length. */
function writeNull(writer: ByteWriter, value: unknown, { kind, compact, nullable }: Shape): void {
  if (value !== null)
    throw new ProtocolError(`a ${typeof value} where ${kindName(kind)} belongs`, { code: 'USAGE' });
  if (!nullable) throw new ProtocolError('null is not allowed in this version', { code: 'VALUE_RANGE' });
  if (compact) writer.int8(0);
  else if (kind === 'string') writer.int16(-1);
  else writer.int32(-1);
}

function kindName(kind: Shape['kind']): string {
  return typeof kind === 'string' ? kind : isArrayKind(kind) ? 'an array' : 'a struct';
}

function structWriter(table: Table, edition: Edition): Write {
  const steps = stepsOf(table, edition);
  const fields: { name: string; write: Write; fallback: unknown }[] = [];
  for (const step of steps) {
    const { name, present, fallback = {} } = step;
    if (!present) {
      if (!step.ignorable)
        fields.push({ name, write: refuseUnlessDefault(step, edition), fallback: undefined });
    } else if (step.tag === undefined) fields.push({ name, write: compileEncode(step, edition), fallback });
  }
  const count = fields.length;
  const struct: Shape = { kind: table, compact: false, nullable: false };
  const writeTags = edition.flexible ? tagWriter(steps, edition) : undefined;
  return (writer, value) => {
    if (typeof value !== 'object' || value === null) return writeNull(writer, value, struct);
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
function refuseUnlessDefault(step: Step, edition: Edition): Write {
  const isDefault = defaultTest(step, edition);
  return (_, value) => {
    if (value === undefined || isDefault(value)) return;
    throw new ProtocolError(`v${edition.version} cannot carry this field, and its value is not the default`, {
      code: 'UNSUPPORTED_VERSION',
    });
  };
}

/** Compiles the test whether a value is what the field is when absent. */
function defaultTest({ kind, fallback }: Step, edition: Edition): (value: unknown) => boolean {
  if (fallback === null || (typeof kind === 'string' && kind !== 'bytes'))
    return (value) => value === fallback;
  if (typeof kind === 'string' || isArrayKind(kind)) {
    return (value) => value !== null && (value as ArrayLike<unknown>).length === 0;
  }
  const fields = stepsOf(kind, edition).map((step) => ({
    name: step.name,
    isDefault: defaultTest(step, edition),
  }));
  return (value) => {
    if (value === null) return false;
    for (const { name, isDefault } of fields) {
      const given = (value as Record<string, unknown>)[name];
      if (given !== undefined && !isDefault(given)) return false;
    }
    return true;
  };
}

/** Writes the tagged fields behind a struct that are not at their default, in ascending order. */
function tagWriter(
  steps: readonly Step[],
  edition: Edition,
): (writer: ByteWriter, value: Record<string, unknown>) => void {
  const fields: { name: string; tag: number; write: Write; isDefault: (value: unknown) => boolean }[] = [];
  for (const step of steps) {
    const { name, tag, present } = step;
    if (!present || tag === undefined) continue;
    fields.push({ name, tag, write: compileEncode(step, edition), isDefault: defaultTest(step, edition) });
  }
  fields.sort((a, b) => a.tag - b.tag);
  return (writer, value) => {
    // No struct knows 128 tags, so the count takes one byte.
    const countAt = writer.reserve(1);
    let count = 0;
    for (const { name, tag, write, isDefault } of fields) {
      const given = value[name];
      if (given === undefined || isDefault(given)) continue;
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
