/** What a frame is, from what is known: options, its own header, and the requests before it on the same connection.
 * Not here: trying tables (trial.ts), explaining a frame once it is known (explanation.ts).
 * Invariant: at most `MAX_PENDING` requests are remembered.
 */
import type { TracedApi } from 'kafka-wire/protocol';
import { api as apiOf } from 'kafka-wire/protocol/registry';
import type { Frame, Identifier } from '../piece.ts';
import type { Candidate, Identity, Side } from './identity.ts';
import { fitOf, isPlausible, namesOf, tryAll, withHeader, type Fit, type TrialSpan } from './trial.ts';

/** Requests that wait for their response; Produce with acks 0 never gets one. */
const MAX_PENDING = 10_000;
const SASL_HANDSHAKE = 17;
const API_VERSIONS = 18;
/** Length, API key, version, correlation id, length of the client id. */
const HEAD_BYTES = 14;
/** Zeros that stand for what has not come of a frame. */
const AHEAD_BYTES = 0x1000;

/** What options say about every frame. */
export type MessageOptions = TrialSpan;

interface Pending {
  readonly api: TracedApi<unknown, unknown>;
  readonly version: number;
}

/** The frames of one connection, or of an input that is not one. */
export class Conversation implements Identifier {
  /** Whether a request has been identified. */
  hasRequest = false;
  readonly #options: MessageOptions;
  readonly #pending = new Map<number, Pending>();
  /** After SaslHandshake v0 bare tokens follow until the next request. */
  #expectsTokens = false;

  constructor(options: MessageOptions) {
    this.#options = options;
  }

  /** Whether a frame may be this long. */
  allowsLength(length: number): boolean {
    return length >= 4 || (this.#expectsTokens && length >= 0);
  }

  /** Whether a frame of a side begins at `at`, its length in front: it must be readable, as far as it is there. */
  beginsFrame(bytes: Uint8Array, at: number, side?: Side): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
    if (view.byteLength < 8) return false;
    const length = view.getInt32(0);
    const mayBeRequest =
      side !== 'response' && view.byteLength >= HEAD_BYTES && isRequestHead(view, 4, length);
    if (mayBeRequest) {
      const frame = frameAt(bytes, at, length);
      const fit = requestOf(frame, 4);
      if (fit && isReadable(fit, frame, bytes.length - at)) return true;
    }
    if (side === 'request' || !this.#pending.has(view.getInt32(4))) return false;
    const frame = frameAt(bytes, at, length);
    const fit = this.#pairedOf(frame, 4);
    return fit !== undefined && isReadable(fit, frame, bytes.length - at);
  }

  /** What the frame is; remembers requests for their responses. */
  identify(frame: Frame): Identity {
    const identity = this.#identityOf(frame);
    if (identity.kind === 'message') this.#remember(identity, frame);
    return identity;
  }

  #identityOf(frame: Frame): Identity {
    const { bytes, start } = frame;
    const side = this.#options.side ?? frame.side;
    if (this.#options.hasHeader === false) return this.#byTrial(bytes, start, side);
    const request = side === 'response' ? undefined : requestOf(bytes, start);
    const paired = side === 'request' ? undefined : this.#pairedOf(bytes, start);
    if (this.#expectsTokens && !request && !paired) return { kind: 'token', side };
    if (request && (side === 'request' || !paired)) {
      // Without a side a response may look like a request by chance, mostly one of a client without a name.
      const isSure = side === 'request' || request.isExact || this.#options.api !== undefined;
      const isLikely = isPlausibleClient(bytes, start);
      const isNamed = (bytes[start + 8] ?? 0) * 256 + (bytes[start + 9] ?? 0) > 0;
      if (isSure || (isLikely && isNamed)) return this.#known(request, 'header');
      if (isLikely) {
        const tried = this.#byTrial(bytes, start, side);
        return tried.kind === 'message' && tried.isExact ? tried : this.#known(request, 'header');
      }
    }
    if (paired) {
      const isResponse = side === 'response' || paired.isExact || !request?.isExact;
      return this.#known(isResponse || !request ? paired : request, isResponse ? 'request' : 'header');
    }
    if (side === 'request') return this.#notARequest(bytes, start);
    const tried = this.#byTrial(bytes, start, side);
    if (tried.kind === 'message' && (tried.isExact || tried.by === 'options')) return tried;
    if (side === 'response') return tried;
    if (request) return this.#known(request, 'header');
    return hasClientId(bytes, start) ? this.#notARequest(bytes, start) : tried;
  }

  /** The candidate, as far as options do not say otherwise. */
  #known(candidate: Candidate, by: 'header' | 'request'): Identity {
    const { api = candidate.api, version = candidate.version } = this.#options;
    const isTold = api !== candidate.api || version !== candidate.version;
    const { side } = candidate;
    if (version < api[side].versions.min || version > api[side].versions.max)
      return { kind: 'unknown', reason: noVersion(api, side, version) };
    const chosen = isTold ? withHeader(api, version, side) : candidate;
    return { ...chosen, kind: 'message', by: isTold ? 'options' : by, alternatives: [] };
  }

  #pairedOf(bytes: Uint8Array, start: number): Fit | undefined {
    if (bytes.length < start + 4) return undefined;
    const correlationId = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getInt32(start);
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) return undefined;
    const fit = fitOf(withHeader(pending.api, pending.version, 'response'), bytes, start);
    if (fit.isExact || pending.api.key !== API_VERSIONS || pending.version === 0) return fit;
    // A broker that does not know the version of ApiVersions answers in v0 (KIP-511).
    const oldest = fitOf(withHeader(pending.api, 0, 'response'), bytes, start);
    return oldest.isExact ? oldest : fit;
  }

  #notARequest(bytes: Uint8Array, start: number): Identity {
    const { api, version } = this.#options;
    if (api && version !== undefined)
      return { ...withHeader(api, version, 'request'), kind: 'message', by: 'options', alternatives: [] };
    if (bytes.length < start + 8) return { kind: 'unknown', reason: 'it is shorter than a header' };
    const { apiKey, apiVersion } = requestHead(bytes, start);
    const named = apiOf(apiKey);
    if (!named) {
      const field = { path: 'header.apiKey', offset: 0 };
      return { kind: 'unknown', reason: `there is no API with key ${apiKey}`, field };
    }
    const field = { path: 'header.apiVersion', offset: 2 };
    return { kind: 'unknown', reason: noVersion(named, 'request', apiVersion), field };
  }

  #byTrial(bytes: Uint8Array, start: number, side: Side | undefined): Identity {
    const { api, version } = this.#options;
    const fits = tryAll({ ...this.#options, ...(side && { side }) }, bytes, start);
    const [best, ...others] = fits;
    if (best === undefined) return { kind: 'unknown', reason: 'no table has what the options say' };
    const isTold = api !== undefined && version !== undefined;
    // A few bytes fit many tables: that says nothing.
    const isLong = best.consumed >= Math.max(12, (bytes.length - start) / 4);
    if (!best.isExact && !isTold && !(isLong && isPlausible(best, bytes, start)))
      return { kind: 'unknown', reason: 'no API, version and direction fit these bytes' };
    const alternatives = best.isExact
      ? namesOf(others.filter(({ points }) => points >= best.points - 2))
      : [];
    return { ...best, kind: 'message', by: isTold ? 'options' : 'trial', alternatives };
  }

  #remember({ api, version, side, headerVersion }: Candidate, { bytes, start }: Frame): void {
    if (headerVersion === undefined || bytes.length < start + 8) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
    if (side === 'response') {
      this.#pending.delete(view.getInt32(0));
      return;
    }
    this.hasRequest = true;
    this.#expectsTokens = api.key === SASL_HANDSHAKE && version === 0;
    this.#pending.set(view.getInt32(4), { api, version });
    if (this.#pending.size <= MAX_PENDING) return;
    for (const oldest of this.#pending.keys()) {
      this.#pending.delete(oldest);
      return;
    }
  }
}

