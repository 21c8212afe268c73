/** Our tables are Kafka's definitions: for every message and version the definition in the jars that Maven brought, Java's
 * generated class by reflection, and our plan say the same.
 */
import { beforeAll, expect, test } from 'vitest';
import type { ProtocolError } from '../../src/errors.ts';
import { apis } from '../../src/protocol/api/registry.ts';
import { requestHeaderVersion, responseHeaderVersion } from '../../src/protocol/header.ts';
import type { Message } from '../../src/protocol/schema.ts';
import { messagesUnderTest } from '../protocol/api/java-fixtures.ts';
import { javaName } from '../protocol/api/java-values.ts';
import {
  contains,
  countFields,
  formOfDefinition,
  formOfPlan,
  missingFields,
  type Definition,
  type StructForm,
} from './support/definition-forms.ts';
import { referenceVersion, runReference } from './support/java-reference.ts';
import { describeWith } from './support/tools.ts';

/** A member of ApiMessageType. */
interface JavaApi {
  readonly kind: 'api';
  readonly key: number;
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly unstable: boolean;
  /** By version: the versions of the headers. */
  readonly headers: readonly (readonly [version: number, request: number, response: number])[];
}

/** A message at a version, and what Java does with the fields of other versions when they are set. */
interface JavaForm extends StructForm {
  readonly missing: Readonly<Record<string, 'dropped' | 'refused'>>;
}

/** A message, with what the jar says and what the class has. */
interface JavaMessage {
  readonly kind: 'message';
  readonly name: string;
  readonly hasClass: boolean;
  readonly facts: Definition;
  readonly versions: Readonly<Record<string, JavaForm>>;
}

/** Keys of requests that Kafka no longer has in any version. */
const WITHOUT_VERSIONS = [4, 5, 6, 7];

/** What our encoder does with fields that the version is missing, when they are set: an error must name the field. */
function verdictsOnMissing(message: Message<unknown>, version: number): Record<string, string> {
  const verdicts: Record<string, string> = {};
  for (const [path, value] of missingFields(message.plan(version))) {
    try {
      message.encode(value, version);
      verdicts[path] = 'dropped';
    } catch (error) {
      const { code, path: named } = error as ProtocolError;
      const isRefused = code === 'UNSUPPORTED_VERSION' && named?.replaceAll(/\[\d+\]/g, '') === path;
      verdicts[path] = isRefused ? 'refused' : String(error);
    }
  }
  return verdicts;
}

describeWith(['java', 'mvn'], 'the definitions of Kafka', () => {
  let javaApis: JavaApi[] = [];
  let javaMessages: JavaMessage[] = [];
  const tables = new Map(messagesUnderTest().map(({ name, message }) => [name, message]));

  beforeAll(async () => {
    const lines = (await runReference('DefinitionReport')).split('\n').slice(0, -1);
    const report = lines.map((line) => JSON.parse(line) as JavaApi | JavaMessage);
    javaApis = report.filter((line) => line.kind === 'api');
    javaMessages = report.filter((line) => line.kind === 'message');
  }, 300_000);

  test('have the APIs that we have: keys, names, versions, stability, versions of headers', () => {
    const used = javaApis.filter(({ key }) => !WITHOUT_VERSIONS.includes(key));
    const own = apis.map((api) => {
      const { min, max } = api.request.versions;
      expect(api.response.versions).toEqual({ min, max });
      const versions = Array.from({ length: max - min + 1 }, (_, index) => min + index);
      const headers = versions.map((version) => [
        version,
        requestHeaderVersion(api, version),
        responseHeaderVersion(api, version),
      ]);
      return { key: api.key, name: api.name, min, max, unstable: api.unstable, headers };
    });
    expect(own).toEqual(
      used.map(({ key, name, min, max, unstable, headers }) => ({ key, name, min, max, unstable, headers })),
    );
  });

  test('name the same messages, and keys 4 to 7 have none with a version', () => {
    const used = javaMessages.filter(({ hasClass }) => hasClass);
    expect([...tables.keys()].sort()).toEqual(used.map(({ name }) => name).sort());
    const unused = javaMessages.filter(({ hasClass }) => !hasClass);
    expect([...new Set(unused.map(({ facts }) => facts.apiKey))].sort()).toEqual(WITHOUT_VERSIONS);
    for (const { facts } of unused) expect(facts.validVersions).toBe('none');
  });

  test('say of every field in every version what the class does and what our table does', () => {
    const counts = { messages: 0, versions: 0, fields: 0, dropped: 0, refused: 0 };
    for (const { name, facts, versions } of javaMessages.filter(({ hasClass }) => hasClass)) {
      const message = tables.get(name);
      if (!message) throw new Error(`no table for ${name}`);
      const numbers = Object.keys(versions).map(Number);
      expect({ min: numbers[0], max: numbers.at(-1) }, name).toEqual(message.versions);
      for (const version of numbers) {
        const form = formOfDefinition(facts, version);
        expect(contains(facts.validVersions, version), `${name} v${version}`).toBe(true);
        const { missing, ...classForm } = versions[version] as JavaForm;
        expect(classForm, `${name} v${version}, Java's class`).toEqual(form);
        const ours = formOfPlan(message.plan(version), (field) => javaName(name, field));
        expect(ours, `${name} v${version}, our table`).toEqual(form);
        const verdicts = verdictsOnMissing(message, version);
        expect(verdicts, `${name} v${version}, fields of other versions`).toEqual(missing);
        counts.fields += countFields(form);
        for (const verdict of Object.values(missing)) counts[verdict]++;
      }
      expect(contains(facts.validVersions, message.versions.min - 1), name).toBe(false);
      expect(contains(facts.validVersions, message.versions.max + 1), name).toBe(false);
      counts.messages++;
      counts.versions += numbers.length;
    }
    console.log(
      `Kafka ${referenceVersion()}: definitions, classes and tables agree on ${counts.messages} messages, ` +
        `${counts.versions} versions, ${counts.fields} fields; of those a version is missing, ${counts.dropped} are dropped and ` +
        `${counts.refused} refused when set; ` +
        `${apis.length} keys with versions, ${WITHOUT_VERSIONS.length} without (4 to 7)`,
    );
  });
});
