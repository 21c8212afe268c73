/** UTF-8 and UUID text, both ways, as fast as the runtime allows.
 * The only file that looks at `globalThis.Buffer`, behind a feature check; everywhere else TextEncoder and TextDecoder.
 * Invariant: malformed UTF-8 becomes U+FFFD as in Java, and a byte order mark is kept.
 */

/** How this runtime converts longer text. */
interface Utf8 {
  /** Bytes written, or -1 if they do not fit. */
  write(text: string, target: Uint8Array, position: number): number;
  read(bytes: Uint8Array, start: number, end: number): string;
}

/** What Node puts on the prototype of its byte arrays; it works on every Uint8Array. */
interface BufferText {
  utf8Write(this: Uint8Array, text: string, start: number, maxBytes: number): number;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
}

/** Longest text, in bytes or characters, for which a loop beats a call into the runtime; measured on Node 20 and 24. */
const SHORT_READ = 8;
const SHORT_WRITE = 24;
let runtimeUtf8: Utf8 | undefined;

function utf8(): Utf8 {
  return (runtimeUtf8 ??= accelerated() ?? portable());
}

function portable(): Utf8 {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    write(text, target, position) {
      const { read, written } = encoder.encodeInto(text, target.subarray(position));
      return read === text.length ? written : -1;
    },
    read: (bytes, start, end) => decoder.decode(bytes.subarray(start, end)),
  };
}

function accelerated(): Utf8 | undefined {
  const { Buffer } = globalThis as { Buffer?: { prototype?: Partial<BufferText> } };
  const { utf8Write, utf8Slice } = Buffer?.prototype ?? {};
  if (!utf8Write || !utf8Slice) return undefined;
  const { write } = portable();
  return {
    write(text, target, position) {
      const room = target.length - position;
      // A UTF-16 unit takes at most 3 bytes; only with that much room is it certain that all of the text was written.
      if (room < text.length * 3) return write(text, target, position);
      return utf8Write.call(target, text, position, room);
    },
    read: (bytes, start, end) => utf8Slice.call(bytes, start, end),
  };
}

/** Encodes text as UTF-8; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  return bytes.slice(0, writeUtf8(text, bytes, 0));
}

/** Decodes the UTF-8 in [start, end) of `bytes`; what is malformed becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_READ) {
    let text = '';
    let position = start;
    for (; position < end; position++) {
      const byte = bytes[position] as number;
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (position === end) return text;
  }
  return utf8().read(bytes, start, end);
}

/** Writes text as UTF-8 to `target` from `position` on.
 * Returns the bytes written, or -1 if they do not fit; whatever was written then is garbage.
 */
export function writeUtf8(text: string, target: Uint8Array, position: number): number {
  const { length } = text;
  if (target.length - position < length) return -1;
  if (length <= SHORT_WRITE) {
    let index = 0;
    for (; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) break;
      target[position + index] = code;
    }
    if (index === length) return length;
  }
  return utf8().write(text, target, position);
}

const UUID_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** The UUID of sixteen zero bytes: "no topic id" in Kafka. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** Decodes the 16 bytes from `position` on to the 22 characters that Kafka prints (URL-safe base64, no padding). */
export function decodeUuid(bytes: Uint8Array, position: number): string {
  let text = '';
  for (let bit = 0; bit < 132; bit += 6) {
    const at = position + (bit >> 3);
    const pair = ((bytes[at] as number) << 8) | (bit < 120 ? (bytes[at + 1] as number) : 0);
    text += UUID_CHARACTERS[(pair >> (10 - (bit & 7))) & 63] as string;
  }
  return text;
}

/** Writes the UUID's 16 bytes at `position`; false if the text is not 22 such characters. */
export function writeUuid(text: string, target: Uint8Array, position: number): boolean {
  if (text.length !== 22) return false;
  let bits = 0;
  let held = 0;
  let at = position;
  for (let index = 0; index < 22; index++) {
    const value = UUID_CHARACTERS.indexOf(text[index] as string);
    if (value < 0) return false;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      target[at++] = bits >> held;
    }
  }
  return true;
}
