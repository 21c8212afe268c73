/** Compiles a table at one version to closures that read it. Never `eval`: some runtimes refuse it.
 * Decides nothing about values: what the bytes say is returned.
 * Invariant: counts are checked against the bytes left before anything is allocated, and every field of the result
 * is set, always in the table's order.
 */
import { ProtocolError } from '../errors.ts';
import {
  isArrayKind,
  leastBytes,
  Located,
  stepsOf,
  within,
  type Edition,
  type Shape,
  type Step,
  type Table,
} from './plan.ts';
import type { ByteReader } from './reader.ts';

/** Reads one value. */
export type Read = (reader: ByteReader) => unknown;

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

/** A closure that reads a value of the shape. */
export function compileDecode(shape: Shape, edition: Edition): Read {
  const { kind, nullable } = shape;
  if (isArrayKind(kind)) return arrayReader(shape, kind[0], edition);
  if (typeof kind !== 'string') {
    const read = structReader(kind, edition);
    return nullable ? (reader) => (readPresence(reader) ? read(reader) : null) : read;
  }
  const primitive = PRIMITIVES[kind];
  if (primitive) return primitive;
  if (kind === 'string') {
    return (reader) => {
      const length = readLength(reader, shape);
      return length < 0 ? null : reader.text(length);
    };
  }
  return (reader) => {
    const length = readLength(reader, shape);
    return length < 0 ? null : reader.raw(length);
  };
}

/** The length in front of a string, of bytes or of an array; -1 for null, which is refused where it is not allowed. */
export function readLength(reader: ByteReader, { kind, compact, nullable }: Shape): number {
  const at = reader.position;
  const length = compact ? reader.uvarint() - 1 : kind === 'string' ? reader.int16() : reader.int32();
  if (length >= 0 && (kind !== 'string' || length <= MAX_STRING_BYTES)) return length;
  if (length !== -1)
    throw new ProtocolError(`length ${length} at byte ${at} is out of range`, { byteOffset: at });
  if (!nullable) throw new ProtocolError(`null at byte ${at} where it is not allowed`, { byteOffset: at });
  return -1;
}

/** The byte in front of a struct that may be null: -1 null, else present. */
export function readPresence(reader: ByteReader): boolean {
  return reader.int8() >= 0;
}

/** The count in front of an array, checked against the bytes left; -1 for null. */
export function readCount(reader: ByteReader, shape: Shape, elementBytes: number): number {
  const at = reader.position;
  const count = readLength(reader, shape);
  if (count * elementBytes <= reader.remaining) return count;
  throw new ProtocolError(
    `${count} elements announced at byte ${at}, but only ${reader.remaining} bytes left`,
    {
      byteOffset: at,
    },
  );
}

function arrayReader(shape: Shape, elementKind: Shape['kind'], edition: Edition): Read {
  const element = elementOf(shape, elementKind);
  const read = compileDecode(element, edition);
  const elementBytes = leastBytes(element, edition);
  return (reader) => {
    const count = readCount(reader, shape, elementBytes);
    if (count < 0) return null;
    const values: unknown[] = [];
    try {
      while (values.length < count) values.push(read(reader));
    } catch (error) {
      throw within(error, values.length);
    }
    return values;
  };
}

/** The shape of an array's elements: as compact as the array, never null. */
export function elementOf({ compact }: Shape, kind: Shape['kind']): Shape {
  return { kind, compact, nullable: false };
}

function structReader(table: Table, edition: Edition): Read {
  const steps = stepsOf(table, edition);
  const names = steps.map((step) => step.name);
  const reads = steps.map((step) =>
    step.present && step.tag === undefined ? compileDecode(step, edition) : defaultReader(step, edition),
  );
  const count = steps.length;
  const readTags = edition.flexible ? tagReader(steps, edition) : undefined;
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
function defaultReader({ kind, fallback }: Step, edition: Edition): Read {
  if (Array.isArray(fallback)) return () => [];
  if (fallback !== undefined || typeof kind === 'string' || isArrayKind(kind)) return () => fallback;
  const steps = stepsOf(kind, edition).map((step) => ({
    name: step.name,
    read: defaultReader(step, edition),
  }));
  return (reader) => {
    const value: Record<string, unknown> = {};
    for (const { name, read } of steps) value[name] = read(reader);
    return value;
  };
}

type ReadTags = (reader: ByteReader, value: Record<string, unknown>) => void;

/** Reads the tagged fields behind a struct; unknown ones are skipped. */
function tagReader(steps: readonly Step[], edition: Edition): ReadTags {
  const known = new Map<number, { name: string; read: Read }>();
  for (const step of steps) {
    if (step.present && step.tag !== undefined) {
      known.set(step.tag, { name: step.name, read: compileDecode(step, edition) });
    }
  }
  return (reader, value) => {
    // One zero byte, nearly always; the general way costs a closure.
    if (reader.bytes[reader.position] === 0 && reader.remaining > 0) {
      reader.position++;
      return;
    }
    const visit = (tag: number, size: number): void => {
      const field = known.get(tag);
      if (!field) return void reader.skip(size);
      try {
        value[field.name] = field.read(reader);
      } catch (error) {
        throw within(error, field.name);
      }
    };
    try {
      walkTags(reader, visit);
    } catch (error) {
      throw error instanceof Located ? error : within(error, 'tags');
    }
  };
}

/** Calls `visit` for every tagged field, in the ascending order that is required; it must read exactly `size` bytes. */
export function walkTags(reader: ByteReader, visit: (tag: number, size: number) => void): void {
  const { end } = reader;
  let previous = -1;
  for (let left = reader.uvarint(); left > 0; left--) {
    const at = reader.position;
    const tag = reader.uvarint();
    if (tag <= previous) {
      throw new ProtocolError(`tag ${tag} at byte ${at} follows tag ${previous}: tags must ascend`, {
        byteOffset: at,
      });
    }
    previous = tag;
    const size = reader.uvarint();
    const fieldEnd = reader.skip(size) + size;
    reader.position = fieldEnd - size;
    // The field must not read into its neighbour.
    reader.end = fieldEnd;
    visit(tag, size);
    reader.end = end;
    if (reader.position !== fieldEnd) {
      throw new ProtocolError(`tag ${tag} at byte ${at} holds ${fieldEnd - reader.position} bytes too many`, {
        byteOffset: reader.position,
      });
    }
  }
}
