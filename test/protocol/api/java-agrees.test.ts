/** Java decides: for every message and version our bytes are those of Kafka's generated classes, in both directions. */
import { describe, expect, test } from 'vitest';
import { apis } from '../../../src/protocol/api/registry.ts';
import { apiFolders, messagesUnderTest, printed, restrictedTo, toHex, typedAs } from './java-fixtures.ts';

test('every API has fixtures, and every folder of fixtures has its API', () => {
  expect(apiFolders.map((name) => Number(name.slice(0, 2)))).toEqual(apis.map(({ key }) => key));
});

describe.each(messagesUnderTest())('$name', ({ message, fixtures }) => {
  test('has the versions that Java has, each with a default and a full value', () => {
    const { min, max } = message.versions;
    const versions = Array.from({ length: max - min + 1 }, (_, index) => min + index);
    for (const name of ['default', 'full']) {
      const present = fixtures.filter((fixture) => fixture.case === name).map(({ version }) => version);
      // A message whose values are alike has one entry for several cases.
      expect(new Set([...present, ...fixtures.map(({ version }) => version)])).toEqual(new Set(versions));
    }
  });

  test('reads what Java wrote', () => {
    for (const { case: name, version, value, bytes } of fixtures) {
      const decoded = message.decode(bytes, version, { strict: true });
      expect(printed(restrictedTo(value, decoded)), `${name} v${version}`).toEqual(printed(value));
    }
  });

  test('writes what Java wrote, from the fields of the version and from all fields', () => {
    for (const { case: name, version, value, bytes } of fixtures) {
      const decoded = message.decode(bytes, version) as object;
      const encoded = message.encode(typedAs(value, decoded) as object, version);
      expect(toHex(encoded), `${name} v${version}`).toBe(toHex(bytes));
      expect(toHex(message.encode(decoded, version)), `${name} v${version}`).toBe(toHex(bytes));
      expect(message.encodeParts(decoded, version).map(toHex).join(''), `${name} v${version}`).toBe(
        toHex(bytes),
      );
    }
  });

  test('explains what Java wrote to the last byte', () => {
    for (const { case: name, version, bytes } of fixtures) {
      const { fields, error } = message.trace(bytes, version);
      expect(error, `${name} v${version}`).toBeUndefined();
      expect(
        fields.reduce((sum, { length }) => sum + length, 0),
        `${name} v${version}`,
      ).toBe(bytes.length);
    }
  });
});
