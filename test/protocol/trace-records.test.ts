/** Record batches explained: a trace says of every record what the cursors say, in all formats and codecs. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { internalTopics } from '../../src/protocol/embedded/record-types.ts';
import { offsetCommitKey, offsetCommitValue } from '../../src/protocol/embedded/offset-records.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { encodeEndMarker } from '../../src/protocol/records/control.ts';
import { cursorOf, nextLogBatch } from '../../src/protocol/records/message-set.ts';
import { decodeHeaders, type RecordHeader } from '../../src/protocol/records/record-cursor.ts';
import { fetchApi } from '../../src/protocol/api/traced.ts';
import { ByteWriter } from '../../src/protocol/writer.ts';
import { leavesOf, traceRecords, type Trace, type TraceNode } from '../../src/protocol/trace.ts';
import { fixture, fixtureNames, verdicts } from './records/fixtures.ts';
import { fromHex, toHex } from './records/hex.ts';
import { inflate } from './records/inflate.ts';
import { expectCover, flat } from './support/trace-tree.ts';

interface Said {
  readonly offset: number | bigint;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** What the cursors read, up to the first error. */
function decoded(bytes: Uint8Array): { records: Said[]; error?: unknown } {
  const records: Said[] = [];
  try {
    for (let batch = nextLogBatch(bytes, 0); batch; batch = nextLogBatch(bytes, batch.end)) {
      batch.verifyCrc();
      const cursor = cursorOf(batch, inflate(batch.codecId, batch.payload));
      while (cursor.next()) {
        const { offset, keyStart, keyEnd, valueStart, valueEnd, headersStart, headerCount } = cursor;
        const { bytes: payload } = cursor;
        records.push({
          offset,
          key: keyStart < 0 ? null : payload.subarray(keyStart, keyEnd),
          value: valueStart < 0 ? null : payload.subarray(valueStart, valueEnd),
          headers: decodeHeaders(payload, headersStart, headerCount),
        });
      }
    }
    return { records };
  } catch (error) {
    return { records, error };
  }
}

/** What a trace says of the records, without the offsets in wrappers, which are relative there. */
function traced({ fields, spaces }: Trace): Omit<Said, 'offset'>[] {
  const records: Omit<Said, 'offset'>[] = [];
  for (const node of flat(fields)) {
    if (node.note !== undefined) continue;
    const isRecord = node.kind === 'record';
    const isMessage =
      node.kind === 'message' && !node.children?.some(({ path }) => path === `${node.path}.records`);
    const isWrapper = flat(node.children ?? []).some(({ kind }) => kind.endsWith(' messages'));
    if (!isRecord && (!isMessage || isWrapper)) continue;
    const bytesOf = (name: string): Uint8Array | null => {
      const found = node.children?.find(({ path }) => path === `${node.path}.${name}`);
      const [length] = found?.children ?? [];
      if (!found || !length) return (found?.value ?? null) as Uint8Array | null;
      const { space, offset } = found;
      return spaces[space]?.subarray(offset + length.length, offset + found.length) ?? null;
    };
    const headers = node.children?.find(({ path }) => path.endsWith('.headers'))?.children?.slice(1) ?? [];
    records.push({
      key: bytesOf('key'),
      value: bytesOf('value'),
      headers: headers.map(({ children = [] }) => ({
        key: children[0]?.value as string,
        value: children[1]?.value as Uint8Array | null,
      })),
    });
  }
  return records;
}

function node(trace: Trace, path: string): TraceNode | undefined {
  return flat(trace.fields).find((each) => each.path === path);
}

describe.each(fixtureNames)('%s', (name) => {
  test('is explained as it is decoded, and the leaves of each byte space cover it', () => {
    const { bytes, batches } = fixture(name);
    const trace = traceRecords(bytes, { inflate, recordTypes: internalTopics });
    const { records, error } = decoded(bytes);
    expect(error).toBeUndefined();
    expect(trace.error).toBeUndefined();
    expect(traced(trace)).toEqual(records.map(({ key, value, headers }) => ({ key, value, headers })));
    expectCover(trace);
    const seen = trace.fields.filter(({ note }) => note === undefined);
    expect(seen).toHaveLength(batches.length);
  });
});

test('what Java refuses, and the cursors too, is damage in a trace; all else is explained', () => {
  for (const { name, hex } of verdicts()) {
    const bytes = fromHex(hex);
    const trace = traceRecords(bytes, { inflate });
    expect(trace.error === undefined, name).toBe(decoded(bytes).error === undefined);
    expectCover(trace);
  }
});

test('changed bytes are damage where a cursor throws, and nowhere else', () => {
  const samples = fixtureNames.filter((name) => !name.startsWith('large')).map((name) => fixture(name).bytes);
  const known = new Map<string | null, Uint8Array>();
  for (const bytes of samples)
    traceRecords(bytes, {
      inflate(codecId, payload) {
        const inflated = inflate(codecId, payload);
        known.set(toHex(payload), inflated);
        return inflated;
      },
    });
  // What the codecs make of changed bytes is theirs to test.
  const inflateKnown = (_: number, payload: Uint8Array): Uint8Array => {
    const inflated = known.get(toHex(payload));
    if (inflated) return inflated;
    throw new Error('changed');
  };
  const change = fc.record({ bytes: fc.constantFrom(...samples), at: fc.nat(), value: fc.nat(255) });
  fc.assert(
    fc.property(change, ({ bytes, at, value }) => {
      const copy = bytes.slice();
      copy[at % copy.length] = value;
      const trace = traceRecords(copy, { inflate: inflateKnown });
      expect(trace.error === undefined).toBe(decoded(copy).error === undefined);
      if (trace.error) expect(trace.failed).toBeDefined();
      expectCover(trace);
    }),
    { numRuns: 3000 },
  );
});

