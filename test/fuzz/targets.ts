/** Everything of the package that reads bytes from a peer, each with bytes that it reads.
 * Invariant: what a target reads is Kafka's own bytes; only the mutations are ours.
 */
import { inflateSync } from '../../src/compression/inflate-sync.ts';
import { crc32c } from '../../src/protocol/crc32c.ts';
import { FrameReader } from '../../src/protocol/frame.ts';
import { crc32 } from '../../src/protocol/records/crc32.ts';
import { decodeRecords } from '../../src/protocol/records/plain-batch.ts';
import { traceRecords } from '../../src/protocol/trace.ts';
import { messagesUnderTest } from '../protocol/api/java-fixtures.ts';
import { fixture, fixtureNames } from '../protocol/records/fixtures.ts';
import type { Random } from './mutations.ts';

/** One reader of bytes. */
export interface Target {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  /** A tree with a node for each field, which is larger, and never throws. */
  readonly isTrace?: boolean;
  /** What the reader may take at least, whatever the frame: its cap. */
  readonly capBytes?: number;
  /** What is done to mutated bytes so that they come further, such as a new checksum. */
  readonly prepare?: (bytes: Uint8Array, random: Random) => void;
  read(bytes: Uint8Array): unknown;
}

const MAX_INFLATED_BYTES = 0x4_0000;
/** The cap, and the room that codecs take beyond it to copy by words. */
const INFLATED_BUFFER_BYTES: number = MAX_INFLATED_BYTES + 64;
const MAX_FRAME_BYTES = 0x10_0000;

/** All of them in three groups to take as often as each other: messages by version, their traces, all the rest. */
export function targets(): readonly (readonly Target[])[] {
  return [...messageTargets(), [...recordTargets(), ...codecTargets(), frames()]];
}

function messageTargets(): [Target[], Target[]] {
  const messages: Target[] = [];
  const traces: Target[] = [];
  for (const { name, message, fixtures } of messagesUnderTest()) {
    for (const version of new Set(fixtures.map((fixture) => fixture.version))) {
      const samples = fixtures.filter((fixture) => fixture.version === version).map(({ bytes }) => bytes);
      messages.push({
        name: `${name} v${version}`,
        samples,
        read: (bytes) => message.decode(bytes, version),
      });
      traces.push({
        name: `trace of ${name} v${version}`,
        samples,
        isTrace: true,
        read: (bytes) =>
          message.trace(bytes, version, { inflate: inflateSync, maxInflatedBytes: MAX_INFLATED_BYTES }),
      });
    }
  }
  return [messages, traces];
}

function recordTargets(): Target[] {
  const samples = fixtureNames.map((name) => fixture(name).bytes).filter(({ length }) => length < 0x4000);
  const options = { inflate: inflateSync, maxInflatedBytes: MAX_INFLATED_BYTES };
  const cap = { samples, capBytes: INFLATED_BUFFER_BYTES, prepare: repairChecksum };
  return [
    { ...cap, name: 'records', read: (bytes) => decodeRecords(bytes, options) },
    {
      ...cap,
      name: 'records, strictly',
      read: (bytes) => decodeRecords(bytes, { ...options, strict: true }),
    },
    { ...cap, name: 'trace of records', isTrace: true, read: (bytes) => traceRecords(bytes, options) },
  ];
}

/** Half of the time, gives the first batch the checksum of what it holds now: else nothing behind it is read. */
function repairChecksum(bytes: Uint8Array, random: Random): void {
  if (bytes.length < 61 || random.below(2) === 0) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = Math.min(bytes.length, 12 + Math.max(0, view.getInt32(8)));
  if (bytes[16] === 2) view.setUint32(17, crc32c(bytes.subarray(21, end)));
  else view.setUint32(12, crc32(bytes.subarray(16, end)));
}

function codecTargets(): Target[] {
  return [1, 2, 3, 4].map((codecId) => ({
    name: `codec ${codecId}`,
    samples: payloadsOf(codecId),
    capBytes: INFLATED_BUFFER_BYTES,
    read: (bytes) => inflateSync(codecId, bytes, MAX_INFLATED_BYTES),
  }));
}

/** The compressed records in Java's batches of v2. */
function payloadsOf(codecId: number): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  for (const name of fixtureNames) {
    const { bytes, batches } = fixture(name);
    if (batches.length === 1 && batches[0]?.magic === 2 && batches[0].codecId === codecId)
      payloads.push(bytes.subarray(61));
  }
  return payloads;
}

function frames(): Target {
  const frame = new Uint8Array(260);
  frame[3] = 0x80;
  frame[135] = 0x7c;
  return {
    name: 'frames',
    samples: [frame],
    capBytes: MAX_FRAME_BYTES,
    read(bytes) {
      const reader = new FrameReader(MAX_FRAME_BYTES);
      for (let at = 0; at < bytes.length; at += 7) reader.push(bytes.subarray(at, at + 7));
      const whole: Uint8Array[] = [];
      for (let next = reader.next(); next !== undefined; next = reader.next()) whole.push(next);
      return whole;
    },
  };
}
