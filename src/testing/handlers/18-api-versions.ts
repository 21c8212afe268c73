/** 18 ApiVersions: which APIs and versions this broker offers, as a Kafka 4.4 broker would for those it has.
 * Not here: a request of a version that is not offered (../connection.ts answers it as KIP-511 says).
 * Invariant: what is offered is served, except Produce 0 to 2, which brokers list for the sake of old clients only.
 */
import { apiVersionsApi, type ApiVersionsResponse } from '../../protocol/api/18-api-versions.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input, VersionRange } from '../../protocol/schema.ts';
import type { ClusterSettings } from '../cluster-state.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

const produceKey = 0;
const namePattern = /^[a-zA-Z0-9]([a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
/** metadata.version of Kafka 4.4. Features of what is not there, such as share groups, are left out. */
const metadataVersion = { name: 'metadata.version', minVersion: 7, maxVersion: 33 };
const transactionVersion = { name: 'transaction.version', minVersion: 0, maxVersion: 2 };

/** The versions of an API that a cluster serves; undefined when its highest version is capped below the lowest. */
export function servedVersions(
  { api }: Pick<Handler, 'api'>,
  { maxVersions }: ClusterSettings,
): VersionRange | undefined {
  const { min, max } = api.request.versions;
  const highest = Math.min(api.unstable ? max - 1 : max, maxVersions.get(api.key) ?? max);
  return highest < min ? undefined : { min, max: highest };
}

/** Makes the handler, which lists `handlers` and itself. */
export function apiVersionsHandler(handlers: readonly Handler[]): Handler {
  const self: Handler = handler(apiVersionsApi, (request, context) => {
    const refuse = (errorCode: number): Input<ApiVersionsResponse> => ({ errorCode });
    return context.attempt(() => {
      if (context.apiVersion >= 3 && !isNamed(request)) return refuse(ErrorCodes.INVALID_REQUEST);
      if (!isMeant(request.clusterId, request.nodeId, context))
        return refuse(ErrorCodes.REBOOTSTRAP_REQUIRED);
      const { settings } = context.cluster;
      return {
        apiKeys: offered([...handlers, self], settings),
        // Clients before version 4 cannot read features that begin at 0.
        supportedFeatures: context.apiVersion < 4 ? [metadataVersion] : [metadataVersion, transactionVersion],
        finalizedFeaturesEpoch: 1,
        finalizedFeatures: [
          finalized(metadataVersion.name, metadataVersion.maxVersion),
          finalized(transactionVersion.name, settings.transactionVersion),
        ],
      };
    }, refuse);
  });
  return self;
}

function finalized(
  name: string,
  level: number,
): { name: string; minVersionLevel: number; maxVersionLevel: number } {
  return { name, minVersionLevel: level, maxVersionLevel: level };
}

/** Whether the client says what software it is (KIP-511). */
function isNamed({
  clientSoftwareName,
  clientSoftwareVersion,
}: {
  clientSoftwareName: string;
  clientSoftwareVersion: string;
}): boolean {
  return namePattern.test(clientSoftwareName) && namePattern.test(clientSoftwareVersion);
}

/** Whether the client is where it wanted to be (KIP-1242). */
function isMeant(
  clusterId: string | null,
  nodeId: number,
  { cluster, nodeId: ownId }: RequestContext,
): boolean {
  return (
    (clusterId ?? cluster.settings.clusterId) === cluster.settings.clusterId &&
    (nodeId === -1 || nodeId === ownId)
  );
}

function offered(
  handlers: readonly Handler[],
  settings: ClusterSettings,
): { apiKey: number; minVersion: number; maxVersion: number }[] {
  return handlers
    .toSorted((a, b) => a.api.key - b.api.key)
    .flatMap((each) => {
      const versions = servedVersions(each, settings);
      if (versions === undefined) return [];
      const apiKey = each.api.key;
      return [{ apiKey, minVersion: apiKey === produceKey ? 0 : versions.min, maxVersion: versions.max }];
    });
}
