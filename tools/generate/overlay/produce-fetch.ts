/** Notes on the APIs that a partition's leader answers: writing, reading, finding and deleting records.
 * Sources: Kafka's definitions, the KIPs named, KafkaApis and ReplicaManager of Kafka.
 */
import { type ApiOverlay, REPLICA } from './notes.ts';

/** Notes by API name. */
export const produceFetch: ApiOverlay = {
  Produce: {
    about:
      'Appends record batches to partitions, on their leaders. With `acks` 0 there is no response at all.',
    history:
      'v3 batches of format v2, transactions (KIP-98). v4 KAFKA_STORAGE_ERROR (KIP-112). v5 logStartOffset (KIP-192). v6 ' +
      'answers before it throttles (KIP-219). v7 zstd (KIP-110). v8 recordErrors (KIP-467). v10 currentLeader, ' +
      'nodeEndpoints (KIP-951). v11 TRANSACTION_ABORTABLE, v12 partitions join the transaction by themselves (KIP-890). ' +
      'v13 topic ids (KIP-516).',
    fields: {
      'ProduceRequest.transactionalId': 'Null unless the batches belong to a transaction.',
      'ProduceRequest.acks': '0 none, 1 the leader, -1 all in-sync replicas.',
      'ProduceRequest.timeoutMs': 'How long the leader waits for its followers.',
      'ProduceRequest.topicData.partitionData.records': 'Exactly one batch.',
      'ProduceResponse.responses.partitionResponses.baseOffset': 'Offset of the first record; -1 unknown.',
      'ProduceResponse.responses.partitionResponses.logAppendTimeMs':
        "The records' timestamp if the topic uses the broker's clock, else -1.",
      'ProduceResponse.responses.partitionResponses.recordErrors': 'The records that made the batch fail.',
      'ProduceResponse.responses.partitionResponses.recordErrors.batchIndex':
        'Place of the record in the batch, from 0.',
      'ProduceResponse.responses.partitionResponses.currentLeader':
        'Where to go after NOT_LEADER_OR_FOLLOWER.',
    },
  },
  Fetch: {
    about:
      'Reads record batches from partitions; the broker holds the answer until there is enough or `maxWaitMs` passed.',
    history:
      'v4 isolationLevel (KIP-98). v5 logStartOffset (KIP-107). v6 KAFKA_STORAGE_ERROR (KIP-112). v7 sessions (KIP-227). ' +
      'v8 answers before it throttles (KIP-219). v9 leader epochs (KIP-320). v10 zstd (KIP-110). v11 closest replica ' +
      '(KIP-392). v12 divergence by epoch (KIP-595). v13 topic ids (KIP-516). v14 OFFSET_MOVED_TO_TIERED_STORAGE ' +
      '(KIP-405). v15 replicaState (KIP-903). v16 nodeEndpoints (KIP-951). v17 directory ids (KIP-853). v18 ' +
      'highWatermark (KIP-1166).',
    fields: {
      'FetchRequest.clusterId': 'Only in fetches of the metadata log.',
      'FetchRequest.replicaId': REPLICA,
      'FetchRequest.replicaState': 'Only from followers.',
      'FetchRequest.minBytes': 'The answer waits for so many bytes.',
      'FetchRequest.maxBytes': 'The first batch is returned whole even if it is larger (KIP-74).',
      'FetchRequest.isolationLevel': '0 read_uncommitted, 1 read_committed.',
      'FetchRequest.sessionId': '0 starts a session or uses none.',
      'FetchRequest.sessionEpoch': '-1 no session, 0 a new one, then one more each time.',
      'FetchRequest.topics': 'In a session only what is new or changed.',
      'FetchRequest.topics.partitions.lastFetchedEpoch':
        'Leader epoch of the record before `fetchOffset`; -1 skips the check for divergence.',
      'FetchRequest.topics.partitions.logStartOffset': 'Only from followers.',
      'FetchRequest.topics.partitions.highWatermark': 'Only from followers.',
      'FetchRequest.forgottenTopicsData': 'Partitions to drop from the session.',
      'FetchRequest.rackId': 'Empty, or where the consumer is: the leader may name a closer replica.',
      'FetchResponse.errorCode': 'Of the session; partitions have their own. See `ErrorCodes`.',
      'FetchResponse.sessionId': '0 if the broker keeps no session.',
      'FetchResponse.responses': 'In a session only partitions with news.',
      'FetchResponse.responses.partitions.highWatermark': 'Offset behind the last replicated record.',
      'FetchResponse.responses.partitions.lastStableOffset':
        'Offset before which every transaction is decided: the end for read_committed.',
      'FetchResponse.responses.partitions.divergingEpoch':
        'Set when the log was truncated below the fetch offset.',
      'FetchResponse.responses.partitions.currentLeader':
        'Where to go after NOT_LEADER_OR_FOLLOWER or FENCED_LEADER_EPOCH.',
      'FetchResponse.responses.partitions.snapshotId':
        'Only in the metadata log: the snapshot that holds what was asked for.',
      'FetchResponse.responses.partitions.abortedTransactions':
        'Only for read_committed; null or empty if there are none.',
      'FetchResponse.responses.partitions.preferredReadReplica': 'Broker to read from instead; -1 none.',
      'FetchResponse.responses.partitions.records': 'Batches back to back; the last one may be cut off.',
    },
  },
  ListOffsets: {
    about: 'Finds the offset for a time, or one end of the log, per partition, on its leader.',
    history:
      'v1 one offset instead of many (KIP-79). v2 isolationLevel (KIP-98). v3 answers before it throttles (KIP-219). v4 ' +
      'leader epochs (KIP-320). v5 OFFSET_NOT_AVAILABLE (KIP-207). Special times: v7 -3 largest timestamp (KIP-734), v8 ' +
      '-4 local log start (KIP-405), v9 -5 last tiered (KIP-1005), v11 -6 earliest pending upload (KIP-1023). v10 ' +
      'timeoutMs (KIP-1075).',
    fields: {
      'ListOffsetsRequest.replicaId': `${REPLICA} The default 0 is a broker.`,
      'ListOffsetsRequest.isolationLevel': '1 (read_committed) makes the latest offset the last stable one.',
      'ListOffsetsRequest.topics.partitions.timestamp': 'Milliseconds since 1970; -1 latest, -2 earliest.',
      'ListOffsetsRequest.timeoutMs': 'How long the leader may look in tiered storage.',
      'ListOffsetsResponse.topics.partitions.timestamp': '-1 for -1 and -2, or when no record is that late.',
      'ListOffsetsResponse.topics.partitions.offset': '-1 when no record is that late.',
      'ListOffsetsResponse.topics.partitions.leaderEpoch': 'Epoch of the record there; -1 unknown.',
    },
  },
  DeleteRecords: {
    about: 'Moves the log start of partitions forward, on their leaders; what lay before is gone.',
    history: 'Added by KIP-107. v1 answers before it throttles (KIP-219).',
    fields: {
      'DeleteRecordsRequest.topics.partitions.offset': 'The new log start; -1 is the high watermark.',
      'DeleteRecordsRequest.timeoutMs': 'How long the leader waits for its followers to do the same.',
      'DeleteRecordsResponse.topics.partitions.lowWatermark':
        'Smallest log start among the live replicas; -1 after an error.',
    },
  },
  OffsetForLeaderEpoch: {
    about:
      'Tells where a leader epoch ended, per partition, on its leader: so readers notice that a log was truncated.',
    history:
      'Added by KIP-101. v1 leaderEpoch in the answer (KIP-279). v2 currentLeaderEpoch, throttleTimeMs (KIP-320). v3 ' +
      'replicaId (KIP-392).',
    fields: {
      'OffsetForLeaderEpochRequest.replicaId':
        'A broker id from a follower, -1 from a consumer; -2 also sees what is not replicated yet.',
      'OffsetForLeaderEpochRequest.topics.partitions.leaderEpoch': 'Of the last record that was read.',
      'OffsetForLeaderEpochResponse.topics.partitions.leaderEpoch':
        'The largest epoch the leader has that is not above the one asked for; -1 none.',
      'OffsetForLeaderEpochResponse.topics.partitions.endOffset':
        'Offset behind the last record of that epoch: a position above it was truncated. -1 unknown.',
    },
  },
};
