/** Every public name, entry by entry: a name comes or goes only together with a line here (and one in CHANGELOG.md).
 * Values exist in JavaScript; types only for the compiler.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { childOf, parseFile, repositoryRoot, type SyntaxNode } from './support/source-tree.ts';

interface Names {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

function names(list: string): readonly string[] {
  return list.split(/\s+/).filter((name) => name !== '');
}

/** Expected names by entry of package.json, each list in the order of `sort`. */
const surface: Readonly<Record<string, Names>> = {
  '.': {
    values: names(`
      BrokerError Client ConnectionError KafkaError ProtocolError Reader TimeoutError UsageError
      WriteErrors Writer crc32 gzip hash leastBytes lz4 manual murmur2 rangeAssignor referenceHash
      roundRobin snappy sticky withLevel zstd
    `),
    types: names(`
      Address Assignor AssignorMember AssignorTopic Balancer BalancerFunction BalancerTopic
      BatchOutcome BeginTransactionOptions BrokerErrorOptions ClientOptions ClientRequestOptions CloseOptions Codec
      CommitOptions Committable ConnectionErrorOptions Crc32Options DecompressOptions Dial DialOptions
      ErrorCode FetchBatchOptions FetchCallOptions GroupMetadata GroupReaderOptions HashOptions
      HeadersInput KafkaErrorOptions Listener LogFields Logger Message MessageBatch Murmur2Options
      OffsetToSend OutgoingMessage PartitionReaderOptions PartitionsReaderOptions Platform PlatformZstd ProtocolErrorOptions
      ReaderCloseOptions ReaderCommitOutcome ReaderOptions ReaderPartitionStats ReaderStats
      ReadingOptions RoundRobinOptions SharedClient SharedOptions StartOffset StickyOptions Stored
      Summary TimeoutErrorOptions Timer TlsOptions TopicPartition TopicPartitions Transaction
      TransactionOptions TransactionSource Transport Unkeyed
      WriteOptions WriteReceipt WriterCounts WriterOptions WriterSettings WriterStats WrittenMessage
    `),
  },
  './protocol': {
    values: names(`
      ByteReader ByteWriter ErrorCodes FrameReader ZERO_UUID abortTransactionRecord abortedTxn
      accessControlEntryRecord addOffsetsToTxnApi addPartitionsToTxnApi addRaftVoterApi
      allocateProducerIdsApi alterClientQuotasApi alterConfigsApi alterPartitionApi
      alterPartitionReassignmentsApi alterReplicaLogDirsApi alterShareGroupOffsetsApi
      alterUserScramCredentialsApi apiVersionsApi assignReplicasToDirsApi assignment
      beginQuorumEpochApi beginTransactionRecord brokerHeartbeatApi brokerRegistrationApi
      brokerRegistrationChangeRecord clearElrRecord clientQuotaRecord configRecord
      consumerGroupCurrentMemberAssignmentKey consumerGroupCurrentMemberAssignmentValue
      consumerGroupDescribeApi consumerGroupHeartbeatApi consumerGroupMemberMetadataKey
      consumerGroupMemberMetadataValue consumerGroupMetadataKey consumerGroupMetadataValue
      consumerGroupPartitionMetadataKey consumerGroupPartitionMetadataValue
      consumerGroupRegularExpressionKey consumerGroupRegularExpressionValue
      consumerGroupTargetAssignmentMemberKey consumerGroupTargetAssignmentMemberValue
      consumerGroupTargetAssignmentMetadataKey consumerGroupTargetAssignmentMetadataValue
      controlRecordTypeSchema controllerRegistrationApi crc32c crc32cPure createAclsApi
      createDelegationTokenApi createPartitionsApi createTopicsApi decodeAssignment decodeControlRecord
      decodeRecord decodeRecordBatch decodeRecords decodeSubscription defaultPrincipalData delegationTokenRecord deleteAclsApi deleteGroupsApi
      deleteRecordsApi deleteShareGroupOffsetsApi deleteShareGroupStateApi deleteTopicsApi
      describeAclsApi describeClientQuotasApi describeClusterApi describeConfigsApi
      describeDelegationTokenApi describeGroupsApi describeLogDirsApi describeProducersApi
      describeQuorumApi describeShareGroupOffsetsApi describeTopicPartitionsApi
      describeTransactionsApi describeUserScramCredentialsApi diagnose diagnoseRecords electLeadersApi encodeAssignment
      encodeRecordBatch encodeRequest encodeResponse encodeSubscription endQuorumEpochApi
      endTransactionRecord endTxnApi endTxnMarker envelopeApi errorCode expireDelegationTokenApi
      featureLevelRecord fenceBrokerRecord fetchApi fetchSnapshotApi findCoordinatorApi
      getTelemetrySubscriptionsApi groupMetadataKey groupMetadataValue heartbeatApi
      incrementalAlterConfigsApi initProducerIdApi initializeShareGroupStateApi joinGroupApi
      kRaftVersionRecord leaderChangeMessage leaveGroupApi leavesOf legacyOffsetCommitKey
      legacyOffsetCommitValue listConfigResourcesApi listGroupsApi listOffsetsApi
      listPartitionReassignmentsApi listTransactionsApi metadataApi negotiate noOpRecord
      offsetCommitApi offsetCommitKey offsetCommitValue offsetDeleteApi offsetFetchApi
      offsetForLeaderEpochApi partitionChangeRecord partitionRecord produceApi producerIdsRecord
      producerSnapshot pushTelemetryApi quorumStateData readShareGroupStateApi
      readShareGroupStateSummaryApi registerBrokerRecord registerControllerRecord
      remoteLogSegmentMetadataRecord remoteLogSegmentMetadataSnapshotRecord
      remoteLogSegmentMetadataUpdateRecord remotePartitionDeleteMetadataRecord
      removeAccessControlEntryRecord removeDelegationTokenRecord removeRaftVoterApi removeTopicRecord
      removeUserScramCredentialRecord renewDelegationTokenApi requestHeader requestHeaderVersion
      responseHeader responseHeaderVersion saslAuthenticateApi saslHandshakeApi shareAcknowledgeApi
      shareFetchApi shareGroupCurrentMemberAssignmentKey shareGroupCurrentMemberAssignmentValue
      shareGroupDescribeApi shareGroupHeartbeatApi shareGroupMemberMetadataKey
      shareGroupMemberMetadataValue shareGroupMetadataKey shareGroupMetadataValue
      shareGroupStatePartitionMetadataKey shareGroupStatePartitionMetadataValue
      shareGroupTargetAssignmentMemberKey shareGroupTargetAssignmentMemberValue
      shareGroupTargetAssignmentMetadataKey shareGroupTargetAssignmentMetadataValue shareSnapshotKey
      shareSnapshotValue shareUpdateKey shareUpdateValue snapshotFooterRecord snapshotHeaderRecord
      streamsGroupCurrentMemberAssignmentKey streamsGroupCurrentMemberAssignmentValue
      streamsGroupDescribeApi streamsGroupHeartbeatApi streamsGroupMemberMetadataKey
      streamsGroupMemberMetadataValue streamsGroupMetadataKey streamsGroupMetadataValue
      streamsGroupTargetAssignmentMemberKey streamsGroupTargetAssignmentMemberValue
      streamsGroupTargetAssignmentMetadataKey streamsGroupTargetAssignmentMetadataValue
      streamsGroupTopologyDescriptionUpdateApi streamsGroupTopologyKey streamsGroupTopologyValue
      subscription syncGroupApi topicRecord traceParts traceRecords transactionLogKey transactionLogValue txnOffsetCommitApi
      unfenceBrokerRecord unknownTags unregisterBrokerApi unregisterBrokerRecord unregisterControllerApi
      unregisterControllerRecord updateFeaturesApi updateRaftVoterApi userScramCredentialRecord
      visitRecords voteApi votersRecord writeShareGroupStateApi writeTxnMarkersApi zkMigrationStateRecord
    `),
    types: names(`
      AbortTransactionRecord AbortedTxn AccessControlEntryRecord AddOffsetsToTxnRequest
      AddOffsetsToTxnResponse AddPartitionsToTxnRequest AddPartitionsToTxnResponse AddRaftVoterRequest
      AddRaftVoterResponse AllocateProducerIdsRequest AllocateProducerIdsResponse
      AlterClientQuotasRequest AlterClientQuotasResponse AlterConfigsRequest AlterConfigsResponse
      AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse AlterPartitionRequest
      AlterPartitionResponse AlterReplicaLogDirsRequest AlterReplicaLogDirsResponse
      AlterShareGroupOffsetsRequest AlterShareGroupOffsetsResponse AlterUserScramCredentialsRequest
      AlterUserScramCredentialsResponse Api ApiVersionsRequest ApiVersionsResponse
      AssignReplicasToDirsRequest AssignReplicasToDirsResponse Assignment BeginQuorumEpochRequest
      BeginQuorumEpochResponse BeginTransactionRecord BrokerHeartbeatRequest BrokerHeartbeatResponse
      BrokerRegistrationChangeRecord BrokerRegistrationRequest BrokerRegistrationResponse
      ClearElrRecord ClientQuotaRecord ConfigRecord ConsumerGroupCurrentMemberAssignmentKey
      ConsumerGroupCurrentMemberAssignmentValue ConsumerGroupDescribeRequest
      ConsumerGroupDescribeResponse ConsumerGroupHeartbeatRequest ConsumerGroupHeartbeatResponse
      ConsumerGroupMemberMetadataKey ConsumerGroupMemberMetadataValue ConsumerGroupMetadataKey
      ConsumerGroupMetadataValue ConsumerGroupPartitionMetadataKey ConsumerGroupPartitionMetadataValue
      ConsumerGroupRegularExpressionKey ConsumerGroupRegularExpressionValue
      ConsumerGroupTargetAssignmentMemberKey ConsumerGroupTargetAssignmentMemberValue
      ConsumerGroupTargetAssignmentMetadataKey ConsumerGroupTargetAssignmentMetadataValue
      ControlBodies ControlRecord ControlRecordBytes
      ControlRecordTypeSchema ControllerRegistrationRequest ControllerRegistrationResponse
      CreateAclsRequest CreateAclsResponse CreateDelegationTokenRequest CreateDelegationTokenResponse
      CreatePartitionsRequest CreatePartitionsResponse CreateTopicsRequest CreateTopicsResponse
      DecodeBatchOptions DecodeOptions DecodedBatch DecodedRecord DefaultPrincipalData DelegationTokenRecord
      DeleteAclsRequest DeleteAclsResponse DeleteGroupsRequest DeleteGroupsResponse
      DeleteRecordsRequest DeleteRecordsResponse DeleteShareGroupOffsetsRequest
      DeleteShareGroupOffsetsResponse DeleteShareGroupStateRequest DeleteShareGroupStateResponse
      DeleteTopicsRequest DeleteTopicsResponse DescribeAclsRequest DescribeAclsResponse
      DescribeClientQuotasRequest DescribeClientQuotasResponse DescribeClusterRequest
      DescribeClusterResponse DescribeConfigsRequest DescribeConfigsResponse
      DescribeDelegationTokenRequest DescribeDelegationTokenResponse DescribeGroupsRequest
      DescribeGroupsResponse DescribeLogDirsRequest DescribeLogDirsResponse DescribeProducersRequest
      DescribeProducersResponse DescribeQuorumRequest DescribeQuorumResponse
      DescribeShareGroupOffsetsRequest DescribeShareGroupOffsetsResponse
      DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse DescribeTransactionsRequest
      DescribeTransactionsResponse DescribeUserScramCredentialsRequest
      DescribeUserScramCredentialsResponse Diagnosis ElectLeadersRequest ElectLeadersResponse
      EmbeddedPart EndQuorumEpochRequest EndQuorumEpochResponse EndTransactionRecord EndTxnMarker EndTxnRequest
      EndTxnResponse EnvelopeRequest EnvelopeResponse ErrorInfo ErrorName ExpireDelegationTokenRequest
      ExpireDelegationTokenResponse FeatureLevelRecord FenceBrokerRecord FetchRequest FetchResponse
      FetchSnapshotRequest FetchSnapshotResponse FindCoordinatorRequest FindCoordinatorResponse
      GetTelemetrySubscriptionsRequest GetTelemetrySubscriptionsResponse GroupMetadataKey
      GroupMetadataValue HeartbeatRequest HeartbeatResponse IncrementalAlterConfigsRequest
      IncrementalAlterConfigsResponse Inflate InitProducerIdRequest InitProducerIdResponse
      InitializeShareGroupStateRequest InitializeShareGroupStateResponse Input JoinGroupRequest
      JoinGroupResponse KRaftVersionRecord LeaderChangeMessage LeaveGroupRequest LeaveGroupResponse
      LegacyOffsetCommitKey LegacyOffsetCommitValue ListConfigResourcesRequest
      ListConfigResourcesResponse ListGroupsRequest ListGroupsResponse ListOffsetsRequest
      ListOffsetsResponse ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse
      ListTransactionsRequest ListTransactionsResponse LogBatch LogCursor Message MetadataRequest MetadataResponse
      NoOpRecord OffsetCommitKey OffsetCommitRequest OffsetCommitResponse OffsetCommitValue
      OffsetDeleteRequest OffsetDeleteResponse OffsetFetchRequest OffsetFetchResponse
      OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse PartitionChangeRecord PartitionRecord
      ProduceRequest ProduceResponse ProducerIdsRecord ProducerSnapshot PushTelemetryRequest
      PushTelemetryResponse QuorumStateData ReadShareGroupStateRequest ReadShareGroupStateResponse
      ReadShareGroupStateSummaryRequest ReadShareGroupStateSummaryResponse RecordBatchInput
      RecordInput RecordTypes RegisterBrokerRecord RegisterControllerRecord RemoteLogSegmentMetadataRecord
      RemoteLogSegmentMetadataSnapshotRecord RemoteLogSegmentMetadataUpdateRecord
      RemotePartitionDeleteMetadataRecord RemoveAccessControlEntryRecord RemoveDelegationTokenRecord
      RemoveRaftVoterRequest RemoveRaftVoterResponse RemoveTopicRecord RemoveUserScramCredentialRecord
      RenewDelegationTokenRequest RenewDelegationTokenResponse RequestHeader ResponseHeader
      SaslAuthenticateRequest SaslAuthenticateResponse SaslHandshakeRequest SaslHandshakeResponse
      ShareAcknowledgeRequest ShareAcknowledgeResponse ShareFetchRequest ShareFetchResponse
      ShareGroupCurrentMemberAssignmentKey ShareGroupCurrentMemberAssignmentValue
      ShareGroupDescribeRequest ShareGroupDescribeResponse ShareGroupHeartbeatRequest
      ShareGroupHeartbeatResponse ShareGroupMemberMetadataKey ShareGroupMemberMetadataValue
      ShareGroupMetadataKey ShareGroupMetadataValue ShareGroupStatePartitionMetadataKey
      ShareGroupStatePartitionMetadataValue ShareGroupTargetAssignmentMemberKey
      ShareGroupTargetAssignmentMemberValue ShareGroupTargetAssignmentMetadataKey
      ShareGroupTargetAssignmentMetadataValue ShareSnapshotKey ShareSnapshotValue ShareUpdateKey
      ShareUpdateValue SnapshotFooterRecord SnapshotHeaderRecord
      StreamsGroupCurrentMemberAssignmentKey StreamsGroupCurrentMemberAssignmentValue
      StreamsGroupDescribeRequest StreamsGroupDescribeResponse StreamsGroupHeartbeatRequest
      StreamsGroupHeartbeatResponse StreamsGroupMemberMetadataKey StreamsGroupMemberMetadataValue
      StreamsGroupMetadataKey StreamsGroupMetadataValue StreamsGroupTargetAssignmentMemberKey
      StreamsGroupTargetAssignmentMemberValue StreamsGroupTargetAssignmentMetadataKey
      StreamsGroupTargetAssignmentMetadataValue StreamsGroupTopologyDescriptionUpdateRequest
      StreamsGroupTopologyDescriptionUpdateResponse StreamsGroupTopologyKey StreamsGroupTopologyValue
      Subscription SyncGroupRequest SyncGroupResponse TopicPartitions TopicRecord Trace TraceNode
      TraceOptions TracedApi TracedMessage TransactionLogKey TransactionLogValue
      TxnOffsetCommitRequest TxnOffsetCommitResponse UnfenceBrokerRecord UnknownTag UnregisterBrokerRecord
      UnregisterBrokerRequest UnregisterBrokerResponse UnregisterControllerRecord
      UnregisterControllerRequest UnregisterControllerResponse UpdateFeaturesRequest
      UpdateFeaturesResponse UpdateRaftVoterRequest UpdateRaftVoterResponse UserScramCredentialRecord
      VersionRange VoteRequest VoteResponse VotersRecord WriteShareGroupStateRequest
      WriteShareGroupStateResponse WriteTxnMarkersRequest WriteTxnMarkersResponse
      ZkMigrationStateRecord
    `),
  },
  './protocol/registry': {
    values: names(`
      api apis embeddedMessages internalTopics
    `),
    types: names(`
      EmbeddedPart RecordTypes
    `),
  },
  './compression': {
    values: names(`
      allCodecs codecById gzip gzipCodec inflateSync lz4 snappy withLevel zstd zstdCodec
    `),
    types: names(`
      Codec DecompressOptions SyncCodec
    `),
  },
  './testing': {
    values: names(`
      EmbeddedCluster FaultProxy History batchEvents checkHistory virtualWorld
    `),
    types: names(`
      Anomaly AnomalyName ApiKey AssignEvent BatchEvent CallbackEvent CheckOptions CommitEvent
      CommittedOffset CoordinatorType EmbeddedClusterOptions ExchangeFault Fault FaultControl FaultHook
      FaultOutcome FaultProxyOptions GroupMember GroupSnapshot GroupState HistoryEvent
      HistoryOptions HistoryReport InjectedFault LinkFault NewEvent NewTopic PartitionState
      PollEvent ProcessedEvent ProxyFault ProxyFaultControl ProxyHook ProxyOrigin ProxyOutcome
      ProxyVerdict RequestOrigin RequestRecord RevokeEvent SendEvent SendResult SettledEvent
      StoredWord TransactionEvent TransactionSnapshot TransactionState VirtualChunking VirtualNetwork VirtualWorld
      VirtualWorldOptions
    `),
  },
};

