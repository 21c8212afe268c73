/** One accepted connection: reads requests, has them answered, and writes the answers, strictly one after another.
 * Not here: what an answer is (handlers), accepting (broker.ts).
 * Invariant: nothing is read from a request before the one ahead of it is answered (C1), and whatever goes wrong ends
 * this connection and nothing else.
 */
import { ProtocolError } from '../errors.ts';
import type { Transport } from '../platform.ts';
import { apiVersionsApi } from '../protocol/api/18-api-versions.ts';
import { ErrorCodes } from '../protocol/error-codes.ts';
import { encodeResponse, FrameReader } from '../protocol/frame.ts';
import { decodeRequestHeader, peekRequest, requestHeaderVersion } from '../protocol/header.ts';
import { ByteReader } from '../protocol/reader.ts';
import type { VersionRange } from '../protocol/schema.ts';
import type { ClusterState } from './cluster-state.ts';
import { servedVersions } from './handlers/18-api-versions.ts';
import { RequestContext, type NoAnswer } from './handlers/handler.ts';
import type { HandlerTable } from './handlers/index.ts';
import { unlessAborted } from './wait.ts';

/** What a connection belongs to. */
export interface ConnectionOwner {
  readonly cluster: ClusterState;
  readonly nodeId: number;
  readonly handlers: HandlerTable;
}

interface Answer {
  readonly parts: Uint8Array[] | NoAnswer;
  /** How long the connection is not read after it (KIP-219). */
  readonly muteMs: number;
  readonly context: RequestContext | undefined;
}

/** Serves a connection until either side ends it or `signal` fires; never rejects. */
export async function serveConnection(
  transport: Transport,
  owner: ConnectionOwner,
  signal: AbortSignal,
): Promise<void> {
  const { cluster } = owner;
  try {
    const frames = new RequestFrames(transport, cluster.settings.maxFrameBytes);
    for (let frame = await frames.next(); frame !== undefined; frame = await frames.next()) {
      const answer = await unlessAborted(answerTo(frame, owner, signal), signal);
      if (answer === undefined || answer.parts === 'disconnect') break;
      if (answer.parts === 'silence') {
        await frames.discard();
        break;
      }
      if (answer.parts !== 'none') await transport.write(answer.parts);
      if (answer.muteMs > 0) await answer.context?.wait(answer.muteMs);
    }
  } catch (error) {
    // A peer that is gone is no problem of the broker's, what it sent may be.
    if (error instanceof RequestProblem) cluster.reportProblem(error.message);
  } finally {
    transport.close();
  }
}

/** A request that could not be answered, and why. */
class RequestProblem extends Error {}

/** The requests of a connection as frames. */
class RequestFrames {
  readonly #transport: Transport;
  readonly #reader: FrameReader;
  #failure: unknown;

  constructor(transport: Transport, maxFrameBytes: number) {
    this.#transport = transport;
    this.#reader = new FrameReader(maxFrameBytes);
  }

  /** The next frame; undefined at the end of the stream. What came whole before a broken frame is still given out. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.#reader.next();
      if (frame !== undefined) return frame;
      if (this.#failure !== undefined) throw problem('a frame', this.#failure);
      const chunk = await this.#transport.read();
      if (chunk === null) return undefined;
      try {
        this.#reader.push(chunk);
      } catch (error) {
        this.#failure = error;
      }
    }
  }

  /** Reads to the end of the stream and heeds nothing. */
  async discard(): Promise<void> {
    for (let chunk = await this.#transport.read(); chunk !== null;) chunk = await this.#transport.read();
  }
}

async function answerTo(frame: Uint8Array, owner: ConnectionOwner, signal: AbortSignal): Promise<Answer> {
  const { cluster, nodeId, handlers } = owner;
  let what = 'a request';
  try {
    const { apiKey, apiVersion, correlationId } = peekRequest(frame);
    what = `API ${apiKey} version ${apiVersion}`;
    const handler = handlers.get(apiKey);
    const versions = handler && servedVersions(handler, cluster.settings);
    if (handler === undefined || versions === undefined) throw new ProtocolError('there is no such API here');
    if (apiVersion < versions.min || apiVersion > versions.max) {
      if (apiKey !== apiVersionsApi.key)
        throw new ProtocolError(`served are ${versions.min} to ${versions.max}`);
      return { parts: refusedApiVersions(correlationId, versions), muteMs: 0, context: undefined };
    }
    const reader = new ByteReader(frame);
    const { clientId } = decodeRequestHeader(reader, requestHeaderVersion(handler.api, apiVersion));
    const origin = { nodeId, apiVersion, correlationId, clientId: clientId ?? '' };
    const context = new RequestContext(cluster, origin, cluster.faults.meet(apiKey, nodeId), signal);
    const parts = await handler.serve(reader, context, frame.length);
    return { parts, muteMs: context.faults.throttleMs, context };
  } catch (error) {
    throw problem(what, error);
  }
}

function problem(what: string, error: unknown): RequestProblem {
  return new RequestProblem(`${what}: ${error instanceof Error ? error.message : String(error)}`);
}

/** KIP-511: in version 0, which every client can read, with the versions of this one API. */
function refusedApiVersions(correlationId: number, { min, max }: VersionRange): Uint8Array[] {
  return encodeResponse(apiVersionsApi, 0, correlationId, {
    errorCode: ErrorCodes.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey: apiVersionsApi.key, minVersion: min, maxVersion: max }],
  });
}
