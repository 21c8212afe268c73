/** Notes on share groups (KIP-932): what their members, the partitions' leaders and the share coordinators tell each other.
 * Sources: Kafka's definitions, KIP-932 and the KIPs named.
 */
import { type ApiOverlay, NULL_ASKS_FOR_ALL, UNCHANGED_NULL } from './notes.ts';

const FIRST_STABLE =
  'v0 was the early access of Kafka 4.0 and is gone; v1 is the first stable one (KIP-932).';
const SESSION_EPOCH = '0 opens a share session, -1 closes it; else one more each time.';
const ACKNOWLEDGE_TYPES =
  '1 accepts, 2 releases, 3 rejects, 4 renews, 0 is a gap; one for the whole range, or one per offset.';
const RENEW = 'True if a type 4 is among the acknowledgements.';
const RELOCATED = 'Where to go after NOT_LEADER_OR_FOLLOWER.';
const LOCK = 'How long acquired records are kept from other members.';

/** Notes by API name. */
export const shareGroups: ApiOverlay = {
  ShareGroupHeartbeat: {
    about: 'Joins, stays in and leaves a share group; its coordinator assigns partitions in the answers.',
    history: FIRST_STABLE,
    fields: {
      'ShareGroupHeartbeatRequest.memberId': 'A UUID that the member keeps as long as it runs.',
      'ShareGroupHeartbeatRequest.memberEpoch': '0 joins, -1 leaves; else the epoch of the last answer.',
      'ShareGroupHeartbeatRequest.rackId': UNCHANGED_NULL,
      'ShareGroupHeartbeatRequest.subscribedTopicNames': UNCHANGED_NULL,
      'ShareGroupHeartbeatResponse.memberEpoch': 'To send with the next heartbeat.',
      'ShareGroupHeartbeatResponse.heartbeatIntervalMs':
        'The group configuration decides it; it may change with any answer.',
      'ShareGroupHeartbeatResponse.assignment':
        'All partitions of the member, which others may have too. Null: as before.',
    },
  },
  ShareGroupDescribe: {
    about: "Tells epochs, members and assignments of share groups, on the groups' coordinator.",
    history: FIRST_STABLE,
    fields: {
      'ShareGroupDescribeResponse.groups.groupState': 'Empty, Stable or Dead.',
      'ShareGroupDescribeResponse.groups.groupEpoch': 'One more whenever members or subscriptions change.',
      'ShareGroupDescribeResponse.groups.assignmentEpoch':
        'The group epoch that the assignment was made for.',
    },
  },
  ShareFetch: {
    about:
      "Acquires records for a member of a share group, and acknowledges earlier ones, on the partitions' leaders.",
    history: `${FIRST_STABLE} v2 shareAcquireMode (KIP-1206), isRenewAck (KIP-1222).`,
    fields: {
      'ShareFetchRequest.shareSessionEpoch': SESSION_EPOCH,
      'ShareFetchRequest.minBytes': 'The answer waits for so many bytes.',
      'ShareFetchRequest.maxBytes': 'The first batch is returned whole even if it is larger (KIP-74).',
      'ShareFetchRequest.maxRecords':
        'May be exceeded to keep batches whole, unless `shareAcquireMode` is 1.',
      'ShareFetchRequest.batchSize': 'Records that the member likes to acquire and acknowledge together.',
      'ShareFetchRequest.shareAcquireMode': '0 whole batches, 1 never more than `maxRecords`.',
      'ShareFetchRequest.isRenewAck': RENEW,
      'ShareFetchRequest.topics': 'In a session only what is new or acknowledged.',
      'ShareFetchRequest.topics.partitions.acknowledgementBatches.lastOffset': 'Itself included.',
      'ShareFetchRequest.topics.partitions.acknowledgementBatches.acknowledgeTypes': ACKNOWLEDGE_TYPES,
      'ShareFetchRequest.forgottenTopicsData': 'Partitions to drop from the session.',
      'ShareFetchResponse.acquisitionLockTimeoutMs': LOCK,
      'ShareFetchResponse.responses.partitions.errorCode': 'Of the fetch. See `ErrorCodes`.',
      'ShareFetchResponse.responses.partitions.acknowledgeErrorCode':
        'Of the acknowledgements, apart from the fetch. See `ErrorCodes`.',
      'ShareFetchResponse.responses.partitions.currentLeader': RELOCATED,
      'ShareFetchResponse.responses.partitions.records':
        'Whole batches; only the offsets of `acquiredRecords` are ours.',
      'ShareFetchResponse.responses.partitions.acquiredRecords.lastOffset': 'Itself included.',
      'ShareFetchResponse.responses.partitions.acquiredRecords.deliveryCount': '1 at the first delivery.',
    },
  },
  ShareAcknowledge: {
    about: "Acknowledges records of a share group without fetching more, on the partitions' leaders.",
    history: `${FIRST_STABLE} v2 isRenewAck, acquisitionLockTimeoutMs (KIP-1222).`,
    fields: {
      'ShareAcknowledgeRequest.shareSessionEpoch': SESSION_EPOCH,
      'ShareAcknowledgeRequest.isRenewAck': RENEW,
      'ShareAcknowledgeRequest.topics.partitions.acknowledgementBatches.lastOffset': 'Itself included.',
      'ShareAcknowledgeRequest.topics.partitions.acknowledgementBatches.acknowledgeTypes': ACKNOWLEDGE_TYPES,
      'ShareAcknowledgeResponse.acquisitionLockTimeoutMs': LOCK,
      'ShareAcknowledgeResponse.responses.partitions.currentLeader': RELOCATED,
    },
  },
  InitializeShareGroupState: {
    about: 'Creates the state of share partitions, asked by the group coordinator of the share coordinator.',
    history: 'Added by KIP-932.',
    fields: {
      'InitializeShareGroupStateRequest.topics.partitions.startOffset': '-1 leaves it open.',
    },
  },
  ReadShareGroupState: {
    about:
      'Reads the state of share partitions, asked by a partition leader of the share coordinator when it takes over.',
    history: 'Added by KIP-932.',
    fields: {
      'ReadShareGroupStateResponse.results.partitions.startOffset': '-1 not decided yet.',
    },
  },
  WriteShareGroupState: {
    about:
      'Writes changes in the state of share partitions, from a partition leader to the share coordinator.',
    history: 'Added by KIP-932. v1 deliveryCompleteCount (KIP-1226).',
    fields: {
      'WriteShareGroupStateRequest.topics.partitions.startOffset': '-1 leaves it as it is.',
    },
  },
  DeleteShareGroupState: {
    about: 'Deletes the state of share partitions, asked by the group coordinator of the share coordinator.',
    history: 'Added by KIP-932.',
  },
  ReadShareGroupStateSummary: {
    about:
      'Reads the state of share partitions without its batches, asked by the group coordinator of the share coordinator.',
    history: 'Added by KIP-932. v1 deliveryCompleteCount (KIP-1226).',
    fields: {
      'ReadShareGroupStateSummaryResponse.results.partitions.startOffset': '-1 not decided yet.',
    },
  },
  DescribeShareGroupOffsets: {
    about: "Tells where share groups begin in their partitions, on the groups' coordinator.",
    history: 'Added by KIP-932. v1 lag (KIP-1226).',
    fields: {
      'DescribeShareGroupOffsetsRequest.groups.topics': NULL_ASKS_FOR_ALL,
      'DescribeShareGroupOffsetsResponse.groups.topics.partitions.startOffset':
        'First offset that may still be delivered; -1 unknown.',
      'DescribeShareGroupOffsetsResponse.groups.topics.partitions.lag':
        'Records that are still to be delivered; -1 unknown.',
    },
  },
  AlterShareGroupOffsets: {
    about: "Moves where an empty share group begins in its partitions, on the group's coordinator.",
    history: 'Added by KIP-932.',
    fields: {
      'AlterShareGroupOffsetsResponse.errorCode': 'NON_EMPTY_GROUP while it has members. See `ErrorCodes`.',
    },
  },
  DeleteShareGroupOffsets: {
    about: "Deletes what an empty share group knows of topics, on the group's coordinator.",
    history: 'Added by KIP-932.',
    fields: {
      'DeleteShareGroupOffsetsResponse.errorCode': 'NON_EMPTY_GROUP while it has members. See `ErrorCodes`.',
    },
  },
};
