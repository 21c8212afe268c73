/** Which API, version and direction bytes are, by trying the tables: the one that takes most of the bytes wins.
 * Not here: what is known already, from a request or from options (conversation.ts).
 * Invariant: every candidate is decoded by the strict decoder that clients are tested with; none is guessed around it.
 */
import {
  ByteReader,
  requestHeader,
  requestHeaderVersion,
  responseHeader,
  responseHeaderVersion,
  type TracedApi,
} from 'kafka-wire/protocol';
import { apis } from 'kafka-wire/protocol/registry';
import type { Candidate, Side } from './identity.ts';
import { plausibility, plausibilityOf } from './plausibility.ts';

/** How a candidate fits. */
export interface Fit extends Candidate {
  /** Bytes that were understood. */
  readonly consumed: number;
  /** Whether they all were, and no rule was bent. */
  readonly isExact: boolean;
  /** What a strict decoder says if not. */
  readonly error?: unknown;
  readonly points: number;
}

/** The candidate with the header that its version has. */
export function withHeader(api: TracedApi<unknown, unknown>, version: number, side: Side): Candidate {
  const headerVersion =
    side === 'request' ? requestHeaderVersion(api, version) : responseHeaderVersion(api, version);
  return { api, version, side, headerVersion };
}

/** What to try; everything if nothing is said. */
export interface TrialSpan {
  readonly api?: TracedApi<unknown, unknown>;
  readonly version?: number;
  readonly side?: Side;
  readonly hasHeader?: boolean;
}

/** The candidates of a span. A request says itself what it is: with a header only that is tried. */
function* candidates(span: TrialSpan, bytes: Uint8Array, start: number): Generator<Candidate> {
  for (const side of ['request', 'response'] as const) {
    if (span.side !== undefined && side !== span.side) continue;
    for (const api of span.api ? [span.api] : apis) {
      const { min, max } = api[side].versions;
      for (let version = max; version >= min; version--) {
        if (span.version !== undefined && version !== span.version) continue;
        const headed = withHeader(api, version, side);
        if (span.hasHeader !== false && (side === 'response' || saysSo(headed, bytes, start))) yield headed;
        if (span.hasHeader !== true) yield { ...headed, headerVersion: undefined };
      }
    }
  }
}

function saysSo({ api, version }: Candidate, bytes: Uint8Array, start: number): boolean {
  if (bytes.length < start + 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return view.getInt16(start) === api.key && view.getInt16(start + 2) === version;
}

/** How well a candidate explains the bytes from `start` on. */
export function fitOf(candidate: Candidate, bytes: Uint8Array, start: number): Fit {
  const { api, version, side, headerVersion } = candidate;
  const reader = new ByteReader(bytes);
  reader.position = start;
  let points = 0;
  try {
    if (headerVersion !== undefined) {
      const header = side === 'request' ? requestHeader : responseHeader;
      const value = header.decode(reader, headerVersion);
      points += plausibility(header.plan(headerVersion), value) + (side === 'request' ? 20 : 2);
    }
    const value = api[side].decode(reader, version, { strict: true });
    points += plausibility(api[side].plan(version), value);
    return { ...candidate, consumed: bytes.length - start, isExact: true, points };
  } catch (error) {
    // That it does not fit is the answer; how far it went is where the reader stands.
    const consumed = Math.min(reader.position, bytes.length) - start;
    return { ...candidate, consumed, isExact: false, error, points };
  }
}

/** Whether what a candidate that does not fit has read so far makes sense; noise does not. */
export function isPlausible(
  { api, version, side, headerVersion }: Candidate,
  bytes: Uint8Array,
  start: number,
): boolean {
  const reader = new ByteReader(bytes);
  reader.position = start;
  try {
    if (headerVersion !== undefined)
      (side === 'request' ? requestHeader : responseHeader).decode(reader, headerVersion);
  } catch {
    return false; // It ends within its header.
  }
  return plausibilityOf(api[side].trace(bytes, version, { start: reader.position })) >= 0;
}

/** Fits from the best on: exact ones by how plausible they are, then those that went farthest. Behind a length a header
 * follows: bodies alone are tried there only if nothing else fits.
 */
export function tryAll(span: TrialSpan, bytes: Uint8Array, start: number): Fit[] {
  if (start > 0 && span.hasHeader === undefined) {
    const headed = tryAll({ ...span, hasHeader: true }, bytes, start);
    if (headed[0]?.isExact) return headed;
  }
  const fits: Fit[] = [];
  for (const candidate of candidates(span, bytes, start)) fits.push(fitOf(candidate, bytes, start));
  const exact = fits.filter(({ isExact }) => isExact);
  return (exact.length > 0 ? exact : fits).sort(byFit);
}

function byFit(a: Fit, b: Fit): number {
  if (!a.isExact || !b.isExact) return b.consumed - a.consumed || b.points - a.points;
  return (
    b.points - a.points ||
    Number(a.headerVersion === undefined) - Number(b.headerVersion === undefined) ||
    Number(isUnstable(a)) - Number(isUnstable(b)) ||
    a.api.key - b.api.key ||
    b.version - a.version
  );
}

function isUnstable({ api, version }: Candidate): boolean {
  return api.unstable && version === api.request.versions.max;
}

/** Fits as people name them, versions in spans: `Heartbeat response v1-v3`. */
export function namesOf(fits: readonly Candidate[]): string[] {
  const spans: { name: string; from: number; to: number }[] = [];
  for (const { api, side, version, headerVersion } of fits) {
    const name = `${api.name} ${side}${headerVersion === undefined ? ' body' : ''}`;
    const span = spans.find(
      (each) => each.name === name && version >= each.from - 1 && version <= each.to + 1,
    );
    if (span === undefined) spans.push({ name, from: version, to: version });
    else {
      span.from = Math.min(span.from, version);
      span.to = Math.max(span.to, version);
    }
  }
  return spans.map(({ name, from, to }) => `${name} v${from}${from === to ? '' : `-v${to}`}`);
}
