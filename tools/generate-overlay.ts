/** What the generated API files say in words, and which int64 fields are opaque: the part that no definition holds.
 * Everything else in those files comes from fixtures/definitions; nothing here may change a byte on the wire.
 * Sources: the KIPs that are named, Kafka's protocol guide.
 */

/** Notes on one API. */
export interface ApiNotes {
  /** What the API does: the doc comment of its constant. */
  readonly about: string;
  /** What the versions changed, in order, for the file's header. Sentences; every fact with its KIP where there is one. */
  readonly history: string;
  /** Docs of fields by path, such as `FetchRequest.topics.partitions.fetchOffset`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Paths of int64 fields that are bigint. Producer ids, and defaults beyond 2^53 - 1, are so without being named. */
  readonly bigints?: readonly string[];
}

const THROTTLE = 'Milliseconds the client should wait; the broker enforces it by then not reading.';
const ERROR = 'See `ErrorCodes`.';
const REPLICA = "A follower's broker id; a client sends -1.";
const INSTANCE = 'Name of a static member (KIP-345).';
const OPERATIONS = 'Bits of what the caller may do (KIP-430); -2147483648 when it did not ask.';

/** Notes by API name. */
export const overlay: Readonly<Record<string, ApiNotes>> = {
  Produce: {
    about:
      'Appends record batches to partitions, on their leaders. With `acks` 0 there is no response at all.',
    history:
      'v3 batches of format v2, transactions (KIP-98). v5 logStartOffset (KIP-207). v7 zstd (KIP-110). v8 recordErrors ' +
      '(KIP-467). v10 currentLeader, nodeEndpoints (KIP-951). v11 TRANSACTION_ABORTABLE, v12 partitions join the ' +
      'transaction by themselves (KIP-890). v13 topic ids (KIP-516).',
    fields: {
      'ProduceRequest.acks': '0 none, 1 the leader, -1 all in-sync replicas.',
      'ProduceRequest.timeoutMs': 'How long the leader waits for its followers.',
      'ProduceRequest.topicData.partitionData.records': 'Exactly one batch.',
      'ProduceResponse.responses.partitionResponses.baseOffset': 'Offset of the first record; -1 unknown.',
      'ProduceResponse.responses.partitionResponses.logAppendTimeMs':
        "The records' timestamp if the topic uses the broker's clock, else -1.",
      'ProduceResponse.responses.partitionResponses.recordErrors': 'The records that made the batch fail.',
      'ProduceResponse.responses.partitionResponses.currentLeader':
        'Where to go after NOT_LEADER_OR_FOLLOWER.',
    },
  },
  Fetch: {
    about:
      'Reads record batches from partitions; the broker holds the answer until there is enough or `maxWaitMs` passed.',
    history:
      'v4 isolationLevel (KIP-98). v5 logStartOffset (KIP-107). v7 sessions (KIP-227). v9 leader epochs (KIP-320). v10 ' +
      'zstd (KIP-110). v11 closest replica (KIP-392). v12 divergence by epoch (KIP-595). v13 topic ids (KIP-516). v15 ' +
      'replicaState (KIP-903). v16 nodeEndpoints (KIP-951). v17 directory ids (KIP-853). v18 highWatermark (KIP-1166).',
    fields: {
      'FetchRequest.replicaId': REPLICA,
      'FetchRequest.minBytes': 'The answer waits for so many bytes.',
      'FetchRequest.maxBytes': 'The first batch is returned whole even if it is larger (KIP-74).',
      'FetchRequest.isolationLevel': '0 read_uncommitted, 1 read_committed.',
      'FetchRequest.sessionId': '0 starts a session or uses none.',
      'FetchRequest.sessionEpoch': '-1 no session, 0 a new one, then one more each time.',
      'FetchRequest.topics.partitions.currentLeaderEpoch': '-1 unknown; else the leader checks it.',
      'FetchRequest.topics.partitions.highWatermark': 'Only from followers.',
      'FetchRequest.forgottenTopicsData': 'Partitions to drop from the session.',
      'FetchResponse.responses.partitions.highWatermark': 'Offset behind the last replicated record.',
      'FetchResponse.responses.partitions.lastStableOffset':
        'Offset before which every transaction is decided: the end for read_committed.',
      'FetchResponse.responses.partitions.divergingEpoch':
        'Set when the log was truncated below the fetch offset.',
      'FetchResponse.responses.partitions.abortedTransactions':
        'Only for read_committed; null or empty if there are none.',
      'FetchResponse.responses.partitions.preferredReadReplica': 'Broker to read from instead; -1 none.',
      'FetchResponse.responses.partitions.records': 'Batches back to back; the last one may be cut off.',
    },
  },
  ListOffsets: {
    about: 'Finds the offset for a time, or one end of the log, per partition, on its leader.',
    history:
      'v2 isolationLevel (KIP-98). v4 leader epochs (KIP-320). v5 OFFSET_NOT_AVAILABLE (KIP-207). Special times: v7 -3 ' +
      'largest timestamp (KIP-734), v8 -4 local log start (KIP-405), v9 -5 last tiered (KIP-1005), v11 -6 earliest ' +
      'pending upload (KIP-1023). v10 timeoutMs (KIP-1075).',
    fields: {
      'ListOffsetsRequest.replicaId': `${REPLICA} The default 0 is a broker.`,
      'ListOffsetsRequest.isolationLevel': '1 (read_committed) makes the latest offset the last stable one.',
      'ListOffsetsRequest.topics.partitions.timestamp': 'Milliseconds since 1970; -1 latest, -2 earliest.',
      'ListOffsetsResponse.topics.partitions.timestamp': '-1 for -1 and -2, or when no record is that late.',
      'ListOffsetsResponse.topics.partitions.offset': '-1 when no record is that late.',
    },
  },
  Metadata: {
    about: 'Tells brokers, topics, partitions and their leaders; any broker answers.',
    history:
      'v1 controller, racks. v2 clusterId (KIP-78). v4 allowAutoTopicCreation (KIP-204). v5 offlineReplicas (KIP-112). v7 ' +
      'leader epochs (KIP-320). v8 authorized operations (KIP-430). v10 topic ids, v12 questions by id (KIP-516). v11 ' +
      'without cluster operations (KIP-700). v13 errorCode (KIP-1102).',
    fields: {
      'MetadataRequest.topics':
        'Null asks for all topics, no elements for none; in v0 no elements ask for all.',
      'MetadataResponse.topics.partitions.leaderId': '-1 if there is no leader now.',
      'MetadataResponse.topics.topicAuthorizedOperations': OPERATIONS,
      'MetadataResponse.clusterAuthorizedOperations': OPERATIONS,
    },
  },
  OffsetCommit: {
    about: "Stores a group's offsets, on the group's coordinator.",
    history:
      'v2-v4 retentionTimeMs. v6 committedLeaderEpoch (KIP-320). v7 groupInstanceId (KIP-345). v9 member epochs of the ' +
      'consumer protocol, v10 topic ids (KIP-848).',
    fields: {
      'OffsetCommitRequest.generationIdOrMemberEpoch': '-1 for a commit from outside the group.',
      'OffsetCommitRequest.groupInstanceId': INSTANCE,
      'OffsetCommitRequest.topics.partitions.committedOffset': 'Offset of the next record to read.',
    },
  },
  OffsetFetch: {
    about: "Reads a group's committed offsets, on the group's coordinator.",
    history:
      'v2 null topics ask for all, errorCode (KIP-88). v5 leader epochs (KIP-320). v7 requireStable (KIP-447). v8 several ' +
      'groups (KIP-709). v9 member epochs, v10 topic ids (KIP-848).',
    fields: {
      'OffsetFetchRequest.topics': 'Null asks for all.',
      'OffsetFetchRequest.groups.topics': 'Null asks for all.',
      'OffsetFetchRequest.requireStable': 'Answer UNSTABLE_OFFSET_COMMIT while a transaction holds offsets.',
      'OffsetFetchResponse.topics.partitions.committedOffset': '-1 none.',
      'OffsetFetchResponse.groups.topics.partitions.committedOffset': '-1 none.',
    },
  },
  FindCoordinator: {
    about:
      'Finds the broker that coordinates a group, a transactional id or a share partition; any broker answers.',
    history:
      'v1 keyType (KIP-98). v4 several keys (KIP-699). v5 TRANSACTION_ABORTABLE (KIP-890). v6 share groups (KIP-932).',
    fields: {
      'FindCoordinatorRequest.keyType': '0 group, 1 transaction, 2 share (`groupId:topicId:partition`).',
    },
  },
  JoinGroup: {
    about: 'Joins a classic group, or joins it again; answered when the group has a new generation.',
    history:
      'v1 rebalanceTimeoutMs (KIP-62). v4 MEMBER_ID_REQUIRED (KIP-394). v5 groupInstanceId (KIP-345). v7 protocolType ' +
      '(KIP-559). v8 reason (KIP-800). v9 skipAssignment (KIP-814).',
    fields: {
      'JoinGroupRequest.sessionTimeoutMs': 'The member is out after so long without a heartbeat.',
      'JoinGroupRequest.rebalanceTimeoutMs': 'How long the others wait for a member to join again.',
      'JoinGroupRequest.memberId': 'Empty at first; the coordinator chooses one.',
      'JoinGroupRequest.groupInstanceId': INSTANCE,
      'JoinGroupRequest.protocolType': '`consumer` for consumers.',
      'JoinGroupRequest.protocols':
        'In order of preference; the name is the assignor, the metadata its subscription.',
      'JoinGroupResponse.members': 'Only for the leader, who assigns.',
    },
  },
  Heartbeat: {
    about:
      'Keeps a member of a classic group alive, and tells it about a rebalance by REBALANCE_IN_PROGRESS.',
    history: 'v1 throttleTimeMs (KIP-124). v3 groupInstanceId (KIP-345).',
    fields: { 'HeartbeatRequest.groupInstanceId': INSTANCE },
  },
  LeaveGroup: {
    about: 'Takes members out of a classic group.',
    history: 'v3 several members, groupInstanceId (KIP-345). v5 reason (KIP-800).',
    fields: { 'LeaveGroupRequest.members.groupInstanceId': INSTANCE },
  },
  SyncGroup: {
    about: "Brings the leader's assignment to the coordinator and each member's share back.",
    history: 'v3 groupInstanceId (KIP-345). v5 protocolType, protocolName (KIP-559).',
    fields: {
      'SyncGroupRequest.groupInstanceId': INSTANCE,
      'SyncGroupRequest.assignments': 'Only from the leader.',
    },
  },
  DescribeGroups: {
    about: "Tells state, protocol and members of classic groups, on the groups' coordinator.",
    history:
      'v3 authorizedOperations (KIP-430). v4 groupInstanceId (KIP-345). v6 GROUP_ID_NOT_FOUND (KIP-1043).',
    fields: {
      'DescribeGroupsResponse.groups.protocolData': 'The assignor; empty unless the group is stable.',
      'DescribeGroupsResponse.groups.authorizedOperations': OPERATIONS,
    },
  },
  ListGroups: {
    about: 'Lists the groups that a broker coordinates.',
    history: 'v4 states (KIP-518). v5 types (KIP-848).',
    fields: {
      'ListGroupsRequest.statesFilter': 'No elements: all states.',
      'ListGroupsRequest.typesFilter': 'No elements: all types.',
    },
  },
  ApiVersions: {
    about:
      'Tells which APIs in which versions a broker speaks: the first request on every connection (KIP-35).',
    history:
      'v3 flexible, the response header excepted; client software, features (KIP-511, KIP-584). v4 features may begin at ' +
      '0. v5 clusterId and nodeId are checked (KIP-1242). A broker answers a version it does not know in v0, with error 35.',
    fields: {
      'ApiVersionsRequest.clientSoftwareName': 'Letters, digits, dots and dashes; neither end a dot or dash.',
      'ApiVersionsResponse.finalizedFeaturesEpoch': '-1 unknown.',
    },
  },
  CreateTopics: {
    about: 'Creates topics, on the controller; brokers of KRaft clusters forward it.',
    history:
      'v4 the broker chooses counts given as -1 (KIP-464). v5 the configuration in the answer (KIP-525). v6 ' +
      'THROTTLING_QUOTA_EXCEEDED (KIP-599). v7 topicId (KIP-516).',
    fields: {
      'CreateTopicsRequest.topics.numPartitions': "-1 for the broker's default, or with `assignments`.",
      'CreateTopicsRequest.topics.replicationFactor': "-1 for the broker's default, or with `assignments`.",
    },
  },
  DeleteTopics: {
    about: 'Deletes topics, on the controller; brokers of KRaft clusters forward it.',
    history:
      'v3 TOPIC_DELETION_DISABLED (KIP-322). v5 errorMessage, THROTTLING_QUOTA_EXCEEDED (KIP-599). v6 by name or id ' +
      '(KIP-516).',
  },
  InitProducerId: {
    about:
      'Gives a producer its id and epoch; with a transactional id on its coordinator, which fences the former producer.',
    history:
      'v3 producerId, producerEpoch to go on with (KIP-360). v4 PRODUCER_FENCED (KIP-588). v5 TRANSACTION_ABORTABLE ' +
      '(KIP-890). v6 two-phase commit (KIP-939), not final yet.',
    fields: {
      'InitProducerIdRequest.transactionalId': 'Null for a producer without transactions.',
      'InitProducerIdRequest.transactionTimeoutMs': 'The coordinator aborts a transaction after so long.',
      'InitProducerIdRequest.producerId': '-1 for a new one.',
    },
  },
};

/** Docs of fields that mean the same everywhere, by name. */
export const commonFields: Readonly<Record<string, string>> = {
  throttleTimeMs: THROTTLE,
  errorCode: ERROR,
};
