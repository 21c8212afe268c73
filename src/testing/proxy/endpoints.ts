/** The addresses of brokers inside answers: where they stand, API by API, and how they are replaced.
 * Not here: which address replaces which (fault-proxy.ts).
 * Invariant: an answer in which no address changes keeps its bytes.
 */
import { fetchApi } from '../../protocol/api/01-fetch.ts';
import { findCoordinatorApi } from '../../protocol/api/10-find-coordinator.ts';
import { metadataApi } from '../../protocol/api/03-metadata.ts';
import { produceApi } from '../../protocol/api/00-produce.ts';
import { describeClusterApi } from '../../protocol/api/60-describe-cluster.ts';
import { shareAcknowledgeApi } from '../../protocol/api/79-share-acknowledge.ts';
import { shareFetchApi } from '../../protocol/api/78-share-fetch.ts';
import { encodeResponse } from '../../protocol/frame.ts';
import { decodeResponseHeader, responseHeaderVersion } from '../../protocol/header.ts';
import { ByteReader } from '../../protocol/reader.ts';
import type { Api, Input } from '../../protocol/schema.ts';
import { joined } from './lane.ts';

/** A broker as an answer names it. */
export interface Endpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** The address to name instead; the same object when it is to stay. */
export type Readdress = (endpoint: Endpoint) => Promise<{ readonly host: string; readonly port: number }>;

/** Rewrites the answers of one API: the frame with its length, or undefined when nothing changes. */
export type Rewrite = (
  frame: Uint8Array,
  version: number,
  readdress: Readdress,
) => Promise<Uint8Array | undefined>;

interface Place {
  host: string;
  port: number;
  nodeId?: number;
  brokerId?: number;
}

function rewriter<Request, Response>(
  api: Api<Request, Response>,
  placesIn: (response: Response) => readonly Place[],
): readonly [number, Rewrite] {
  const rewrite: Rewrite = async (frame, version, readdress) => {
    const reader = new ByteReader(frame);
    const { correlationId } = decodeResponseHeader(reader, responseHeaderVersion(api, version));
    const response = api.response.decode(reader, version);
    let changes = false;
    for (const place of placesIn(response)) {
      const { host, port, nodeId = place.brokerId ?? -1 } = place;
      // A coordinator that is not known yet stands there without an address.
      if (host === '' || port <= 0) continue;
      const target = await readdress({ nodeId, host, port });
      changes ||= target.host !== host || target.port !== port;
      place.host = target.host;
      place.port = target.port;
    }
    if (!changes) return undefined;
    return joined(encodeResponse(api, version, correlationId, response as Input<Response>));
  };
  return [api.key, rewrite];
}

/** By API key, for those whose answers name brokers. */
export function endpointRewrites(): ReadonlyMap<number, Rewrite> {
  return new Map([
    rewriter(metadataApi, ({ brokers }) => brokers),
    rewriter(findCoordinatorApi, (answer) => [answer, ...answer.coordinators]),
    rewriter(describeClusterApi, ({ brokers, endpointType }) => (endpointType === 1 ? brokers : [])),
    rewriter(produceApi, ({ nodeEndpoints }) => nodeEndpoints),
    rewriter(fetchApi, ({ nodeEndpoints }) => nodeEndpoints),
    rewriter(shareFetchApi, ({ nodeEndpoints }) => nodeEndpoints),
    rewriter(shareAcknowledgeApi, ({ nodeEndpoints }) => nodeEndpoints),
  ]);
}
