/** The first exchange on every connection: ApiVersions, and what to do when the broker does not know our version.
 * Invariant: no other request is written before the broker's spans are known.
 * Source: KIP-35, KIP-511 (error 35 comes in a v0 body; a body that cannot be read falls back to v0 as well).
 */
import { ConnectionError, ProtocolError } from '../../errors.ts';
import { apiVersionsApi } from '../../protocol/api/18-api-versions.ts';
import { ErrorCodes, errorCode } from '../../protocol/error-codes.ts';
import { ByteReader } from '../../protocol/reader.ts';
import type { VersionRange } from '../../protocol/schema.ts';
import type { FinalizedFeatures } from './features.ts';
import { softwareName, softwareVersion } from './software-version.ts';

/** The broker's span of each API, by key. */
export type BrokerVersions = ReadonlyMap<number, VersionRange>;

/** Sends ApiVersions in one version and returns the undecoded body of the answer. */
export type ExchangeApiVersions = (version: number, body: object) => Promise<Uint8Array>;

/** Highest version of ApiVersions that a refusal names; 0 when its body cannot be read. */
function versionAfterRefusal(body: Uint8Array, refused: number): number {
  try {
    const answer = apiVersionsApi.response.decode(body, 0);
    const own = answer.apiKeys.find((entry) => entry.apiKey === apiVersionsApi.key);
    return own === undefined ? 0 : Math.min(own.maxVersion, refused - 1);
  } catch (error) {
    if (error instanceof ProtocolError) return 0;
    throw error;
  }
}

/** Asks the broker for its API spans: in our newest version, then in the one that a refusal names, then in v0.
 * `features` learns what else the answer says. */
export async function handshake(
  exchange: ExchangeApiVersions,
  address: string,
  features?: FinalizedFeatures,
): Promise<BrokerVersions> {
  let version = apiVersionsApi.request.versions.max;
  for (let isRetry = false; ; isRetry = true) {
    const body = await exchange(version, {
      clientSoftwareName: softwareName,
      clientSoftwareVersion: softwareVersion,
    });
    const code = new ByteReader(body).int16();
    if (code === ErrorCodes.NONE) {
      const answer = apiVersionsApi.response.decode(body, version);
      features?.learn(answer);
      return new Map(
        answer.apiKeys.map(({ apiKey, minVersion: min, maxVersion: max }) => [apiKey, { min, max }]),
      );
    }
    if (code !== ErrorCodes.UNSUPPORTED_VERSION || version === 0) {
      const text = `Broker ${address} refused ApiVersions v${version}: ${errorCode(code).name} (${code})`;
      throw new ConnectionError(text, { code: 'CONNECT', address, stored: 'no' });
    }
    version = isRetry ? 0 : versionAfterRefusal(body, version);
  }
}
