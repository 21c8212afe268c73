/** A broker of a few lines for tests of the client's lower rooms: it answers each request by a function, byte for byte.
 * Not the embedded broker: it knows no topics and keeps nothing, so it can also answer what no broker would.
 */
import type { Address, Listener, Platform, Transport } from '../../src/platform.ts';
import { apiVersionsApi } from '../../src/protocol/api/18-api-versions.ts';
import { api } from '../../src/protocol/api/registry.ts';
import { encodeResponse, FrameReader } from '../../src/protocol/frame.ts';
import { decodeRequestHeader, peekRequest, requestHeaderVersion } from '../../src/protocol/header.ts';
import { ByteReader } from '../../src/protocol/reader.ts';
import type { Api, Input, VersionRange } from '../../src/protocol/schema.ts';

/** One request as it came in. */
export interface ScriptedRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly body: Uint8Array;
  /** Which connection, counted from 0. */
  readonly connection: number;
  readonly transport: Transport;
}

/** Parts to write, or undefined for silence. */
export type Answer = Uint8Array[] | undefined;

/** Answers one request. */
export type Script = (request: ScriptedRequest) => Answer | Promise<Answer>;

/** What the scripted broker offers. */
export interface ScriptedBroker {
  readonly address: Address;
  readonly requests: ScriptedRequest[];
  connections: number;
  /** Transports that are or were open, oldest first. */
  readonly transports: Transport[];
  close(): Promise<void>;
}

/** As much of an API as ApiVersions tells. */
interface Spanned {
  readonly key: number;
  readonly request: { readonly versions: VersionRange };
}

/** The usual answer to ApiVersions: the given APIs at their full spans. */
export function apiVersionsAnswer(request: ScriptedRequest, apis: readonly Spanned[]): Answer {
  const apiKeys = [apiVersionsApi, ...apis].map(({ key, request: { versions } }) => ({
    apiKey: key,
    minVersion: versions.min,
    maxVersion: versions.max,
  }));
  return encodeResponse(apiVersionsApi, request.apiVersion, request.correlationId, { apiKeys });
}

/** Encodes the answer to a request. */
export function answer<Req, Res>(request: ScriptedRequest, api: Api<Req, Res>, body: Input<Res>): Answer {
  return encodeResponse(api, request.apiVersion, request.correlationId, body);
}

async function serve(
  transport: Transport,
  broker: ScriptedBroker,
  connection: number,
  script: Script,
): Promise<void> {
  const frames = new FrameReader(2 ** 20);
  for (let chunk = await transport.read(); chunk !== null; chunk = await transport.read()) {
    frames.push(chunk);
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      const { apiKey, apiVersion } = peekRequest(frame);
      const reader = new ByteReader(frame);
      const known = api(apiKey);
      if (known === undefined) throw new Error(`API ${apiKey} is not in the registry`);
      const header = decodeRequestHeader(reader, requestHeaderVersion(known, apiVersion));
      const body = frame.subarray(reader.position);
      const request = { ...header, clientId: header.clientId ?? null, body, connection, transport };
      broker.requests.push(request);
      const parts = await script(request);
      if (parts !== undefined) await transport.write(parts);
    }
  }
}

/** Listens on the platform and answers by the script. Trouble on a connection ends that connection only. */
export async function scriptedBroker(
  platform: Platform,
  script: Script,
  port = 9092,
): Promise<ScriptedBroker> {
  if (platform.listen === undefined) throw new Error('the platform cannot listen');
  const accept = (transport: Transport): void => {
    const connection = broker.connections++;
    broker.transports.push(transport);
    serve(transport, broker, connection, script).catch((error: unknown) => transport.abort(error));
  };
  const listener: Listener = await platform.listen({ host: '127.0.0.1', port }, accept);
  const broker: ScriptedBroker = {
    address: listener.address,
    requests: [],
    connections: 0,
    transports: [],
    close: () => listener.close(),
  };
  return broker;
}
