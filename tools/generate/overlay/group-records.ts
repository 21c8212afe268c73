/** Notes on the records of `__consumer_offsets`: offsets, and groups of every type.
 * A key is its type as an int16, which is the API key of the message, and the message; a value its version and the message.
 * Sources: Kafka's definitions, the KIPs named.
 */
import type { MessageOverlay } from './notes.ts';

const HASH = 'Of all topics the group reads; another one calls for a new assignment (KIP-1101).';
const FLEXIBLE = 'v4 flexible: what comes later is tagged, so that older brokers can read it (KIP-915).';
const TIMESTAMP_TAG = 'Tag 0 assignmentTimestamp (KIP-1263).';
const TIMESTAMP = 'Milliseconds since 1970; 0 unknown.';
const PREVIOUS = 'Still accepted, as the answer with `memberEpoch` may have been lost.';
const STATE = '0 stable, 1 has partitions to give up, 2 waits for partitions of others.';
const ASSIGNED_AT =
  'When each partition was assigned, so that late commits are refused; as many as `partitions`, or none.';

/** Notes by message name. */
export const groupRecords: MessageOverlay = {
  LegacyOffsetCommitKey: {
    about: 'Key of a committed offset in its first format: group, topic, partition.',
  },
  LegacyOffsetCommitValue: { about: 'A committed offset in its first format.' },
  OffsetCommitKey: { about: 'Key of a committed offset: group, topic, partition.' },
  OffsetCommitValue: {
    about: 'A committed offset, of groups of every type but share.',
    history: `v1 expireTimestamp, gone since v2 (KIP-211). v3 leaderEpoch (KIP-320). ${FLEXIBLE} Tag 0 topicId (KIP-848).`,
    fields: {
      'OffsetCommitValue.offset': 'Of the next record to read.',
      'OffsetCommitValue.leaderEpoch': 'Of the last record that was read; -1 unknown.',
      'OffsetCommitValue.metadata': 'What the committer wrote beside it.',
      'OffsetCommitValue.commitTimestamp': 'Milliseconds since 1970.',
      'OffsetCommitValue.expireTimestamp': '-1 leaves it to the broker.',
    },
  },
  GroupMetadataKey: { about: 'Key of a classic group: its name.' },
  GroupMetadataValue: {
    about: 'A classic group with its members and their assignments.',
    history: `v1 rebalanceTimeout (KIP-62). v2 currentStateTimestamp (KIP-211). v3 groupInstanceId (KIP-345). ${FLEXIBLE}`,
    fields: {
      'GroupMetadataValue.protocolType': 'Empty for a group that only stores offsets.',
      'GroupMetadataValue.protocol': 'The assignor; null while nobody is in.',
      'GroupMetadataValue.leader': "The leader's member id; null while nobody is in.",
      'GroupMetadataValue.currentStateTimestamp': 'Milliseconds since 1970; -1 unknown.',
      'GroupMetadataValue.members.rebalanceTimeout': 'Milliseconds.',
      'GroupMetadataValue.members.sessionTimeout': 'Milliseconds.',
      'GroupMetadataValue.members.subscription':
        'Of a consumer: a `ConsumerProtocolSubscription` behind its version.',
      'GroupMetadataValue.members.assignment':
        'Of a consumer: a `ConsumerProtocolAssignment` behind its version.',
    },
  },
  ConsumerGroupMetadataKey: { about: 'Key of the epoch of a group of the consumer protocol (KIP-848).' },
  ConsumerGroupMetadataValue: {
    about: 'Epoch of a group of the consumer protocol (KIP-848).',
    history: 'Tag 0 metadataHash (KIP-1101).',
    fields: { 'ConsumerGroupMetadataValue.metadataHash': HASH },
    bigints: ['ConsumerGroupMetadataValue.metadataHash'],
  },
  ConsumerGroupPartitionMetadataKey: {
    about:
      'Key of what a group of the consumer protocol knew of its topics; only deleted since Kafka 4.1 (KIP-1101).',
  },
  ConsumerGroupPartitionMetadataValue: {
    about: 'What a group of the consumer protocol knew of its topics, before the hash (KIP-1101).',
  },
  ConsumerGroupMemberMetadataKey: { about: 'Key of a member of the consumer protocol (KIP-848).' },
  ConsumerGroupMemberMetadataValue: {
    about: 'What a member of the consumer protocol told about itself (KIP-848).',
    fields: {
      'ConsumerGroupMemberMetadataValue.instanceId': 'Name of a static member (KIP-345).',
      'ConsumerGroupMemberMetadataValue.serverAssignor': 'Null leaves the choice to the group.',
      'ConsumerGroupMemberMetadataValue.classicMemberMetadata':
        'Only of a member that still speaks the classic protocol.',
    },
  },
  ConsumerGroupTargetAssignmentMetadataKey: {
    about: 'Key of the epoch of a target assignment of the consumer protocol (KIP-848).',
  },
  ConsumerGroupTargetAssignmentMetadataValue: {
    about: 'The group epoch that a target assignment of the consumer protocol was made for (KIP-848).',
    history: TIMESTAMP_TAG,
    fields: { 'ConsumerGroupTargetAssignmentMetadataValue.assignmentTimestamp': TIMESTAMP },
  },
  ConsumerGroupTargetAssignmentMemberKey: {
    about: "Key of a member's target assignment in the consumer protocol (KIP-848).",
  },
  ConsumerGroupTargetAssignmentMemberValue: {
    about: 'What a member of the consumer protocol is to hold in the end (KIP-848).',
  },
  ConsumerGroupCurrentMemberAssignmentKey: {
    about: "Key of a member's present assignment in the consumer protocol (KIP-848).",
  },
  ConsumerGroupCurrentMemberAssignmentValue: {
    about: 'What a member of the consumer protocol holds now, and must give up (KIP-848).',
    history: 'Tag 0 of the partitions assignmentEpochs (KIP-1251).',
    fields: {
      'ConsumerGroupCurrentMemberAssignmentValue.previousMemberEpoch': PREVIOUS,
      'ConsumerGroupCurrentMemberAssignmentValue.state': STATE,
      'ConsumerGroupCurrentMemberAssignmentValue.assignedPartitions.assignmentEpochs': ASSIGNED_AT,
    },
  },
  ConsumerGroupRegularExpressionKey: {
    about: 'Key of what a regular expression of a group of the consumer protocol matches (KIP-848).',
  },
  ConsumerGroupRegularExpressionValue: {
    about: 'The topics that a regular expression of a group of the consumer protocol matches (KIP-848).',
    fields: {
      'ConsumerGroupRegularExpressionValue.version': 'Offset in the metadata log up to which it holds.',
      'ConsumerGroupRegularExpressionValue.timestamp': 'Milliseconds since 1970.',
    },
  },
  ShareGroupMetadataKey: { about: 'Key of the epoch of a share group (KIP-932).' },
  ShareGroupMetadataValue: {
    about: 'Epoch of a share group (KIP-932).',
    fields: { 'ShareGroupMetadataValue.metadataHash': HASH },
    bigints: ['ShareGroupMetadataValue.metadataHash'],
  },
  ShareGroupMemberMetadataKey: { about: 'Key of a member of a share group (KIP-932).' },
  ShareGroupMemberMetadataValue: { about: 'What a member of a share group told about itself (KIP-932).' },
  ShareGroupTargetAssignmentMetadataKey: {
    about: 'Key of the epoch of a target assignment of a share group (KIP-932).',
  },
  ShareGroupTargetAssignmentMetadataValue: {
    about: 'The group epoch that a target assignment of a share group was made for (KIP-932).',
    history: TIMESTAMP_TAG,
    fields: { 'ShareGroupTargetAssignmentMetadataValue.assignmentTimestamp': TIMESTAMP },
  },
  ShareGroupTargetAssignmentMemberKey: {
    about: "Key of a member's target assignment in a share group (KIP-932).",
  },
  ShareGroupTargetAssignmentMemberValue: {
    about: 'What a member of a share group is to read (KIP-932).',
  },
  ShareGroupCurrentMemberAssignmentKey: {
    about: "Key of a member's present assignment in a share group (KIP-932).",
  },
  ShareGroupCurrentMemberAssignmentValue: {
    about: 'What a member of a share group reads now (KIP-932).',
    fields: {
      'ShareGroupCurrentMemberAssignmentValue.previousMemberEpoch': PREVIOUS,
      'ShareGroupCurrentMemberAssignmentValue.state': STATE,
    },
  },
  ShareGroupStatePartitionMetadataKey: {
    about: 'Key of the share partitions whose state a share group has (KIP-932).',
  },
  ShareGroupStatePartitionMetadataValue: {
    about: 'The share partitions whose state is made, is there, or is deleted (KIP-932).',
  },
  StreamsGroupMetadataKey: { about: 'Key of the epoch of a group of Kafka Streams (KIP-1071).' },
  StreamsGroupMetadataValue: {
    about: 'Epoch of a group of Kafka Streams, and how far its topology is checked and described (KIP-1071).',
    history:
      'Later fields are tags; storedDescriptionTopologyEpoch, failedDescriptionTopologyEpoch (KIP-1331).',
    fields: {
      'StreamsGroupMetadataValue.metadataHash': HASH,
      'StreamsGroupMetadataValue.validatedTopologyEpoch':
        'Of the topology whose topics are there and fit; -1 none.',
      'StreamsGroupMetadataValue.storedDescriptionTopologyEpoch':
        'Of the description the plugin holds; -1 none, -2 unknown.',
      'StreamsGroupMetadataValue.failedDescriptionTopologyEpoch':
        'Of the description the plugin refused for good, so nobody asks for it again; -1 none.',
    },
    bigints: ['StreamsGroupMetadataValue.metadataHash'],
  },
  StreamsGroupMemberMetadataKey: { about: 'Key of a member of a group of Kafka Streams (KIP-1071).' },
  StreamsGroupMemberMetadataValue: {
    about: 'What a member of a group of Kafka Streams told about itself (KIP-1071).',
    fields: {
      'StreamsGroupMemberMetadataValue.instanceId': 'Name of a static member (KIP-345).',
      'StreamsGroupMemberMetadataValue.processId': 'The same for all members of one process.',
      'StreamsGroupMemberMetadataValue.userEndpoint': 'Address for interactive queries.',
    },
  },
  StreamsGroupTargetAssignmentMetadataKey: {
    about: 'Key of the epoch of a target assignment of Kafka Streams (KIP-1071).',
  },
  StreamsGroupTargetAssignmentMetadataValue: {
    about: 'The group epoch that a target assignment of Kafka Streams was made for (KIP-1071).',
    history: TIMESTAMP_TAG,
    fields: { 'StreamsGroupTargetAssignmentMetadataValue.assignmentTimestamp': TIMESTAMP },
  },
  StreamsGroupTargetAssignmentMemberKey: {
    about: "Key of a member's target tasks in a group of Kafka Streams (KIP-1071).",
  },
  StreamsGroupTargetAssignmentMemberValue: {
    about: 'The tasks a member of a group of Kafka Streams is to run in the end (KIP-1071).',
  },
  StreamsGroupCurrentMemberAssignmentKey: {
    about: "Key of a member's present tasks in a group of Kafka Streams (KIP-1071).",
  },
  StreamsGroupCurrentMemberAssignmentValue: {
    about: 'The tasks a member of a group of Kafka Streams runs now, and must give up (KIP-1071).',
    fields: {
      'StreamsGroupCurrentMemberAssignmentValue.previousMemberEpoch': PREVIOUS,
      'StreamsGroupCurrentMemberAssignmentValue.state':
        '1 stable, 2 has tasks to give up, 3 waits for tasks of others.',
      'StreamsGroupCurrentMemberAssignmentValue.activeTasks.assignmentEpochs': `Only of active tasks. ${ASSIGNED_AT}`,
    },
  },
  StreamsGroupTopologyKey: { about: 'Key of the topology of a group of Kafka Streams (KIP-1071).' },
  StreamsGroupTopologyValue: {
    about: 'The topology of a group of Kafka Streams, as its members sent it (KIP-1071).',
    fields: {
      'StreamsGroupTopologyValue.subtopologies.stateChangelogTopics.partitions':
        '0 follows from the source topics.',
      'StreamsGroupTopologyValue.subtopologies.stateChangelogTopics.replicationFactor':
        "0 for the broker's default.",
      'StreamsGroupTopologyValue.subtopologies.copartitionGroups':
        'Topics that need the same number of partitions, as indexes into the arrays above.',
    },
  },
};
