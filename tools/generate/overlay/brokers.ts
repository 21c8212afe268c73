/** Notes on log directories, and on what brokers and controllers tell each other about brokers, controllers and partitions.
 * Sources: Kafka's definitions, the KIPs named, Kafka's QuorumController.
 */
import { type ApiOverlay, NULL_ASKS_FOR_ALL } from './notes.ts';

const FEATURES = 'What the process could run.';

/** Notes by API name. */
export const brokers: ApiOverlay = {
  AlterReplicaLogDirs: {
    about: "Moves a broker's replicas between its log directories; that broker answers.",
    history: 'Added by KIP-113. v1 answers before it throttles (KIP-219).',
  },
  DescribeLogDirs: {
    about:
      "Tells sizes of a broker's log directories and of the replicas in them; each broker answers for itself.",
    history:
      'Added by KIP-113. v1 answers before it throttles (KIP-219). v3 errorCode (KIP-784). v4 totalBytes, usableBytes ' +
      '(KIP-827). v5 isCordoned (KIP-1066).',
    fields: {
      'DescribeLogDirsRequest.topics': NULL_ASKS_FOR_ALL,
      'DescribeLogDirsResponse.results.errorCode': 'KAFKA_STORAGE_ERROR if it is offline. See `ErrorCodes`.',
      'DescribeLogDirsResponse.results.topics.partitions.partitionSize': 'Bytes of the local segments.',
      'DescribeLogDirsResponse.results.topics.partitions.offsetLag':
        'Records behind: of a replica that moves behind the present one, else behind the high watermark.',
      'DescribeLogDirsResponse.results.topics.partitions.isFutureKey':
        'The copy that AlterReplicaLogDirs makes, until it takes over.',
      'DescribeLogDirsResponse.results.totalBytes': 'Of the whole volume; -1 unknown.',
      'DescribeLogDirsResponse.results.usableBytes': 'Of the whole volume; -1 unknown.',
      'DescribeLogDirsResponse.results.isCordoned': 'It gets no new replicas.',
    },
    // Network file systems report exabytes, and Java says Long.MAX_VALUE for what is larger still.
    bigints: ['DescribeLogDirsResponse.results.totalBytes', 'DescribeLogDirsResponse.results.usableBytes'],
  },
  AlterPartition: {
    about: 'Proposes in-sync replicas of partitions, from their leader to the active controller.',
    history:
      'Added by KIP-497. v1 leaderRecoveryState (KIP-704). v2 topic ids, INELIGIBLE_REPLICA (KIP-841). v3 ' +
      'newIsrWithEpochs (KIP-903).',
    fields: {
      'AlterPartitionRequest.topics.partitions.partitionEpoch':
        'The one the leader knows; INVALID_UPDATE_VERSION if there is a newer one.',
    },
  },
  Envelope: {
    about: 'Wraps a request that a broker forwards to the active controller for a client.',
    history: 'Added by KIP-590.',
    fields: {
      'EnvelopeRequest.requestData': "The client's header and request, without the frame's length.",
      'EnvelopeRequest.requestPrincipal':
        '`DefaultPrincipalData` behind its version, unless the broker has its own format.',
      'EnvelopeRequest.clientHostAddress': '4 or 16 bytes.',
      'EnvelopeResponse.responseData': 'Header and response for the client.',
      'EnvelopeResponse.errorCode': 'Of the forwarding alone. See `ErrorCodes`.',
    },
  },
  BrokerRegistration: {
    about: 'Registers a starting broker with the active controller, which answers its epoch.',
    history:
      'Added by KIP-631. v1 isMigratingZkBroker (KIP-866). v2 logDirs (KIP-858). v3 previousBrokerEpoch (KIP-966). v4 ' +
      'features may begin at 0.',
    fields: {
      'BrokerRegistrationRequest.features': FEATURES,
      'BrokerRegistrationRequest.previousBrokerEpoch': 'Of the last run if it shut down cleanly, else -1.',
      'BrokerRegistrationResponse.brokerEpoch': '-1 after an error.',
    },
  },
  BrokerHeartbeat: {
    about: 'Keeps a broker registered with the active controller, which fences it or lets it serve.',
    history: 'Added by KIP-631. v1 offlineLogDirs (KIP-858). v2 cordonedLogDirs (KIP-1066).',
    fields: {
      'BrokerHeartbeatRequest.currentMetadataOffset': 'How far it has read the metadata log.',
      'BrokerHeartbeatRequest.wantShutDown': 'Asks to move leaders away before it stops.',
      'BrokerHeartbeatRequest.cordonedLogDirs': 'Null: not known yet.',
      'BrokerHeartbeatResponse.isFenced': 'It gets no leaders and no clients.',
      'BrokerHeartbeatResponse.shouldShutDown': 'Its leaders are moved: it may stop.',
    },
  },
  UnregisterBroker: {
    about:
      'Removes the registration of a broker that is gone for good, on the controller; brokers forward it.',
    history: 'Added by KIP-631.',
  },
  ControllerRegistration: {
    about: 'Registers a controller with the active one: endpoints and features.',
    history: 'Added by KIP-919.',
    fields: { 'ControllerRegistrationRequest.features': FEATURES },
  },
  AssignReplicasToDirs: {
    about: 'Tells the active controller which log directory of a broker holds which replicas.',
    history: 'Added by KIP-858.',
  },
  UnregisterController: {
    about:
      'Removes the registration of a controller that is gone for good, on the active one; brokers forward it.',
    history: 'Added by KIP-1312.',
  },
};
