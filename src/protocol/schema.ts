/** Message tables: what a table may say, and the codec that is compiled from it per version on first use.
 * A table is plain data that the compiler checks against its interface; nothing here knows an API.
 * Invariant: the order of a table's properties is the order on the wire.
 * Source: Kafka's message definitions; KIP-482 (flexible versions, tagged fields).
 */
import { ProtocolError } from '../errors.ts';
import { compileDecode, type Read } from './compile-decode.ts';
import { compileEncode, type Write } from './compile-encode.ts';
import { located, planOf, unknownTags, type Plan, type Table, type UnknownTag } from './plan.ts';
import { ByteReader } from './reader.ts';
import { ByteWriter } from './writer.ts';

export { unknownTags, type UnknownTag };

/** The kinds by which a value of type T may stand on the wire. `[kind]` is an array; a table is a struct. */
export type Kind<T> = [T] extends [boolean]
  ? 'bool'
  : [T] extends [number]
    ? | 'int8'
      | 'int16'
      | 'uint16'
      | 'int32'
      | 'uint32'
      | 'int64'
      | 'uvarint'
      | 'varint'
      | 'varlong'
      | 'float64'
    : [T] extends [bigint]
      ? 'bigint'
      : [T] extends [string]
        ? 'string' | 'uuid'
        : [T] extends [Uint8Array]
          ? 'bytes' | 'records'
          : [T] extends [readonly (infer Element)[]]
            ? readonly [Kind<Element>]
            : Fields<T>;

/** A field with more to say than its kind. Versions are inclusive; absent means all of the message's. */
export type Rules<T> = {
  readonly type: Kind<NonNullable<T>>;
  readonly since?: number;
  readonly until?: number;
  /** Tag of a tagged field (KIP-482). */
  readonly tag?: number;
  /** What an absent field is. Default: 0, false, '', no bytes, no elements, a struct of defaults; null for records. */
  readonly default?: NonNullable<T> extends object ? null : T;
  /** Whether a value is dropped in versions without the field; else anything but the default is an error there. */
  readonly ignorable?: true;
  /** False: the length is never compact, not even in flexible versions. */
  readonly compact?: false;
} & (null extends T ? { readonly nullable: Since } : unknown);

/** Null is allowed in all versions, or from one on. */
type Since = true | number;

/** One field of a table: the kind alone (structs excepted), or with rules. */
export type Field<T> = null extends T
  ? Rules<T>
  : T extends boolean
    ? 'bool' | Rules<boolean>
    : Bare<T> | Rules<T>;
type Bare<T> = Kind<T> extends string | readonly unknown[] ? Kind<T> : never;

/** A table: one field for every property of T, in wire order. */
export type Fields<T> = { readonly [Name in keyof T]-?: Field<T[Name]> };

/** What may be encoded as T: every field may be left out and takes Kafka's default. */
export type Input<T> = T extends string | number | bigint | boolean | null | Uint8Array
  ? T
  : T extends readonly (infer Element)[]
    ? readonly Input<Element>[]
    : { readonly [Name in keyof T]?: Input<T[Name]> | undefined } & Tagged;

/** A struct that may hold tagged fields its table does not know. */
export interface Tagged {
  readonly [unknownTags]?: readonly UnknownTag[] | undefined;
}

/** First and last version, inclusive. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** How strictly to decode. */
export interface DecodeOptions {
  /** Refuse bytes after the message, and what Java reads but never writes: varints with padding or surplus bits,
   * booleans other than 0 and 1, other bytes than -1 and 1 in front of a struct that may be null.
   * Default false: a peer may know more than we do.
   */
  readonly strict?: boolean;
}

/** Encodes and decodes one message in all its versions. A version outside `versions` is a `ProtocolError`
 * with code `UNSUPPORTED_VERSION`; every other failure a `ProtocolError` with `api`, `version` and `path`.
 */
