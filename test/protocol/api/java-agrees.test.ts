/** Java decides: for every message and version our bytes are those of Kafka's generated classes, in both directions. */
import { afterAll, describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import { apis } from '../../../src/protocol/api/registry.ts';
import type { Plan } from '../../../src/protocol/plan.ts';
import type { Message } from '../../../src/protocol/schema.ts';
import { apiFolders, embeddedNames, messagesUnderTest, toHex, type JavaFixture } from './java-fixtures.ts';
import { fromJavaJson, toJavaJson } from './java-values.ts';

const messages = messagesUnderTest();
const counts = { messages: 0, versions: 0, values: 0, exact: 0, refused: 0 };

afterAll(() => {
  const { messages, versions, values, exact, refused } = counts;
  console.log(
    `Java's fixtures: ${messages} messages, ${versions} versions, ${values} values both ways; ` +
      `int64 edges: ${exact} exact as bigint, ${refused} refused as number`,
  );
});

/** What a path such as `topics.partitions.offset` leads to, through the elements of arrays. */
function planAt(plan: Plan, path: string): Plan {
  return path.split('.').reduce((plan, name) => {
    const struct = plan.element ?? plan;
    const step = struct.steps?.find((step) => step.name === name);
    if (!step) throw new Error(`no field ${name}`);
    return step;
  }, plan);
}

function errorOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

function expectAgreement(
  message: Message<unknown>,
  version: number,
  value: unknown,
  bytes: Uint8Array,
): void {
  const plan = message.plan(version);
  const decoded = message.decode(bytes, version, { strict: true });
  expect(toJavaJson(plan, decoded), `v${version} decoded`).toEqual(value);
  const fromFields = message.encode(fromJavaJson(plan, value) as object, version);
  expect(toHex(fromFields), `v${version} from the fields of the version`).toBe(toHex(bytes));
  expect(toHex(message.encode(decoded as object, version)), `v${version} from all fields`).toBe(toHex(bytes));
  const parts = message.encodeParts(decoded as object, version);
  expect(parts.map(toHex).join(''), `v${version} in parts`).toBe(toHex(bytes));
}

test('every API has fixtures, and every folder of fixtures has its API', () => {
  expect(apiFolders.map((name) => Number(name.slice(0, 2)))).toEqual(apis.map(({ key }) => key));
});

test('every other message has fixtures, and every file of fixtures has its message', () => {
  const embedded = messages.filter(({ definition: [, side] }) => side === 'message');
  expect(embedded.map(({ definition: [file] }) => file.replace('.json', '')).sort()).toEqual(embeddedNames);
});

describe.each(messages)('$name', ({ message, fixtures }) => {
  test('has the versions that Java has', () => {
    const { min, max } = message.versions;
    const versions = Array.from({ length: max - min + 1 }, (_, index) => min + index);
    const versionsOf = (matches: (fixture: JavaFixture) => boolean): number[] =>
      [...new Set(fixtures.filter(matches).map(({ version }) => version))].sort((a, b) => a - b);
    expect(versionsOf(({ case: name }) => name === 'full')).toEqual(versions);
    expect(versionsOf(({ value }) => 'unknownTags' in (value as object))).toEqual(
      versions.filter((version) => message.plan(version).compact),
    );
    expect(versionsOf(() => true)).toEqual(versions);
    counts.messages++;
    counts.versions += versions.length;
  });

  test('reads what Java wrote and writes the same bytes', () => {
    for (const { version, value, bytes } of fixtures) expectAgreement(message, version, value, bytes);
    counts.values += fixtures.length;
  });
});

describe('int64 is exact to its edges, or an error that names the field', () => {
  test.each(messages.filter(({ edges }) => edges.length > 0))('in $name', ({ message, edges }) => {
    for (const { case: name, version, value, bytes } of edges) {
      const plan = message.plan(version);
      const path = name.slice('int64 '.length);
      const field = planAt(plan, path);
      if ((field.element ?? field).kind === 'bigint') {
        expectAgreement(message, version, value, bytes);
        counts.exact++;
        continue;
      }
      const errors = [
        errorOf(() => message.decode(bytes, version)),
        errorOf(() => message.encode(fromJavaJson(plan, value) as object, version)),
      ];
      for (const error of errors) {
        expect(error, `v${version} ${path}`).toBeInstanceOf(ProtocolError);
        expect(error).toMatchObject({ code: 'VALUE_RANGE', api: message.name, version });
        expect((error as ProtocolError).path?.replaceAll(/\[\d+\]/g, '')).toBe(path);
      }
      counts.refused++;
    }
  });
});
