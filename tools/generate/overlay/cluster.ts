/** Notes on the APIs that tell what a cluster is made of: versions, brokers, topics, coordinators, features.
 * Sources: Kafka's definitions, the KIPs named, Kafka's protocol guide.
 */
import type { ApiOverlay } from './notes.ts';

const ENDPOINTS = '1 brokers, 2 controllers.';

/** Notes by API name. */
export const cluster: ApiOverlay = {
  Metadata: {
    about: 'Tells brokers, topics, partitions and their leaders; any broker answers.',
    history:
      'v1 controllerId, isInternal, racks (KIP-36), null topics for all. v2 clusterId (KIP-78). v3 throttleTimeMs ' +
      '(KIP-124). v4 allowAutoTopicCreation. v5 offlineReplicas (KIP-112). v6 answers before it throttles (KIP-219). v7 ' +
      'leader epochs (KIP-320). v8 authorized operations (KIP-430). v10 topic ids, v12 questions by id (KIP-516). v11 ' +
      'without cluster operations (KIP-700). v13 errorCode (KIP-1102).',
    fields: {
      'MetadataRequest.topics':
        'Null asks for all topics, no elements for none; in v0 no elements ask for all.',
      'MetadataRequest.topics.topicId': 'Asked for by id (v12+), `name` is null.',
      'MetadataRequest.allowAutoTopicCreation':
        'The broker creates what is missing if `auto.create.topics.enable` allows it too.',
      'MetadataResponse.controllerId': 'A broker that passes requests on to the controller; -1 unknown.',
      'MetadataResponse.topics.name': 'Null for an unknown id.',
      'MetadataResponse.topics.topicId': 'All zeros for an unknown name.',
      'MetadataResponse.topics.partitions.leaderId': '-1 none now.',
      'MetadataResponse.topics.partitions.leaderEpoch': '-1 unknown.',
      'MetadataResponse.errorCode': 'REBOOTSTRAP_REQUIRED, or 0. See `ErrorCodes`.',
    },
  },
  FindCoordinator: {
    about:
      'Finds the broker that coordinates a group, a transactional id or a share partition; any broker answers.',
    history:
      'v1 keyType (KIP-98). v2 answers before it throttles (KIP-219). v4 several keys (KIP-699). v5 ' +
      'TRANSACTION_ABORTABLE (KIP-890). v6 share groups (KIP-932).',
    fields: {
      'FindCoordinatorRequest.keyType': '0 group, 1 transaction, 2 share (`groupId:topicId:partition`).',
    },
  },
  ApiVersions: {
    about:
      'Tells which APIs in which versions a broker speaks: the first request on every connection (KIP-35).',
    history:
      'v1 throttleTimeMs (KIP-124). v2 answers before it throttles (KIP-219). v3 flexible, the response header excepted; ' +
      'client software, features (KIP-511, KIP-584). v4 features may begin at 0. v5 clusterId and nodeId are checked ' +
      '(KIP-1242). A broker answers a version it does not know in v0, with error 35.',
    fields: {
      'ApiVersionsRequest.clientSoftwareName': 'Letters, digits, dots and dashes; neither end a dot or dash.',
      'ApiVersionsRequest.clientSoftwareVersion': 'Same rule as the name.',
      'ApiVersionsRequest.clusterId':
        'The cluster the client means to reach; a broker of another one answers REBOOTSTRAP_REQUIRED. Null checks nothing.',
      'ApiVersionsRequest.nodeId': 'The broker it means to reach, with `clusterId`; -1 checks nothing.',
      'ApiVersionsResponse.supportedFeatures':
        'What this broker could run; up to v3 without features from level 0.',
      'ApiVersionsResponse.finalizedFeaturesEpoch': '-1 unknown.',
      'ApiVersionsResponse.finalizedFeatures': 'What the cluster runs; means nothing with an unknown epoch.',
    },
  },
  DescribeCluster: {
    about: 'Tells cluster id and members without topics; brokers answer, and controllers for themselves.',
    history: 'Added by KIP-700. v1 endpointType (KIP-919). v2 fenced brokers (KIP-1073).',
    fields: {
      'DescribeClusterRequest.endpointType': ENDPOINTS,
      'DescribeClusterRequest.includeFencedBrokers': 'Brokers that are registered but not in service.',
      'DescribeClusterResponse.endpointType': ENDPOINTS,
      'DescribeClusterResponse.controllerId':
        'From a controller the active one; from a broker any live broker, as clients only need one that forwards.',
      'DescribeClusterResponse.brokers': 'The controllers if `endpointType` is 2.',
    },
  },
  DescribeTopicPartitions: {
    about: 'Describes partitions page by page, with their eligible leader replicas; any broker answers.',
    history: 'Added by KIP-966.',
    fields: {
      'DescribeTopicPartitionsRequest.topics': 'No elements ask for all.',
      'DescribeTopicPartitionsRequest.responsePartitionLimit':
        'The broker may return fewer (`max.request.partition.size.limit`).',
      'DescribeTopicPartitionsRequest.cursor':
        'Where to go on: `nextCursor` of the page before. Null begins.',
      'DescribeTopicPartitionsResponse.topics.partitions.leaderId': '-1 none now.',
      'DescribeTopicPartitionsResponse.topics.partitions.eligibleLeaderReplicas':
        'Replicas out of sync that still hold everything committed, so they may lead.',
      'DescribeTopicPartitionsResponse.topics.partitions.lastKnownElr':
        'Those that were eligible before they shut down uncleanly.',
      'DescribeTopicPartitionsResponse.nextCursor': 'Null after the last page.',
    },
  },
};
