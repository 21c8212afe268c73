/** Notes on messages that are no API: headers, the consumer protocol, control records, transaction and share state, files.
 * Records of groups stand in group-records.ts, those of the cluster's metadata in metadata-records.ts.
 * Sources: Kafka's definitions, the KIPs named.
 */
import type { MessageOverlay } from './notes.ts';

const MARKER_VERSION = 'Of the record itself: 0.';
const NO_FIRST_OFFSET = '-1 none is open.';

/** Notes by message name. */
export const records: MessageOverlay = {
  RequestHeader: {
    about: 'Stands in front of every request, behind the length of the frame.',
    history: 'v1 clientId. v2 flexible, but clientId keeps its int16 length so that any broker can read it.',
    fields: {
      'RequestHeader.correlationId': 'Chosen by the client; the response repeats it.',
      'RequestHeader.clientId': 'Names the client in logs and quotas.',
    },
  },
  ResponseHeader: {
    about: 'Stands in front of every response, behind the length of the frame.',
    history: 'v1 flexible; ApiVersions stays at v0.',
    fields: { 'ResponseHeader.correlationId': 'Of the request it answers.' },
  },
  ConsumerProtocolSubscription: {
    about:
      "What a member of a classic consumer group tells about itself: the metadata of JoinGroup's protocols.",
    history: 'v1 ownedPartitions (KIP-429). v2 generationId (KIP-792). v3 rackId (KIP-881).',
    fields: {
      'ConsumerProtocolSubscription.userData': 'What the assignor adds, in its own format.',
      'ConsumerProtocolSubscription.ownedPartitions': 'What the member still holds from the last generation.',
      'ConsumerProtocolSubscription.generationId': 'In which it got them; -1 none.',
    },
  },
  ConsumerProtocolAssignment: {
    about: 'What a member of a classic consumer group gets: the assignments of SyncGroup.',
    history: 'v1-v3 change nothing; they keep step with the subscription.',
    fields: { 'ConsumerProtocolAssignment.userData': 'What the assignor adds, in its own format.' },
  },
  DefaultPrincipalData: {
    about: 'Who sent a forwarded request: `requestPrincipal` of Envelope, behind an int16 version (KIP-590).',
    fields: { 'DefaultPrincipalData.tokenAuthenticated': 'It logged in with a delegation token.' },
  },
  ControlRecordTypeSchema: {
    about: 'The key of a control record, behind an int16 version (KIP-98).',
    fields: {
      'ControlRecordTypeSchema.type':
        '0 abort, 1 commit, 2 leader change, 3 snapshot header, 4 snapshot footer, 5 KRaft version, 6 KRaft voters.',
    },
  },
  EndTxnMarker: {
    about: 'The value of an abort or commit marker, behind an int16 version (KIP-98).',
    fields: { 'EndTxnMarker.coordinatorEpoch': 'Of the transaction coordinator that wrote it.' },
  },
  LeaderChangeMessage: {
    about: 'The value of the control record that a new leader of the metadata log writes first (KIP-595).',
    history: 'v1 directory ids (KIP-853).',
    fields: { 'LeaderChangeMessage.version': 'Of the record itself.' },
  },
  SnapshotHeaderRecord: {
    about: 'The value of the control record that begins a snapshot of the metadata log (KIP-630).',
    fields: {
      'SnapshotHeaderRecord.version': MARKER_VERSION,
      'SnapshotHeaderRecord.lastContainedLogTimestamp': 'Milliseconds since 1970, of the last record in it.',
    },
  },
  SnapshotFooterRecord: {
    about: 'The value of the control record that ends a snapshot of the metadata log (KIP-630).',
    fields: { 'SnapshotFooterRecord.version': MARKER_VERSION },
  },
  KRaftVersionRecord: {
    about: 'The value of the control record that sets the level of the `kraft.version` feature (KIP-853).',
    fields: {
      'KRaftVersionRecord.version': MARKER_VERSION,
      'KRaftVersionRecord.kRaftVersion': '0 voters from the configuration, 1 voters from `VotersRecord`.',
    },
  },
  VotersRecord: {
    about: 'The value of the control record that holds the voters of the controller quorum (KIP-853).',
    fields: {
      'VotersRecord.version': MARKER_VERSION,
      'VotersRecord.voters.voterDirectoryId': "Of the directory of the voter's metadata log.",
    },
  },
  AbortedTxn: {
    about: "An entry of a log segment's `.txnindex` file, behind an int16 version (KIP-98).",
    fields: {
      'AbortedTxn.lastOffset': 'Of its abort marker.',
      'AbortedTxn.lastStableOffset': 'As it was when the transaction was aborted.',
    },
    bigints: ['AbortedTxn.producerId'],
  },
  ProducerSnapshot: {
    about: "A log's `.snapshot` file: the producers it remembers (KIP-98).",
    fields: {
      'ProducerSnapshot.crc': 'CRC-32C of all that follows.',
      'ProducerSnapshot.producerEntries.offsetDelta': 'Records of the last batch, less one.',
      'ProducerSnapshot.producerEntries.coordinatorEpoch': 'Of the last marker; -1 none.',
      'ProducerSnapshot.producerEntries.currentTxnFirstOffset': NO_FIRST_OFFSET,
    },
    bigints: ['ProducerSnapshot.producerEntries.producerId'],
  },
  QuorumStateData: {
    about: "A controller's `quorum-state` file, written as JSON: its epoch and its vote (KIP-595).",
    history: 'v1 votedDirectoryId, without clusterId, appliedOffset and currentVoters (KIP-853).',
    fields: {
      'QuorumStateData.leaderId': '-1 unknown.',
      'QuorumStateData.votedId': 'Whom it voted for in this epoch; -1 nobody.',
    },
  },
  TransactionLogKey: {
    about: 'Key of a record of `__transaction_state`: a transactional id (KIP-98).',
  },
  TransactionLogValue: {
    about: 'State of a transactional id, in `__transaction_state` (KIP-98).',
    history: `v1 flexible (KIP-915); its tags hold what transactions with growing epochs need (KIP-890).`,
    fields: {
      'TransactionLogValue.previousProducerId': 'Of the last transaction that committed; -1 none.',
      'TransactionLogValue.nextProducerId': 'The newest that the producer was told; -1 none.',
      'TransactionLogValue.nextProducerEpoch': 'Of `nextProducerId`; -1 none.',
      'TransactionLogValue.transactionStatus':
        '0 empty, 1 ongoing, 2 prepare commit, 3 prepare abort, 4 committed, 5 aborted, 6 dead, 7 prepare epoch fence.',
      'TransactionLogValue.transactionPartitions': 'Null if there are none.',
      'TransactionLogValue.transactionStartTimestampMs': 'Milliseconds since 1970; -1 none is open.',
      'TransactionLogValue.clientTransactionVersion': '2 if the epoch grows with every transaction.',
    },
    bigints: [
      'TransactionLogValue.producerId',
      'TransactionLogValue.previousProducerId',
      'TransactionLogValue.nextProducerId',
    ],
  },
  ShareSnapshotKey: {
    about: 'Key of a full state in `__share_group_state`: a share partition (KIP-932).',
  },
  ShareSnapshotValue: {
    about: 'Full state of a share partition, in `__share_group_state` (KIP-932).',
    history: 'Tag 0 deliveryCompleteCount (KIP-1226).',
    fields: {
      'ShareSnapshotValue.snapshotEpoch': 'One more with each full state; updates name theirs.',
      'ShareSnapshotValue.startOffset': 'First offset that may still be delivered; -1 not decided yet.',
      'ShareSnapshotValue.createTimestamp': 'Milliseconds since 1970.',
      'ShareSnapshotValue.writeTimestamp': 'Milliseconds since 1970.',
    },
  },
  ShareUpdateKey: {
    about: 'Key of a change in `__share_group_state`: a share partition (KIP-932).',
  },
  ShareUpdateValue: {
    about: 'What changed in a share partition since its full state, in `__share_group_state` (KIP-932).',
    history: 'Tag 0 deliveryCompleteCount (KIP-1226).',
    fields: {
      'ShareUpdateValue.snapshotEpoch': 'Of the full state that it changes.',
      'ShareUpdateValue.startOffset': '-1 leaves it as it is.',
    },
  },
  RemoteLogSegmentMetadataRecord: {
    about: 'A segment that is copied to tiered storage, in `__remote_log_metadata` (KIP-405).',
    fields: {
      'RemoteLogSegmentMetadataRecord.endOffset': 'Itself included.',
      'RemoteLogSegmentMetadataRecord.segmentLeaderEpochs': 'Where each epoch begins in it.',
      'RemoteLogSegmentMetadataRecord.customMetadata': "The storage's own.",
    },
  },
  RemoteLogSegmentMetadataUpdateRecord: {
    about: 'A new state of a segment in tiered storage, in `__remote_log_metadata` (KIP-405).',
    fields: { 'RemoteLogSegmentMetadataUpdateRecord.customMetadata': "The storage's own." },
  },
  RemotePartitionDeleteMetadataRecord: {
    about: 'A partition whose segments leave tiered storage, in `__remote_log_metadata` (KIP-405).',
    fields: {
      'RemotePartitionDeleteMetadataRecord.remotePartitionDeleteState': '0 marked, 1 started, 2 finished.',
    },
  },
  RemoteLogSegmentMetadataSnapshotRecord: {
    about:
      "A segment in tiered storage as a broker's own snapshot of `__remote_log_metadata` keeps it (KIP-405).",
    fields: { 'RemoteLogSegmentMetadataSnapshotRecord.customMetadata': "The storage's own." },
  },
};
