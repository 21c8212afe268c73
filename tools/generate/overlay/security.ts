/** Notes on authentication, access control, SCRAM credentials and delegation tokens.
 * Sources: Kafka's definitions, the KIPs named, the enums of org.apache.kafka.common.acl and .resource.
 */
import { type ApiOverlay, NULL_ASKS_FOR_ALL } from './notes.ts';

const RESOURCE_TYPE = '2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user';
const PATTERN = '3 literal, 4 prefixed';
const OPERATION =
  '2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 cluster action, 10 describe configs, ' +
  '11 alter configs, 12 idempotent write, 13 create tokens, 14 describe tokens, 15 two-phase commit';
const PERMISSION = '2 deny, 3 allow';
const PRINCIPAL = 'Such as `User:alice`; `User:*` is everyone.';
const HOST = 'An address; `*` is any.';
const MECHANISM = '1 SCRAM-SHA-256, 2 SCRAM-SHA-512.';
const ACL_VERSIONS =
  'Added by KIP-140. v1 pattern types (KIP-290), answers before it throttles (KIP-219). v3 users as resources (KIP-373).';
const HMAC = 'The secret of the token, which stands for it.';

/** Notes by API name. */
export const security: ApiOverlay = {
  SaslHandshake: {
    about:
      'Chooses a SASL mechanism; the first request of authentication, answered by the broker connected to.',
    history:
      'Added by KIP-43. v0 is followed by bare tokens on the socket, v1 by SaslAuthenticate (KIP-152). No later version, ' +
      'as old clients negotiate this one wrongly (KAFKA-9577).',
    fields: {
      'SaslHandshakeRequest.mechanism': 'Such as `SCRAM-SHA-512`, `PLAIN`, `OAUTHBEARER`, `GSSAPI`.',
      'SaslHandshakeResponse.mechanisms': 'What the listener has; to be shown when ours is missing.',
    },
  },
  SaslAuthenticate: {
    about:
      'Carries one token of the SASL mechanism there and one back; repeated until the mechanism is done.',
    history: 'Added by KIP-152. v1 sessionLifetimeMs (KIP-368).',
    fields: {
      'SaslAuthenticateRequest.authBytes': "The mechanism's own format.",
      'SaslAuthenticateResponse.authBytes': "The mechanism's own format.",
      'SaslAuthenticateResponse.sessionLifetimeMs':
        'The broker closes the connection after so long unless the client authenticates again; 0 never.',
    },
  },
  DescribeAcls: {
    about: 'Lists the access rules that match a filter; any broker answers.',
    history: ACL_VERSIONS,
    fields: {
      'DescribeAclsRequest.resourceTypeFilter': `1 any, ${RESOURCE_TYPE}.`,
      'DescribeAclsRequest.resourceNameFilter': 'Null matches any.',
      'DescribeAclsRequest.patternTypeFilter': `1 any, 2 all that apply to the name, ${PATTERN}.`,
      'DescribeAclsRequest.principalFilter': 'Null matches any; `User:*` matches only itself.',
      'DescribeAclsRequest.hostFilter': 'Null matches any; `*` matches only itself.',
      'DescribeAclsRequest.operation': `1 any, ${OPERATION}.`,
      'DescribeAclsRequest.permissionType': `1 any, ${PERMISSION}.`,
      'DescribeAclsResponse.resources.resourceType': `${RESOURCE_TYPE}.`,
      'DescribeAclsResponse.resources.patternType': `${PATTERN}.`,
      'DescribeAclsResponse.resources.acls.principal': PRINCIPAL,
      'DescribeAclsResponse.resources.acls.host': HOST,
      'DescribeAclsResponse.resources.acls.operation': `${OPERATION}.`,
      'DescribeAclsResponse.resources.acls.permissionType': `${PERMISSION}.`,
    },
  },
  CreateAcls: {
    about: 'Adds access rules, on the controller; brokers forward it.',
    history: ACL_VERSIONS,
    fields: {
      'CreateAclsRequest.creations.resourceType': `${RESOURCE_TYPE}.`,
      'CreateAclsRequest.creations.resourceName':
        '`*` is any, with pattern 3; the cluster is `kafka-cluster`.',
      'CreateAclsRequest.creations.resourcePatternType': `${PATTERN}.`,
      'CreateAclsRequest.creations.principal': PRINCIPAL,
      'CreateAclsRequest.creations.host': HOST,
      'CreateAclsRequest.creations.operation': `${OPERATION}.`,
      'CreateAclsRequest.creations.permissionType': `${PERMISSION}.`,
      'CreateAclsResponse.results': 'In the order of `creations`.',
    },
  },
  DeleteAcls: {
    about:
      'Deletes the access rules that match filters, and tells which; on the controller, brokers forward it.',
    history: ACL_VERSIONS,
    fields: {
      'DeleteAclsRequest.filters.resourceTypeFilter': `1 any, ${RESOURCE_TYPE}.`,
      'DeleteAclsRequest.filters.resourceNameFilter': 'Null matches any.',
      'DeleteAclsRequest.filters.patternTypeFilter': `1 any, 2 all that apply to the name, ${PATTERN}.`,
      'DeleteAclsRequest.filters.principalFilter': 'Null matches any; `User:*` matches only itself.',
      'DeleteAclsRequest.filters.hostFilter': 'Null matches any; `*` matches only itself.',
      'DeleteAclsRequest.filters.operation': `1 any, ${OPERATION}.`,
      'DeleteAclsRequest.filters.permissionType': `1 any, ${PERMISSION}.`,
      'DeleteAclsResponse.filterResults': 'In the order of `filters`.',
      'DeleteAclsResponse.filterResults.matchingAcls': 'Deleted, unless its own `errorCode` says otherwise.',
      'DeleteAclsResponse.filterResults.matchingAcls.resourceType': `${RESOURCE_TYPE}.`,
      'DeleteAclsResponse.filterResults.matchingAcls.patternType': `${PATTERN}.`,
      'DeleteAclsResponse.filterResults.matchingAcls.operation': `${OPERATION}.`,
      'DeleteAclsResponse.filterResults.matchingAcls.permissionType': `${PERMISSION}.`,
    },
  },
  CreateDelegationToken: {
    about: 'Creates a token that authenticates as its owner by SCRAM, on the controller; brokers forward it.',
    history:
      'Added by KIP-48. v1 answers before it throttles (KIP-219). v3 tokens for other users (KIP-373).',
    fields: {
      'CreateDelegationTokenRequest.ownerPrincipalName': 'Null for the caller.',
      'CreateDelegationTokenRequest.renewers': 'The owner may always renew it.',
      'CreateDelegationTokenRequest.maxLifetimeMs': "-1 for the broker's `delegation.token.max.lifetime.ms`.",
      'CreateDelegationTokenResponse.expiryTimestampMs': 'Unless it is renewed before.',
      'CreateDelegationTokenResponse.maxTimestampMs': 'Beyond it nobody can renew it.',
      'CreateDelegationTokenResponse.tokenId': 'The user name of the SCRAM login.',
      'CreateDelegationTokenResponse.hmac': 'In base64 the password of the SCRAM login.',
    },
  },
  RenewDelegationToken: {
    about: "Puts off a token's expiry, on the controller; brokers forward it.",
    history: 'Added by KIP-48. v1 answers before it throttles (KIP-219).',
    fields: {
      'RenewDelegationTokenRequest.hmac': HMAC,
      'RenewDelegationTokenRequest.renewPeriodMs': "-1 for the broker's `delegation.token.expiry.time.ms`.",
    },
  },
  ExpireDelegationToken: {
    about: "Brings a token's expiry forward or ends it now, on the controller; brokers forward it.",
    history: 'Added by KIP-48. v1 answers before it throttles (KIP-219).',
    fields: {
      'ExpireDelegationTokenRequest.hmac': HMAC,
      'ExpireDelegationTokenRequest.expiryTimePeriodMs':
        'From now on; a negative one ends the token at once.',
    },
  },
  DescribeDelegationToken: {
    about: 'Lists the tokens that the caller may see; any broker answers.',
    history:
      'Added by KIP-48. v1 answers before it throttles (KIP-219). v3 who asked for the token (KIP-373).',
    fields: { 'DescribeDelegationTokenRequest.owners': NULL_ASKS_FOR_ALL },
  },
  DescribeUserScramCredentials: {
    about: 'Tells which SCRAM credentials users have, without secrets; any broker answers.',
    history: 'Added by KIP-554.',
    fields: {
      'DescribeUserScramCredentialsRequest.users': 'Null or no elements ask for all.',
      'DescribeUserScramCredentialsResponse.results.errorCode':
        'RESOURCE_NOT_FOUND for a user without any. See `ErrorCodes`.',
      'DescribeUserScramCredentialsResponse.results.credentialInfos.mechanism': MECHANISM,
    },
  },
  AlterUserScramCredentials: {
    about: 'Sets and removes SCRAM credentials of users, on the controller; brokers forward it.',
    history: 'Added by KIP-554.',
    fields: {
      'AlterUserScramCredentialsRequest.deletions.mechanism': MECHANISM,
      'AlterUserScramCredentialsRequest.upsertions.mechanism': MECHANISM,
      'AlterUserScramCredentialsRequest.upsertions.iterations': '4096 to 16384.',
      'AlterUserScramCredentialsRequest.upsertions.salt': 'Random, from the client.',
      'AlterUserScramCredentialsRequest.upsertions.saltedPassword':
        'PBKDF2 of password, salt and iterations: the password itself never leaves the client.',
    },
  },
};
