/** Notes on groups of the consumer protocol (KIP-848), whose coordinator assigns and reconciles member by member.
 * Sources: Kafka's definitions, KIP-848 and the KIPs named.
 */
import { type ApiOverlay, UNCHANGED_MINUS_ONE, UNCHANGED_NULL } from './notes.ts';

/** Notes by API name. */
export const consumerGroups: ApiOverlay = {
  ConsumerGroupHeartbeat: {
    about:
      'Joins, stays in and leaves a group of the consumer protocol; its coordinator assigns partitions in the answers.',
    history:
      'Added by KIP-848. v1 subscribedTopicRegex (KIP-848); the member chooses its id itself (KIP-1082).',
    fields: {
      'ConsumerGroupHeartbeatRequest.memberId':
        'A UUID that the member keeps as long as it runs; in v0 empty at first.',
      'ConsumerGroupHeartbeatRequest.memberEpoch':
        '0 joins, -1 leaves, -2 leaves for a while as a static member; else the epoch of the last answer.',
      'ConsumerGroupHeartbeatRequest.instanceId': `Name of a static member. ${UNCHANGED_NULL}`,
      'ConsumerGroupHeartbeatRequest.rackId': UNCHANGED_NULL,
      'ConsumerGroupHeartbeatRequest.rebalanceTimeoutMs': `Time to give partitions up. ${UNCHANGED_MINUS_ONE}`,
      'ConsumerGroupHeartbeatRequest.subscribedTopicNames': UNCHANGED_NULL,
      'ConsumerGroupHeartbeatRequest.subscribedTopicRegex': `In RE2 syntax; the broker resolves it. ${UNCHANGED_NULL}`,
      'ConsumerGroupHeartbeatRequest.serverAssignor': `Such as \`uniform\` or \`range\`. ${UNCHANGED_NULL}`,
      'ConsumerGroupHeartbeatRequest.topicPartitions': `What the member holds, so not what it gave up. ${UNCHANGED_NULL}`,
      'ConsumerGroupHeartbeatResponse.memberEpoch': 'To send with the next heartbeat.',
      'ConsumerGroupHeartbeatResponse.heartbeatIntervalMs':
        'The group configuration decides it; it may change with any answer.',
      'ConsumerGroupHeartbeatResponse.assignment':
        'All the member may hold, not the difference; what is missing must be given up. Null: as before.',
    },
  },
  ConsumerGroupDescribe: {
    about:
      "Tells epochs, members and assignments of groups of the consumer protocol, on the groups' coordinator.",
    history: 'Added by KIP-848. v1 memberType (KIP-1099).',
    fields: {
      'ConsumerGroupDescribeResponse.groups.groupState': 'Empty, Assigning, Reconciling, Stable or Dead.',
      'ConsumerGroupDescribeResponse.groups.groupEpoch': 'One more whenever members or subscriptions change.',
      'ConsumerGroupDescribeResponse.groups.assignmentEpoch':
        'The group epoch that `targetAssignment` was made for.',
      'ConsumerGroupDescribeResponse.groups.members.memberEpoch':
        'Behind `assignmentEpoch` until the member reached its target.',
      'ConsumerGroupDescribeResponse.groups.members.assignment': 'What the member holds.',
      'ConsumerGroupDescribeResponse.groups.members.targetAssignment': 'What it is to hold in the end.',
      'ConsumerGroupDescribeResponse.groups.members.memberType':
        '0 still on the classic protocol, 1 on the consumer protocol, -1 unknown.',
    },
  },
};
