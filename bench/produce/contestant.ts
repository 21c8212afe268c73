/** What contestants are asked for, and what they answer; a program of its own for each, which takes turns.
 * It gets its `Work` as its argument, a line with a number of records for each turn on stdin, and answers each with a
 * line, a `Cost`. When stdin ends, it ends. The programs in Go do the same (../go).
 * Invariant: the same records, acknowledgements (all) and calls for everyone; who can be idempotent is.
 */
import { readFileSync } from 'node:fs';

/** Records of one call of `batches`. */
export const callRecords = 1000;
/** Calls of `batches` on their way. */
export const callsInFlight = 4;
/** Most calls of `each` without an outcome. */
export const outstanding = 10_000;
/** Different records, written again and again. */
export const poolRecords = 16_000;

/** How records are written: 1,000 in a call, four calls at a time; one a call, 10,000 at a time, with an outcome for each or
 * without; one after another, each awaited.
 */
export type Shape = 'batches' | 'each' | 'queued' | 'single';

/** What a contestant is to do. */
export interface Work {
  /** `host:port`. */
  readonly broker: string;
  readonly topic: string;
  readonly partitions: number;
  readonly shape: Shape;
  readonly compression: 'none' | 'lz4';
  readonly valueBytes: number;
  /** A file with the values, one behind the other. */
  readonly values: string;
}

/** What a turn cost. */
export interface Cost {
  readonly records: number;
  /** User and system time of the whole process in microseconds, compilers and collectors included. */
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly rssMb: number;
  /** Of single writes, milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A producer, as far as it has that shape. */
export interface Producer {
  /** Resolves when so many records are acknowledged. */
  write(records: number): Promise<void>;
  /** Writes one record and waits for it. */
  single(): Promise<unknown>;
  close(): Promise<unknown>;
}

/** A record as every client takes it. */
export interface Payload {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The records, in calls of 1,000, with keys of 16 bytes. */
export function payloads({ values, valueBytes }: Work): readonly (readonly Payload[])[] {
  const bytes = readFileSync(values);
  const payload = (index: number): Payload => ({
    key: Buffer.from(`key-${String(index * 7919).padStart(12, '0')}`),
    value: bytes.subarray(index * valueBytes, (index + 1) * valueBytes),
  });
  return Array.from({ length: poolRecords / callRecords }, (_, call) =>
    Array.from({ length: callRecords }, (_, index) => payload(call * callRecords + index)),
  );
}

/** Elements of a list again and again. */
export function inTurn<T>(list: readonly T[]): () => T {
  let next = 0;
  return () => list[next++ % list.length] as T;
}

/** Calls `call` so many times, four at a time. */
export async function inLanes(calls: number, call: () => Promise<unknown>): Promise<void> {
  let left = calls;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: callsInFlight }, lane));
}

/** Calls `call` so many times, 10,000 at a time. */
export async function inWaves(calls: number, call: () => Promise<unknown>): Promise<void> {
  for (let left = calls; left > 0; left -= outstanding)
    await Promise.all(Array.from({ length: Math.min(outstanding, left) }, call));
}
