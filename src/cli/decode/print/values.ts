/** Bytes and values as text: hex, strings in quotes, and what a number means where Kafka gives it a name.
 * Invariant: nothing that is printed moves a cursor: control characters are escaped.
 */
import { errorCode, type TraceNode } from 'kafka-wire/protocol';
import { api } from 'kafka-wire/protocol/registry';

/** Bytes shown of a longer leaf, and characters of a longer value. */
const SHOWN_BYTES = 12;
const SHOWN_CHARACTERS = 80;

const HEX = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true });

/** All bytes in hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of a leaf, the first ones if they are many. */
export function shownHex(space: Uint8Array, offset: number, length: number, isFull: boolean): string {
  if (isFull || length <= SHOWN_BYTES) return toHex(space.subarray(offset, offset + length));
  return `${toHex(space.subarray(offset, offset + SHOWN_BYTES - 1))}…`;
}

/** What a leaf says; empty where its hex says it all. */
export function shownValue({ value, path, kind }: TraceNode, isFull: boolean): string {
  if (typeof value === 'number') return `${value}${meaning(path, kind, value)}`;
  if (typeof value === 'string') return kind === 'uuid' ? value : quoted(value, isFull);
  if (value instanceof Uint8Array) return shownBytes(value, isFull);
  return value === undefined ? '' : String(value);
}

function shownBytes(bytes: Uint8Array, isFull: boolean): string {
  const count = bytes.length > SHOWN_BYTES ? ` (${bytes.length} bytes)` : '';
  const text = textOf(isFull ? bytes : bytes.subarray(0, 4 * SHOWN_CHARACTERS + 3));
  return text === undefined ? count.trimStart() : `${shortened(text, isFull)}${count}`;
}

/** Text, if it is some: what can be read throughout. A character that the shortening cut through does not count. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return '';
  for (let cut = 0; cut < 4 && cut < bytes.length; cut++) {
    try {
      const text = decoder.decode(bytes.subarray(0, bytes.length - cut));
      return /[^\P{Cc}\t\r\n]/u.test(text) ? undefined : text;
    } catch {
      // No UTF-8 up to here; a byte less may be.
    }
  }
  return undefined;
}

function quoted(text: string, isFull: boolean): string {
  const isWhole = isFull || text.length <= SHOWN_CHARACTERS;
  return `${shortened(text, isFull)}${isWhole ? '' : ` (${text.length} characters)`}`;
}

/** Text in quotes, the first characters if it is long. */
export function shortened(text: string, isFull = false): string {
  const shown = isFull || text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
  return JSON.stringify(shown).replaceAll(/[\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Earliest and latest time that a number is taken for one, in ms: 2001 and 2286, as many digits. */
const [FIRST_TIME_MS, LAST_TIME_MS] = [1e12, 1e13];

function meaning(path: string, kind: string, value: number): string {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (name === 'errorCode') return ` ${errorCode(value).name}`;
  if (name === 'apiKey') return named(api(value)?.name);
  if (kind === 'int64' && /time/i.test(name) && value >= FIRST_TIME_MS && value < LAST_TIME_MS)
    return ` ${new Date(value).toISOString()}`;
  if (name === 'attributes') return named(attributesOf(value));
  return '';
}

function named(text: string | undefined): string {
  return text ? ` ${text}` : '';
}

/** The attributes of a record batch. */
export function attributesOf(value: number): string {
  const codec = ['', 'gzip', 'snappy', 'lz4', 'zstd'][value & 7] ?? `codec ${value & 7}`;
  const bits = ['log append time', 'transactional', 'control', 'delete horizon'];
  return [codec, ...bits.filter((_, bit) => (value & (8 << bit)) !== 0)].filter(Boolean).join(', ');
}
