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
      WriteErrors Writer gzip hash murmur2 rangeAssignor roundRobin sticky
    `),
    types: names(`
      Address Assignor AssignorMember AssignorTopic Balancer BalancerFunction BalancerTopic
      BatchOutcome BrokerErrorOptions ClientOptions ClientRequestOptions CloseOptions Codec
      CommitOptions Committable ConnectionErrorOptions DecompressOptions Dial DialOptions ErrorCode
      FetchBatchOptions FetchCallOptions GroupMetadata GroupReaderOptions HashOptions HeadersInput
      KafkaErrorOptions Listener LogFields Logger Message MessageBatch Murmur2Options OutgoingMessage
      PartitionReaderOptions PartitionsReaderOptions Platform ProtocolErrorOptions ReaderCloseOptions
      ReaderCommitOutcome ReaderOptions ReaderPartitionStats ReaderStats ReadingOptions SharedClient
      SharedOptions StartOffset StickyOptions Stored Summary TimeoutErrorOptions Timer TlsOptions
      TopicPartition TopicPartitions Transport WriteOptions WriteReceipt WriterCounts WriterOptions
      WriterSettings WriterStats WrittenMessage
    `),
  },
  './protocol': {
    values: names(`
      ByteReader ByteWriter ErrorCodes FrameReader ZERO_UUID apiVersionsApi assignment crc32c
      crc32cPure createTopicsApi decodeAssignment decodeRecordBatch decodeSubscription deleteTopicsApi
      describeGroupsApi encodeAssignment encodeRecordBatch encodeRequest encodeResponse encodeSubscription errorCode fetchApi
      findCoordinatorApi heartbeatApi initProducerIdApi joinGroupApi leaveGroupApi listGroupsApi
      listOffsetsApi metadataApi negotiate offsetCommitApi offsetFetchApi produceApi requestHeader
      requestHeaderVersion responseHeader responseHeaderVersion subscription syncGroupApi
    `),
    types: names(`
      Api ApiVersionsRequest ApiVersionsResponse Assignment CreateTopicsRequest CreateTopicsResponse
      DecodeOptions DecodedBatch DecodedRecord DeleteTopicsRequest DeleteTopicsResponse DescribeGroupsRequest
      DescribeGroupsResponse ErrorInfo ErrorName FetchRequest FetchResponse FindCoordinatorRequest
      FindCoordinatorResponse HeartbeatRequest HeartbeatResponse InitProducerIdRequest
      InitProducerIdResponse Input JoinGroupRequest JoinGroupResponse LeaveGroupRequest
      LeaveGroupResponse ListGroupsRequest ListGroupsResponse ListOffsetsRequest ListOffsetsResponse
      Message MetadataRequest MetadataResponse OffsetCommitRequest OffsetCommitResponse
      OffsetFetchRequest OffsetFetchResponse ProduceRequest ProduceResponse RecordBatchInput
      RecordInput RequestHeader
      ResponseHeader Subscription SyncGroupRequest SyncGroupResponse TopicPartitions Trace TraceNode
      TraceOptions TracedApi TracedMessage VersionRange
    `),
  },
  './protocol/registry': {
    values: names(`
      api apis
    `),
    types: names(`
    `),
  },
  './compression': {
    values: names(`
      codecById gzip gzipCodec
    `),
    types: names(`
      Codec DecompressOptions
    `),
  },
  './testing': {
    values: names(`
      EmbeddedCluster virtualWorld
    `),
    types: names(`
      ApiKey CommittedOffset EmbeddedClusterOptions Fault FaultControl FaultHook FaultOutcome
      GroupMember GroupSnapshot GroupState InjectedFault NewTopic PartitionState RequestOrigin
      RequestRecord VirtualChunking VirtualNetwork VirtualWorld VirtualWorldOptions
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
