/** Java decides: for every message and version our bytes are those of Kafka's generated classes, in both directions. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { apis } from '../../../src/protocol/api/registry.ts';
import { assignment } from '../../../src/protocol/embedded/assignment.ts';
import { subscription } from '../../../src/protocol/embedded/subscription.ts';
import { requestHeader, responseHeader } from '../../../src/protocol/header.ts';
import type { Message } from '../../../src/protocol/schema.ts';
import { javaFixtures, printed, restrictedTo, toHex, typedAs, type JavaFixture } from './java-fixtures.ts';

const folders = readdirSync(new URL('../../../fixtures/api/', import.meta.url));

/** What is under test, with the file that Java wrote. */
const messages: { message: Message<unknown>; fixtures: JavaFixture[] }[] = [
  ...apis.flatMap((api) => {
    const folder =
      folders.find((name) => Number(name.slice(0, 2)) === api.key) ?? `no folder for ${api.name}`;
    return [
      { message: api.request, fixtures: javaFixtures(`api/${folder}/request.json`) },
      { message: api.response, fixtures: javaFixtures(`api/${folder}/response.json`) },
    ];
  }),
  { message: subscription, fixtures: javaFixtures('embedded/consumer-protocol-subscription.json') },
  { message: assignment, fixtures: javaFixtures('embedded/consumer-protocol-assignment.json') },
  { message: requestHeader, fixtures: headerFixtures(javaFixtures('embedded/request-header.json')) },
  { message: responseHeader, fixtures: javaFixtures('embedded/response-header.json') },
];

/** Our header says `apiKey` where Kafka says `requestApiKey`. */
function headerFixtures(fixtures: JavaFixture[]): JavaFixture[] {
  return fixtures.map((fixture) => {
    const { requestApiKey, requestApiVersion, ...rest } = fixture.value as Record<string, unknown>;
    return { ...fixture, value: { apiKey: requestApiKey, apiVersion: requestApiVersion, ...rest } };
  });
}

test('every API has fixtures, and every folder of fixtures has its API', () => {
  expect(folders.map((name) => Number(name.slice(0, 2)))).toEqual(apis.map(({ key }) => key));
});

describe.each(messages)('$message.name', ({ message, fixtures }) => {
  test('has the versions that Java has, each with a default and a full value', () => {
    const { min, max } = message.versions;
    const versions = Array.from({ length: max - min + 1 }, (_, index) => min + index);
    for (const version of versions) expect(fixtures.map((fixture) => fixture.version)).toContain(version);
    expect([...new Set(fixtures.map(({ version }) => version))].sort((a, b) => a - b)).toEqual(versions);
    expect(fixtures.map((fixture) => fixture.case)).toEqual(expect.arrayContaining(['default', 'full']));
  });

  test.each(fixtures)('reads the $case value of v$version as Java wrote it', ({ version, value, bytes }) => {
    const decoded = message.decode(bytes, version, { strict: true });
    expect(printed(restrictedTo(value, decoded))).toEqual(printed(value));
  });

  test.each(fixtures)('writes the $case value of v$version as Java does', ({ version, value, bytes }) => {
    const decoded = message.decode(bytes, version);
    expect(toHex(message.encode(typedAs(value, decoded) as object, version))).toBe(toHex(bytes));
    expect(toHex(message.encode(decoded as object, version))).toBe(toHex(bytes));
    expect(
      message
        .encodeParts(decoded as object, version)
        .map(toHex)
        .join(''),
    ).toBe(toHex(bytes));
  });

  test.each(fixtures)('explains the $case value of v$version to the last byte', ({ version, bytes }) => {
    const { fields, error } = message.trace(bytes, version);
    expect(error).toBeUndefined();
    expect(fields.reduce((sum, { length }) => sum + length, 0)).toBe(bytes.length);
  });
});
