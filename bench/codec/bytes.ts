/** Checksums and compression over 64 KiB. */
import { createRequire } from 'node:module';
import { lz4, snappy, type SyncCodec } from 'kafka-wire/compression';
import { crc32c, crc32cPure } from 'kafka-wire/protocol';
import { events, random } from '../events.ts';
import { type Case, type Contestant, inTurn, sameBytes, type Work } from './case.ts';

const inputBytes = 65_536;
const samples = 8;
const require = createRequire(import.meta.url);

function noise(seed: number): Buffer {
  const next = random(seed);
  return Buffer.from(Uint8Array.from({ length: inputBytes }, () => next() >>> 24));
}

function copy(bytes: Uint8Array): Work {
  const target = new Uint8Array(inputBytes);
  return () => {
    target.set(bytes);
    return inputBytes;
  };
}

interface ByteWork {
  readonly name: string;
  readonly peer: string;
  readonly inputs: readonly Uint8Array[];
  readonly ours: (bytes: Uint8Array) => unknown;
  readonly theirs: (bytes: Uint8Array) => unknown;
}

/** The case of one contestant; an amount is 64 KiB, made, read or passed. */
function caseOf(contestant: Contestant, { name, peer, inputs, ours, theirs }: ByteWork): Case {
  const run = contestant === 'ours' ? ours : theirs;
  const work = inTurn(inputs, (bytes) => {
    run(bytes);
    return inputBytes;
  });
  return { name: `${name} 64 KiB`, peer, work: contestant === 'floor' ? copy(events(1, inputBytes)) : work };
}

/** The checksum: in WebAssembly, or in TypeScript alone. */
export async function checksumCase(contestant: Contestant, isPure: boolean): Promise<Case> {
  const inputs = Array.from({ length: samples }, (_, index) => noise(index + 1));
  const peer = isPure ? 'crc-32' : '@platformatic/wasm-utils';
  const ours = isPure ? crc32cPure : crc32c;
  let theirs: (bytes: Uint8Array) => number = ours;
  if (contestant === 'peer') {
    theirs = isPure
      ? (require('crc-32/crc32c') as { buf(bytes: Uint8Array): number }).buf
      : ((await import(peer)) as { crc32c(bytes: Uint8Array): number }).crc32c;
    for (const bytes of inputs) {
      if (ours(bytes) !== theirs(bytes) >>> 0) throw new Error('the checksums differ');
    }
  }
  return caseOf(contestant, { name: 'CRC-32C', peer, inputs, ours, theirs });
}

interface CodecPeer {
  readonly name: string;
  compress(bytes: Uint8Array): Uint8Array;
  inflate(bytes: Uint8Array): Uint8Array;
}

function codecCases(contestant: Contestant, codec: SyncCodec, peer: CodecPeer): Case[] {
  const inputs = Array.from({ length: samples }, (_, index) => events(index + 1, inputBytes));
  const inflate = (bytes: Uint8Array): Uint8Array => codec.decompress(bytes, { maxBytes: inputBytes });
  const ours = inputs.map((bytes) => codec.compress(bytes));
  // What both read: snappyjs knows no frames, and lz4js writes some that Kafka refuses.
  const common = codec.name === 'lz4' ? ours : inputs.map((bytes) => peer.compress(bytes));
  for (const [index, bytes] of inputs.entries()) {
    sameBytes(codec.name, inflate(ours[index] ?? bytes), bytes);
    if (contestant === 'peer') sameBytes(peer.name, peer.inflate(common[index] ?? bytes), bytes);
  }
  const base = { peer: peer.name };
  const { compress } = codec;
  return [
    caseOf(contestant, {
      ...base,
      name: `${codec.name} compress`,
      inputs,
      ours: compress,
      theirs: peer.compress,
    }),
    caseOf(contestant, {
      ...base,
      name: `${codec.name} inflate`,
      inputs: common,
      ours: inflate,
      theirs: peer.inflate,
    }),
  ];
}

/** lz4 and snappy in TypeScript against the packages of that kind. */
export function compressionCases(contestant: Contestant): Case[] {
  const lz4js = require('lz4js') as {
    compress(bytes: Uint8Array): Uint8Array;
    decompress(bytes: Uint8Array): Uint8Array;
  };
  const snappyjs = require('snappyjs') as {
    compress(bytes: Uint8Array): Uint8Array;
    uncompress(bytes: Uint8Array): Uint8Array;
  };
  return [
    ...codecCases(contestant, lz4, { name: 'lz4js', compress: lz4js.compress, inflate: lz4js.decompress }),
    ...codecCases(contestant, snappy, {
      name: 'snappyjs',
      compress: snappyjs.compress,
      inflate: snappyjs.uncompress,
    }),
  ];
}
