/** Explains bytes: where every field of a message lies and what it says, down to the records inside.
 * Slow and for people: nothing on a hot path comes here, and no client room imports it.
 * Invariant: it never throws for bytes; what cannot be read ends in `error`, and the tree up to there is kept.
 */
import type { ProtocolError } from '../errors.ts';
import type { EmbeddedPart, RecordTypes } from './embedded/record-types.ts';
import { located, within } from './plan.ts';
import type { Api, Message } from './schema.ts';
import { insideOf, viewOf, type InsideOptions } from './trace-inside.ts';
import { walkBatches, walkParts, type Inflate } from './trace-records.ts';
import { TraceWalker, type TraceNode } from './trace-walker.ts';

export type { Inflate, TraceNode };

/** A message explained. */
export interface Trace {
  readonly fields: TraceNode[];
  /** The traced bytes, then what was inflated. */
  readonly spaces: readonly Uint8Array[];
  /** What decode throws; if it throws nothing, the first damage inside records. */
  readonly error?: ProtocolError;
  /** The leaf that could not be read: its kind is what was expected at its offset. */
  readonly failed?: TraceNode;
}

/** Where a trace begins and how deep it looks. */
export interface TraceOptions {
  /** Where the message begins. Default 0; offsets count from the beginning of the bytes all the same. */
  readonly start?: number | undefined;
  /** Inflates compressed records; what it throws is damage. Default: they stay opaque leaves. */
  readonly inflate?: Inflate | undefined;
  /** Most bytes that are inflated in all. Default 16 MiB: a tree takes many times the memory of its bytes. */
  readonly maxInflatedBytes?: number | undefined;
  /** What the keys and values of a topic's records hold, such as `internalTopics`. Default: opaque bytes. */
  readonly recordTypes?: ((topic: string) => RecordTypes | undefined) | undefined;
  /** The topic of records whose message does not name it. */
  readonly topic?: string | undefined;
}

const MAX_INFLATED_BYTES = 0x100_0000;

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
  return { ...message, trace: (bytes, version, options) => traceOf(message, bytes, version, options) };
}

/** Where everything lies in record batches back to back, as in `records` fields and log segments: v2, and message sets
 * v0 and v1. A batch that the end cuts off has a note. Never throws; see `Trace`.
 */
export function traceRecords(bytes: Uint8Array, options: TraceOptions = {}): Trace {
  const inside = insideOptions(options);
  const { topic, recordTypes } = inside;
  const view = viewOf(inside, topic === undefined ? undefined : recordTypes?.(topic));
  const walker = new TraceWalker(bytes, options.start ?? 0, insideOf(inside));
  return finished(walker, 'RecordBatch', 2, () => walkBatches(walker, 'records', view));
}

/** Where everything lies in messages one after another, such as a header and a body: a node each, by its name; see `Trace`.
 * Strict, as `DecodeOptions` says. Throws only for an unsupported version.
 */
export function traceParts(
  bytes: Uint8Array,
  parts: readonly EmbeddedPart[],
  options: TraceOptions = {},
): Trace {
  const walker = new TraceWalker(bytes, options.start ?? 0, insideOf(insideOptions(options)));
  walker.reader.strict = true;
  for (const { message, version } of parts) message.plan(version);
  const { message, version = 0 } = parts.at(-1) ?? {};
  return finished(walker, message?.name ?? '', version, () => walkParts(walker, '', parts));
}

/** The leaves of a tree, in the order of space and offset: every byte that was read lies in exactly one. */
export function* leavesOf(tree: Trace | readonly TraceNode[]): Generator<TraceNode> {
  const leaves: TraceNode[] = [];
  collect('fields' in tree ? tree.fields : tree, leaves);
  yield* leaves.sort((a, b) => a.space - b.space || a.offset - b.offset);
}

function collect(nodes: readonly TraceNode[], leaves: TraceNode[]): void {
  for (const node of nodes) {
    const { children, space, length } = node;
    const first = children?.[0];
    if (first ? first.space !== space : !children || length > 0) leaves.push(node);
    if (children) collect(children, leaves);
  }
}

function traceOf(
  message: Message<unknown>,
  bytes: Uint8Array,
  version: number,
  options: TraceOptions = {},
): Trace {
  const walker = new TraceWalker(bytes, options.start ?? 0, insideOf(insideOptions(options)));
  message.plan(version); // Throws for a version that is not supported.
  return finished(walker, message.name, version, () => walker.message(message, version, ''));
}

function insideOptions(options: TraceOptions): InsideOptions {
  const { inflate, maxInflatedBytes = MAX_INFLATED_BYTES, recordTypes, topic } = options;
  return { inflate, inflatedLeft: maxInflatedBytes, recordTypes, topic };
}

/** The trace of what `walk` walks. */
function finished(walker: TraceWalker, name: string, version: number, walk: () => void): Trace {
  const { nodes: fields, spaces } = walker;
  let error: ProtocolError | undefined;
  let failed: TraceNode | undefined;
  try {
    walk();
    const { damage } = walker;
    if (damage) {
      error = located(within(damage.error, damage.path), name, version);
      failed = damage.leaf;
    }
  } catch (cause) {
    error = located(cause, name, version);
    failed = walker.failed;
  }
  return { fields, spaces, ...(error && { error }), ...(failed && { failed }) };
}
