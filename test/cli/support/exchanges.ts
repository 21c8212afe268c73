/** Requests and responses as frames: bodies that Kafka's own classes wrote, with headers in front. */
import { requestHeader, responseHeader } from '../../../src/protocol/index.ts';
import { requestHeaderVersion, responseHeaderVersion } from '../../../src/protocol/header.ts';
import { apis } from '../../../src/protocol/api/registry.ts';
import { messagesUnderTest } from '../../protocol/api/java-fixtures.ts';
import { joined } from './captures.ts';

const messages = new Map(messagesUnderTest().map((each) => [each.name, each]));

/** A request and its response, their lengths in front. */
export interface Exchange {
  readonly name: string;
  readonly version: number;
  readonly request: Uint8Array;
  readonly response: Uint8Array;
}

/** A request and its response for every API and version of which Java wrote both with this case of values. */
export function exchanges(wanted: string): Exchange[] {
  const found: Exchange[] = [];
  for (const api of apis) {
    const requests = messages.get(api.request.name)?.fixtures ?? [];
    const responses = messages.get(api.response.name)?.fixtures ?? [];
    for (const { version, bytes } of requests.filter((fixture) => fixture.case === wanted)) {
      const answer = responses.find((fixture) => fixture.version === version && fixture.case === wanted);
      if (!answer) continue;
      const correlationId = found.length + 1;
      const head = {
        apiKey: api.key,
        apiVersion: version,
        correlationId,
        clientId: 'sérvice-1',
      };
      const request = framed(requestHeader.encode(head, requestHeaderVersion(api, version)), bytes);
      const header = responseHeader.encode({ correlationId }, responseHeaderVersion(api, version));
      found.push({ name: api.name, version, request, response: framed(header, answer.bytes) });
    }
  }
  return found;
}

/** A frame of parts. */
export function framed(...parts: Uint8Array[]): Uint8Array {
  const body = joined(...parts);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setInt32(0, body.length);
  return joined(length, body);
}