/** How the request that the header names fits; undefined when it names none. */
function requestOf(bytes: Uint8Array, start: number): Fit | undefined {
  if (bytes.length < start + 8) return undefined;
  const { apiKey, apiVersion } = requestHead(bytes, start);
  const api = apiOf(apiKey);
  if (!api || apiVersion < api.request.versions.min || apiVersion > api.request.versions.max)
    return undefined;
  return fitOf(withHeader(api, apiVersion, 'request'), bytes, start);
}

/** Whether a request header of a known API and version may begin here, with a client id that can be read. */
export function isRequestHead(view: DataView, start: number, length: number): boolean {
  if (view.byteLength < start + 10) return false;
  const api = apiOf(view.getInt16(start));
  const version = view.getInt16(start + 2);
  if (!api || version < api.request.versions.min || version > api.request.versions.max) return false;
  const clientIdLength = view.getInt16(start + 8);
  if (clientIdLength < -1 || clientIdLength + 10 > length || view.getInt32(start + 4) < -1) return false;
  return isPrintable(view, start + 10, Math.min(view.byteLength, start + 10 + clientIdLength));
}

/** The first fields of a request header, which are the same in every version of it. */
function requestHead(bytes: Uint8Array, start: number): { apiKey: number; apiVersion: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  return { apiKey: view.getInt16(0), apiVersion: view.getInt16(2) };
}

/** A frame as it may be: zeros stand for a little of what has not come. */
function frameAt(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const end = at + 4 + length;
  if (end <= bytes.length) return bytes.subarray(at, end);
  const frame = new Uint8Array(Math.min(4 + length, bytes.length - at + AHEAD_BYTES));
  frame.set(bytes.subarray(at));
  return frame;
}

/** Whether a frame can be read to its end, or to the end of the bytes that are there. */
function isReadable({ isExact, consumed }: Fit, frame: Uint8Array, there: number): boolean {
  return isExact || (there < frame.length && 4 + consumed >= there);
}

/** Whether a client id that can be read stands where requests have theirs. */
function hasClientId(bytes: Uint8Array, start: number): boolean {
  if (bytes.length < start + 10) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  const length = view.getInt16(8);
  if (length < 1 || length > 256 || 10 + length > view.byteLength) return false;
  return isPrintable(view, 10, 10 + length);
}

function isPrintable(view: DataView, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (view.getUint8(at) < 0x20) return false;
  return true;
}

function isPlausibleClient(bytes: Uint8Array, start: number): boolean {
  if (bytes.length < start + 10) return false;
  return isRequestHead(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    start,
    bytes.length - start,
  );
}

function noVersion(api: TracedApi<unknown, unknown>, side: Side, version: number): string {
  const { min, max } = api[side].versions;
  return `${api.name} has no version ${version}; known are v${min} to v${max}`;
}
