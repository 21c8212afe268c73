/** The record codecs of the peers, from their inside: neither of them has it among its public names.
 * Invariant: a peer gets its own input made ready, so that nothing but its codec is measured.
 */
import { createRequire } from 'node:module';

/** A record to write. */
export interface SampleRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** A peer's record codec. `Batch` is what it encodes from, `Written` what it makes. */
export interface RecordPeer<Batch = unknown, Written = unknown> {
  readonly name: string;
  prepare(records: readonly SampleRecord[]): Batch;
  encode(batch: Batch): Written | Promise<Written>;
  bytes(written: Written): Uint8Array;
  /** Reads one batch; the number of its records. */
  decode(bytes: Uint8Array): number | Promise<number>;
}

interface KafkajsRecords {
  readonly Record: (record: object) => unknown;
  readonly RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>;
  readonly Decoder: new (bytes: Buffer) => object;
  readonly decode: (decoder: object) => Promise<{ records: unknown[] }>;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** kafkajs, on any Node. */
export function kafkajs(): RecordPeer {
  const require = createRequire(import.meta.url);
  const inside = (path: string): unknown => require(`kafkajs/src/protocol/${path}`);
  const peer = {
    Record: inside('recordBatch/record/v0'),
    ...(inside('recordBatch/v0') as object),
    Decoder: inside('decoder'),
    decode: inside('recordBatch/v0/decoder'),
  } as KafkajsRecords;
  const codec: RecordPeer<readonly SampleRecord[], { buffer: Buffer }> = {
    name: 'kafkajs',
    prepare: (records) => records,
    encode(records) {
      const firstTimestamp = records[0]?.timestamp ?? 0;
      return peer.RecordBatch({
        firstTimestamp,
        maxTimestamp: records.at(-1)?.timestamp,
        lastOffsetDelta: records.length - 1,
        records: records.map(({ key, value, timestamp }, offsetDelta) =>
          peer.Record({ offsetDelta, timestampDelta: timestamp - firstTimestamp, key, value }),
        ),
      });
    },
    bytes: ({ buffer }) => buffer,
    decode: async (bytes) => (await peer.decode(new peer.Decoder(bufferOf(bytes)))).records.length,
  };
  return codec as RecordPeer;
}

interface PlatformaticRecords {
  createRecordsBatch(records: readonly object[]): { readonly buffer: Buffer };
  readRecordsBatch(reader: object): { readonly records: readonly unknown[] };
  readonly Reader: { from(bytes: Buffer): object };
}

/** @platformatic/kafka, which does not run before Node 22. */
export async function platformatic(): Promise<RecordPeer> {
  const inside = new URL('../node_modules/@platformatic/kafka/dist/protocol/index.js', import.meta.url);
  const peer = (await import(inside.href)) as PlatformaticRecords;
  const codec: RecordPeer<readonly object[], { readonly buffer: Buffer }> = {
    name: '@platformatic/kafka',
    prepare: (records) =>
      records.map((record) => ({ ...record, timestamp: BigInt(record.timestamp), topic: 't', partition: 0 })),
    encode: (records) => peer.createRecordsBatch(records),
    bytes: ({ buffer }) => buffer,
    decode: (bytes) => peer.readRecordsBatch(peer.Reader.from(bufferOf(bytes))).records.length,
  };
  return codec as RecordPeer;
}
