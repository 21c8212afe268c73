/** Logs that old brokers wrote: what Kafka's own classes read from messages of v0 and v1, a Reader hands out. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { AssignedPartition } from '../../../src/client/fetch/assigned-partition.ts';
import { BufferBudget, Frame } from '../../../src/client/fetch/buffer-budget.ts';
import { CompletedFetch, endOf } from '../../../src/client/fetch/completed-fetch.ts';
import type { Message } from '../../../src/client/fetch/message.ts';
import { MessageBatch } from '../../../src/client/fetch/message-batch.ts';
import type { Codec } from '../../../src/compression/codec.ts';
import { ProtocolError } from '../../../src/errors.ts';
import { crc32 } from '../../../src/protocol/records/crc32.ts';
import { fixture, fixtureNames, type JavaRecord } from '../../protocol/records/fixtures.ts';
import { toHex } from '../../protocol/records/hex.ts';
import { inflate } from '../../protocol/records/inflate.ts';

const legacy = fixtureNames.filter((name) => /^(large-)?v[01]-|^upgraded$/.test(name));

/** Codecs that are not ours: this is about what lies in them. */
const codecs: Codec[] = ['gzip', 'snappy', 'lz4'].map((name, index) => ({
  id: index + 1,
  name,
  compress: (bytes) => bytes,
  decompress: (bytes) => inflate(index + 1, bytes),
}));

function fetchOf(records: Uint8Array, fetchOffset: number): CompletedFetch {
  const { endOffset, damage } = endOf(records, fetchOffset);
  expect(damage).toBeUndefined();
  const fetched = { records, fetchOffset, abortedTransactions: [] };
  const frame = new Frame(new BufferBudget(1, () => undefined), records.length, 1);
  const options = { checkCrcs: true, codecs, maxInflatedBytes: 2 ** 24 };
  return new CompletedFetch(new AssignedPartition('orders', 3), fetched, endOffset, frame, options);
}

async function messagesOf(fetch: CompletedFetch): Promise<Message[]> {
  const messages: Message[] = [];
  for (let run = await fetch.next(); run !== undefined; run = await fetch.next()) {
    for (let message = run.next(); message !== undefined; message = run.next()) messages.push(message);
  }
  return messages;
}

function asJava(message: Message): JavaRecord {
  const { offset, timestampBigInt, key, value, headers } = message;
  expect(headers).toEqual([]);
  return {
    offset: String(offset),
    timestamp: String(timestampBigInt),
    key: toHex(key),
    value: toHex(value),
  };
}

const recordsOf = (name: string): JavaRecord[] => fixture(name).batches.flatMap(({ records }) => records);

describe.each(legacy)('%s', (name) => {
  const { bytes } = fixture(name);
  const records = recordsOf(name);

  test('is handed out as Java reads it, and so is what was detached from it', async () => {
    const messages = await messagesOf(fetchOf(bytes, 0));
    expect(messages.map(asJava)).toEqual(records);
    expect(messages.map((message) => asJava(message.detach()))).toEqual(records);
  });

  test('is handed out in batches', async () => {
    const fetch = fetchOf(bytes, 0);
    const read: JavaRecord[] = [];
    for (let run = await fetch.next(); run !== undefined; run = await fetch.next()) {
      for (let slice = run.slice(2); slice !== undefined; slice = run.slice(2)) {
        const batch = new MessageBatch(run.owner, [slice]);
        expect([...batch]).toHaveLength(batch.length);
        read.push(...Array.from(batch, asJava));
      }
    }
    expect(read).toEqual(records);
  });

  test('gives nothing below the offset that was asked for', async () => {
    const from = Number(records[1]?.offset);
    const messages = await messagesOf(fetchOf(bytes, from));
    expect(messages.map(asJava)).toEqual(records.slice(1));
  });
});

test('a position moves over every message, compacted ones too', async () => {
  const fetch = fetchOf(fixture('v1-gzip-compacted').bytes, 0);
  await messagesOf(fetch);
  expect(fetch.position).toBe(fetch.endOffset);
});

test('a bit that flipped in a message is an error, not a message', async () => {
  const { bytes } = fixture('v1-gzip');
  for (let position = 12; position < bytes.length; position++) {
    const flipped = bytes.slice();
    flipped[position] = (flipped[position] ?? 0) ^ (1 << (position % 8));
    if (endOf(flipped, 0).damage !== undefined) continue;
    await expect(messagesOf(fetchOf(flipped, 0))).rejects.toThrow(ProtocolError);
  }
});

/** A wrapper of v1 around `count` empty messages. */
function wrapperOf(count: number): Uint8Array {
  const messages = new Uint8Array(count * 34);
  const view = new DataView(messages.buffer);
  for (let index = 0; index < count; index++) {
    const at = index * 34;
    view.setBigInt64(at, BigInt(index));
    view.setInt32(at + 8, 22);
    view.setInt8(at + 16, 1);
    view.setInt32(at + 26, -1);
    view.setInt32(at + 30, -1);
  }
  const payload = gzipSync(messages);
  const wrapper = new Uint8Array(34 + payload.length);
  const header = new DataView(wrapper.buffer);
  header.setBigInt64(0, BigInt(count - 1));
  header.setInt32(8, 22 + payload.length);
  header.setInt16(16, 0x0101);
  header.setInt32(26, -1);
  header.setInt32(30, payload.length);
  wrapper.set(payload, 34);
  header.setUint32(12, crc32(wrapper.subarray(16)));
  return wrapper;
}

test('a large wrapper is read in steps of one message, none of which walks all of it', async () => {
  const count = 50_000;
  const run = await fetchOf(wrapperOf(count), 0).next();
  if (run === undefined) throw new Error('no run');
  let read = 0;
  for (let slice = run.slice(1); slice !== undefined; slice = run.slice(1)) {
    for (const message of new MessageBatch(run.owner, [slice])) expect(message.offset).toBe(read++);
  }
  expect(read).toBe(count);
});
