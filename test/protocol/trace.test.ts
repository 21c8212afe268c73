/** Bytes explained: the tree says for every field where it lies and what it says, as decode says it. */
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { apiVersionsApi, joinGroupApi, syncGroupApi } from '../../src/protocol/api/traced.ts';
import { encodeSubscription } from '../../src/protocol/embedded/subscription.ts';
import type { Plan } from '../../src/protocol/plan.ts';
import { unknownTags } from '../../src/protocol/schema.ts';
import { leavesOf, type Trace, type TraceNode } from '../../src/protocol/trace.ts';
import { requestHeader, responseHeader } from '../../src/protocol/traced.ts';
import { fromHex, messagesUnderTest } from './api/java-fixtures.ts';
import { presentSteps } from './api/java-values.ts';
import { expectCover, flat } from './support/trace-tree.ts';
import { inflate } from './records/inflate.ts';

const lines = (nodes: Iterable<TraceNode>): string[] =>
  [...nodes].map(({ path, kind, offset, length }) => `${offset}+${length} ${kind} ${path}`);

/** What a tree says: the value that decode returns, with the fields of the version only. */
function valueOf(plan: Plan, node: TraceNode, { spaces }: Trace): unknown {
  const { children, path } = node;
  if (node.value === null) return null;
  if (plan.element) {
    const { element } = plan;
    const [, ...elements] = children ?? [];
    return elements.map((each) => valueOf(element, each, { spaces } as Trace));
  }
  if (plan.steps) return structOf(plan, children ?? [], path, { spaces } as Trace);
  if (!children) return node.value;
  const size = children[0]?.path === `${path}.length` ? children[0].length : 0;
  return spaces[node.space]?.subarray(node.offset + size, node.offset + node.length);
}

function structOf(plan: Plan, nodes: readonly TraceNode[], path: string, trace: Trace): object {
  const join = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const tags = nodes.find((node) => node.path === join('tags'))?.children ?? [];
  const known = presentSteps(plan).flatMap((step): [string | symbol, unknown][] => {
    const node = [...nodes, ...tags].find((each) => each.path === join(step.name));
    if (node) return [[step.name, valueOf(step, node, trace)]];
    expect(step.tag, `${join(step.name)} is missing`).toBeDefined();
    return [];
  });
  const unknown = tags.flatMap((node) => {
    const [, tag] = /tags\[(\d+)\]$/.exec(node.path) ?? [];
    return tag === undefined ? [] : [{ tag: Number(tag), data: node.value }];
  });
  return Object.fromEntries(unknown.length > 0 ? [...known, [unknownTags, unknown]] : known);
}

describe('a message', () => {
  test('is explained field by field', () => {
    const { fields, error, spaces } = requestHeader.trace(fromHex('0012 0003 00000007 0002 6d65 00'), 2);
    expect(error).toBeUndefined();
    expect(spaces).toHaveLength(1);
    const count = { path: 'tags.count', kind: 'uvarint', space: 0, offset: 12, length: 1, value: 0 };
    expect(fields).toEqual([
      { path: 'apiKey', kind: 'int16', space: 0, offset: 0, length: 2, value: 18 },
      { path: 'apiVersion', kind: 'int16', space: 0, offset: 2, length: 2, value: 3 },
      { path: 'correlationId', kind: 'int32', space: 0, offset: 4, length: 4, value: 7 },
      { path: 'clientId', kind: 'string', space: 0, offset: 8, length: 4, value: 'me' },
      { path: 'tags', kind: 'tags', space: 0, offset: 12, length: 1, children: [count] },
    ]);
  });

  test('has nodes with children for arrays, structs and tagged fields, and leaves for their lengths', () => {
    const hex = '0000 02 0012 0000 0003 00 00000000 02 0108 0000000000000005 0702 abcd';
    const { fields } = apiVersionsApi.response.trace(fromHex(hex), 3);
    expect(lines(flat(fields))).toEqual([
      '0+2 int16 errorCode',
      '2+8 compact array apiKeys',
      '2+1 uvarint apiKeys.length',
      '3+7 struct apiKeys[0]',
      '3+2 int16 apiKeys[0].apiKey',
      '5+2 int16 apiKeys[0].minVersion',
      '7+2 int16 apiKeys[0].maxVersion',
      '9+1 tags apiKeys[0].tags',
      '9+1 uvarint apiKeys[0].tags.count',
      '10+4 int32 throttleTimeMs',
      '14+15 tags tags',
      '14+1 uvarint tags.count',
      '15+1 uvarint finalizedFeaturesEpoch.tag',
      '16+1 uvarint finalizedFeaturesEpoch.size',
      '17+8 int64 finalizedFeaturesEpoch',
      '25+1 uvarint tags[7].tag',
      '26+1 uvarint tags[7].size',
      '27+2 bytes tags[7]',
    ]);
  });

  test('may begin anywhere: offsets count from the beginning of the bytes', () => {
    const bytes = fromHex('ffff ffff 00000007 00 aa');
    const { fields, error } = responseHeader.trace(bytes, 1, { start: 4 });
    expect(error).toBeUndefined();
    expect(lines(leavesOf(fields))).toEqual(['4+4 int32 correlationId', '8+1 uvarint tags.count']);
  });

  test('that cannot be decoded leaves the tree up to there, the leaf that failed, and the error that decode throws', () => {
    const bytes = fromHex('0000 03 0012 0000 0003 00 0001 0004 0009 01 05 7f');
    const { fields, error, failed } = apiVersionsApi.response.trace(bytes, 3);
    expect(flat(fields).map(({ path }) => path)).toContain('apiKeys[0].maxVersion');
    expect(flat(fields).at(-1)).toBe(failed);
    expect(failed).toMatchObject({ path: 'apiKeys[1].tags[5].size', kind: 'uvarint', offset: 18 });
    expect(error).toMatchObject({
      path: 'apiKeys[1].tags',
      byteOffset: 19,
      api: 'ApiVersionsResponse',
      version: 3,
    });
    expect(() => apiVersionsApi.response.decode(bytes, 3)).toThrow(error?.message);
  });

  test('of a version that is not supported is an error at once', () => {
    expect(() => requestHeader.trace(new Uint8Array(0), 9)).toThrow(ProtocolError);
  });
});

