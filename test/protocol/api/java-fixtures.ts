/** Reads what Kafka's own classes wrote (tools/java-reference/ApiFixtures.java): values, and their bytes per version.
 * Invariant: a fixture is never written by this project's own code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { apis } from '../../../src/protocol/api/registry.ts';
import type { TracedMessage } from '../../../src/protocol/trace.ts';
import { assignment, requestHeader, responseHeader, subscription } from '../../../src/protocol/traced.ts';

/** One value and its bytes. */
export interface JavaFixture {
  /** `default`, `sparse`, `full` or `null`: see ApiFixtures.java. */
  readonly case: string;
  readonly version: number;
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

interface Entry {
  readonly case: string;
  readonly value: unknown;
  readonly hex: Readonly<Record<string, string>>;
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
  readonly fixtures: readonly JavaFixture[];
}

/** Folders under fixtures/api, such as `01-fetch`. */
export const apiFolders: readonly string[] = readdirSync(new URL('../../../fixtures/api/', import.meta.url));

/** Every message there is. */
export function messagesUnderTest(): MessageUnderTest[] {
  const sides = ['request', 'response'] as const;
  const embedded = (message: TracedMessage<unknown>, file: string): MessageUnderTest => ({
    name: message.name,
    message,
    definition: [`${file}.json`, 'message'],
    fixtures: javaFixtures(`embedded/${file}.json`),
  });
  return [
    ...apis.flatMap((api) => {
      const folder = apiFolders.find((name) => Number(name.slice(0, 2)) === api.key) ?? '';
      return sides.map((side) => ({
        name: api[side].name,
        message: api[side],
        definition: [`${folder}.json`, side] as const,
        fixtures: javaFixtures(`api/${folder}/${side}.json`),
      }));
    }),
    embedded(subscription, 'consumer-protocol-subscription'),
    embedded(assignment, 'consumer-protocol-assignment'),
    embedded(requestHeader, 'request-header'),
    embedded(responseHeader, 'response-header'),
  ];
}

/** Our request header says `apiKey` where Kafka says `requestApiKey`; every other value is returned as it is. */
export function shortHeader(value: unknown): unknown {
  const { requestApiKey, requestApiVersion, ...rest } = value as Record<string, unknown>;
  return requestApiKey === undefined
    ? value
    : { apiKey: requestApiKey, apiVersion: requestApiVersion, ...rest };
}

/** The fixtures in a file under fixtures/. */
export function javaFixtures(file: string): JavaFixture[] {
  const url = new URL(`../../../fixtures/${file}`, import.meta.url);
  const entries = JSON.parse(readFileSync(url, 'utf8')) as Entry[];
  return entries.flatMap(({ case: name, value, hex: versions }) =>
    Object.entries(versions).map(([version, bytes]) => ({
      case: name,
      version: Number(version),
      value: shortHeader(value),
      bytes: fromHex(bytes),
    })),
  );
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
