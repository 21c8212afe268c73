/** What lies in the keys and values of internal topics and control records: every type of the definitions, and bytes that
 * Kafka's own serializers wrote.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  controlRecords,
  internalTopics,
  type EmbeddedPart,
  type RecordTypes,
} from '../../../src/protocol/embedded/record-types.ts';
import { ByteReader } from '../../../src/protocol/reader.ts';
import { ByteWriter } from '../../../src/protocol/writer.ts';
import { readDefinitions, type DefinitionFile } from '../../../tools/generate/definitions.ts';
import { fromHex } from '../api/java-fixtures.ts';

/** The topics, by the artifact that defines their records. */
const topics: readonly (readonly [topic: string, artifact: string, types: number])[] = [
  ['__consumer_offsets', 'kafka-group-coordinator', 22],
  ['__transaction_state', 'kafka-transaction-coordinator', 1],
  ['__share_group_state', 'kafka-share-coordinator', 2],
  ['__cluster_metadata', 'kafka-metadata', 27],
  ['__remote_log_metadata', 'kafka-storage', 4],
];

const definitions = [...readDefinitions().values()];

function typesOf(topic: string): RecordTypes {
  const types = internalTopics(topic);
  if (!types) throw new Error(`${topic} is not known`);
  return types;
}

/** What the definitions have of a topic and of one kind. */
function defined(artifact: string, kind: string): readonly DefinitionFile[] {
  return definitions.filter((each) => each.source.includes(`:${artifact}:`) && each.kind === kind);
}

function highestVersion({ message }: DefinitionFile): number {
  return Number(message?.validVersions.split('-').at(-1));
}

/** The parts' names and versions. */
function outline(parts: readonly EmbeddedPart[] | undefined): string | undefined {
  return parts?.map(({ message, version }) => `${message.name} v${version}`).join(', ');
}

function int16(value: number): Uint8Array {
  const writer = new ByteWriter();
  writer.int16(value);
  return writer.finish();
}

/** The value of each part by its name; fails unless the parts are all of the bytes. */
function decoded(parts: readonly EmbeddedPart[] | undefined, bytes: Uint8Array): Record<string, unknown> {
  const reader = new ByteReader(bytes);
  const values = (parts ?? []).map(({ name, message, version }) => [name, message.decode(reader, version)]);
  expect(reader.remaining).toBe(0);
  return Object.fromEntries(values) as Record<string, unknown>;
}

describe.each(topics)('%s', (topic, artifact, count) => {
  const types = typesOf(topic);

  test('knows the key and the value of every record type, in every version', () => {
    const values = [...defined(artifact, 'coordinator-value'), ...defined(artifact, 'metadata')];
    expect(values.length).toBe(count);
    for (const value of values) {
      const { apiKey: type = NaN, kind, message } = value;
      for (let version = 0; version <= highestVersion(value); version++) {
        if (kind === 'metadata') {
          const parts = types.value(new Uint8Array([1, type, version]), null);
          expect(outline(parts)).toBe(`RecordFraming v0, ${message?.name} v${version}`);
          continue;
        }
        const key = defined(artifact, 'coordinator-key').find(({ apiKey }) => apiKey === type);
        expect(outline(types.key(int16(type)))).toBe(`VersionFraming v0, ${key?.message?.name} v0`);
        expect(outline(types.value(int16(version), int16(type)))).toBe(
          `VersionFraming v0, ${message?.name} v${version}`,
        );
      }
    }
  });

  test('has nothing but the framing of a type or a version that came later', () => {
    const [framing] = types.value(new Uint8Array([1, 99, 0]), null) ?? [];
    expect(framing?.name).toBe('framing');
    for (const parts of [
      types.value(new Uint8Array([1, 99, 0]), int16(99)),
      types.value(new Uint8Array([1, 0, 99]), int16(0)),
    ]) {
      expect(parts).toEqual([framing]);
    }
  });

  test('knows nothing of bytes that end before the framing does', () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array([0x80])]) {
      expect(types.key(bytes)).toBeUndefined();
      expect(types.value(bytes, null)).toBeUndefined();
    }
  });
});

test('no other topic is internal', () => {
  for (const topic of ['orders', '', '__proto__', '__consumer_offsets2'])
    expect(internalTopics(topic)).toBeUndefined();
});