describe('bytes that hold a message', () => {
  const metadata = encodeSubscription({ topics: ['a'] }, 1);
  const paths = (trace: Trace): string[] => flat(trace.fields).map(({ path }) => path);

  test('are explained in a group of consumers', () => {
    const body = { protocolType: 'consumer', protocols: [{ name: 'range', metadata }] };
    const trace = joinGroupApi.request.trace(joinGroupApi.request.encode(body, 9), 9);
    expect(paths(trace)).toContain('protocols[0].metadata.version');
    expect(paths(trace)).toContain('protocols[0].metadata.topics[0]');
    expect(trace.error).toBeUndefined();
  });

  test('stay a leaf in another group, and, with a note, where they cannot be read', () => {
    const other = { protocolType: 'connect', protocols: [{ name: 'range', metadata }] };
    const first = joinGroupApi.request.trace(joinGroupApi.request.encode(other, 9), 9);
    expect(paths(first)).not.toContain('protocols[0].metadata.version');
    const broken = {
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: metadata.subarray(1) }],
    };
    const second = joinGroupApi.request.trace(joinGroupApi.request.encode(broken, 9), 9);
    const leaf = flat(second.fields).find(({ path }) => path === 'protocols[0].metadata');
    expect(leaf?.children).toBeUndefined();
    expect(leaf?.note).toMatch(/byte/);
    expect(second.error).toBeUndefined();
  });

  test('are explained where nothing says what they are, if they fit to their last byte', () => {
    const assigned = fromHex('0001 00000001 0001 61 00000001 00000005 ffffffff');
    for (const [assignment, isFit] of [
      [assigned, true],
      [assigned.subarray(0, -1), false],
    ] as const) {
      const trace = syncGroupApi.response.trace(syncGroupApi.response.encode({ assignment }, 0), 0);
      expect(paths(trace).includes('assignment.assignedPartitions[0].partitions[0]')).toBe(isFit);
      expectCover(trace);
    }
  });
});

describe.each(messagesUnderTest())('$name', ({ message, fixtures, edges }) => {
  test('a trace says what decode says, and its leaves cover the bytes', () => {
    for (const { version, bytes } of fixtures) {
      const trace = message.trace(bytes, version, { inflate });
      const decoded = message.decode(bytes, version) as object;
      const plan = message.plan(version);
      const said = structOf(plan, trace.fields, '', trace);
      expect(onlyPresent(plan, said), `v${version}`).toEqual(onlyPresent(plan, decoded));
      expectCover(trace);
    }
    for (const { version, bytes } of edges) {
      const { error } = message.trace(bytes, version);
      expect(error?.message).toBe(errorOf(() => message.decode(bytes, version))?.message);
    }
  });
});

function errorOf(act: () => unknown): Error | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** A struct without the fields that its version lacks, and with the defaults of those that are absent. */
function onlyPresent(plan: Plan, value: unknown): object {
  const of = (plan: Plan, value: unknown): unknown => {
    if (value === null) return null;
    if (plan.element) {
      const { element } = plan;
      return (value as readonly unknown[]).map((each) => of(element, each));
    }
    return plan.steps ? onlyPresent(plan, value) : value;
  };
  const fields = value as Readonly<Record<string | symbol, unknown>>;
  const known = presentSteps(plan).map((step): [string | symbol, unknown] => [
    step.name,
    of(step, step.name in fields ? fields[step.name] : step.fallback === undefined ? {} : step.fallback),
  ]);
  const unknown = fields[unknownTags];
  return Object.fromEntries(unknown ? [...known, [unknownTags, unknown]] : known);
}
