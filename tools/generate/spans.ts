/** Version ranges as the definitions write them (`3-13`, `9+`, `5`, `none`), and names as TypeScript writes them.
 * Knows no message.
 */
import type { MessageFacts } from './definitions.ts';

/** First and last version, inclusive. */
export interface Span {
  readonly min: number;
  readonly max: number;
}

const ANY: Span = { min: 0, max: 998 };

/** The part of `versions` that lies within `valid`; undefined if nothing does. */
export function spanOf(versions: string, valid: Span): Span | undefined {
  if (versions === 'none') return undefined;
  const [first = '', last = first] = versions.replace('+', '-999').split('-');
  const min = Math.max(Number(first), valid.min);
  const max = Math.min(Number(last), valid.max);
  return min <= max ? { min, max } : undefined;
}

/** The versions that a message has. */
export function validSpan({ name, validVersions }: MessageFacts): Span {
  const span = spanOf(validVersions, ANY);
  if (!span) throw new Error(`${name} has no valid version`);
  return span;
}

/** First flexible version of a message (KIP-482); undefined if there is none. */
export function flexibleSince(message: MessageFacts): number | undefined {
  return spanOf(message.flexibleVersions, validSpan(message))?.min;
}

/** `v3-v13`, or `v0` if that is all. */
export function spanText({ min, max }: Span): string {
  return min === max ? `v${min}` : `v${min}-v${max}`;
}

/** `TopicName` as `topicName`. */
export function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
