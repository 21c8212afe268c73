/** Bytes a record: allocated while encoding, and retained by the messages that the Reader hands out.
 * Not here: the frames that were read, which lie outside the heap.
 */
import process from 'node:process';
import { Reader, Writer } from 'kafka-wire';
import { encodeRecordBatch } from 'kafka-wire/protocol';
import { EmbeddedCluster } from 'kafka-wire/testing';
import { allocatedBytes, collector } from '../heap.ts';
import { sampleRecords } from './records.ts';

const valueBytes = 100;
/** What the measurement itself allocates is shared by as many. */
const callsPerSample = 20;
const retainedRecords = 100_000;
const warmUpRecords = 20_000;

/** What is measured, in bytes a record. */
export interface MemoryFigures {
  readonly encoded: number;
  readonly retained: number;
}

/** A few calls at a time, into memory that is there. */
async function encodedBytes(collect: () => void): Promise<number> {
  const records = sampleRecords(valueBytes, 0);
  const memory = new Uint8Array(2 * encodeRecordBatch({ records }).length);
  for (let call = 0; call < 5000; call++) encodeRecordBatch({ records }, memory);
  collect();
  const bytes = await allocatedBytes(() => {
    for (let call = 0; call < callsPerSample; call++) encodeRecordBatch({ records }, memory);
  });
  return bytes / (callsPerSample * records.length);
}

async function retainedBytes(collect: () => void): Promise<number> {
  const cluster = await EmbeddedCluster.start({ topics: [{ name: 'kept', partitions: 1 }] });
  const connect = { brokers: cluster.brokers, topic: 'kept' };
  const writer = new Writer(connect);
  for (let batch = 0; batch < retainedRecords / 1000; batch++)
    await writer.writeMessages(sampleRecords(valueBytes, batch));
  await writer.close();
  const reader = new Reader({ ...connect, partition: 0, startOffset: 'earliest' });
  const kept: unknown[] = Array.from({ length: retainedRecords }, () => null);
  let count = 0;
  let before = 0;
  let counted = 0;
  while (count < retainedRecords) {
    const batch = await reader.fetchBatch({ maxRecords: 1000 });
    // What comes with the first records, code above all, is not theirs.
    if (before === 0 && count >= warmUpRecords) {
      collect();
      before = process.memoryUsage().heapUsed;
      counted = retainedRecords - count;
    }
    for (const message of batch) kept[count++] = message;
  }
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  await reader.close();
  await cluster.close();
  if (kept.length !== retainedRecords) throw new Error('the Reader gave more than was written');
  return bytes / counted;
}

/** All figures. */
export async function memoryFigures(): Promise<MemoryFigures> {
  const collect = collector();
  return { encoded: await encodedBytes(collect), retained: await retainedBytes(collect) };
}
