/** Reads what Kafka's own classes wrote (tools/java-reference/ApiFixtures.java): values, and their bytes per version.
 * Invariant: a fixture is never written by this project's own code.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { apis, embeddedMessages } from '../../../src/protocol/api/registry.ts';
import type { TracedMessage } from '../../../src/protocol/trace.ts';
import { requestHeader, responseHeader } from '../../../src/protocol/traced.ts';

/** One value and its bytes. */
export interface JavaFixture {
  /** Such as `full`, or `int64 topics.partitions.offset`: see ApiFixtures.java. */
  readonly case: string;
  readonly version: number;
  /** In JSON: int64 as text, bytes in base64, unknown tagged fields as `unknownTags`. */
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

interface FixtureFile {
  readonly origin: string;
  readonly message: string;
  readonly cases: readonly {
    readonly case: string;
    readonly value: unknown;
    readonly hex: Readonly<Record<string, string>>;
  }[];
}

/** Hexadecimal text without the blanks that make it readable. */
export function hex(text: string): string {
  return text.replaceAll(/\s/g, '');
}

/** Bytes from hexadecimal text; blanks are skipped. */
export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex(text), 'hex'));
}

/** Hexadecimal text, which a failing test shows better than byte arrays. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A message, the facts of its definition, and what Java wrote of it. */
export interface MessageUnderTest {
  readonly name: string;
  readonly message: TracedMessage<unknown>;
  /** File under fixtures/definitions, and the name of the message inside. */
  readonly definition: readonly [file: string, side: 'request' | 'response' | 'message'];
  /** Values that a decoder returns. */
  readonly fixtures: readonly JavaFixture[];
  /** Cases `int64 ...`: one int64 field, the last word of the case, beyond 2^53-1; an error where it is a `number`. */
  readonly edges: readonly JavaFixture[];
}

const fixturesUrl = new URL('../../../fixtures/', import.meta.url);

/** Folders under fixtures/api, such as `01-fetch`. */
export const apiFolders: readonly string[] = readdirSync(new URL('api/', fixturesUrl)).sort();

/** Names of the files under fixtures/embedded, such as `request-header`. */
export const embeddedNames: readonly string[] = readdirSync(new URL('embedded/', fixturesUrl))
  .map((name) => name.replace(/\.json(\.gz)?$/, ''))
  .sort();

/** Every message there is. */
export function messagesUnderTest(): MessageUnderTest[] {
  const sides = ['request', 'response'] as const;
  const underTest = (
    message: TracedMessage<unknown>,
    file: string,
    definition: MessageUnderTest['definition'],
  ): MessageUnderTest => {
    const all = javaFixtures(file, message.name);
    const fixtures = all.filter((fixture) => !fixture.case.startsWith('int64 '));
    const edges = all.filter((fixture) => fixture.case.startsWith('int64 '));
    return { name: message.name, message, definition, fixtures, edges };
  };
  const others = [requestHeader, responseHeader, ...embeddedMessages.values()];
  return [
    ...apis.flatMap((api) => {
      const folder = apiFolders.find((name) => Number(name.slice(0, 2)) === api.key) ?? '';
      return sides.map((side) => underTest(api[side], `api/${folder}/${side}`, [`${folder}.json`, side]));
    }),
    ...others.map((message) => {
      const file = kebabCase(message.name);
      return underTest(message, `embedded/${file}`, [`${file}.json`, 'message']);
    }),
  ];
}

/** `OffsetCommitKey` as `offset-commit-key`. */
function kebabCase(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}

/** Our request header says `apiKey` where Kafka says `requestApiKey`; every other value is returned as it is. */
export function shortHeader(value: unknown): unknown {
  const { requestApiKey, requestApiVersion, ...rest } = value as Record<string, unknown>;
  return requestApiKey === undefined
    ? value
    : { apiKey: requestApiKey, apiVersion: requestApiVersion, ...rest };
}

/** The fixtures of a message, in a file under fixtures/ whose suffix, `.json` or `.json.gz`, is left out. */
function javaFixtures(file: string, message: string): JavaFixture[] {
  const { message: name, cases } = JSON.parse(textOf(file)) as FixtureFile;
  if (name !== message) throw new Error(`${file} holds ${name}, and not ${message}`);
  return cases.flatMap(({ case: name, value, hex: versions }) =>
    Object.entries(versions).map(([version, bytes]) => ({
      case: name,
      version: Number(version),
      value: shortHeader(value),
      bytes: fromHex(bytes),
    })),
  );
}

function textOf(file: string): string {
  const plain = new URL(`${file}.json`, fixturesUrl);
  if (existsSync(plain)) return readFileSync(plain, 'utf8');
  return gunzipSync(readFileSync(new URL(`${file}.json.gz`, fixturesUrl))).toString('utf8');
}

/** A decoded value as the fixtures print it: numbers as text (some are bigint here), bytes in base64. */
export function printed(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(printed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, printed(field)]));
}

/** A fixture's value in the types of `like`, a decoded value of the same shape with at least one element per array. */
export function typedAs(value: unknown, like: unknown): unknown {
  if (value === null) return null;
  if (typeof like === 'bigint') return BigInt(value as string);
  if (typeof like === 'number') return Number(value);
  if (like instanceof Uint8Array) return new Uint8Array(Buffer.from(value as string, 'base64'));
  if (Array.isArray(like))
    return (value as unknown[]).map((element, index) => typedAs(element, like[index] ?? like[0]));
  if (typeof like !== 'object' || like === null) return value;
  const fields = like as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(value as Record<string, unknown>).map(([name, field]) => [
      name,
      typedAs(field, fields[name]),
    ]),
  );
}

/** Only the fields that `value` has: a version's own, out of a decoded value that has them all. */
export function restrictedTo(value: unknown, decoded: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(decoded)) {
    return decoded.map((element, index) =>
      index < value.length ? restrictedTo(value[index], element) : element,
    );
  }
  if (typeof value !== 'object' || value === null || typeof decoded !== 'object' || decoded === null)
    return decoded;
  const fields = decoded as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, restrictedTo(field, fields[name])]),
  );
}
