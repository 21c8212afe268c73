/** Explains bytes: decodes them with closures that note where every field lies.
 * Record batches are one opaque leaf. Slow and for people: nothing on a hot path comes here.
 * Invariant: it never throws; what cannot be decoded ends in `error`, and the tree up to there is kept.
 */
import type { ProtocolError } from '../errors.ts';
import { compileDecode, type Observe } from './compile-decode.ts';
import { located, type Plan } from './plan.ts';
import { ByteReader } from './reader.ts';
import type { Api, Message } from './schema.ts';

/** One field, where it lies and what it says. */
export interface TraceNode {
  /** Such as `responses[0].partitions[3].records`; a struct's tagged fields are `tags`, unknown ones `tags[7]`. */
  readonly path: string;
  /** Such as `int32`, `compact string`, `array`, `struct`, `tags`. */
  readonly kind: string;
  /** 0: the traced bytes. */
  readonly space: number;
  /** First byte, counted from the beginning of the traced bytes. */
  readonly offset: number;
  /** Bytes, those of a length, count or tag in front included. */
  length: number;
  /** What the field says; absent for structs and arrays, which have children, unless they are null. */
  value?: unknown;
  children?: TraceNode[];
}

/** A message explained. */
export interface Trace {
  readonly fields: TraceNode[];
  /** Why the bytes end where the tree ends. */
  readonly error?: ProtocolError;
}

/** How to look into compressed record batches. */
export interface TraceOptions {
  /** Decompresses at once, or returns undefined to leave an opaque leaf. Record batches are opaque leaves in this version. */
  readonly inflate?: (codec: number, bytes: Uint8Array, maxBytes: number) => Uint8Array | undefined;
}

/** A message that explains bytes, too. Our own rooms do without it, so that bundles of them do. */
export interface TracedMessage<T> extends Message<T> {
  /** Where every field lies. What cannot be decoded ends in `error`; throws only for an unsupported version. */
  trace(bytes: Uint8Array, version: number, options?: TraceOptions): Trace;
}

/** An API whose messages explain bytes, too. */
export interface TracedApi<Request, Response> extends Api<Request, Response> {
  readonly request: TracedMessage<Request>;
  readonly response: TracedMessage<Response>;
}

/** The API with `trace` on both messages. */
export function tracedApi<Request, Response>(api: Api<Request, Response>): TracedApi<Request, Response> {
  return { ...api, request: traced(api.request), response: traced(api.response) };
}

/** The message with `trace`. */
export function traced<T>(message: Message<T>): TracedMessage<T> {
  return { ...message, trace: (bytes, version) => traceOf(message, bytes, version) };
}

function traceOf({ name: api, plan }: Message<unknown>, bytes: Uint8Array, version: number): Trace {
  const root: TraceNode[] = [];
  let siblings = root;
  let prefix = '';
  const observe: Observe = (part, read) => (reader) => {
    const { kind, name = `[${siblings.length}]` } = part;
    const dot = prefix === '' || name.startsWith('[') ? '' : '.';
    const path = prefix + dot + name;
    const node: TraceNode = { path, kind: kindName(part), space: 0, offset: reader.position, length: 0 };
    const parent = { siblings, prefix };
    siblings.push(node);
    siblings = [];
    if (kind !== 'tags') prefix = path;
    let value: unknown;
    try {
      return (value = read(reader));
    } finally {
      node.length = reader.position - node.offset;
      if (value !== null && /array|struct|tags/.test(kind)) node.children = siblings;
      else node.value = value;
      ({ siblings, prefix } = parent);
    }
  };
  let error: ProtocolError | undefined;
  try {
    compileDecode({ ...plan(version), name: '' }, observe)(new ByteReader(bytes));
  } catch (cause) {
    error = located(cause, api, version);
  }
  return { fields: root[0]?.children ?? [], ...(error && { error }) };
}

function kindName({ kind, compact }: Plan): string {
  if (kind === 'bigint') return 'int64';
  return compact && /string|bytes|records|array/.test(kind) ? `compact ${kind}` : kind;
}
