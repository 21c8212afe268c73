/** Notes on offsets and on groups of the classic protocol: what a group's coordinator answers.
 * Sources: Kafka's definitions, the KIPs named, Kafka's protocol guide.
 */
import { type ApiOverlay, NULL_ASKS_FOR_ALL } from './notes.ts';

const NO_OFFSET = '-1 none.';
const KEPT = 'What the committer wrote beside it.';

/** Notes by API name. */
export const groups: ApiOverlay = {
  OffsetCommit: {
    about: "Stores a group's offsets, on the group's coordinator.",
    history:
      'v2-v4 retentionTimeMs, which brokers decide since v5 (KIP-211). v3 throttleTimeMs (KIP-124). v4 answers before it ' +
      'throttles (KIP-219). v6 committedLeaderEpoch (KIP-320). v7 groupInstanceId (KIP-345). v9 member epochs of the ' +
      'consumer protocol, v10 topic ids (KIP-848).',
    fields: {
      'OffsetCommitRequest.generationIdOrMemberEpoch': '-1 for a commit from outside the group.',
      'OffsetCommitRequest.memberId': 'Empty for a commit from outside the group.',
      'OffsetCommitRequest.retentionTimeMs': "-1 leaves it to the broker's `offsets.retention.minutes`.",
      'OffsetCommitRequest.topics.partitions.committedOffset': 'Offset of the next record to read.',
      'OffsetCommitRequest.topics.partitions.committedLeaderEpoch':
        'Epoch of the last record that was read; -1 unknown.',
      'OffsetCommitRequest.topics.partitions.committedMetadata':
        'Any text, up to `offset.metadata.max.bytes` of the broker.',
    },
  },
  OffsetFetch: {
    about: "Reads a group's committed offsets, on the group's coordinator.",
    history:
      'v2 null topics ask for all, errorCode (KIP-88). v3 throttleTimeMs (KIP-124). v4 answers before it throttles ' +
      '(KIP-219). v5 leader epochs (KIP-320). v7 requireStable (KIP-447). v8 several groups (KIP-709). v9 member epochs, ' +
      'v10 topic ids (KIP-848).',
    fields: {
      'OffsetFetchRequest.topics': NULL_ASKS_FOR_ALL,
      'OffsetFetchRequest.groups.memberId': 'Null for a question from outside the group.',
      'OffsetFetchRequest.groups.memberEpoch': '-1 for a question from outside the group.',
      'OffsetFetchRequest.groups.topics': NULL_ASKS_FOR_ALL,
      'OffsetFetchRequest.requireStable': 'Answer UNSTABLE_OFFSET_COMMIT while a transaction holds offsets.',
      'OffsetFetchResponse.topics.partitions.committedOffset': NO_OFFSET,
      'OffsetFetchResponse.topics.partitions.metadata': KEPT,
      'OffsetFetchResponse.groups.topics.partitions.committedOffset': NO_OFFSET,
      'OffsetFetchResponse.groups.topics.partitions.metadata': KEPT,
    },
  },
  JoinGroup: {
    about: 'Joins a classic group, or joins it again; answered when the group has a new generation.',
    history:
      'v1 rebalanceTimeoutMs (KIP-62). v2 throttleTimeMs (KIP-124). v3 answers before it throttles (KIP-219). v4 ' +
      'MEMBER_ID_REQUIRED (KIP-394). v5 groupInstanceId (KIP-345). v7 protocolType (KIP-559). v8 reason (KIP-800). v9 ' +
      'skipAssignment (KIP-814).',
    fields: {
      'JoinGroupRequest.sessionTimeoutMs': 'The member is out after so long without a heartbeat.',
      'JoinGroupRequest.rebalanceTimeoutMs': 'How long the others wait for a member to join again.',
      'JoinGroupRequest.memberId': 'Empty at first; the coordinator chooses one.',
      'JoinGroupRequest.protocolType': '`consumer` for consumers.',
      'JoinGroupRequest.protocols':
        'In order of preference; the name is the assignor, the metadata its subscription.',
      'JoinGroupRequest.reason': "For the broker's log.",
      'JoinGroupResponse.protocolName': 'The assignor that every member has.',
      'JoinGroupResponse.leader': "The leader's member id: if it is our own, we assign.",
      'JoinGroupResponse.skipAssignment':
        'The leader is told the members but must not assign: a static member came back.',
      'JoinGroupResponse.memberId': 'Also with MEMBER_ID_REQUIRED: the id to join with.',
      'JoinGroupResponse.members': 'Only for the leader, who assigns.',
    },
  },
  Heartbeat: {
    about:
      'Keeps a member of a classic group alive, and tells it about a rebalance by REBALANCE_IN_PROGRESS.',
    history:
      'v1 throttleTimeMs (KIP-124). v2 answers before it throttles (KIP-219). v3 groupInstanceId (KIP-345).',
  },
  LeaveGroup: {
    about: 'Takes members out of a classic group.',
    history:
      'v1 throttleTimeMs (KIP-124). v2 answers before it throttles (KIP-219). v3 several members, groupInstanceId ' +
      '(KIP-345). v5 reason (KIP-800).',
    fields: {
      'LeaveGroupRequest.members.memberId': 'Empty to remove a static member by its name alone.',
      'LeaveGroupRequest.members.reason': "For the broker's log.",
    },
  },
  SyncGroup: {
    about: "Brings the leader's assignment to the coordinator and each member's share back.",
    history:
      'v1 throttleTimeMs (KIP-124). v2 answers before it throttles (KIP-219). v3 groupInstanceId (KIP-345). v5 ' +
      'protocolType, protocolName (KIP-559).',
    fields: {
      'SyncGroupRequest.protocolType': 'Checked against the group unless null.',
      'SyncGroupRequest.protocolName': 'Checked against the group unless null.',
      'SyncGroupRequest.assignments': 'Only from the leader.',
      'SyncGroupResponse.assignment': 'Of a consumer: a `ConsumerProtocolAssignment` behind its version.',
    },
  },
  DescribeGroups: {
    about: "Tells state, protocol and members of classic groups, on the groups' coordinator.",
    history:
      'v1 throttleTimeMs (KIP-124). v2 answers before it throttles (KIP-219). v3 authorizedOperations (KIP-430). v4 ' +
      'groupInstanceId (KIP-345). v6 GROUP_ID_NOT_FOUND (KIP-1043).',
    fields: {
      'DescribeGroupsResponse.groups.groupState':
        'Empty, PreparingRebalance, CompletingRebalance, Stable or Dead; Dead also if it does not exist (up to v5).',
      'DescribeGroupsResponse.groups.protocolData': 'The assignor; empty unless the group is stable.',
      'DescribeGroupsResponse.groups.members.memberMetadata':
        'The subscription; no bytes unless the group is stable.',
      'DescribeGroupsResponse.groups.members.memberAssignment': 'No bytes unless the group is stable.',
    },
  },
  ListGroups: {
    about: 'Lists the groups that a broker coordinates.',
    history:
      'v1 throttleTimeMs (KIP-124). v2 answers before it throttles (KIP-219). v4 states (KIP-518). v5 types (KIP-848).',
    fields: {
      'ListGroupsRequest.statesFilter': 'No elements: all states.',
      'ListGroupsRequest.typesFilter': 'No elements: all types.',
      'ListGroupsResponse.groups.protocolType':
        'Empty for a group that only stores offsets; `consumer` for consumers of either protocol.',
      'ListGroupsResponse.groups.groupType': '`classic`, `consumer`, `share` or `streams`.',
    },
  },
  DeleteGroups: {
    about: 'Deletes empty groups of any type with their offsets, on their coordinator.',
    history:
      'Added by KIP-229. v1 answers before it throttles (KIP-219). v3 errorMessage, GROUP_DELETION_FAILED (KIP-1331).',
    fields: {
      'DeleteGroupsResponse.results.errorCode': 'NON_EMPTY_GROUP while it has members. See `ErrorCodes`.',
    },
  },
  OffsetDelete: {
    about:
      "Deletes a group's offsets of partitions that no member subscribes to, on the group's coordinator.",
    history: 'Added by KIP-496.',
    fields: {
      'OffsetDeleteResponse.topics.partitions.errorCode':
        'GROUP_SUBSCRIBED_TO_TOPIC where a member reads the topic. See `ErrorCodes`.',
    },
  },
};
