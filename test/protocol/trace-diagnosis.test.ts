/** Damage named: of changed bytes that can be told to be wrong, the place is found nearly always. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apis } from '../../src/protocol/api/registry.ts';
import { apiVersionsApi, fetchApi, produceApi } from '../../src/protocol/api/traced.ts';
import type { EmbeddedPart } from '../../src/protocol/embedded/record-types.ts';
import { requestHeaderVersion, responseHeaderVersion } from '../../src/protocol/header.ts';
import { leavesOf, traceParts, traceRecords, type Trace, type TraceNode } from '../../src/protocol/trace.ts';
import { diagnose, diagnoseRecords, type Diagnosis } from '../../src/protocol/trace-diagnosis.ts';
import { requestHeader, responseHeader } from '../../src/protocol/traced.ts';
import { ByteWriter } from '../../src/protocol/writer.ts';
import { fromHex, messagesUnderTest } from './api/java-fixtures.ts';
import { fixture, fixtureNames } from './records/fixtures.ts';

const SEED = Number(process.env['KAFKA_WIRE_SEED'] ?? 20261125);
const CORRUPTIONS = 500;

const { stackTraceLimit } = Error;
// A diagnosis makes thousands of errors, and nobody reads their stacks.
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

/** Bytes that are known to be right, and how they are read. */
interface Known {
  readonly name: string;
  readonly bytes: Uint8Array;
  trace(bytes: Uint8Array): Trace;
  diagnose(bytes: Uint8Array): Diagnosis | undefined;
  /** Whether a strict decode throws, or bytes are left. */
  isRefused(bytes: Uint8Array): boolean;
}

/** xorshift32: the same numbers for the same seed, everywhere. */
function randomOf(seed: number): (limit: number) => number {
  let state = (seed ^ 0x9e37_79b9) | 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

function frame(name: string, parts: readonly EmbeddedPart[], bytes: Uint8Array): Known {
  return {
    name,
    bytes,
    trace: (each) => traceParts(each, parts),
    diagnose: (each) => diagnose(each, parts),
    isRefused: (each) => isThrown(() => traceOrThrow(each, parts)),
  };
}

function traceOrThrow(bytes: Uint8Array, parts: readonly EmbeddedPart[]): void {
  const { error, fields } = traceParts(bytes, parts);
  if (error) throw error;
  const last = fields.at(-1);
  if (last && last.offset + last.length < bytes.length) throw new Error('bytes are left');
}

function isThrown(act: () => void): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}

/** A request or a response with its header. */
function frameOf(
  api: (typeof apis)[number],
  side: 'request' | 'response',
  version: number,
  body: Uint8Array,
): Known {
  const header = side === 'request' ? requestHeader : responseHeader;
  const headerVersion = (side === 'request' ? requestHeaderVersion : responseHeaderVersion)(api, version);
  const writer = new ByteWriter();
  const values = { apiKey: api.key, apiVersion: version, correlationId: 7, clientId: 'orders-1' };
  header.encode(values, headerVersion, writer);
  writer.raw(body);
  const parts = [
    { name: 'header', message: header, version: headerVersion },
    { name: 'body', message: api[side], version },
  ];
  return frame(`${api[side].name} v${version}`, parts, writer.finish());
}

const batches = fixtureNames
  .filter((name) => !name.startsWith('large') && !name.includes('truncated'))
  .map((name) => ({ name, bytes: fixture(name).bytes }));

/** Of every message and version what Java wrote, Produce and Fetch around batches of Java, and segments of batches. */
function knownFrames(): Known[] {
  const sides = ['request', 'response'] as const;
  const bodies = new Map(messagesUnderTest().map(({ name, fixtures }) => [name, fixtures]));
  const messages = apis.flatMap((api) =>
    sides.flatMap((side) =>
      (bodies.get(api[side].name) ?? [])
        .filter(({ bytes }) => bytes.length > 0)
        .map(({ version, bytes }) => frameOf(api, side, version, bytes)),
    ),
  );
  const carrying = batches.flatMap(({ bytes: records }) => {
    const topicData = [{ name: 'orders', partitionData: [{ index: 1, records }] }];
    const partitions = [{ partitionIndex: 1, highWatermark: 9, records }];
    const responses = [{ topic: 'orders', partitions }];
    return [3, 9, 12].flatMap((version) =>
      [
        frameOf(produceApi, 'request', version, produceApi.request.encode({ acks: -1, topicData }, version)),
        frameOf(
          fetchApi,
          'response',
          version + 1,
          fetchApi.response.encode({ responses }, Math.min(version + 1, 12)),
        ),
      ].slice(0, version + 1 > 12 ? 1 : 2),
    );
  });
  const segments = batches.map(({ name, bytes }): Known => ({
    name,
    bytes,
    trace: (each) => traceRecords(each),
    diagnose: (each) => diagnoseRecords(each),
    isRefused: (each) => traceRecords(each).error !== undefined,
  }));
  // As many of each sort, whatever the number of fixtures.
  return [messages, messages, carrying, segments].flatMap((each) => shuffled(each).slice(0, CORRUPTIONS));
}

