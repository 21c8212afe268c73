/** The batches of fixtures/records, written and read by Kafka's own classes, as values to compare with. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fromHex } from './hex.ts';

/** A record as Java read it: int64 as text, bytes as hex. */
export interface JavaRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers?: readonly (readonly [string, string | null])[];
}

/** A control record as Java read it: Kafka's name of the type, and its value. */
export interface JavaControl {
  readonly type: string;
  readonly body: unknown;
}

/** A batch as Java read it. */
export interface JavaBatch {
  readonly magic: number;
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
  /** Of a control batch alone. */
  readonly controls?: readonly JavaControl[];
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

const folder = new URL('../../../fixtures/records/', import.meta.url);
const files = readdirSync(folder);

function load<T>(name: string): T {
  const file = files.find((each) => each === `${name}.json` || each === `${name}.json.gz`);
  const bytes = readFileSync(new URL(file ?? name, folder));
  return JSON.parse((file?.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()) as T;
}

/** The names of all fixtures of batches. */
export const fixtureNames: readonly string[] = files
  .map((file) => file.replace(/\.json(\.gz)?$/, ''))
  .filter((name) => name !== 'verdicts');

/** The fixture of that name. */
export function fixture(name: string): JavaFixture & { readonly bytes: Uint8Array } {
  const loaded = load<JavaFixture>(name);
  return { ...loaded, bytes: fromHex(loaded.hex) };
}

/** Java's verdicts on bytes made by hand. */
export function verdicts(): readonly JavaVerdict[] {
  return load<{ cases: readonly JavaVerdict[] }>('verdicts').cases;
}
