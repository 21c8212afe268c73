/** The committed API files are what the generator writes, and the definitions hold facts only. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as entry from '../../../src/protocol/index.ts';
import { api, apis } from '../../../src/protocol/api/registry.ts';
import { outdated } from '../../../tools/generate-api.ts';

test('no file under src/protocol/api differs from what tools/generate-api.ts writes', async () => {
  expect(await outdated()).toEqual([]);
});

test('the number of a file is the key of its API', () => {
  const files = readdirSync(new URL('../../../src/protocol/api/', import.meta.url));
  const numbered = files.filter((file) => file !== 'registry.ts' && file !== 'traced.ts');
  expect(numbered.map((file) => Number(file.slice(0, 2)))).toEqual(apis.map(({ key }) => key));
});

test('the public entry exports every API by name', () => {
  for (const each of apis) {
    const name = `${each.name.charAt(0).toLowerCase()}${each.name.slice(1)}Api`;
    expect((entry as Record<string, unknown>)[name], name).toBe(each);
  }
});

test('the registry finds an API by key and by name, and nothing else', () => {
  expect(api(1)?.name).toBe('Fetch');
  expect(api('ListOffsets')?.key).toBe(2);
  expect(api(999)).toBeUndefined();
  expect(api('__proto__')).toBeUndefined();
});

test('the definitions hold no prose of Kafka’s, only facts', () => {
  const folder = new URL('../../../fixtures/definitions/', import.meta.url);
  for (const file of readdirSync(folder)) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    expect(text, file).not.toMatch(/about|licen[sc]e|\/\//i);
  }
});
