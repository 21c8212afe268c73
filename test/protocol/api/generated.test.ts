/** The committed tables are what the generator writes, they say what the definitions say, and those hold facts only. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as entry from '../../../src/protocol/index.ts';
import { api, apis, embeddedMessages } from '../../../src/protocol/api/registry.ts';
import { BY_HAND } from '../../../tools/generate/embedded-files.ts';
import { readDefinitions } from '../../../tools/generate/definitions.ts';
import { generate, outdated } from '../../../tools/generate/main.ts';
import { messageNotes, overlay } from '../../../tools/generate/overlay/index.ts';
import { formOfDefinition, formOfPlan, type Definition } from '../../integration/support/definition-forms.ts';
import { messagesUnderTest } from './java-fixtures.ts';
import { javaName } from './java-values.ts';

/** Keys of requests that Kafka 4 no longer has in any version: what brokers sent each other before KRaft. */
const WITHOUT_VERSIONS = [4, 5, 6, 7];

const definitions = readDefinitions();
const camelCase = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

test('no table differs from what `npm run generate` writes', async () => {
  expect(outdated(await generate())).toEqual([]);
});

test('the words of the overlay are those of the definitions, none too few and none too many', async () => {
  expect((await generate()).remarks).toEqual([]);
  expect(Object.keys(overlay).sort()).toEqual(apis.map(({ name }) => name).sort());
  const others = [...definitions.values()].flatMap(({ message }) => message?.name ?? []);
  expect(Object.keys(messageNotes).sort()).toEqual(others.sort());
});

test('every definition has its message, and no message is without one', () => {
  const ours = [
    ...apis.flatMap(({ request, response }) => [request, response]),
    ...embeddedMessages.values(),
  ];
  const theirs = [...definitions.values()].flatMap(({ request, response, message }) =>
    [request, response, message].filter((facts) => facts !== undefined),
  );
  const headers = theirs.filter(({ name }) => name === 'RequestHeader' || name === 'ResponseHeader');
  expect(ours.map(({ name }) => name).sort()).toEqual(
    theirs
      .filter((facts) => !headers.includes(facts))
      .map(({ name }) => name)
      .sort(),
  );
  expect(headers.length).toBe(2);
});

test('every field of every version is what the definition says, in tables written by hand too', () => {
  let versions = 0;
  const seen = new Set<string>();
  for (const { name, message, definition } of messagesUnderTest()) {
    const [file, side] = definition;
    const facts = definitions.get(file)?.[side] as unknown;
    for (let version = message.versions.min; version <= message.versions.max; version++, versions++) {
      const form = formOfPlan(message.plan(version));
      const fields = form.fields.map((field) => ({ ...field, name: javaName(name, field.name) }));
      expect({ ...form, fields }, `${name} v${version}`).toEqual(
        formOfDefinition(facts as Definition, version),
      );
    }
    seen.add(name);
  }
  for (const name of BY_HAND) expect(seen, name).toContain(name);
  expect(versions).toBeGreaterThan(700);
});

test('the keys are those of Kafka without a gap, but for the four that have no versions', () => {
  const highest = Math.max(...apis.map(({ key }) => key));
  const keys = Array.from({ length: highest + 1 }, (_, key) => key);
  expect(apis.map(({ key }) => key)).toEqual(keys.filter((key) => !WITHOUT_VERSIONS.includes(key)));
  expect(apis.length + WITHOUT_VERSIONS.length).toBe(95);
});

test('an API whose last version is not final says so', () => {
  const marked = [...definitions.values()].filter(({ request }) => request?.latestVersionUnstable);
  const unstable = apis.filter((each) => each.unstable);
  expect(unstable.map(({ key }) => key)).toEqual(marked.map(({ apiKey }) => apiKey));
  expect(unstable.map(({ name, request }) => `${name} v${request.versions.max}`)).toEqual([
    'InitProducerId v6',
  ]);
});

test('the number of a file is the key of its API', () => {
  const files = readdirSync(new URL('../../../src/protocol/api/', import.meta.url)).sort();
  const numbered = files.filter((file) => file !== 'registry.ts' && file !== 'traced.ts');
  expect(numbered.map((file) => Number(file.slice(0, 2)))).toEqual(apis.map(({ key }) => key));
});

test('the public entry exports every API and every embedded message by name', () => {
  const exported = entry as Record<string, unknown>;
  for (const each of apis) expect(exported[`${camelCase(each.name)}Api`], each.name).toBe(each);
  for (const [name, message] of embeddedMessages) {
    const own = camelCase(name.replace('ConsumerProtocol', ''));
    expect(exported[own], name).toBe(message);
  }
});

test('the registry finds an API by key and by name, and nothing else', () => {
  expect(api(1)?.name).toBe('Fetch');
  expect(api('ListOffsets')?.key).toBe(2);
  expect(api(999)).toBeUndefined();
  expect(api('__proto__')).toBeUndefined();
  for (const key of WITHOUT_VERSIONS) expect(api(key)).toBeUndefined();
});

test('the definitions hold no prose of Kafka’s, only facts', () => {
  const folder = new URL('../../../fixtures/definitions/', import.meta.url);
  for (const file of readdirSync(folder)) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    expect(text, file).not.toMatch(/about|licen[sc]e|\/\//i);
  }
});
