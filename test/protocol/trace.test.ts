/** Bytes explained: the tree says for every field where it lies and what it says. */
import { expect, test } from 'vitest';
import { apiVersionsApi } from '../../src/protocol/api/traced.ts';
import { requestHeader } from '../../src/protocol/traced.ts';
import type { TraceNode } from '../../src/protocol/trace.ts';
import { fromHex, messagesUnderTest } from './api/java-fixtures.ts';

/** Every node of a tree, parents first. */
function flat(nodes: readonly TraceNode[]): TraceNode[] {
  return nodes.flatMap((node) => [node, ...flat(node.children ?? [])]);
}

/** What a path such as `topics[1].name` leads to. */
function at(value: unknown, path: string): unknown {
  let found = value;
  for (const step of path.split(/[.[\]]+/).filter(Boolean)) found = (found as Record<string, unknown>)[step];
  return found;
}

test('a request header is explained field by field', () => {
  const { fields, error } = requestHeader.trace(fromHex('0012 0003 00000007 0002 6d65 00'), 2);
  expect(error).toBeUndefined();
  expect(fields).toEqual([
    { path: 'apiKey', kind: 'int16', space: 0, offset: 0, length: 2, value: 18 },
    { path: 'apiVersion', kind: 'int16', space: 0, offset: 2, length: 2, value: 3 },
    { path: 'correlationId', kind: 'int32', space: 0, offset: 4, length: 4, value: 7 },
    { path: 'clientId', kind: 'string', space: 0, offset: 8, length: 4, value: 'me' },
    { path: 'tags', kind: 'tags', space: 0, offset: 12, length: 1, children: [] },
  ]);
});

test('arrays, structs and tagged fields are nodes with children', () => {
  const hex = '0000 02 0012 0000 0003 00 00000000 02 0108 0000000000000005 0702 abcd';
  const { fields } = apiVersionsApi.response.trace(fromHex(hex), 3);
  expect(flat(fields).map(({ path, kind, offset, length }) => `${offset}+${length} ${kind} ${path}`)).toEqual(
    [
      '0+2 int16 errorCode',
      '2+8 compact array apiKeys',
      '3+7 struct apiKeys[0]',
      '3+2 int16 apiKeys[0].apiKey',
      '5+2 int16 apiKeys[0].minVersion',
      '7+2 int16 apiKeys[0].maxVersion',
      '9+1 tags apiKeys[0].tags',
      '10+4 int32 throttleTimeMs',
      '14+15 tags tags',
      '17+8 int64 finalizedFeaturesEpoch',
      '27+2 bytes tags[7]',
    ],
  );
});

test('a failing decode leaves the tree up to there, and the error that decode throws', () => {
  const bytes = fromHex('0000 03 0012 0000 0003 00 0001 0004 0009 01 05 7f');
  const { fields, error } = apiVersionsApi.response.trace(bytes, 3);
  expect(flat(fields).map(({ path }) => path)).toContain('apiKeys[0].maxVersion');
  expect(flat(fields).at(-1)).toMatchObject({ path: 'apiKeys[1].tags', offset: 16 });
  expect(error).toMatchObject({
    path: 'apiKeys[1].tags',
    byteOffset: 19,
    api: 'ApiVersionsResponse',
    version: 3,
  });
  expect(() => apiVersionsApi.response.decode(bytes, 3)).toThrow(error?.message);
});

test.each(messagesUnderTest())('$name: every node says what decode says', ({ message, fixtures }) => {
  for (const { version, bytes } of fixtures) {
    const decoded = message.decode(bytes, version);
    for (const { path, value, children, offset, length } of flat(message.trace(bytes, version).fields)) {
      if (!children) expect(value, path).toEqual(at(decoded, path));
      // Children lie inside their parent, one after the other.
      let position = offset;
      for (const child of children ?? []) {
        expect(child.offset, child.path).toBeGreaterThanOrEqual(position);
        position = child.offset + child.length;
      }
      expect(position).toBeLessThanOrEqual(offset + length);
    }
  }
});
