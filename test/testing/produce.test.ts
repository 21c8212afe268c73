/** Produce: what is appended, what is refused by which code, and the sequence check of a partition. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { lz4, snappy } from '../../src/compression/index.ts';
import { crc32c, ErrorCodes, produceApi } from '../../src/protocol/index.ts';
import { compressedBatch } from '../../src/protocol/records/batch-builder.ts';
import { encodeRecordBatch, type RecordInput } from '../../src/protocol/records/plain-batch.ts';
import { batchOf, fetch, inCluster, plain, produce, sequenced, topicIdOf } from './cluster-world.ts';

const topics = [{ name: 'orders', partitions: 2 }];

describe('Produce', () => {
  it('appends batches and answers the offset of the first record', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      expect(await produce(client, 'orders', batchOf(['a', 'b']))).toMatchObject({
        errorCode: 0,
        baseOffset: 0,
        logStartOffset: 0,
      });
      expect(await produce(client, 'orders', batchOf(['c']))).toMatchObject({
        errorCode: 0,
        baseOffset: 2,
        logAppendTimeMs: -1,
      });
      const records = await cluster.records('orders', 0);
      expect(
        records.map(({ offset, value }) => [offset, new TextDecoder().decode(value ?? undefined)]),
      ).toEqual([
        [0, 'a'],
        [1, 'b'],
        [2, 'c'],
      ]);
      expect(cluster.partition('orders', 1).endOffset).toBe(0);
    }));

  it.each([3, 7, 9, 12, 13])('is served in version %d', (version) =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      const batch = batchOf(['a']);
      const topicId = await topicIdOf(client, 'orders');
      const topicData = [{ name: 'orders', topicId, partitionData: [{ index: 0, records: batch }] }];
      const answer = await client.call(produceApi, version, { acks: 1, timeoutMs: 1, topicData });
      expect(answer.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 });
      expect(cluster.partition('orders', 0).endOffset).toBe(1);
    }),
  );

  it('knows topics by id from version 13 on and by nothing else', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const topicData = [
        { name: 'orders', topicId: 'A'.repeat(22), partitionData: [{ index: 0, records: batchOf(['a']) }] },
      ];
      const answer = await client.call(produceApi, 13, { acks: 1, timeoutMs: 1, topicData });
      expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCodes.UNKNOWN_TOPIC_ID);
    }));

  it('keeps batches of every codec as they are, and answers CORRUPT or INVALID for what cannot be read', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      const whole = batchOf(['a', 'b', 'c']);
      const records = whole.subarray(61);
      const payloads: Uint8Array[] = [
        plain(gzipSync(records)),
        snappy.compress(records),
        lz4.compress(records),
        // one frame of one raw block
        Uint8Array.of(
          0x28,
          0xb5,
          0x2f,
          0xfd,
          0x20,
          records.length,
          (records.length << 3) | 1,
          0,
          0,
          ...records,
        ),
      ];
      for (const [index, payload] of payloads.entries()) {
        const batch = compressedBatch(whole, index + 1, payload);
        const baseOffset = 3 * index;
        expect(await produce(client, 'orders', batch)).toMatchObject({ errorCode: 0, baseOffset });
        const stored = (await cluster.batches('orders', 0)).at(-1);
        expect(stored).toMatchObject({ codecId: index + 1, baseOffset });
        expect(stored?.records.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual([
          'a',
          'b',
          'c',
        ]);
      }
      const fetched = Buffer.from((await fetch(client, 'orders', 0)).records ?? []);
      for (const payload of payloads) expect(fetched.includes(Buffer.from(payload))).toBe(true);
      for (const codecId of [1, 2, 3, 4, 5]) {
        const nonsense = compressedBatch(whole, codecId, new Uint8Array(20).fill(9));
        expect((await produce(client, 'orders', nonsense)).errorCode).toBe(ErrorCodes.INVALID_RECORD);
      }
    }));

  it('refuses zstd before version 7 with UNSUPPORTED_COMPRESSION_TYPE', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      const zstd = compressedBatch(batchOf(['a']), 4, new Uint8Array(20));
      const codeIn = async (version: number): Promise<number> =>
        (await produce(client, 'orders', zstd, { version })).errorCode;
      expect(await codeIn(6)).toBe(ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE);
      expect(await codeIn(7)).toBe(ErrorCodes.INVALID_RECORD);
    }));

  const flipped = batchOf(['abc']);
  flipped[flipped.length - 3] = (flipped[flipped.length - 3] ?? 0) ^ 1;
  const future = encodeRecordBatch({ records: [{ value: 'x', timestamp: 8_000_000_000_000 }] });
  const unsequenced = batchOf(['a'], { producerId: 3n, producerEpoch: 0 });
  it.each([
    ['a flipped bit', flipped, 'CORRUPT_MESSAGE'],
    ['two batches', new Uint8Array([...batchOf(['a']), ...batchOf(['b'])]), 'INVALID_RECORD'],
    ['half a batch', batchOf(['a']).subarray(0, 40), 'INVALID_RECORD'],
    ['no bytes', new Uint8Array(0), 'INVALID_RECORD'],
    ['null', null, 'INVALID_RECORD'],
    ['offsets of its own', batchOf(['a'], { baseOffset: 5 }), 'INVALID_RECORD'],
    [
      'a control batch',
      batchOf(['a'], { isControl: true, producerId: 1n, producerEpoch: 0, baseSequence: 0 }),
      'INVALID_RECORD',
    ],
    ['a producer id without a sequence', unsequenced, 'INVALID_RECORD'],
    ['a time far ahead', future, 'INVALID_TIMESTAMP'],
    ['a batch over max.message.bytes', batchOf(['x'.repeat(3_000)]), 'MESSAGE_TOO_LARGE'],
    [
      'a transaction without a transactional id',
      batchOf(['a'], { isTransactional: true, producerId: 1n, producerEpoch: 0, baseSequence: 0 }),
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    ],
  ] as const)('refuses %s', (_, records, name) =>
    inCluster(
      { topics: [{ name: 'orders', config: { 'max.message.bytes': '2000' } }] },
      async ({ cluster, connect }) => {
        const client = await connect();
        const answer = await produce(client, 'orders', records);
        expect(answer).toMatchObject({ errorCode: ErrorCodes[name], baseOffset: -1 });
        expect(cluster.partition('orders', 0).endOffset).toBe(0);
        expect((await produce(client, 'orders', batchOf(['fine']))).errorCode).toBe(0);
      },
    ),
  );

  it('refuses records without a key on a compacted topic', () =>
    inCluster(
      { topics: [{ name: 'table', config: { 'cleanup.policy': 'compact,delete' } }] },
      async ({ connect }) => {
        const client = await connect();
        const keyless = encodeRecordBatch({ records: [{ value: 'x', timestamp: 1 }] });
        expect((await produce(client, 'table', keyless)).errorCode).toBe(ErrorCodes.INVALID_RECORD);
        expect((await produce(client, 'table', batchOf(['x']))).errorCode).toBe(0);
      },
    ));

  it('names the records that made it refuse a batch (KIP-467), and stores none of the batch', () =>
    inCluster(
      { topics: [{ name: 'table', config: { 'cleanup.policy': 'compact' } }] },
      async ({ cluster, connect }) => {
        const client = await connect();
        const [good, keyless, late] = [
          { key: 'k', value: 'a', timestamp: 1 },
          { value: 'b', timestamp: 1 },
          { key: 'k', value: 'c', timestamp: 8_000_000_000_000 },
        ];
        const refusal = async (records: RecordInput[]) =>
          produce(client, 'table', encodeRecordBatch({ records }));
        const first = await refusal([good, keyless, good, keyless]);
        expect(first.errorCode).toBe(ErrorCodes.INVALID_RECORD);
        expect(first.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 3]);
        expect(first.recordErrors[0]?.batchIndexErrorMessage).toMatch(/without key/);
        // One time that cannot be decides the code of all.
        const second = await refusal([keyless, late]);
        expect(second.errorCode).toBe(ErrorCodes.INVALID_TIMESTAMP);
        expect(second.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1]);
        expect(cluster.partition('table', 0).endOffset).toBe(0);
      },
    ));

  it('stamps the time on a LogAppendTime topic', () =>
    inCluster(
      { topics: [{ name: 'log', config: { 'message.timestamp.type': 'LogAppendTime' } }] },
      async ({ cluster, connect, world }) => {
        const client = await connect();
        const { logAppendTimeMs } = await produce(client, 'log', batchOf(['a', 'b']));
        expect(Math.abs(logAppendTimeMs - world.now())).toBeLessThan(10);
        const records = await cluster.records('log', 0);
        expect(records.map(({ timestamp }) => timestamp)).toEqual([logAppendTimeMs, logAppendTimeMs]);
      },
    ));

  it('corrects a header that misstates the highest timestamp', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      const batch = batchOf(['a', 'b']);
      new DataView(batch.buffer, batch.byteOffset).setBigInt64(35, 5n);
      expect((await produce(client, 'orders', batch)).errorCode).toBe(ErrorCodes.CORRUPT_MESSAGE);
      new DataView(batch.buffer, batch.byteOffset).setUint32(17, crc32c(batch.subarray(21)));
      expect((await produce(client, 'orders', batch)).errorCode).toBe(0);
      expect((await cluster.batches('orders', 0))[0]?.maxTimestamp).toBe(1_001);
    }));

  it('answers nothing with acks 0, and closes the connection when something fails', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      await client.send(produceApi, 9, noAcks('orders'));
      expect(await produce(client, 'orders', batchOf(['b']))).toMatchObject({ baseOffset: 1 });
      await client.send(produceApi, 9, noAcks('nowhere'));
      expect(await client.nextFrame()).toBeUndefined();
      expect(cluster.partition('orders', 0).endOffset).toBe(2);
    }));

  it('refuses acks other than -1, 0 and 1', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      expect((await produce(client, 'orders', batchOf(['a']), { acks: 2 })).errorCode).toBe(
        ErrorCodes.INVALID_REQUIRED_ACKS,
      );
    }));

  it('wants min.insync.replicas for acks -1 only', () =>
    inCluster(
      { brokers: 2, topics: [{ name: 'safe', config: { 'min.insync.replicas': '2' } }] },
      async ({ cluster, connect }) => {
        const client = await connect(1);
        expect((await produce(client, 'safe', batchOf(['a']))).errorCode).toBe(0);
        await cluster.stopBroker(2);
        expect((await produce(client, 'safe', batchOf(['a']))).errorCode).toBe(
          ErrorCodes.NOT_ENOUGH_REPLICAS,
        );
        expect((await produce(client, 'safe', batchOf(['a']), { acks: 1 })).errorCode).toBe(0);
      },
    ));

  it('names the leader to whoever asks another broker, from version 10 on (KIP-951)', () =>
    inCluster({ brokers: 2, topics: [{ name: 'orders' }] }, async ({ cluster, connect }) => {
      const client = await connect(2);
      const old = await produce(client, 'orders', batchOf(['a']), { version: 9 });
      expect(old.errorCode).toBe(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
      const topicData = [{ name: 'orders', partitionData: [{ index: 0, records: batchOf(['a']) }] }];
      const answer = await client.call(produceApi, 10, { acks: 1, timeoutMs: 1, topicData });
      expect(answer.responses[0]?.partitionResponses[0]?.currentLeader).toEqual({
        leaderId: 1,
        leaderEpoch: 0,
      });
      const [host, port] = (cluster.brokers[0] ?? '').split(':');
      expect(answer.nodeEndpoints).toEqual([{ nodeId: 1, host, port: Number(port), rack: null }]);
    }));

  it('answers UNKNOWN_TOPIC_OR_PARTITION for what there is not', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      expect((await produce(client, 'nowhere', batchOf(['a']))).errorCode).toBe(
        ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
      );
      expect((await produce(client, 'orders', batchOf(['a']), { partition: 2 })).errorCode).toBe(
        ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
      );
    }));

  it('takes topics named like members of Object.prototype', () =>
    inCluster({ topics: [{ name: '__proto__' }, { name: 'constructor' }] }, async ({ cluster, connect }) => {
      const client = await connect();
      expect((await produce(client, '__proto__', batchOf(['a']))).errorCode).toBe(0);
      expect((await produce(client, 'toString', batchOf(['a']))).errorCode).toBe(
        ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
      );
      expect(await cluster.records('__proto__', 0)).toHaveLength(1);
      expect(await cluster.records('constructor', 0)).toHaveLength(0);
    }));
});

describe('the sequence check of a partition', () => {
  const after = (...appended: Uint8Array[]) => ({ appended });
  const wrapAt = 2 ** 31 - 2;
  it.each([
    ['takes any first sequence of an unknown producer', after(), sequenced(41, 2), 0],
    ['takes the next sequence', after(sequenced(0, 3)), sequenced(3), 0],
    ['refuses a gap', after(sequenced(0, 3)), sequenced(4), ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER],
    [
      'refuses an overlap that is no repetition',
      after(sequenced(0, 3)),
      sequenced(2),
      ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER,
    ],
    [
      'refuses an older epoch',
      after(sequenced(0, 1, 5)),
      sequenced(1, 1, 4),
      ErrorCodes.INVALID_PRODUCER_EPOCH,
    ],
    ['takes sequence 0 in a new epoch', after(sequenced(0, 3, 0)), sequenced(0, 1, 1), 0],
    [
      'takes only 0 in a new epoch',
      after(sequenced(0, 3, 0)),
      sequenced(3, 1, 1),
      ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER,
    ],
    ['goes from 2^31-1 to 0', after(sequenced(wrapAt, 2)), sequenced(0), 0],
    ['goes on within a batch that wraps', after(sequenced(wrapAt, 4)), sequenced(2), 0],
    ['keeps producers apart', after(sequenced(0, 3)), sequenced(9, 1, 0, 8n), 0],
    ['heeds no sequence of records without a producer', after(batchOf(['a'])), batchOf(['a']), 0],
  ] as const)('%s', (_, { appended }, batch, errorCode) =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      for (const one of appended) expect((await produce(client, 'orders', one)).errorCode).toBe(0);
      expect((await produce(client, 'orders', batch)).errorCode).toBe(errorCode);
    }),
  );

  it('answers the original offset for each of the last 5 batches, and forgets older ones', () =>
    inCluster({ topics }, async ({ cluster, connect }) => {
      const client = await connect();
      for (let i = 0; i < 6; i++) await produce(client, 'orders', sequenced(2 * i, 2));
      for (let i = 1; i < 6; i++) {
        expect(await produce(client, 'orders', sequenced(2 * i, 2))).toMatchObject({
          errorCode: 0,
          baseOffset: 2 * i,
        });
      }
      expect((await produce(client, 'orders', sequenced(0, 2))).errorCode).toBe(
        ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER,
      );
      expect(cluster.partition('orders', 0).endOffset).toBe(12);
    }));

  it('is per partition', () =>
    inCluster({ topics }, async ({ connect }) => {
      const client = await connect();
      await produce(client, 'orders', sequenced(0, 5));
      expect((await produce(client, 'orders', sequenced(17), { partition: 1 })).errorCode).toBe(0);
    }));
});

function noAcks(name: string) {
  return {
    acks: 0,
    timeoutMs: 1,
    topicData: [{ name, partitionData: [{ index: 0, records: batchOf(['a']) }] }],
  };
}
