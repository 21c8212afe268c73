/** Notes on groups of Kafka Streams (KIP-1071), whose coordinator assigns tasks instead of partitions.
 * Sources: Kafka's definitions, KIP-1071 and the KIPs named.
 */
import { type ApiOverlay, UNCHANGED_MINUS_ONE, UNCHANGED_NULL } from './notes.ts';

const NODE_TYPES = '1 a source, 2 a processor, 3 a sink.';

/** Notes by API name. */
export const streamsGroups: ApiOverlay = {
  StreamsGroupHeartbeat: {
    about:
      'Joins, stays in and leaves a group of Kafka Streams; its coordinator assigns tasks in the answers.',
    history:
      'Added by KIP-1071. v1 topologyDescriptionRequired (KIP-1331), acceptableRecoveryLag in 64 bits, status 6.',
    fields: {
      'StreamsGroupHeartbeatRequest.memberEpoch':
        '0 joins, -1 leaves, -2 leaves for a while as a static member; else the epoch of the last answer.',
      'StreamsGroupHeartbeatRequest.endpointInformationEpoch':
        'Of the last `partitionsByUserEndpoint` the member has.',
      'StreamsGroupHeartbeatRequest.instanceId': `Name of a static member. ${UNCHANGED_NULL}`,
      'StreamsGroupHeartbeatRequest.rackId': UNCHANGED_NULL,
      'StreamsGroupHeartbeatRequest.rebalanceTimeoutMs': `Time to give tasks up. ${UNCHANGED_MINUS_ONE}`,
      'StreamsGroupHeartbeatRequest.topology': 'Only when joining.',
      'StreamsGroupHeartbeatRequest.topology.subtopologies.copartitionGroups':
        'Topics that need the same number of partitions, as indexes into the arrays above.',
      'StreamsGroupHeartbeatRequest.activeTasks': `What the member runs now. ${UNCHANGED_NULL}`,
      'StreamsGroupHeartbeatRequest.standbyTasks': UNCHANGED_NULL,
      'StreamsGroupHeartbeatRequest.warmupTasks': UNCHANGED_NULL,
      'StreamsGroupHeartbeatRequest.processId': `The same for all members of one process. ${UNCHANGED_NULL}`,
      'StreamsGroupHeartbeatRequest.userEndpoint': `Address for interactive queries. ${UNCHANGED_NULL}`,
      'StreamsGroupHeartbeatRequest.clientTags': `For standby tasks in other racks. ${UNCHANGED_NULL}`,
      'StreamsGroupHeartbeatRequest.taskOffsets': `Sums of the changelogs' positions. ${UNCHANGED_NULL}`,
      'StreamsGroupHeartbeatRequest.taskEndOffsets': `Sums of the changelogs' ends. ${UNCHANGED_NULL}`,
      'StreamsGroupHeartbeatRequest.shutdownApplication': 'Asks every member of the group to stop.',
      'StreamsGroupHeartbeatResponse.acceptableRecoveryLag':
        'With no more to catch up, a task may become active here; -1 unknown.',
      'StreamsGroupHeartbeatResponse.status.statusCode':
        '0 stale topology, 1 no source topics, 2 wrong partition counts, 3 no internal topics, 4 shut down, ' +
        '5 assignment comes later, 6 no client tags.',
      'StreamsGroupHeartbeatResponse.activeTasks': `What the member is to run. ${UNCHANGED_NULL}`,
      'StreamsGroupHeartbeatResponse.standbyTasks': UNCHANGED_NULL,
      'StreamsGroupHeartbeatResponse.warmupTasks': UNCHANGED_NULL,
      'StreamsGroupHeartbeatResponse.topologyDescriptionRequired':
        'The member should send StreamsGroupTopologyDescriptionUpdate.',
      'StreamsGroupHeartbeatResponse.partitionsByUserEndpoint':
        'One element a member, so an endpoint may come several times. Null: as before.',
    },
    // Any long of the group's configuration, and Long.MAX_VALUE is how one says "always".
    bigints: ['StreamsGroupHeartbeatResponse.acceptableRecoveryLag'],
  },
  StreamsGroupDescribe: {
    about: "Tells topology, members and tasks of groups of Kafka Streams, on the groups' coordinator.",
    history:
      'Added by KIP-1071. v1 topologyDescription, topologyDescriptionStatus (KIP-1331), assignorName (KIP-1357).',
    fields: {
      'StreamsGroupDescribeResponse.groups.assignmentEpoch':
        'The group epoch that the target assignments were made for.',
      'StreamsGroupDescribeResponse.groups.topology.subtopologies':
        'Null until every source topic is there and fits.',
      'StreamsGroupDescribeResponse.groups.members.isClassic': 'Still on the classic protocol.',
      'StreamsGroupDescribeResponse.groups.topologyDescriptionStatus':
        '0 not asked for, 1 none stored, 2 the broker failed to get it, 3 it is there.',
      'StreamsGroupDescribeResponse.groups.topologyDescription.subtopologies.nodes.nodeType': NODE_TYPES,
      'StreamsGroupDescribeResponse.groups.assignorName': 'Of the next assignment, not the present one.',
    },
  },
  StreamsGroupTopologyDescriptionUpdate: {
    about:
      "Brings a description of the whole topology to the group's coordinator, when a heartbeat's answer asked for it.",
    history: 'Added by KIP-1331.',
    fields: {
      'StreamsGroupTopologyDescriptionUpdateRequest.topologyDescription.subtopologies.nodes.nodeType':
        NODE_TYPES,
      'StreamsGroupTopologyDescriptionUpdateResponse.errorCode':
        'UNKNOWN_MEMBER_ID if the member is out of the group. See `ErrorCodes`.',
    },
  },
};
