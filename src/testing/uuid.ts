/** Random identifiers in the two forms Kafka prints. Not here: uuids on the wire (protocol).
 * Invariant: every bit comes from the platform, so a virtual world gives the same identifiers for the same seed.
 */
import type { Platform } from '../platform.ts';

function randomBytes(platform: Platform): Uint8Array {
  const bytes = new Uint8Array(16).map(() => platform.random() * 256);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes;
}

/** A version 4 uuid as hexadecimal groups, as in member ids. */
export function randomHexUuid(platform: Platform): string {
  const hex = Array.from(randomBytes(platform), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A version 4 uuid as 22 characters of URL-safe base64, as topic and cluster ids; never beginning with `-`. */
export function randomUuid(platform: Platform): string {
  const binary = String.fromCharCode(...randomBytes(platform));
  const text = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').slice(0, 22);
  return text.startsWith('-') ? randomUuid(platform) : text;
}
