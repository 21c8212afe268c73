/** Notes on the APIs that create, change and delete topics and place their partitions: the controller's work.
 * Sources: Kafka's definitions, the KIPs named, Kafka's ReplicationControlManager.
 */
import { type ApiOverlay, NULL_ASKS_FOR_ALL } from './notes.ts';

const TIMEOUT = 'How long the controller may take.';

/** Notes by API name. */
export const topics: ApiOverlay = {
  CreateTopics: {
    about: 'Creates topics, on the controller; brokers of KRaft clusters forward it.',
    history:
      'v3 answers before it throttles (KIP-219). v4 the broker chooses counts given as -1 (KIP-464). v5 the ' +
      'configuration in the answer (KIP-525). v6 THROTTLING_QUOTA_EXCEEDED (KIP-599). v7 topicId (KIP-516).',
    fields: {
      'CreateTopicsRequest.topics.numPartitions': "-1 for the broker's default, or with `assignments`.",
      'CreateTopicsRequest.topics.replicationFactor': "-1 for the broker's default, or with `assignments`.",
      'CreateTopicsRequest.topics.assignments':
        'Every partition from 0 on, or no elements: the controller chooses.',
      'CreateTopicsRequest.topics.assignments.brokerIds': 'The first is the preferred leader.',
      'CreateTopicsRequest.timeoutMs': TIMEOUT,
      'CreateTopicsRequest.validateOnly': 'Checks everything and creates nothing.',
      'CreateTopicsResponse.topics.topicConfigErrorCode':
        'TOPIC_AUTHORIZATION_FAILED if the caller may not see the configuration; the topic is there all the same.',
      'CreateTopicsResponse.topics.numPartitions': '-1 if the caller may not see it.',
      'CreateTopicsResponse.topics.replicationFactor': '-1 if the caller may not see it.',
      'CreateTopicsResponse.topics.configs': 'Null if the caller may not see it.',
      'CreateTopicsResponse.topics.configs.configSource': 'As `configSource` of DescribeConfigs.',
    },
  },
  DeleteTopics: {
    about: 'Deletes topics, on the controller; brokers of KRaft clusters forward it.',
    history:
      'v1 throttleTimeMs (KIP-124). v2 answers before it throttles (KIP-219). v3 TOPIC_DELETION_DISABLED (KIP-322). v5 ' +
      'errorMessage, THROTTLING_QUOTA_EXCEEDED (KIP-599). v6 by name or id (KIP-516).',
    fields: {
      'DeleteTopicsRequest.topics.name': 'Null to delete by id.',
      'DeleteTopicsRequest.topics.topicId': 'All zeros to delete by name.',
      'DeleteTopicsRequest.timeoutMs': TIMEOUT,
      'DeleteTopicsResponse.responses.name': 'Null for an unknown id, or one the caller may not see.',
    },
  },
  CreatePartitions: {
    about: 'Adds partitions to topics, on the controller; brokers forward it.',
    history:
      'Added by KIP-195. v1 answers before it throttles (KIP-219). v3 THROTTLING_QUOTA_EXCEEDED (KIP-599).',
    fields: {
      'CreatePartitionsRequest.topics.count': 'Of all partitions afterwards, not of the new ones.',
      'CreatePartitionsRequest.topics.assignments':
        'One element a new partition; null: the controller chooses.',
      'CreatePartitionsRequest.topics.assignments.brokerIds': 'The first is the preferred leader.',
      'CreatePartitionsRequest.timeoutMs': TIMEOUT,
      'CreatePartitionsRequest.validateOnly': 'Checks everything and creates nothing.',
    },
  },
  ElectLeaders: {
    about: 'Elects leaders of partitions, on the controller; brokers forward it.',
    history: 'Added by KIP-183. v1 electionType, errorCode (KIP-460).',
    fields: {
      'ElectLeadersRequest.electionType':
        '0 the preferred leader, 1 any live replica where none is in sync, which may lose records.',
      'ElectLeadersRequest.topicPartitions': NULL_ASKS_FOR_ALL,
      'ElectLeadersRequest.timeoutMs': TIMEOUT,
      'ElectLeadersResponse.replicaElectionResults.partitionResult.errorCode':
        'ELECTION_NOT_NEEDED where the leader is already the right one. See `ErrorCodes`.',
    },
  },
  AlterPartitionReassignments: {
    about: 'Moves partitions to other brokers, or cancels that, on the controller; brokers forward it.',
    history: 'Added by KIP-455. v1 allowReplicationFactorChange (KIP-860).',
    fields: {
      'AlterPartitionReassignmentsRequest.timeoutMs': 'For the decision; the copying takes its own time.',
      'AlterPartitionReassignmentsRequest.allowReplicationFactorChange':
        'False refuses lists of another length.',
      'AlterPartitionReassignmentsRequest.topics.partitions.replicas':
        'The first is the preferred leader. Null cancels.',
    },
  },
  ListPartitionReassignments: {
    about:
      'Lists partitions that are on their way to other brokers, from the controller; brokers forward it.',
    history: 'Added by KIP-455.',
    fields: {
      'ListPartitionReassignmentsRequest.timeoutMs': TIMEOUT,
      'ListPartitionReassignmentsRequest.topics': NULL_ASKS_FOR_ALL,
      'ListPartitionReassignmentsResponse.topics.partitions.replicas':
        'All, those that come and those that go included.',
    },
  },
};
