/** Request and response headers: what stands in front of every message body.
 * Which header version goes with which message version is decided here; frame.ts puts the parts together.
 * Invariant: the response to ApiVersions always has header v0, so that a client of any age can read it (KIP-511).
 * Source: Kafka protocol guide, "Requests" and "Responses"; KIP-482.
 */
import { ByteReader } from './reader.ts';
import { defineMessage, type Api, type Fields, type Message } from './schema.ts';
import type { ByteWriter } from './writer.ts';

const API_VERSIONS = 18;

/** What a request is and who sent it. */
export interface RequestHeader {
  apiKey: number;
  apiVersion: number;
  /** Chosen by the client and repeated in the response; int32. */
  correlationId: number;
  clientId: string | null;
}

/** Which request a response answers. */
export interface ResponseHeader {
  correlationId: number;
}

const requestFields: Fields<RequestHeader> = {
  apiKey: 'int16',
  apiVersion: 'int16',
  correlationId: 'int32',
  // Never compact: a broker must be able to read it before it knows the version.
  clientId: { type: 'string', nullable: true, compact: false },
};

const responseFields: Fields<ResponseHeader> = { correlationId: 'int32' };

/** The request header, v1 and v2 (flexible). */
export const requestHeader: Message<RequestHeader> = /* @__PURE__ */ defineMessage(
  'RequestHeader',
  -1,
  [1, 2],
  2,
  requestFields,
);

/** The response header, v0 and v1 (flexible). */
export const responseHeader: Message<ResponseHeader> = /* @__PURE__ */ defineMessage(
  'ResponseHeader',
  -1,
  [0, 1],
  1,
  responseFields,
);

/** Version of the header in front of a request: 2 from the first flexible version on, else 1. */
export function requestHeaderVersion(api: Api<unknown, unknown>, version: number): number {
  return isFlexible(api, version) ? 2 : 1;
}

/** Version of the header in front of a response: 1 from the first flexible version on, else 0. */
export function responseHeaderVersion(api: Api<unknown, unknown>, version: number): number {
  return isFlexible(api, version) && api.key !== API_VERSIONS ? 1 : 0;
}

function isFlexible({ request }: Api<unknown, unknown>, version: number): boolean {
  return request.flexibleSince !== undefined && version >= request.flexibleSince;
}

/** Appends a request header. */
export function encodeRequestHeader(writer: ByteWriter, header: RequestHeader, headerVersion: number): void {
  requestHeader.encode(header, headerVersion, writer);
}

/** Appends a response header. */
export function encodeResponseHeader(
  writer: ByteWriter,
  header: ResponseHeader,
  headerVersion: number,
): void {
  responseHeader.encode(header, headerVersion, writer);
}

/** Reads a request header. */
export function decodeRequestHeader(reader: ByteReader, headerVersion: number): RequestHeader {
  return requestHeader.decode(reader, headerVersion);
}

/** Reads a response header. */
export function decodeResponseHeader(reader: ByteReader, headerVersion: number): ResponseHeader {
  return responseHeader.decode(reader, headerVersion);
}

/** What a request is, from the first 8 bytes of its frame, which are the same in every header version. */
export function peekRequest(frame: Uint8Array): {
  apiKey: number;
  apiVersion: number;
  correlationId: number;
} {
  const reader = new ByteReader(frame);
  return { apiKey: reader.int16(), apiVersion: reader.int16(), correlationId: reader.int32() };
}