describe('damage in a batch', () => {
  const { bytes } = fixture('several');

  test('of its checksum leaves the tree whole and says what was expected', () => {
    const copy = bytes.slice();
    copy[70] = (copy[70] ?? 0) ^ 1;
    const trace = traceRecords(copy, { inflate });
    expect(trace.error).toMatchObject({ code: 'CORRUPT', path: 'records[0].crc' });
    expect(trace.error?.message).toMatch(/checksum [0-9a-f]+ where [0-9a-f]+ is stored/);
    expect(trace.failed).toMatchObject({ path: 'records[0].crc', kind: 'uint32', offset: 17 });
    expect(traced(trace)).toHaveLength(decoded(bytes).records.length);
  });

  test('does not hide the batch behind it', () => {
    const copy = bytes.slice();
    copy[60] = 0x7f;
    const trace = traceRecords(copy, { inflate });
    expect(trace.error).toBeDefined();
    expect(trace.fields.length).toBe(traceRecords(bytes, { inflate }).fields.length);
    expectCover(trace);
  });
});

describe('compressed records', () => {
  const { bytes } = fixture('gzip');

  test('stay an opaque leaf without a way to inflate them', () => {
    const trace = traceRecords(bytes);
    expect(trace.spaces).toHaveLength(1);
    expect(node(trace, 'records[0].records')).toMatchObject({ kind: 'gzip records', note: 'not inflated' });
    expectCover(trace);
  });

  test('are not inflated beyond the limit of the whole trace', () => {
    const asked: number[] = [];
    const maxInflatedBytes = 1000;
    const counting = (codecId: number, payload: Uint8Array, maxBytes: number): Uint8Array => {
      asked.push(maxBytes);
      return inflate(codecId, payload);
    };
    const twice = new Uint8Array([...bytes, ...bytes]);
    const [, first = new Uint8Array(0)] = traceRecords(twice, { inflate: counting, maxInflatedBytes }).spaces;
    expect(asked).toEqual([maxInflatedBytes, maxInflatedBytes - first.length]);
  });

  test('that cannot be inflated are damage at their leaf', () => {
    const trace = traceRecords(bytes, {
      inflate: () => {
        throw new Error('bad block');
      },
    });
    expect(trace.failed).toBe(node(trace, 'records[0].records'));
    expect(trace.failed?.note).toBe('bad block');
    expectCover(trace);
  });
});

describe('keys and values', () => {
  test('of control records say how the transaction ended', () => {
    const marker = {
      type: 'commit',
      coordinatorEpoch: 7,
      producerId: 1n,
      producerEpoch: 0,
      timestamp: 0,
    } as const;
    const trace = traceRecords(encodeEndMarker(marker));
    expect(node(trace, 'records[0].records[0].key.controlRecordTypeSchema.type')?.value).toBe(1);
    expect(node(trace, 'records[0].records[0].value.endTxnMarker.coordinatorEpoch')?.value).toBe(7);
    expectCover(trace);
  });

  const versioned = (
    message: typeof offsetCommitKey | typeof offsetCommitValue,
    value: object,
    version: number,
  ) => {
    const writer = new ByteWriter();
    writer.int16(version);
    message.encode(value, message === offsetCommitKey ? 0 : version, writer);
    return writer.finish();
  };
  const builder = new BatchBuilder(256);
  builder.timestamp = 0;
  builder.append(
    versioned(offsetCommitKey, { group: 'g', topic: 't', partition: 3 }, 1),
    versioned(offsetCommitValue, { offset: 42, metadata: 'm' }, 3),
  );
  const batch = builder.finish(false);

  test('of an internal topic are messages', () => {
    const trace = traceRecords(batch, { recordTypes: internalTopics, topic: '__consumer_offsets' });
    expect(node(trace, 'records[0].records[0].key.offsetCommitKey.partition')?.value).toBe(3);
    expect(node(trace, 'records[0].records[0].value.offsetCommitValue.offset')?.value).toBe(42);
    expectCover(trace);
  });

  test('are known in a message that names the topic, and bytes in any other topic', () => {
    const response = (topic: string): Trace => {
      const body = { responses: [{ topic, partitions: [{ records: batch }] }] };
      return fetchApi.response.trace(fetchApi.response.encode(body, 12), 12, { recordTypes: internalTopics });
    };
    const place = 'responses[0].partitions[0].records[0].records[0].key.offsetCommitKey.group';
    expect(node(response('__consumer_offsets'), place)?.value).toBe('g');
    expect(node(response('orders'), place)).toBeUndefined();
    expectCover(response('__consumer_offsets'));
  });
});

test('leaves come in the order of space and offset', () => {
  const trace = traceRecords(fixture('kinds-gzip').bytes, { inflate });
  const places = [...leavesOf(trace)].map(({ space, offset }) => space * 2 ** 40 + offset);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(trace.spaces.length).toBeGreaterThan(1);
});