export interface Message<T> {
  /** Such as `FetchRequest`. */
  readonly name: string;
  /** -1 for what is no request or response. */
  readonly apiKey: number;
  readonly versions: VersionRange;
  /** First flexible version (KIP-482), undefined if there is none. */
  readonly flexibleSince: number | undefined;
  /** The message as bytes. With `into` they are appended there, and the result is a view until the next write. */
  encode(value: Input<T>, version: number, into?: ByteWriter): Uint8Array;
  /** The message in parts: `records` fields are parts of their own, by reference; the rest are views on one buffer. */
  encodeParts(value: Input<T>, version: number): Uint8Array[];
  /** The message from bytes, or from where a reader stands, which moves behind it. Every field is set; `bytes` and
   * `records` fields are views, not copies; tagged fields that the table does not know are kept: see `unknownTags`.
   */
  decode(from: Uint8Array | ByteReader, version: number, options?: DecodeOptions): T;
  /** What the table says at a version. */
  plan(version: number): Plan;
}

/** One API: its key, its name without "Request", and both messages. */
export interface Api<Request, Response> {
  readonly key: number;
  readonly name: string;
  /** Whether the last version is not final yet; `negotiate` then stops before it. */
  readonly unstable: boolean;
  readonly request: Message<Request>;
  readonly response: Message<Response>;
}

/** What `defineApi` needs to know. */
export interface ApiDefinition<Request, Response> {
  readonly key: number;
  readonly name: string;
  /** First and last version. */
  readonly versions: readonly [number, number];
  readonly flexibleSince?: number;
  readonly unstable?: true;
  readonly request: Fields<Request>;
  readonly response: Fields<Response>;
}

/** An API from its two tables. */
export function defineApi<Request, Response>(
  definition: ApiDefinition<Request, Response>,
): Api<Request, Response> {
  const { key, name, versions, flexibleSince, unstable = false, request, response } = definition;
  return {
    key,
    name,
    unstable,
    request: defineMessage(`${name}Request`, key, versions, flexibleSince, request),
    response: defineMessage(`${name}Response`, key, versions, flexibleSince, response),
  };
}

/** One version of a message: its closures, once they were needed. */
interface Codec {
  readonly plan: Plan;
  read: Read | undefined;
  write: Write | undefined;
  /** Length of the last encoding, by which the next buffer is sized. */
  lastBytes: number;
}

/** A message from its table; `apiKey` is -1 for what is no request or response. */
export function defineMessage<T>(
  name: string,
  apiKey: number,
  [min, max]: readonly [number, number],
  flexibleSince: number | undefined,
  fields: Fields<T>,
): Message<T> {
  const codecs = new Map<number, Codec>();

  const codecOf = (version: number): Codec => {
    let codec = codecs.get(version);
    if (codec) return codec;
    if (!(version >= min && version <= max && Number.isInteger(version))) {
      throw new ProtocolError(`${name} has no version ${version}; supported are ${min} to ${max}`, {
        code: 'UNSUPPORTED_VERSION',
        api: name,
      });
    }
    const plan = planOf(fields as Table, version, version >= (flexibleSince ?? Infinity));
    codec = { plan, read: undefined, write: undefined, lastBytes: 64 };
    codecs.set(version, codec);
    return codec;
  };

  const writerOf = (version: number, byReference = false): ByteWriter =>
    new ByteWriter(codecOf(version).lastBytes, byReference);

  const encode = (value: Input<T>, version: number, writer = writerOf(version)): Uint8Array => {
    const codec = codecOf(version);
    const start = writer.position;
    codec.write ??= compileEncode(codec.plan);
    writer.ensure(codec.lastBytes);
    try {
      codec.write(writer, value);
    } catch (error) {
      throw located(error, name, version);
    }
    codec.lastBytes = writer.position - start;
    return writer.bytes.subarray(start, writer.position);
  };

  return {
    name,
    apiKey,
    versions: { min, max },
    flexibleSince,
    encode,
    encodeParts(value, version) {
      const writer = writerOf(version, true);
      encode(value, version, writer);
      return writer.parts();
    },
    decode(from, version, options) {
      const codec = codecOf(version);
      codec.read ??= compileDecode(codec.plan);
      const reader = from instanceof ByteReader ? from : new ByteReader(from);
      const strict = options?.strict ?? false;
      if (strict) reader.strict = true;
      try {
        const value = codec.read(reader);
        if (strict && reader.remaining > 0) throw reader.malformed(`${reader.remaining} bytes too many`);
        return value as T;
      } catch (error) {
        throw located(error, name, version);
      }
    },
    plan: (version) => codecOf(version).plan,
  };
}