describe('what Kafka wrote', () => {
  // By the record serdes of Kafka 4.4.0: GroupCoordinator-, TransactionCoordinator-, ShareCoordinator-, MetadataRecordSerde
  // and RemoteLogMetadataSerde.
  test('by its coordinators is a framing and a message, to the last byte', () => {
    const cases = [
      [
        '__consumer_offsets',
        '000100016700017400000003',
        '0003000000000000002a0000000500016d00000000000003e8',
      ],
      ['__consumer_offsets', '0003000167', '000000000007010008ffffffffffffffff'],
      [
        '__transaction_state',
        '000000027478',
        '0001000000000000000900010000ea60010202740300000000000000010000000000000003e8000000000000038400',
      ],
      [
        '__share_group_state',
        '00010001670000000000000001000000000000000200000003',
        '00000000000100000002000000000000000a02000000000000000a000000000000000c0200010000',
      ],
    ] as const;
    const found = cases.map(([topic, key, value]) => {
      const types = typesOf(topic);
      const [keyBytes, valueBytes] = [fromHex(key), fromHex(value)];
      return {
        key: decoded(types.key(keyBytes), keyBytes),
        value: decoded(types.value(valueBytes, keyBytes), valueBytes),
      };
    });
    expect(found).toMatchObject([
      {
        key: { framing: { version: 1 }, offsetCommitKey: { group: 'g', topic: 't', partition: 3 } },
        value: {
          framing: { version: 3 },
          offsetCommitValue: { offset: 42, leaderEpoch: 5, metadata: 'm', commitTimestamp: 1000 },
        },
      },
      {
        key: { framing: { version: 3 }, consumerGroupMetadataKey: { groupId: 'g' } },
        value: { framing: { version: 0 }, consumerGroupMetadataValue: { epoch: 7, metadataHash: -1n } },
      },
      {
        key: { framing: { version: 0 }, transactionLogKey: { transactionalId: 'tx' } },
        value: {
          framing: { version: 1 },
          transactionLogValue: {
            producerId: 9n,
            transactionStatus: 1,
            transactionPartitions: [{ topic: 't', partitionIds: [0, 1] }],
          },
        },
      },
      {
        key: { framing: { version: 1 }, shareUpdateKey: { groupId: 'g', partition: 3 } },
        value: {
          framing: { version: 0 },
          shareUpdateValue: { startOffset: 10, stateBatches: [{ firstOffset: 10, lastOffset: 12 }] },
        },
      },
    ]);
  });

  test('into the metadata logs is a framing and a message, to the last byte', () => {
    const cases = [
      ['__cluster_metadata', '01020002740000000000000001000000000000000200'],
      ['__cluster_metadata', '0105010000000300000000000000010000000000000002010009030000000100000002'],
      [
        '__remote_log_metadata',
        '01020002740000000000000001000000000000000200000003000000000100000000000003e80000',
      ],
    ] as const;
    const found = cases.map(([topic, hex]) => {
      const bytes = fromHex(hex);
      return decoded(typesOf(topic).value(bytes, null), bytes);
    });
    const topicId = 'AAAAAAAAAAEAAAAAAAAAAg';
    expect(found).toMatchObject([
      { framing: { frameVersion: 1, type: 2, version: 0 }, topicRecord: { name: 't', topicId } },
      {
        framing: { frameVersion: 1, type: 5, version: 1 },
        partitionChangeRecord: { partitionId: 3, topicId, isr: [1, 2], leader: -2 },
      },
      {
        framing: { frameVersion: 1, type: 2, version: 0 },
        remotePartitionDeleteMetadataRecord: {
          topicIdPartition: { name: 't', id: topicId, partition: 3 },
          eventTimestampMs: 1000,
        },
      },
    ]);
  });

  test.each([
    ['abort', ['endTxnMarker']],
    ['commit', ['endTxnMarker']],
    ['leader-change', ['leaderChangeMessage']],
    ['snapshot-start', ['snapshotHeaderRecord', 'kRaftVersionRecord', 'votersRecord']],
    ['snapshot-footer', ['snapshotFooterRecord']],
  ])('as control records (%s) is %j', (file, names) => {
    const url = new URL(`../../../fixtures/records/${file}.json`, import.meta.url);
    const { batches } = JSON.parse(readFileSync(url, 'utf8')) as {
      batches: { records: { key: string; value: string }[] }[];
    };
    const found = batches.flatMap(({ records }) =>
      records.map((record) => {
        const [key, value] = [fromHex(record.key), fromHex(record.value)];
        expect(decoded(controlRecords.key(key), key)).toMatchObject({ framing: { version: 0 } });
        const { framing: _, ...body } = decoded(controlRecords.value(value, key), value);
        return Object.keys(body);
      }),
    );
    expect(found.flat()).toEqual(names);
  });
});

test('a control record of a later kind, or without its key, is not looked into', () => {
  expect(controlRecords.value(int16(0), fromHex('00000007'))).toBeUndefined();
  expect(controlRecords.value(int16(0), null)).toBeUndefined();
  expect(controlRecords.value(new Uint8Array(1), fromHex('00000001'))).toBeUndefined();
});
