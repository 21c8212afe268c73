/** Record batches to write in every compression and with every combination of flags, and what Java must read from them.
 * Invariant: cases are decided by their seed alone, so two processes make the same ones.
 */
import * as fc from 'fast-check';
import type { Codec } from '../../../src/compression/codec.ts';
import {
  assignOffsets,
  BatchBuilder,
  compressedBatch,
  setLogAppendTime,
  stampProducer,
} from '../../../src/protocol/records/batch-builder.ts';
import { CONTROL, TRANSACTIONAL } from '../../../src/protocol/records/batch.ts';
import { asBytes, recordInput } from '../../protocol/records/arbitrary.ts';
import type { JavaBatch, JavaRecord } from '../../protocol/records/fixtures.ts';
import { toHex } from '../../protocol/records/hex.ts';
import { randomFrom } from './random.ts';

/** What Java must find in a batch, whatever its codec. Sizes, checksums and what a type of control record is are its own. */
export type Expected = Omit<JavaBatch, 'sizeInBytes' | 'checksum' | 'controls' | 'codecId'>;

type RecordInput = typeof recordInput extends fc.Arbitrary<infer Value> ? Value : never;

/** A batch to write. */
export interface RecordCase {
  readonly name: string;
  readonly records: readonly RecordInput[];
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly isIdempotent: boolean;
  /** The broker's time. */
  readonly logAppendTime: number | undefined;
  /** With a place in a log. */
  readonly isPlaced: boolean;
}

const FLAGS = ['transactional', 'control', 'log append time', 'idempotent', 'placed'] as const;
const PRODUCER = { producerId: 7_000_000_000_000_000_123n, producerEpoch: 32_767, baseSequence: 2 ** 31 - 2 };
const PLACE = { baseOffset: 2 ** 53 - 100_000, partitionLeaderEpoch: 2 ** 31 - 1 };
const TIME = 1_750_000_000_000;

/** `perFlags` batches of a few records with each combination of flags, and some large ones. */
export function recordCases(seed: number, perFlags: number): RecordCase[] {
  const combinations = 2 ** FLAGS.length;
  const samples = fc.sample(fc.array(recordInput, { minLength: 1, maxLength: 6 }), {
    seed,
    numRuns: combinations * perFlags,
  });
  const small = samples.map((records, index): RecordCase => {
    const has = FLAGS.map((_, bit) => ((index >> bit) & 1) === 1);
    const [isTransactional = false, isControl = false, isStamped, isIdempotent = false, isPlaced = false] =
      has;
    return {
      name: `small batch ${index}, ${FLAGS.filter((_, bit) => has[bit]).join(', ')}`,
      records: isControl ? records.map(asControl) : records,
      isTransactional,
      isControl,
      isIdempotent,
      logAppendTime: isStamped ? TIME + index : undefined,
      isPlaced,
    };
  });
  return [...small, ...largeCases(randomFrom(seed))];
}

/** A marker, or a control record of a type that Kafka does not have yet. */
function asControl(record: RecordInput, index: number): RecordInput {
  const type = index < 2 ? index : 1000 + index;
  return {
    ...record,
    key: Uint8Array.of(0, 0, type >> 8, type),
    value: type < 2 ? new Uint8Array(6) : record.value,
  };
}

/** Records beyond the blocks and windows of the codecs. */
function largeCases(random: () => number): RecordCase[] {
  const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => random() * 256);
  const order = (index: number): string =>
    JSON.stringify({ order: index, customer: `customer-${Math.floor(random() * 500)}`, price: random() });
  const large: Record<string, (string | Uint8Array | null)[]> = {
    '20,000 orders': Array.from({ length: 20_000 }, (_, index) => order(index)),
    'a megabyte of zeros': [new Uint8Array(2 ** 20)],
    '300,000 bytes of noise': [noise(300_000)],
    'noise among repetitions': Array.from({ length: 300 }, (_, index) =>
      index % 3 === 0 ? noise(1000) : 'repeated '.repeat(index),
    ),
    'a block of lz4 exactly, and around it': [noise(65_536 - 9), new Uint8Array(65_536), noise(65_537)],
    '5,000 tombstones': Array.from({ length: 5000 }, () => null),
  };
  return Object.entries(large).map(([name, values]) => ({
    name,
    records: values.map((value, index) => ({
      key: `k${index}`,
      value,
      headers: [],
      timestamp: TIME + (index >> 3),
    })),
    isTransactional: false,
    isControl: false,
    isIdempotent: true,
    logAppendTime: undefined,
    isPlaced: false,
  }));
}

/** The batch as our builder writes it. */
export async function batchOf(each: RecordCase, codec: Codec | undefined): Promise<Uint8Array> {
  const builder = new BatchBuilder();
  for (const { timestamp, key, value, headers } of each.records) {
    builder.timestamp = timestamp;
    builder.append(key, value, headers);
  }
  const compressed = await codec?.compress(builder.payload);
  const plain = builder.finish(false);
  const batch = codec && compressed ? compressedBatch(plain, codec.id, compressed) : plain;
  const attributes = (each.isTransactional ? TRANSACTIONAL : 0) | (each.isControl ? CONTROL : 0);
  const producer = each.isIdempotent ? PRODUCER : { producerId: -1n, producerEpoch: -1, baseSequence: -1 };
  stampProducer(batch, { ...producer, attributes });
  if (each.logAppendTime !== undefined) setLogAppendTime(batch, each.logAppendTime);
  if (each.isPlaced) assignOffsets(batch, PLACE.baseOffset, PLACE.partitionLeaderEpoch);
  return batch;
}

/** What Java must read from it. */
export function expectedOf(each: RecordCase): Expected {
  const { records, isTransactional, isControl, isIdempotent, isPlaced, logAppendTime } = each;
  const baseOffset = isPlaced ? PLACE.baseOffset : 0;
  return {
    magic: 2,
    baseOffset: String(baseOffset),
    lastOffset: String(baseOffset + records.length - 1),
    partitionLeaderEpoch: isPlaced ? PLACE.partitionLeaderEpoch : -1,
    isTransactional,
    isControl,
    isLogAppendTime: logAppendTime !== undefined,
    deleteHorizonMs: null,
    maxTimestamp: String(logAppendTime ?? Math.max(...records.map(({ timestamp }) => timestamp))),
    producerId: String(isIdempotent ? PRODUCER.producerId : -1),
    producerEpoch: isIdempotent ? PRODUCER.producerEpoch : -1,
    baseSequence: isIdempotent ? PRODUCER.baseSequence : -1,
    records: records.map((record, index) => expectedRecord(record, baseOffset + index, logAppendTime)),
  };
}

function expectedRecord(record: RecordInput, offset: number, logAppendTime: number | undefined): JavaRecord {
  const headers = record.headers.map(({ key, value }) => {
    const text = new TextDecoder().decode(asBytes(key) ?? undefined);
    return [text, toHex(asBytes(value))] as const;
  });
  return {
    offset: String(offset),
    timestamp: String(logAppendTime ?? record.timestamp),
    key: toHex(asBytes(record.key)),
    value: toHex(asBytes(record.value)),
    ...(headers.length > 0 && { headers }),
  };
}
