/** Notes on the quorum of controllers: elections, its voters, snapshots of the metadata log.
 * Sources: Kafka's definitions, KIP-595, KIP-630, KIP-853 and the KIPs named.
 */
import type { ApiOverlay } from './notes.ts';

const DIRECTORY =
  "Tells the voter from a former one with the same id: the id of its metadata log's directory.";
const LEADER = '-1 unknown.';

/** Notes by API name. */
export const raft: ApiOverlay = {
  Vote: {
    about: 'Asks a voter of the controller quorum for its vote.',
    history: 'Added by KIP-595. v1 voterId, directory ids, nodeEndpoints (KIP-853). v2 preVote (KIP-996).',
    fields: {
      'VoteRequest.voterId': 'Whom the request is for.',
      'VoteRequest.topics.partitions.replicaId': 'Who wants to lead.',
      'VoteRequest.topics.partitions.replicaDirectoryId': DIRECTORY,
      'VoteRequest.topics.partitions.lastOffset': 'Where its log ends: a voter with more refuses.',
      'VoteRequest.topics.partitions.preVote': 'Asks whether the vote would be given; nobody writes it down.',
      'VoteResponse.topics.partitions.leaderId': LEADER,
    },
  },
  BeginQuorumEpoch: {
    about: 'Tells the voters of the controller quorum who leads now.',
    history: 'Added by KIP-595. v1 voterId, directory ids, endpoints (KIP-853).',
    fields: {
      'BeginQuorumEpochRequest.voterId': 'Whom the request is for.',
      'BeginQuorumEpochRequest.leaderEndpoints': "Of all the leader's listeners.",
      'BeginQuorumEpochResponse.topics.partitions.leaderId': LEADER,
    },
  },
  EndQuorumEpoch: {
    about: 'Tells the voters of the controller quorum that the leader resigns, and who should be next.',
    history: 'Added by KIP-595. v1 preferredCandidates instead of preferredSuccessors, endpoints (KIP-853).',
    fields: {
      'EndQuorumEpochRequest.topics.partitions.preferredSuccessors': 'Best first.',
      'EndQuorumEpochRequest.topics.partitions.preferredCandidates': 'Best first.',
      'EndQuorumEpochResponse.topics.partitions.leaderId': LEADER,
    },
  },
  DescribeQuorum: {
    about:
      'Tells leader, voters and observers of the controller quorum and how far each is; brokers forward it.',
    history:
      'Added by KIP-595. v1 lastFetchTimestamp, lastCaughtUpTimestamp (KIP-836). v2 errorMessage, directory ids, nodes ' +
      '(KIP-853).',
    fields: {
      'DescribeQuorumRequest.topics': '`__cluster_metadata`, partition 0.',
      'DescribeQuorumResponse.topics.partitions.leaderId': LEADER,
      'DescribeQuorumResponse.topics.partitions.currentVoters.logEndOffset': '-1 unknown.',
      'DescribeQuorumResponse.topics.partitions.currentVoters.lastFetchTimestamp':
        "By the leader's clock; -1 for the leader itself, or unknown.",
      'DescribeQuorumResponse.topics.partitions.currentVoters.lastCaughtUpTimestamp':
        "By the leader's clock: at that time it had everything. -1 unknown.",
      'DescribeQuorumResponse.topics.partitions.observers':
        'Brokers, and controllers that are not voters: they read and do not vote.',
    },
  },
  FetchSnapshot: {
    about: 'Reads a piece of a snapshot of the metadata log from the active controller.',
    history: 'Added by KIP-630. v1 replicaDirectoryId, nodeEndpoints (KIP-853).',
    fields: {
      'FetchSnapshotRequest.topics.partitions.snapshotId': 'As a Fetch answered it.',
      'FetchSnapshotRequest.topics.partitions.position': 'Byte in the snapshot.',
      'FetchSnapshotResponse.topics.partitions.size': 'Bytes of the whole snapshot.',
      'FetchSnapshotResponse.topics.partitions.position': 'Byte in the snapshot where the records begin.',
      'FetchSnapshotResponse.topics.partitions.unalignedRecords':
        'Bytes of the snapshot; they may begin and end inside a batch.',
    },
  },
  AddRaftVoter: {
    about: 'Adds a voter to the controller quorum, on the active controller; brokers forward it.',
    history: 'Added by KIP-853. v1 ackWhenCommitted (KIP-1186).',
    fields: {
      'AddRaftVoterRequest.clusterId': 'Checked unless null.',
      'AddRaftVoterRequest.voterDirectoryId': DIRECTORY,
      'AddRaftVoterRequest.ackWhenCommitted':
        'False answers once the leader wrote it, as a joining controller wants: it must read the log to commit.',
    },
  },
  RemoveRaftVoter: {
    about: 'Removes a voter from the controller quorum, on the active controller; brokers forward it.',
    history: 'Added by KIP-853.',
    fields: {
      'RemoveRaftVoterRequest.clusterId': 'Checked unless null.',
      'RemoveRaftVoterRequest.voterDirectoryId': DIRECTORY,
    },
  },
  UpdateRaftVoter: {
    about: "Tells the active controller a voter's own endpoints and versions when they changed.",
    history: 'Added by KIP-853.',
    fields: {
      'UpdateRaftVoterRequest.clusterId': 'Checked unless null.',
      'UpdateRaftVoterRequest.voterDirectoryId': DIRECTORY,
    },
  },
};
