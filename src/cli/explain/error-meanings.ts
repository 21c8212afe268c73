/** What each error code means and what to do about it, in a sentence or two, for `kafka-wire explain`.
 * Not here: names, numbers and whether Java retries (protocol/error-codes.ts).
 * Invariant: every code of the newest release has its line; a test compares.
 */

const TABLE = `
UNKNOWN_SERVER_ERROR: The broker failed in a way that no code names. Its log says more; not retried, because nobody knows what happened.
NONE: No error.
OFFSET_OUT_OF_RANGE: The fetch offset lies before the log's start or behind its end. The reader's policy decides where to go on.
CORRUPT_MESSAGE: The bytes of a batch fail their checksum or are no batch, or a compacted topic was sent a record without a key.
UNKNOWN_TOPIC_OR_PARTITION: This broker does not know the topic or the partition: not created yet, deleted, or its metadata is old.
INVALID_FETCH_SIZE: The fetch asks for a negative or impossible number of bytes.
LEADER_NOT_AVAILABLE: The partition has no leader at the moment, as in the middle of an election. Ask for metadata again.
NOT_LEADER_OR_FOLLOWER: The request went to a broker that does not hold the partition. Refresh the metadata and ask the leader.
REQUEST_TIMED_OUT: The broker did not finish within the request's own timeout. A write may be in the log all the same.
BROKER_NOT_AVAILABLE: The broker that the answer needs is not alive.
REPLICA_NOT_AVAILABLE: The replica asked for is not there; under Metadata also a replica that is offline.
MESSAGE_TOO_LARGE: The batch is larger than the topic's max.message.bytes. Send smaller batches, or a smaller record.
STALE_CONTROLLER_EPOCH: A request from a controller that was replaced meanwhile.
OFFSET_METADATA_TOO_LARGE: The text beside a committed offset is longer than offset.metadata.max.bytes.
NETWORK_EXCEPTION: The connection broke before the answer came. Java's client makes this code itself; brokers rarely send it.
COORDINATOR_LOAD_IN_PROGRESS: The coordinator has just taken over and still reads its log. Ask it again after the backoff.
COORDINATOR_NOT_AVAILABLE: There is no coordinator now: its topic is being created, or its broker is shutting down. Look it up again.
NOT_COORDINATOR: The group or transactional id moved to another broker. Look the coordinator up again.
INVALID_TOPIC_EXCEPTION: The topic's name is not allowed, or the topic is internal and may not be written.
RECORD_LIST_TOO_LARGE: The batch is larger than a segment of the log may be.
NOT_ENOUGH_REPLICAS: Fewer replicas are in sync than min.insync.replicas asks for; nothing was written. Retry when they are back.
NOT_ENOUGH_REPLICAS_AFTER_APPEND: The leader wrote the batch and then lost too many replicas. It is in the leader's log; a retry by a producer without idempotence doubles it.
INVALID_REQUIRED_ACKS: acks is none of 0, 1 and -1.
ILLEGAL_GENERATION: The member's generation is over: the group rebalanced without it. Join again; its uncommitted offsets are lost.
INCONSISTENT_GROUP_PROTOCOL: The member shares no assignor with the others, or its protocol type differs from the group's.
INVALID_GROUP_ID: The group id is empty or otherwise not allowed.
UNKNOWN_MEMBER_ID: The group does not know this member: its session ran out, it left, or the coordinator lost it. Join again.
INVALID_SESSION_TIMEOUT: The session timeout is outside group.min.session.timeout.ms to group.max.session.timeout.ms.
REBALANCE_IN_PROGRESS: The group is forming a new generation. Join again; a commit has to wait until then.
INVALID_COMMIT_OFFSET_SIZE: The commit is too large for the offsets topic.
TOPIC_AUTHORIZATION_FAILED: The principal lacks an operation on the topic. Only an ACL helps.
GROUP_AUTHORIZATION_FAILED: The principal lacks an operation on the group. Only an ACL helps.
CLUSTER_AUTHORIZATION_FAILED: The principal lacks an operation on the cluster. Only an ACL helps.
INVALID_TIMESTAMP: A record's timestamp is further from the broker's clock than the topic allows (message.timestamp.*.max.ms).
UNSUPPORTED_SASL_MECHANISM: The broker has not enabled the SASL mechanism; its answer lists those that it has.
ILLEGAL_SASL_STATE: The request does not belong into this phase of the SASL exchange.
UNSUPPORTED_VERSION: The broker does not speak this version of the API. ApiVersions tells which ones it does.
TOPIC_ALREADY_EXISTS: A topic of this name is there already.
INVALID_PARTITIONS: The number of partitions is not positive, or not higher than it was.
INVALID_REPLICATION_FACTOR: The replication factor is below 1 or above the number of brokers.
INVALID_REPLICA_ASSIGNMENT: The assignment names unknown brokers, repeats one, or is of uneven length.
INVALID_CONFIG: A configuration has an unknown name or a value that is not allowed.
NOT_CONTROLLER: The request is for the controller and went to another broker. Refresh the metadata.
INVALID_REQUEST: The request contradicts itself or the protocol; the broker's log names the field.
UNSUPPORTED_FOR_MESSAGE_FORMAT: The log's format is too old for what was asked.
POLICY_VIOLATION: A policy that the operators installed refuses the request.
OUT_OF_ORDER_SEQUENCE_NUMBER: An idempotent producer's batch does not follow the last one: a batch between them is missing.
DUPLICATE_SEQUENCE_NUMBER: The batch was written before. For the producer this is a success.
INVALID_PRODUCER_EPOCH: The producer's epoch is older than the one that the broker knows: another producer took over, or its epoch was raised.
INVALID_TXN_STATE: The transaction is not in a state that allows the request.
INVALID_PRODUCER_ID_MAPPING: The producer id does not belong to this transactional id now; the id expired or was given anew.
INVALID_TRANSACTION_TIMEOUT: The transaction timeout is above transaction.max.timeout.ms, or not positive.
CONCURRENT_TRANSACTIONS: The last transaction of this id is still being completed. Retry after the backoff.
TRANSACTION_COORDINATOR_FENCED: A marker from a coordinator that was replaced meanwhile.
TRANSACTIONAL_ID_AUTHORIZATION_FAILED: The principal lacks an operation on the transactional id. Only an ACL helps.
SECURITY_DISABLED: The cluster has no authorizer, so there are no ACLs to speak of.
OPERATION_NOT_ATTEMPTED: Nothing was tried, because another part of the same request failed.
KAFKA_STORAGE_ERROR: The disk that holds the partition failed. The partition gets another leader, or stays offline.
LOG_DIR_NOT_FOUND: The broker has no such log directory.
SASL_AUTHENTICATION_FAILED: The credentials were refused. Trying again with the same ones does not help.
UNKNOWN_PRODUCER_ID: The broker forgot the producer, because all of its records were deleted. Newer brokers accept it as new.
REASSIGNMENT_IN_PROGRESS: The partition is moving; a second reassignment has to wait.
DELEGATION_TOKEN_AUTH_DISABLED: The cluster has no delegation tokens enabled.
DELEGATION_TOKEN_NOT_FOUND: There is no such delegation token.
DELEGATION_TOKEN_OWNER_MISMATCH: The token belongs to another principal.
DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: Tokens may only be asked for over an authenticated channel, and not with a token.
DELEGATION_TOKEN_AUTHORIZATION_FAILED: The principal may not act on the delegation token.
DELEGATION_TOKEN_EXPIRED: The delegation token is past its time.
INVALID_PRINCIPAL_TYPE: The kind of principal is not supported here.
NON_EMPTY_GROUP: The group still has members; only an empty one may be changed this way.
GROUP_ID_NOT_FOUND: There is no such group, or none of the type asked for.
FETCH_SESSION_ID_NOT_FOUND: The broker dropped the fetch session. Begin a new one with a full fetch.
INVALID_FETCH_SESSION_EPOCH: The fetch session's epoch does not follow the last one. Begin a new session.
LISTENER_NOT_FOUND: The leader has no listener of the name by which the client came.
TOPIC_DELETION_DISABLED: delete.topic.enable is false on the brokers.
FENCED_LEADER_EPOCH: The request names a leader epoch older than the broker's. Refresh the metadata and check the position.
UNKNOWN_LEADER_EPOCH: The request names a leader epoch newer than the broker's, which will learn of it. Retry.
UNSUPPORTED_COMPRESSION_TYPE: The version of the API cannot carry this codec: zstd needs Produce v7 and Fetch v10.
STALE_BROKER_EPOCH: A request from a broker that has registered anew since.
OFFSET_NOT_AVAILABLE: The leader is too new to know its high watermark. Retry.
MEMBER_ID_REQUIRED: The coordinator has given the member an id in this answer; join again with it (KIP-394).
PREFERRED_LEADER_NOT_AVAILABLE: The preferred leader is not in sync or not alive, so it cannot be elected.
GROUP_MAX_SIZE_REACHED: The group has as many members as group.max.size allows.
FENCED_INSTANCE_ID: Another member took over the same group.instance.id. This one must stop.
ELIGIBLE_LEADERS_NOT_AVAILABLE: No replica that could lead the partition is alive.
ELECTION_NOT_NEEDED: The partition has the leader that was asked for.
NO_REASSIGNMENT_IN_PROGRESS: There is no reassignment to cancel.
GROUP_SUBSCRIBED_TO_TOPIC: Offsets of a topic cannot be deleted while the group subscribes to it.
INVALID_RECORD: A record breaks a rule of the topic: no key under compaction, or a timestamp out of range. The answer may name the record (KIP-467).
UNSTABLE_OFFSET_COMMIT: A transaction that is still open has written offsets of the partition. Ask again when it has ended (KIP-447).
THROTTLING_QUOTA_EXCEEDED: A quota on topic changes is used up. Retry after throttleTimeMs (KIP-599).
PRODUCER_FENCED: A newer producer has the same transactional id. This one must stop.
RESOURCE_NOT_FOUND: What the request names does not exist.
DUPLICATE_RESOURCE: The request names the same thing twice.
UNACCEPTABLE_CREDENTIAL: A SCRAM credential has too few iterations, an empty name or an unknown mechanism.
INCONSISTENT_VOTER_SET: The voters that the request names are not those of the quorum.
INVALID_UPDATE_VERSION: The update does not fit the current version of what it changes.
FEATURE_UPDATE_FAILED: A feature's level could not be changed.
PRINCIPAL_DESERIALIZATION_FAILURE: A forwarded request carries a principal that the controller cannot read.
SNAPSHOT_NOT_FOUND: The snapshot asked for is not there.
POSITION_OUT_OF_RANGE: The position lies outside the snapshot.
UNKNOWN_TOPIC_ID: This broker knows no topic with the id: deleted, created anew under another id, or not known yet.
DUPLICATE_BROKER_REGISTRATION: Another live broker has the same id.
BROKER_ID_NOT_REGISTERED: The controller knows no broker of this id.
INCONSISTENT_TOPIC_ID: The log's topic id differs from that of the request.
INCONSISTENT_CLUSTER_ID: The request is meant for another cluster.
TRANSACTIONAL_ID_NOT_FOUND: The coordinator knows no such transactional id.
FETCH_SESSION_TOPIC_ID_ERROR: The session mixes topics by name with topics by id. Begin a new one.
INELIGIBLE_REPLICA: A replica that may not join the in-sync ones was proposed, because it is fenced or shutting down.
NEW_LEADER_ELECTED: The change of the in-sync replicas was made, and the partition has another leader since.
OFFSET_MOVED_TO_TIERED_STORAGE: The offset is only in tiered storage; a follower has to build its state from there.
FENCED_MEMBER_EPOCH: The member's epoch is behind the coordinator's. Drop all partitions and join again (KIP-848).
UNRELEASED_INSTANCE_ID: Another member still holds the same group.instance.id.
UNSUPPORTED_ASSIGNOR: The coordinator has no assignor of that name; group.consumer.assignors lists them.
STALE_MEMBER_EPOCH: The member has a newer epoch than the request says. Learn it by the heartbeat and try again (KIP-848).
MISMATCHED_ENDPOINT_TYPE: The request went to a controller and is for brokers, or the other way round.
UNSUPPORTED_ENDPOINT_TYPE: The endpoint type is not known here.
UNKNOWN_CONTROLLER_ID: There is no controller of this id.
UNKNOWN_SUBSCRIPTION_ID: The telemetry subscription is no longer the current one. Get it again (KIP-714).
TELEMETRY_TOO_LARGE: The metrics are more than telemetry.max.bytes.
INVALID_REGISTRATION: The controller refuses the broker's registration as a whole.
TRANSACTION_ABORTABLE: The transaction cannot go on but the producer can: abort it and begin another (KIP-890).
INVALID_RECORD_STATE: The record is not in a state that allows this acknowledgement: its lock ran out, or another member has it (KIP-932).
SHARE_SESSION_NOT_FOUND: The broker dropped the share session. Begin a new one.
INVALID_SHARE_SESSION_EPOCH: The share session's epoch does not follow the last one. Begin a new session.
FENCED_STATE_EPOCH: The share coordinator has a newer state epoch for the partition.
INVALID_VOTER_KEY: The voter's id and directory do not match the receiving replica.
DUPLICATE_VOTER: The voter is in the quorum already.
VOTER_NOT_FOUND: The voter is not in the quorum.
INVALID_REGULAR_EXPRESSION: The subscription's pattern is no regular expression of RE2/J.
REBOOTSTRAP_REQUIRED: Forget the metadata and start from the bootstrap addresses again (KIP-1102).
STREAMS_INVALID_TOPOLOGY: The Streams topology contradicts itself or the group's.
STREAMS_INVALID_TOPOLOGY_EPOCH: The Streams topology's epoch is not one that the group can go to.
STREAMS_TOPOLOGY_FENCED: The member's topology is older than the group's.
SHARE_SESSION_LIMIT_REACHED: The broker holds as many share sessions as it may.
GROUP_DELETION_FAILED: The group could not be deleted; the message beside the code says why.
STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED: The broker could not store the topology's description; the message beside the code says why.
CONTROLLER_ID_NOT_REGISTERED: The quorum knows no controller of this id.
`;

/** Meanings by the code's name. */
export function errorMeanings(): ReadonlyMap<string, string> {
  const lines = TABLE.trim().split('\n');
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
}
