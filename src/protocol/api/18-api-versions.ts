/** 18 ApiVersions, v0-v5, flexible from v3.
 * v3 flexible, the response header excepted; client software, features (KIP-511, KIP-584). v4 features may
 * begin at 0. v5 clusterId and nodeId are checked (KIP-1242). A broker answers a version it does not know in
 * v0, with error 35.
 * Generated from fixtures/definitions/18-api-versions.json and tools/generate-overlay.ts by
 * tools/generate-api.ts.
 */
import { defineApi, type Api, type Fields } from '../schema.ts';

/** ApiVersions request, v0-v5. */
export interface ApiVersionsRequest {
  /** v3+. Letters, digits, dots and dashes; neither end a dot or dash. */
  clientSoftwareName: string;
  /** v3+. */
  clientSoftwareVersion: string;
  /** v5+, default null. */
  clusterId: string | null;
  /** v5+, default -1. */
  nodeId: number;
}

/** ApiVersions response, v0-v5. */
export interface ApiVersionsResponse {
  /** See `ErrorCodes`. */
  errorCode: number;
  apiKeys: ApiVersion[];
  /** v1+. Milliseconds the client should wait; the broker enforces it by then not reading. */
  throttleTimeMs: number;
  /** v3+. */
  supportedFeatures: SupportedFeatureKey[];
  /** v3+, default -1. -1 unknown. */
  finalizedFeaturesEpoch: number;
  /** v3+. */
  finalizedFeatures: FinalizedFeatureKey[];
  /** v3+. */
  zkMigrationReady: boolean;
}

/** Element of `ApiVersionsResponse.apiKeys`. */
export interface ApiVersion {
  apiKey: number;
  minVersion: number;
  maxVersion: number;
}

/** Element of `ApiVersionsResponse.supportedFeatures`. */
export interface SupportedFeatureKey {
  name: string;
  minVersion: number;
  maxVersion: number;
}

/** Element of `ApiVersionsResponse.finalizedFeatures`. */
export interface FinalizedFeatureKey {
  name: string;
  maxVersionLevel: number;
  minVersionLevel: number;
}

const apiVersionsRequest: Fields<ApiVersionsRequest> = {
  clientSoftwareName: { type: 'string', since: 3, ignorable: true },
  clientSoftwareVersion: { type: 'string', since: 3, ignorable: true },
  clusterId: { type: 'string', since: 5, nullable: true, default: null, ignorable: true },
  nodeId: { type: 'int32', since: 5, default: -1, ignorable: true },
};

const apiVersion: Fields<ApiVersion> = {
  apiKey: 'int16',
  minVersion: 'int16',
  maxVersion: 'int16',
};

const supportedFeatureKey: Fields<SupportedFeatureKey> = {
  name: 'string',
  minVersion: 'int16',
  maxVersion: 'int16',
};

const finalizedFeatureKey: Fields<FinalizedFeatureKey> = {
  name: 'string',
  maxVersionLevel: 'int16',
  minVersionLevel: 'int16',
};

const apiVersionsResponse: Fields<ApiVersionsResponse> = {
  errorCode: 'int16',
  apiKeys: [apiVersion],
  throttleTimeMs: { type: 'int32', since: 1, ignorable: true },
  supportedFeatures: { type: [supportedFeatureKey], since: 3, tag: 0, ignorable: true },
  finalizedFeaturesEpoch: { type: 'int64', since: 3, tag: 1, default: -1, ignorable: true },
  finalizedFeatures: { type: [finalizedFeatureKey], since: 3, tag: 2, ignorable: true },
  zkMigrationReady: { type: 'bool', since: 3, tag: 3, ignorable: true },
};

/** Tells which APIs in which versions a broker speaks: the first request on every connection (KIP-35). */
export const apiVersionsApi: Api<ApiVersionsRequest, ApiVersionsResponse> = /* @__PURE__ */ defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 5],
  flexibleSince: 3,
  request: apiVersionsRequest,
  response: apiVersionsResponse,
});
