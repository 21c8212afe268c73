/** A frame or batch explained: the tree of everything in it, and where it is damaged.
 * Not here: what a frame is (identify/), how the tree is shown (print/).
 * Invariant: the leaves of the tree cover the bytes, also those that could not be read.
 */
import { ProtocolError } from 'kafka-wire';
import { requestHeader, responseHeader, type TraceNode } from 'kafka-wire/protocol';
import type { Diagnoser, Suspect } from './diagnosing.ts';
import type { Identity } from './identify/identity.ts';
import { batchHead } from './input/batch-head.ts';
import type { Frame, LogBatch } from './piece.ts';
import { traceBatches, traceOptions } from './tracing.ts';

/** Where something is wrong, and what was expected there. */
export interface Damage {
  readonly space: number;
  readonly offset: number;
  /** Of the leaf. */
  readonly path: string | undefined;
  readonly what: string;
  /** The byte that is most likely the cause. */
  readonly suspect?: Suspect;
}

/** A piece explained. */
export interface Explanation {
  readonly fields: TraceNode[];
  /** The piece's bytes, then what was inflated. */
  readonly spaces: readonly Uint8Array[];
  readonly damages: readonly Damage[];
  /** Of a frame with a header. */
  readonly correlationId?: number;
  readonly clientId?: string | null;
  /** Bytes at the end that belong to no field. */
  readonly surplus: number;
}

/** Explains a record batch of a log. */
export function explainBatch(batch: LogBatch, diagnoser: Diagnoser): Explanation {
  const { bytes, topic } = batch;
  const { fields, spaces, error, failed } = traceBatches(bytes, topic);
  const rest = restOf(bytes, endOf(fields, 0));
  const damages = [...(error ? [damageOf(error, failed)] : []), ...cutOff(bytes)];
  const suspect = error && diagnoser.batch(batch);
  return { fields: [...fields, ...rest], spaces, damages: withSuspect(damages, suspect), surplus: 0 };
}

/** The damage of a batch that says it is longer than what is there. */
function cutOff(bytes: Uint8Array): Damage[] {
  const { isSound, length } = batchHead(bytes, 0);
  if (!isSound || length <= bytes.length) return [];
  const what = `${length - bytes.length} bytes of the batch are not in the input`;
  return [{ space: 0, offset: bytes.length, path: undefined, what }];
}

function unknownAt(start: number, { reason, field }: Extract<Identity, { kind: 'unknown' }>): Damage {
  return { space: 0, offset: start + (field?.offset ?? 0), path: field?.path, what: reason };
}

function withSuspect([first, ...others]: readonly Damage[], suspect: Suspect | undefined): Damage[] {
  return first ? [suspect ? { ...first, suspect } : first, ...others] : [];
}

/** Explains a frame that was identified. */
export function explainFrame(frame: Frame, identity: Identity, diagnoser: Diagnoser): Explanation {
  const { bytes, start, missing = 0 } = frame;
  const fields = start === 0 ? [] : [lengthOf(bytes)];
  if (identity.kind !== 'message') {
    const body = restOf(bytes, start, identity.kind);
    const damages = identity.kind === 'token' ? [] : [unknownAt(start, identity)];
    return {
      fields: [...fields, ...body],
      spaces: [bytes],
      damages: [...damages, ...missingOf(frame)],
      surplus: 0,
    };
  }
  const { api, version, side, headerVersion } = identity;
  const message = api[side];
  const damages: Damage[] = [];
  let bodyStart = start;
  let header: Record<string, unknown> = {};
  if (headerVersion !== undefined) {
    const traced = headerOf(bytes, start, side === 'request' ? requestHeader : responseHeader, headerVersion);
    fields.push(traced.node);
    header = traced.values;
    bodyStart = traced.node.offset + traced.node.length;
    if (traced.damage) damages.push(traced.damage);
  }
  let spaces: readonly Uint8Array[] = [bytes];
  let surplus = 0;
  if (damages.length === 0) {
    const trace = message.trace(bytes, version, { ...traceOptions, start: bodyStart });
    spaces = trace.spaces;
    fields.push(...trace.fields);
    const end = endOf(trace.fields, bodyStart);
    if (trace.error) damages.push(damageOf(trace.error, trace.failed));
    else if (end < bytes.length) {
      surplus = bytes.length - end;
      const what = `${surplus} bytes more than ${message.name} v${version} has`;
      damages.push({ space: 0, offset: end, path: 'surplus', what });
    }
    // What Java would read all the same, and no client writes.
    if (damages.length === 0 && identity.error instanceof ProtocolError)
      damages.push(damageOf(identity.error, undefined));
    fields.push(...restOf(bytes, end));
  } else fields.push(...restOf(bytes, bodyStart));
  // A frame that is read to its end lacks nothing: its length is wrong then, and something else says so.
  const isCut = missing > 0 && surplus === 0;
  const suspect = damages.length > 0 && !isCut ? diagnoser.frame(frame, identity) : undefined;
  const found = [...withSuspect(damages, suspect), ...(isCut ? missingOf(frame) : [])];
  return { fields, spaces, damages: found, surplus, ...headerValues(header) };
}

