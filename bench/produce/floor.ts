/** The floor: the least that writes keyed records. Each record is hashed to its partition and encoded there; each batch gets
 * its checksum, in WebAssembly where that is long enough; lz4 is ours; a call of 1,000 records is one request.
 * Not here: metadata, timestamps, calls of more or less than 1,000 records, their outcome, memory bounds, retries, sequences.
 */
import { crc32c, encodeRecordBatch, produceApi, requestHeader } from 'kafka-wire/protocol';
import { lz4 } from 'kafka-wire/compression';
import { RawSocket } from '../raw-socket.ts';
import {
  callRecords,
  inLanes,
  inTurn,
  payloads,
  type Payload,
  type Producer,
  type Work,
} from './contestant.ts';

/** The last version in which lengths are not compact: those of batches come before them, and are known after them. */
const version = 8;
/** Of a batch; then its records. */
const headerBytes = 61;
/** Most bytes of a record besides its key and value. */
const overheadBytes = 16;

/** FNV-1a, as quick as any hash of a key. */
function partitionOf(key: Uint8Array, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++)
    hash = Math.imul(hash ^ (key[index] as number), 0x01000193);
  return (hash >>> 0) % partitions;
}

/** Writes a length or an offset; returns the position behind it. */
function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  let left = 2 * value;
  while (left > 0x7f) {
    bytes[position++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  bytes[position++] = left;
  return position;
}

/** A batch of one partition, with its partition and its length before it. */
class OpenBatch {
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  readonly #isCompressed: boolean;
  #count = 0;
  #end = 0;

  constructor(partition: number, bytes: number, isCompressed: boolean) {
    this.#memory = new Uint8Array(bytes);
    this.#view = new DataView(this.#memory.buffer);
    this.#isCompressed = isCompressed;
    this.#view.setInt32(0, partition);
    this.#memory.set(encodeRecordBatch({ records: [{ timestamp: Date.now() }] }).subarray(0, headerBytes), 8);
    if (isCompressed) this.#view.setInt16(8 + 21, lz4.id);
    this.clear();
  }

  clear(): void {
    this.#count = 0;
    this.#end = 8 + headerBytes;
  }

  append({ key, value }: Payload): void {
    const memory = this.#memory;
    const offsetBytes = this.#count < 64 ? 1 : this.#count < 8192 ? 2 : 3;
    const valueLengthBytes = value.length < 64 ? 1 : 2;
    const length = 5 + offsetBytes + key.length + valueLengthBytes + value.length - 1;
    let position = writeVarint(memory, this.#end, length);
    // No attributes, no time after the batch's.
    memory[position++] = 0;
    memory[position++] = 0;
    position = writeVarint(memory, position, this.#count++);
    position = writeVarint(memory, position, key.length);
    memory.set(key, position);
    position = writeVarint(memory, position + key.length, value.length);
    memory.set(value, position);
    position += value.length;
    // No headers.
    memory[position++] = 0;
    this.#end = position;
  }

  /** What is sent. */
  finish(): Uint8Array {
    const view = this.#view;
    if (this.#isCompressed) {
      const payload = lz4.compress(this.#memory.subarray(8 + headerBytes, this.#end));
      this.#memory.set(payload, 8 + headerBytes);
      this.#end = 8 + headerBytes + payload.length;
    }
    view.setInt32(4, this.#end - 8);
    view.setInt32(8 + 8, this.#end - 8 - 12);
    view.setInt32(8 + 23, this.#count - 1);
    view.setInt32(8 + 57, this.#count);
    view.setUint32(8 + 17, crc32c(this.#memory.subarray(8 + 21, this.#end)));
    return this.#memory.subarray(0, this.#end);
  }
}

/** A request up to its topic's partitions, of which only the number is told. */
function requestStart(topic: string, partitions: number): Uint8Array {
  const header = requestHeader.encode(
    { apiKey: 0, apiVersion: version, correlationId: 1, clientId: 'floor' },
    1,
  );
  const topicData = [{ name: topic, partitionData: [] }];
  const body = produceApi.request.encode({ acks: -1, timeoutMs: 30_000, topicData }, version);
  const start = Buffer.concat([new Uint8Array(4), header, body]);
  start.writeInt32BE(partitions, start.length - 4);
  return start;
}

/** Memory that is used again when its request was answered. */
export function floor(work: Work): Producer {
  const { broker, topic, partitions, compression, valueBytes } = work;
  const socket = new RawSocket(broker);
  const call = inTurn(payloads(work));
  const start = requestStart(topic, partitions);
  const batchBytes = 8 + headerBytes + callRecords * (16 + valueBytes + overheadBytes);
  const free: OpenBatch[][] = [];
  const open = (): OpenBatch[] =>
    Array.from({ length: partitions }, (_, index) => new OpenBatch(index, batchBytes, compression === 'lz4'));

  const send = async (): Promise<void> => {
    const batches = free.pop() ?? open();
    for (const batch of batches) batch.clear();
    for (const record of call()) batches[partitionOf(record.key, partitions)]?.append(record);
    const first = new Uint8Array(start);
    const parts = batches.map((batch) => batch.finish());
    const bytes = parts.reduce((sum, { length }) => sum + length, start.length);
    new DataView(first.buffer).setInt32(0, bytes - 4);
    const answer = await socket.exchange([first, ...parts]);
    free.push(batches);
    for (const { partitionResponses } of produceApi.response.decode(answer.subarray(4), version).responses)
      for (const { errorCode } of partitionResponses)
        if (errorCode !== 0) throw new Error(`floor: Produce answered error ${errorCode}`);
  };
  return {
    write: (records) => inLanes(records / callRecords, send),
    single: () => Promise.reject(new Error('the floor has no single writes')),
    close: () => Promise.resolve(socket.end()),
  };
}
