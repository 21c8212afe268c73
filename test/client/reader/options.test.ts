/** What a Reader refuses at once, by name. */
import { describe, expect, test } from 'vitest';
import { Reader, type ReaderOptions } from '../../../src/client/reader/index.ts';
import { UsageError } from '../../../src/errors.ts';
import { virtualWorld } from '../../../src/runtime/virtual.ts';

const { platform } = virtualWorld();
const shared = { brokers: 'localhost:9092', platform };
const partition = { topic: 't', partition: 0 };
const group = { groupId: 'g', topic: 't' };

function make(options: object): Reader {
  return new Reader({ ...shared, ...options } as ReaderOptions);
}

describe('a Reader refuses', () => {
  test.each([
    ['neither group nor partition', { topic: 't' }, 'groupId or a partition'],
    ['no topic', { partition: 0 }, 'topic'],
    ['nothing', {}, 'topic'],
    ['partition and group', { ...group, partition: 0 }, 'groupId and partition'],
    ['partitions and group', { groupId: 'g', partitions: [partition] }, 'groupId and partitions'],
    ['offset and group', { ...group, offset: 1 }, 'groupId and offset'],
    ['partitions and topic', { ...partition, partitions: [partition] }, 'partitions and topic'],
    ['no partitions', { partitions: [] }, 'partitions'],
    ['a partition twice', { partitions: [partition, partition] }, 't[0] twice'],
    ['a negative partition', { topic: 't', partition: -1 }, 'partition'],
    ['a partition that is no number', { topic: 't', partition: '0' }, 'partition'],
    ['an offset beyond 2^53-1', { ...partition, offset: 2 ** 53 }, 'offset'],
    ['a negative offset', { partitions: [{ ...partition, offset: -1 }] }, 'partitions[].offset'],
    ['a start that is no place', { ...partition, startOffset: 'first' }, 'startOffset'],
    ['a start beyond 2^53-1', { ...partition, startOffset: 2 ** 53 }, 'startOffset'],
    ['an invalid date', { ...partition, startOffset: new Date('x') }, 'startOffset'],
    [
      'group options without a group',
      { ...partition, commitIntervalMs: 5 },
      'commitIntervalMs needs groupId',
    ],
    ['topics without a group', { ...partition, topics: ['t'] }, 'topics needs groupId'],
    ['topic and topics', { ...group, topics: ['u'] }, 'topic and topics'],
    ['no topics', { groupId: 'g', topics: [] }, 'topics'],
    ['an empty topic name', { groupId: 'g', topics: [''] }, 'topics'],
    ['an empty group name', { groupId: '', topic: 't' }, 'groupId'],
    ['an unknown way to commit', { ...group, commits: 'never' }, 'commits'],
    ['a negative interval', { ...group, commitIntervalMs: -1 }, 'commitIntervalMs'],
    ['a heartbeat longer than the session', { ...group, heartbeatIntervalMs: 50_000 }, 'heartbeatIntervalMs'],
    ['an unknown isolation level', { ...partition, isolationLevel: 'serializable' }, 'isolationLevel'],
    ['minBytes 0', { ...partition, minBytes: 0 }, 'minBytes'],
    ['minBytes beyond maxBytes', { ...partition, minBytes: 11, maxBytes: 10 }, 'minBytes'],
    ['maxBytes beyond 1 GiB', { ...partition, maxBytes: 2 ** 30 + 1 }, 'maxBytes'],
    ['maxPartitionBytes 0', { ...partition, maxPartitionBytes: 0 }, 'maxPartitionBytes'],
    ['a fraction of a millisecond', { ...partition, maxWaitMs: 0.5 }, 'maxWaitMs'],
    ['no buffer at all', { ...partition, maxBufferedBytes: 0 }, 'maxBufferedBytes'],
    ['checkCrcs that is no boolean', { ...partition, checkCrcs: 1 }, 'checkCrcs'],
    ['codecs that are none', { ...partition, codecs: ['gzip'] }, 'codecs'],
    ['a misspelt option', { ...partition, maxWaitMS: 5 }, 'maxWaitMS'],
  ])('%s', (_, options, text) => {
    expect(() => make(options)).toThrow(UsageError);
    expect(() => make(options)).toThrow(text);
  });

  test('what is no options object', () => {
    const nothing: unknown = undefined;
    expect(() => new Reader(nothing as ReaderOptions)).toThrow(UsageError);
  });

  test('wrong arguments of its calls, without starting anything', async () => {
    const reader = make(partition);
    await expect(reader.fetchBatch({ maxRecords: 0 })).rejects.toThrow('maxRecords');
    await expect(reader.fetchBatch({ maxWaitMs: -1 })).rejects.toThrow('maxWaitMs');
    await expect(reader.commitMessages([])).rejects.toThrow('groupId');
    await expect(reader.committed(partition)).rejects.toThrow('groupId');
    expect(() => reader.position({ topic: 't', partition: 9 })).toThrow('t[9] is not assigned');
    expect(() => reader.close({ timeoutMs: -1 })).toThrow('timeoutMs');
    const several = make({ partitions: [partition, { topic: 't', partition: 1 }] });
    expect(() => several.position()).toThrow('2 are assigned');
    expect(several.lag()).toBeUndefined();
    expect(reader.stats()).toMatchObject({ fetches: 0, messages: 0, bufferedBytes: 0 });
  });
});
