/** Notes on producer ids and transactions: what the transaction coordinator, and leaders about producers, answer.
 * Sources: Kafka's definitions, the KIPs named, Kafka's TransactionCoordinator.
 */
import type { ApiOverlay } from './notes.ts';

const STATES =
  'Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort, PrepareEpochFence or Dead.';

/** Notes by API name. */
export const transactions: ApiOverlay = {
  InitProducerId: {
    about:
      'Gives a producer its id and epoch; with a transactional id on its coordinator, which fences the former producer.',
    history:
      'Added by KIP-98. v1 answers before it throttles (KIP-219). v3 producerId, producerEpoch to go on with (KIP-360). ' +
      'v4 PRODUCER_FENCED (KIP-588). v5 TRANSACTION_ABORTABLE (KIP-890). v6 two-phase commit (KIP-939), not final yet.',
    fields: {
      'InitProducerIdRequest.transactionalId': 'Null for a producer without transactions.',
      'InitProducerIdRequest.transactionTimeoutMs': 'The coordinator aborts a transaction after so long.',
      'InitProducerIdRequest.producerId': '-1 for a new one.',
      'InitProducerIdRequest.enable2Pc': 'The coordinator then never aborts a transaction for its age.',
      'InitProducerIdRequest.keepPreparedTxn': 'Leaves the open transaction of the former producer alone.',
      'InitProducerIdResponse.ongoingTxnProducerId': 'Of the transaction left open; -1 none.',
      'InitProducerIdResponse.ongoingTxnProducerEpoch': 'Of the transaction left open; -1 none.',
    },
  },
  AddPartitionsToTxn: {
    about: 'Adds partitions to a transaction before it writes to them, on the transaction coordinator.',
    history:
      'Added by KIP-98. v1 answers before it throttles (KIP-219). v2 PRODUCER_FENCED (KIP-588). v4 many transactions, ' +
      'verifyOnly, for brokers only; v5 TRANSACTION_ABORTABLE (KIP-890).',
    fields: {
      'AddPartitionsToTxnRequest.transactions': 'From brokers; a client stays at v3.',
      'AddPartitionsToTxnRequest.transactions.verifyOnly':
        'Adds nothing and asks whether the partitions are in already.',
      'AddPartitionsToTxnResponse.resultsByTransaction.topicResults.resultsByPartition.partitionErrorCode':
        'OPERATION_NOT_ATTEMPTED where another partition failed. See `ErrorCodes`.',
    },
  },
  AddOffsetsToTxn: {
    about:
      "Adds a group's offsets to a transaction before TxnOffsetCommit writes them, on the transaction coordinator.",
    history:
      'Added by KIP-98. v1 answers before it throttles (KIP-219). v2 PRODUCER_FENCED (KIP-588). v4 TRANSACTION_ABORTABLE ' +
      '(KIP-890).',
  },
  EndTxn: {
    about: 'Commits or aborts a transaction, on the transaction coordinator.',
    history:
      'Added by KIP-98. v1 answers before it throttles (KIP-219). v2 PRODUCER_FENCED (KIP-588). v4 ' +
      'TRANSACTION_ABORTABLE, v5 the epoch grows with every transaction (KIP-890).',
    fields: {
      'EndTxnRequest.committed': 'False aborts.',
      'EndTxnResponse.producerId': 'For the next transaction: a new one when the epochs are used up.',
      'EndTxnResponse.producerEpoch': 'For the next transaction.',
    },
  },
  WriteTxnMarkers: {
    about:
      "Writes the control records that end transactions, asked by the transaction coordinator of the partitions' leaders.",
    history: 'Added by KIP-98. v2 transactionVersion (KIP-1228).',
    fields: {
      'WriteTxnMarkersRequest.markers.transactionResult': 'True commits, false aborts.',
      'WriteTxnMarkersRequest.markers.coordinatorEpoch': 'Markers of an older coordinator are refused by it.',
      'WriteTxnMarkersRequest.markers.transactionVersion': '2 if the epoch grows with every transaction.',
    },
  },
  TxnOffsetCommit: {
    about:
      "Stores a group's offsets as part of a transaction, on the group's coordinator; they count once it commits.",
    history:
      'Added by KIP-98. v1 answers before it throttles (KIP-219). v2 committedLeaderEpoch (KIP-320). v3 memberId, ' +
      'groupInstanceId, generation (KIP-447). v4 TRANSACTION_ABORTABLE, v5 needs no AddOffsetsToTxn (KIP-890). v6 topic ' +
      'ids (KIP-1319).',
    fields: {
      'TxnOffsetCommitRequest.generationIdOrMemberEpoch': '-1 skips the check of the member.',
      'TxnOffsetCommitRequest.memberId': 'Empty skips the check of the member.',
      'TxnOffsetCommitRequest.topics.partitions.committedOffset': 'Offset of the next record to read.',
      'TxnOffsetCommitRequest.topics.partitions.committedLeaderEpoch':
        'Epoch of the last record that was read; -1 unknown.',
      'TxnOffsetCommitRequest.topics.partitions.committedMetadata':
        'Any text, up to `offset.metadata.max.bytes` of the broker.',
    },
  },
  DescribeProducers: {
    about: 'Tells which producers a partition remembers, on its leader: to find transactions that hang.',
    history: 'Added by KIP-664.',
    fields: {
      'DescribeProducersResponse.topics.partitions.activeProducers.lastSequence': '-1 none.',
      'DescribeProducersResponse.topics.partitions.activeProducers.lastTimestamp':
        'Milliseconds since 1970; -1 none.',
      'DescribeProducersResponse.topics.partitions.activeProducers.coordinatorEpoch':
        'Of the transaction coordinator that wrote the last marker; -1 none.',
      'DescribeProducersResponse.topics.partitions.activeProducers.currentTxnStartOffset':
        'Where its open transaction begins in this partition; -1 none is open.',
    },
  },
  DescribeTransactions: {
    about: 'Tells the state of transactional ids, on their coordinator.',
    history: 'Added by KIP-664.',
    fields: {
      'DescribeTransactionsResponse.transactionStates.transactionState': STATES,
      'DescribeTransactionsResponse.transactionStates.transactionStartTimeMs':
        'Milliseconds since 1970; -1 if none is open.',
      'DescribeTransactionsResponse.transactionStates.topics':
        'While it ends, only those that still wait for their marker.',
    },
  },
  ListTransactions: {
    about: 'Lists the transactional ids that a broker coordinates.',
    history: 'Added by KIP-664. v1 durationFilter (KIP-994). v2 transactionalIdPattern (KIP-1152).',
    fields: {
      'ListTransactionsRequest.stateFilters': 'No elements: all states.',
      'ListTransactionsRequest.producerIdFilters': 'No elements: all producers.',
      'ListTransactionsRequest.durationFilter': 'Only those open for more than so many milliseconds; -1 all.',
      'ListTransactionsRequest.transactionalIdPattern':
        'A regular expression in RE2 syntax; null or empty: all ids.',
      'ListTransactionsResponse.unknownStateFilters': 'Filters the broker did not know, and left out.',
      'ListTransactionsResponse.transactionStates.transactionState': STATES,
    },
  },
  AllocateProducerIds: {
    about: 'Gives a broker a block of producer ids to hand out; the active controller answers.',
    history: 'Added by KIP-730.',
  },
};