/** The frame's length is wrong: its message ends earlier, and the next frame begins there. */
export function withWrongLength(explanation: Explanation, bytes: Uint8Array): Explanation {
  const { surplus, fields, damages } = explanation;
  const end = bytes.length - surplus;
  const said = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getInt32(0);
  const what = `length ${said}, where the message ends after ${end - 4} bytes and another frame begins`;
  const others = damages.filter(({ path }) => path !== 'surplus');
  return {
    ...explanation,
    fields: fields.filter(({ path }) => path !== 'surplus'),
    damages: [{ space: 0, offset: 0, path: 'length', what }, ...others],
  };
}

function headerValues(values: Record<string, unknown>): { correlationId?: number; clientId?: string | null } {
  const { correlationId, clientId } = values;
  return {
    ...(typeof correlationId === 'number' && { correlationId }),
    ...((typeof clientId === 'string' || clientId === null) && { clientId }),
  };
}

function headerOf(
  bytes: Uint8Array,
  start: number,
  message: typeof requestHeader | typeof responseHeader,
  version: number,
): { node: TraceNode; values: Record<string, unknown>; damage: Damage | undefined } {
  const { fields, error, failed } = message.trace(bytes, version, { start });
  const values: Record<string, unknown> = {};
  for (const field of fields) values[field.path] = field.value;
  const children = fields.map((field) => inHeader(field));
  const length = endOf(fields, start) - start;
  const node: TraceNode = { path: 'header', kind: 'struct', space: 0, offset: start, length, children };
  return { node, values, damage: error && damageOf(error, failed && inHeader(failed)) };
}

function inHeader(node: TraceNode): TraceNode {
  const { children } = node;
  const path = node.path.startsWith('header.') ? node.path : `header.${node.path}`;
  return { ...node, path, ...(children && { children: children.map(inHeader) }) };
}

function lengthOf(bytes: Uint8Array): TraceNode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isWhole = bytes.length >= 4;
  const leaf = { path: 'length', kind: 'int32', space: 0, offset: 0, length: Math.min(4, bytes.length) };
  return isWhole ? { ...leaf, value: view.getInt32(0) } : leaf;
}

/** A leaf for the bytes behind the tree. */
function restOf(bytes: Uint8Array, from: number, path = 'surplus'): TraceNode[] {
  if (from >= bytes.length) return [];
  const length = bytes.length - from;
  return [{ path, kind: 'bytes', space: 0, offset: from, length, value: bytes.subarray(from) }];
}

function endOf(fields: readonly TraceNode[], start: number): number {
  const last = fields.findLast(({ space }) => space === 0);
  return last ? last.offset + last.length : start;
}

function missingOf({ bytes, missing = 0 }: Frame): Damage[] {
  if (missing <= 0) return [];
  const what = `${missing} bytes of the frame are not in the input`;
  return [{ space: 0, offset: bytes.length, path: undefined, what }];
}

function damageOf(
  error: {
    readonly message: string;
    readonly byteOffset?: number | undefined;
    readonly path?: string | undefined;
  },
  failed: TraceNode | undefined,
): Damage {
  return {
    space: failed?.space ?? 0,
    offset: failed?.offset ?? error.byteOffset ?? 0,
    path: failed?.path ?? error.path,
    what: failed ? `${failed.kind} expected: ${error.message}` : error.message,
  };
}