function shuffled<T>(list: readonly T[]): T[] {
  const random = randomOf(SEED);
  return list
    .map((each) => ({ each, order: random(2 ** 31) }))
    .sort((a, b) => a.order - b.order)
    .map(({ each }) => each);
}

function holder(leaves: readonly TraceNode[], at: number): TraceNode | undefined {
  return leaves.find(({ space, offset, length }) => space === 0 && offset <= at && at < offset + length);
}

/** The first leaf of the damaged bytes that lies elsewhere than in the clean ones. */
function firstMoved(clean: readonly TraceNode[], damaged: readonly TraceNode[]): TraceNode | undefined {
  return damaged.find(({ offset, length, path }, index) => {
    const before = clean[index];
    return before?.offset !== offset || before.length !== length || before.path !== path;
  });
}

const isSame = (a: TraceNode | undefined, b: TraceNode | undefined): boolean =>
  a !== undefined && a.space === b?.space && a.offset === b.offset && a.kind === b.kind;

test(`of ${CORRUPTIONS} changed bytes, 95 % of those that show are found`, () => {
  const random = randomOf(SEED);
  const frames = knownFrames();
  const missed: string[] = [];
  const counts = { checksum: 0, structure: 0, failure: 0 };
  let detected = 0;
  for (let i = 0; i < CORRUPTIONS; i++) {
    const known = frames[random(frames.length)];
    if (!known) throw new Error('no frames');
    const bytes = known.bytes.slice();
    const at = random(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 + random(255));
    if (!known.isRefused(bytes)) continue;
    detected++;
    const clean = [...leavesOf(known.trace(known.bytes))];
    const found = known.diagnose(bytes);
    counts[found?.by ?? 'failure']++;
    const isRight =
      isSame(found?.leaf, holder(clean, at)) ||
      isSame(found?.leaf, firstMoved(clean, [...leavesOf(known.trace(bytes))]));
    if (!isRight)
      missed.push(
        `${known.name} @${at} ${holder(clean, at)?.path} (${holder(clean, at)?.kind}): ${found?.by} ${found?.leaf?.path} @${found?.offset}`,
      );
  }
  const rate = (1 - missed.length / detected) * 100;
  console.log(
    `seed ${SEED}: ${detected} of ${CORRUPTIONS} changed bytes show, ${rate.toFixed(1)} % are found: ` +
      `${counts.checksum} by checksum, ${counts.structure} by structure, ${counts.failure} where reading failed\n` +
      missed.join('\n'),
  );
  expect(detected).toBeGreaterThan(CORRUPTIONS / 4);
  expect(rate).toBeGreaterThanOrEqual(95);
}, 120_000);

describe('a diagnosis', () => {
  const parts: EmbeddedPart[] = [{ name: 'body', message: apiVersionsApi.response, version: 3 }];
  const sound = fromHex('0000 03 0000 0003 000d 00 0001 0004 0011 00 00000000 00');

  test('of sound bytes is none', () => {
    for (const known of knownFrames().slice(0, 200))
      expect(known.diagnose(known.bytes), known.name).toBeUndefined();
    expect(diagnose(sound, parts)).toBeUndefined();
  });

  test.each([
    ['a count', 2, 0x04, 'body.apiKeys.length', 0x03],
    ['a count of tags', 9, 0x07, 'body.apiKeys[0].tags.count', 0x00],
  ])('finds %s, though reading fails later', (_, offset, value, path, expected) => {
    const bytes = sound.slice();
    bytes[offset] = value;
    const found = diagnose(bytes, parts);
    expect(found).toMatchObject({ by: 'structure', offset, expected, leaf: { path } });
    expect(found?.error?.byteOffset).toBeGreaterThanOrEqual(offset);
  });

  test('of bytes that are cut off says where reading failed', () => {
    const found = diagnose(sound.subarray(0, 12), parts);
    expect(found).toMatchObject({ by: 'failure', leaf: { path: 'body.apiKeys.length' } });
    expect(found?.expected).toBeUndefined();
  });

  const { bytes: batch } = fixture('gzip');

  test.each([
    ['the length', 11, 'records[0].batchLength'],
    ['the format', 16, 'records[0].magic'],
    ['the checksum', 18, 'records[0].crc'],
    ['the producer', 44, 'records[0].producerId'],
    ['the compressed records', 80, 'records[0].records'],
  ])('finds a byte of %s of a batch by its checksum', (_, offset, path) => {
    for (const flipped of [0x01, 0x80, 0x02]) {
      const bytes = batch.slice();
      bytes[offset] = (bytes[offset] ?? 0) ^ flipped;
      const found = diagnoseRecords(bytes);
      expect(found).toMatchObject({ by: 'checksum', offset, expected: batch[offset], leaf: { path } });
    }
  });

  test('of two wrong bytes in a batch names the checksum', () => {
    const bytes = batch.slice();
    bytes[70] = (bytes[70] ?? 0) ^ 0xff;
    bytes[90] = (bytes[90] ?? 0) ^ 0x01;
    expect(diagnoseRecords(bytes)).toMatchObject({ by: 'failure', leaf: { path: 'records[0].crc' } });
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        diagnose(bytes, parts);
        diagnoseRecords(bytes);
      }),
      { numRuns: 200 },
    );
  });
});
