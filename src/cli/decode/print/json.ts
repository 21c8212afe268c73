/** Prints for programs: one JSON document, or one line of JSON a piece. bigint is a string, bytes are hex.
 * Offsets count as in the tree for people: from the input's first byte, in captures from the frame's.
 * Invariant: text is made node by node, whatever the tree's size.
 */
import type { TraceNode } from 'kafka-wire/protocol';
import type { Fault } from '../piece.ts';
import { baseOf } from './heading.ts';
import type { Explained, Printer } from './printer.ts';
import { toHex } from './values.ts';

/** One document with `form`, `pieces`, `notes` and `totals`. */
export function jsonPrinter(): Printer {
  let separator = '';
  function* item(text: Iterable<string>): Generator<string> {
    yield `${separator}\n`;
    separator = ',';
    yield* text;
  }
  return {
    begin: (form) => [`{"form":${JSON.stringify(form)},"pieces":[`],
    piece: (explained, index) => item(pieceText(explained, index)),
    fault: (fault) => item([faultText(fault)]),
    end: (totals, notes) => [`\n],"notes":${JSON.stringify(notes)},"totals":${JSON.stringify(totals)}}\n`],
  };
}

/** A line a piece. */
export function ndjsonPrinter(): Printer {
  function* line(text: Iterable<string>): Generator<string> {
    yield* text;
    yield '\n';
  }
  return {
    begin: () => [],
    piece: (explained, index) => line(pieceText(explained, index)),
    fault: (fault) => line([faultText(fault)]),
    end: () => [],
  };
}

function* pieceText(explained: Explained, index: number): Generator<string> {
  const { piece, explanation } = explained;
  const base = baseOf(piece);
  const { spaces, fields, damages } = explanation;
  const inflated = spaces.slice(1).map(({ length }) => length);
  const damage = damages.map(({ space, offset, path, what, suspect }) => ({
    space,
    offset: space === 0 ? base + offset : offset,
    path,
    what,
    suspect: suspect && Object.assign({}, suspect, { offset: base + suspect.offset }),
  }));
  const about = {
    kind: piece.kind,
    index,
    at: piece.at,
    bytes: piece.bytes.length,
    ...('identity' in explained ? frameFields(explained) : { topic: explained.piece.topic }),
    ...(inflated.length > 0 && { inflatedBytes: inflated }),
    ...(damage.length > 0 && { damage }),
  };
  yield `${JSON.stringify(about).slice(0, -1)},"fields":`;
  yield* nodesText(fields, base);
  yield '}';
}

function frameFields({ piece, identity, explanation }: Extract<Explained, { identity: unknown }>): object {
  const { route, timeUs, missing } = piece;
  const { correlationId, clientId } = explanation;
  return {
    ...(identity.kind === 'message'
      ? {
          side: identity.side,
          api: identity.api.name,
          apiKey: identity.api.key,
          version: identity.version,
          header: identity.headerVersion ?? null,
          by: identity.by,
          ...(identity.alternatives.length > 0 && { alternatives: identity.alternatives }),
        }
      : identity.kind === 'token'
        ? { side: identity.side, token: true }
        : { unknown: identity.reason }),
    ...(correlationId !== undefined && { correlationId }),
    ...(clientId !== undefined && { clientId }),
    ...(route && { connection: route.connection, source: route.source, destination: route.destination }),
    ...(timeUs !== undefined && { time: new Date(timeUs / 1000).toISOString() }),
    ...(missing !== undefined && { missing }),
  };
}

function faultText({ kind, at, skipped, what, isDamage, route }: Fault): string {
  return JSON.stringify({ kind, at, skipped, what, isDamage, ...(route && { ...route }) });
}

function* nodesText(nodes: readonly TraceNode[], base: number): Generator<string> {
  yield '[';
  let separator = '';
  for (const node of nodes) {
    const { children, value, offset, space, ...rest } = node;
    const shown = { ...rest, space, offset: space === 0 ? base + offset : offset, value: plain(value) };
    const text = JSON.stringify(shown);
    if (children) {
      yield `${separator}${text.slice(0, -1)},"children":`;
      yield* nodesText(children, base);
      yield '}';
    } else yield separator + text;
    separator = ',';
  }
  yield ']';
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  // JSON has no NaN and no infinity.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value instanceof Uint8Array ? toHex(value) : value;
}
