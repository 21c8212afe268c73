/** What a message gives out, and what it keeps alive. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssignedPartition } from '../../../src/client/fetch/assigned-partition.ts';
import { MessageBatch } from '../../../src/client/fetch/message-batch.ts';
import type { Message } from '../../../src/client/fetch/message.ts';
import { RecordRun } from '../../../src/client/fetch/record-run.ts';
import { nextBatch } from '../../../src/protocol/records/batch.ts';
import { setLogAppendTime } from '../../../src/protocol/records/batch-builder.ts';
import { encodeRecordBatch, type RecordInput } from '../../../src/protocol/records/plain-batch.ts';
import { withCrc } from './batches.ts';

const owner = new AssignedPartition('orders', 3);

function runOf(bytes: Uint8Array, fromOffset = 0): RecordRun {
  const batch = nextBatch(bytes, 0);
  if (batch === undefined) throw new Error('no batch');
  return new RecordRun(owner, batch, batch.payload, fromOffset);
}

function messagesOf(bytes: Uint8Array): Message[] {
  const run = runOf(bytes);
  const messages: Message[] = [];
  for (let message = run.next(); message !== undefined; message = run.next()) messages.push(message);
  return messages;
}

function only(record: RecordInput, change: (batch: Uint8Array) => void = () => undefined): Message {
  const batch = encodeRecordBatch({ records: [record], baseOffset: 42, partitionLeaderEpoch: 5 });
  change(batch);
  const [message] = messagesOf(withCrc(batch));
  if (message === undefined) throw new Error('no message');
  return message;
}

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : new TextDecoder().decode(bytes);

describe('a message', () => {
  test('gives out what was written, headers in their order and with their repetitions', () => {
    const headers = ['trace', '__proto__', 'trace'].map((key, index) => ({
      key,
      value: index === 1 ? null : `v${index}`,
    }));
    const message = only({ key: 'k', value: '{"a":1}', headers, timestamp: 1_700_000_000_123 });
    expect([message.topic, message.partition, message.offset]).toEqual(['orders', 3, 42]);
    expect(message.timestamp).toBe(1_700_000_000_123);
    expect(message.timestampBigInt).toBe(1_700_000_000_123n);
    expect(text(message.key)).toBe('k');
    expect(message.text()).toBe('{"a":1}');
    expect(message.json()).toEqual({ a: 1 });
    expect(message.headers.map(({ key, value }) => [key, text(value)])).toEqual([
      ['trace', 'v0'],
      ['__proto__', null],
      ['trace', 'v2'],
    ]);
  });

  test('tells null from empty', () => {
    const tombstone = only({ key: null, value: null });
    expect([tombstone.key, tombstone.value, tombstone.text(), tombstone.json(), tombstone.headers]).toEqual([
      null,
      null,
      null,
      null,
      [],
    ]);
    const empty = only({ key: '', value: '' });
    expect([empty.key?.length, empty.value?.length, empty.text()]).toEqual([0, 0, '']);
  });

  test('gives plain byte arrays, whatever the frame is made of', () => {
    const batch = Buffer.from(encodeRecordBatch({ records: [{ key: 'k', value: 'v' }] }));
    expect(messagesOf(batch)[0]?.value?.constructor).toBe(Uint8Array);
  });

  test('with a timestamp beyond 2^53-1 is readable but for the timestamp', () => {
    const far = 2n ** 60n + 1n;
    const message = only({ value: 'v', timestamp: 5 }, (batch) =>
      new DataView(batch.buffer).setBigInt64(27, far),
    );
    expect(message.text()).toBe('v');
    expect(() => message.timestamp).toThrow(expect.objectContaining({ code: 'VALUE_RANGE' }));
    expect(message.timestampBigInt).toBe(far);
  });

  test("carries the broker's time where the batch says so", () => {
    const batch = encodeRecordBatch({
      records: [
        { value: 'a', timestamp: 5 },
        { value: 'b', timestamp: 6 },
      ],
    });
    setLogAppendTime(batch, 1_800_000_000_000);
    expect(messagesOf(batch).map(({ timestamp }) => timestamp)).toEqual([
      1_800_000_000_000, 1_800_000_000_000,
    ]);
    expect(messagesOf(batch)[1]?.timestampBigInt).toBe(1_800_000_000_000n);
  });

  test('detached is the same in memory of its own', () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null });
    const headers = fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: bytes }), { maxLength: 4 });
    const record = fc.record({
      key: bytes,
      value: bytes,
      headers,
      timestamp: fc.integer({ min: 0, max: 2 ** 40 }),
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), (records) => {
        const batch = encodeRecordBatch({ records, baseOffset: 9 });
        const messages = messagesOf(batch);
        const detached = messages.map((message) => message.detach());
        const before = messages.map(plain);
        batch.fill(0xdd);
        expect(detached.map(plain)).toEqual(before);
        expect(detached.map((message) => plain(message.detach()))).toEqual(before);
      }),
    );
  });
});

function plain(message: Message): unknown {
  const { topic, partition, offset, timestamp, timestampBigInt } = message;
  const copy = (bytes: Uint8Array | null): number[] | null => bytes && [...bytes];
  const headers = message.headers.map(({ key, value }) => [key, copy(value)]);
  return {
    topic,
    partition,
    offset,
    timestamp,
    timestampBigInt,
    key: copy(message.key),
    value: copy(message.value),
    headers,
  };
}

describe('a batch of messages', () => {
  const records = Array.from({ length: 10 }, (_, index) => ({ value: String(index) }));
  const bytes = encodeRecordBatch({ records, baseOffset: 100 });

  test('knows its length and offsets and can be iterated again', () => {
    const run = runOf(bytes, 102);
    const first = run.slice(3);
    const second = run.slice(100);
    expect(run.slice(1)).toBeUndefined();
    if (first === undefined || second === undefined) throw new Error('no slices');
    const batch = new MessageBatch(owner, [first, second]);
    expect([batch.topic, batch.partition, batch.length]).toEqual(['orders', 3, 8]);
    expect([batch.firstOffset, batch.lastOffset]).toEqual([102, 109]);
    const values = ['2', '3', '4', '5', '6', '7', '8', '9'];
    expect(Array.from(batch, (message) => message.text())).toEqual(values);
    expect(Array.from(batch, (message) => message.text())).toEqual(values);
  });

  test('takes up where single messages left off, and single messages where it did', () => {
    const run = runOf(bytes);
    expect(run.next()?.offset).toBe(100);
    expect(run.slice(2)).toMatchObject({ length: 2, firstOffset: 101, lastOffset: 102 });
    expect(run.next()?.offset).toBe(103);
    expect(run.stepBack(102)).toBe(false);
    expect(run.stepBack(103)).toBe(true);
    expect(run.next()?.offset).toBe(103);
  });
});
