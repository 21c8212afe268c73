/** Notes on the records of `__cluster_metadata`, the log of the controller quorum (KIP-631).
 * A value is a frame version, the type (the API key of the message), its version, each an unsigned varint, and the message;
 * there are no keys.
 * Sources: Kafka's definitions, the KIPs named.
 */
import type { MessageOverlay } from './notes.ts';

const UNCHANGED = 'Null: as before.';
const DIRECTORIES = 'One a replica, in their order.';
const MECHANISM = '1 SCRAM-SHA-256, 2 SCRAM-SHA-512.';
const ELR = 'Replicas out of sync that still hold everything committed, so they may lead.';
const LAST_ELR = 'Those that were eligible before they shut down uncleanly.';

/** Notes by message name. */
export const metadataRecords: MessageOverlay = {
  RegisterBrokerRecord: {
    about: 'A broker registered.',
    history:
      'v1 inControlledShutdown (KIP-841). v2 isMigratingZkBroker (KIP-866). v3 logDirs (KIP-858). v4 cordonedLogDirs ' +
      '(KIP-1066).',
    fields: {
      'RegisterBrokerRecord.features': 'What the process could run.',
      'RegisterBrokerRecord.fenced': 'It gets no leaders and no clients.',
      'RegisterBrokerRecord.cordonedLogDirs': 'Null: not known yet.',
    },
  },
  UnregisterBrokerRecord: { about: "A broker's registration was removed." },
  TopicRecord: { about: 'A topic was created.' },
  PartitionRecord: {
    about: 'A partition was created; in a snapshot its present state.',
    history: 'v1 directories (KIP-858). v2 eligibleLeaderReplicas, lastKnownElr (KIP-966).',
    fields: {
      'PartitionRecord.replicas': 'The first is the preferred leader.',
      'PartitionRecord.leader': '-1 none.',
      'PartitionRecord.leaderEpoch': 'One more with each leader.',
      'PartitionRecord.directories': DIRECTORIES,
      'PartitionRecord.eligibleLeaderReplicas': ELR,
      'PartitionRecord.lastKnownElr': LAST_ELR,
    },
  },
  ConfigRecord: {
    about: 'A configuration entry was set or removed.',
    fields: {
      'ConfigRecord.resourceType': '2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.',
      'ConfigRecord.resourceName': 'For brokers the id in decimal, or empty for the default of all.',
      'ConfigRecord.value': 'Null removes it.',
    },
  },
  PartitionChangeRecord: {
    about: 'A partition changed: only what is new is in it.',
    history: 'v1 directories (KIP-858). v2 eligibleLeaderReplicas, lastKnownElr (KIP-966).',
    fields: {
      'PartitionChangeRecord.isr': UNCHANGED,
      'PartitionChangeRecord.leader': '-1 none, -2 as before.',
      'PartitionChangeRecord.replicas': UNCHANGED,
      'PartitionChangeRecord.removingReplicas': UNCHANGED,
      'PartitionChangeRecord.addingReplicas': UNCHANGED,
      'PartitionChangeRecord.leaderRecoveryState': '-1 as before, 0 recovered, 1 recovering.',
      'PartitionChangeRecord.directories': `${DIRECTORIES} ${UNCHANGED}`,
      'PartitionChangeRecord.eligibleLeaderReplicas': `${ELR} ${UNCHANGED}`,
      'PartitionChangeRecord.lastKnownElr': `${LAST_ELR} ${UNCHANGED}`,
    },
  },
  FenceBrokerRecord: { about: 'A broker was fenced; BrokerRegistrationChangeRecord came instead.' },
  UnfenceBrokerRecord: { about: 'A broker may serve again; BrokerRegistrationChangeRecord came instead.' },
  RemoveTopicRecord: { about: 'A topic was deleted, with all its partitions.' },
  DelegationTokenRecord: {
    about: 'A delegation token was created or changed, without its secret.',
    fields: {
      'DelegationTokenRecord.owner': 'Such as `User:alice`.',
      'DelegationTokenRecord.issueTimestamp': 'Milliseconds since 1970.',
      'DelegationTokenRecord.maxTimestamp': 'Milliseconds since 1970; beyond it nobody can renew it.',
      'DelegationTokenRecord.expirationTimestamp': 'Milliseconds since 1970, unless it is renewed before.',
    },
  },
  UserScramCredentialRecord: {
    about: 'A SCRAM credential was set.',
    fields: {
      'UserScramCredentialRecord.mechanism': MECHANISM,
      'UserScramCredentialRecord.storedKey': "Checks the client's proof (RFC 5802).",
      'UserScramCredentialRecord.serverKey': "Makes the server's own proof (RFC 5802).",
    },
  },
  FeatureLevelRecord: {
    about:
      'A feature was finalized at a level; the first record of a log or snapshot, for `metadata.version`.',
    fields: { 'FeatureLevelRecord.featureLevel': '0 switches it off.' },
  },
  ClientQuotaRecord: {
    about: 'A quota was set or removed.',
    fields: {
      'ClientQuotaRecord.entity.entityType': '`user`, `client-id` or `ip`.',
      'ClientQuotaRecord.entity.entityName': 'Null for the default of the type.',
      'ClientQuotaRecord.value': 'Means nothing with `remove`.',
    },
  },
  ProducerIdsRecord: {
    about: 'A block of producer ids was given to a broker (KIP-730).',
    fields: { 'ProducerIdsRecord.nextProducerId': 'First id behind the block.' },
    bigints: ['ProducerIdsRecord.nextProducerId'],
  },
  BrokerRegistrationChangeRecord: {
    about: 'A registered broker changed: only what is new is in it.',
    history: 'v1 inControlledShutdown (KIP-841). v2 logDirs (KIP-858). v3 cordonedLogDirs (KIP-1066).',
    fields: {
      'BrokerRegistrationChangeRecord.fenced': '-1 it may serve, 0 as before, 1 it is fenced.',
      'BrokerRegistrationChangeRecord.inControlledShutdown': '0 as before, 1 it shuts down.',
      'BrokerRegistrationChangeRecord.cordonedLogDirs': UNCHANGED,
    },
  },
  AccessControlEntryRecord: {
    about: 'An access rule was added.',
    fields: {
      'AccessControlEntryRecord.resourceType':
        '2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.',
      'AccessControlEntryRecord.patternType': '3 literal, 4 prefixed.',
      'AccessControlEntryRecord.operation': 'As `operation` of CreateAcls.',
      'AccessControlEntryRecord.permissionType': '2 deny, 3 allow.',
    },
  },
  RemoveAccessControlEntryRecord: { about: 'An access rule was deleted.' },
  NoOpRecord: { about: 'Nothing happened: an idle controller shows that it is there (KIP-835).' },
  ZkMigrationStateRecord: {
    about: 'The migration from ZooKeeper went a step on; only found in logs that Kafka 3.x began (KIP-866).',
    fields: {
      'ZkMigrationStateRecord.zkMigrationState':
        '0 none, 1 migration, 2 before it, 3 after it; Kafka 3.4 had 1 and 2 the other way round.',
    },
  },
  RemoveUserScramCredentialRecord: {
    about: 'A SCRAM credential was removed.',
    fields: { 'RemoveUserScramCredentialRecord.mechanism': MECHANISM },
  },
  BeginTransactionRecord: {
    about: 'The records that follow count together, once EndTransactionRecord comes (KIP-868).',
    fields: { 'BeginTransactionRecord.name': 'For people.' },
  },
  EndTransactionRecord: { about: 'The records since BeginTransactionRecord count now (KIP-868).' },
  AbortTransactionRecord: {
    about: 'The records since BeginTransactionRecord are void (KIP-868).',
    fields: { 'AbortTransactionRecord.reason': 'For people.' },
  },
  RemoveDelegationTokenRecord: { about: 'A delegation token was deleted.' },
  RegisterControllerRecord: {
    about: 'A controller registered (KIP-919).',
    fields: { 'RegisterControllerRecord.features': 'What the process could run.' },
  },
  ClearElrRecord: {
    about: 'Eligible leader replicas were forgotten (KIP-966).',
    fields: { 'ClearElrRecord.topicName': 'Empty: of all topics.' },
  },
  UnregisterControllerRecord: { about: "A controller's registration was removed (KIP-1312)." },
};