/** The names that a file exports. */
function exportedNames(path: string): Names {
  const values: string[] = [];
  const types: string[] = [];
  for (const node of parseFile(path).body) {
    if (!node.type.startsWith('Export')) continue;
    const declared = childOf(node, 'declaration');
    const [variable] = (declared?.['declarations'] ?? []) as SyntaxNode[];
    const id = childOf(variable ?? declared, 'id');
    if (id !== undefined) (declared?.type.startsWith('TS') ? types : values).push(String(id['name']));
    for (const specifier of (node['specifiers'] ?? []) as SyntaxNode[]) {
      const isType = node['exportKind'] === 'type' || specifier['exportKind'] === 'type';
      (isType ? types : values).push(String(childOf(specifier, 'exported')?.['name']));
    }
  }
  return { values: values.sort(), types: types.sort() };
}

interface Target {
  readonly types: string;
  readonly default: string;
}

const { exports: targets } = JSON.parse(readFileSync(`${repositoryRoot}package.json`, 'utf8')) as {
  readonly exports: Readonly<Record<string, string | Target>>;
};
const entries = Object.entries(targets).flatMap(([entry, target]) => {
  return typeof target === 'string' ? [] : [{ entry, target }];
});

describe('the package', () => {
  it('has exactly these entries', () => {
    expect(entries.map(({ entry }) => entry).sort()).toEqual(Object.keys(surface).sort());
  });

  it.each(entries)('exports exactly its names at $entry', async ({ entry, target }) => {
    const source = target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
    expect(target.types).toBe(target.default.replace(/\.js$/, '.d.ts'));
    expect(exportedNames(source)).toEqual(surface[entry]);
    const module = (await import(/* @vite-ignore */ repositoryRoot + source)) as object;
    expect(Object.keys(module).sort()).toEqual(surface[entry]?.values);
  });
});
