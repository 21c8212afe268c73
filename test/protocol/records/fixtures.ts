/** The batches of fixtures/records, written and read by Kafka's own classes, as values to compare with. */
import { readFileSync } from 'node:fs';

/** A record as Java read it: int64 as text, bytes as hex. */
export interface JavaRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers?: readonly (readonly [string, string | null])[];
}

/** A batch as Java read it. */
export interface JavaBatch {
  readonly baseOffset: string;
  readonly lastOffset: string;
  readonly partitionLeaderEpoch: number;
  readonly sizeInBytes: number;
  readonly checksum: number;
  readonly codecId: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly isLogAppendTime: boolean;
  readonly deleteHorizonMs: string | null;
  readonly maxTimestamp: string;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly marker: { readonly type: 'abort' | 'commit'; readonly coordinatorEpoch: number } | null;
  readonly records: readonly JavaRecord[];
}

/** One fixture: the bytes that Java wrote and what Java reads from them. */
export interface JavaFixture {
  readonly origin: string;
  readonly about: string;
  readonly hex: string;
  readonly batches: readonly JavaBatch[];
}

/** Bytes made by hand: either refused by Java, with the exception's name, or the records it reads. */
export interface JavaVerdict {
  readonly name: string;
  readonly hex: string;
  readonly refused?: string;
  readonly records?: readonly JavaRecord[];
}

function load<T>(name: string): T {
  return JSON.parse(
    readFileSync(new URL(`../../../fixtures/records/${name}.json`, import.meta.url), 'utf8'),
  ) as T;
}

/** The fixture of that name. */
export function fixture(name: string): JavaFixture & { readonly bytes: Uint8Array } {
  const loaded = load<JavaFixture>(name);
  return { ...loaded, bytes: fromHex(loaded.hex) };
}

/** Java's verdicts on bytes made by hand. */
export function verdicts(): readonly JavaVerdict[] {
  return load<{ cases: readonly JavaVerdict[] }>('verdicts').cases;
}

/** Bytes of hex digits. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Hex digits of bytes; null stays null. */
export function toHex(bytes: Uint8Array | null): string | null {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
