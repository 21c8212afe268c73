/** UTF-8 and UUID text, both ways, as fast as the runtime allows.
 * The only file that looks at `globalThis.Buffer`, behind a feature check; everywhere else TextEncoder and TextDecoder.
 * Invariant: malformed UTF-8 becomes U+FFFD as in Java, and a byte order mark is kept.
 */

/** What Node puts on the prototype of its byte arrays; it works on every Uint8Array. */
interface BufferText {
  utf8Write(this: Uint8Array, text: string, start: number, maxBytes: number): number;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
}

/** Longest text, in bytes or characters, for which a loop beats a call into the runtime; measured on Node 20 and 24. */
const SHORT_READ = 8;
const SHORT_WRITE = 24;
let found: ReturnType<typeof findUtf8> | undefined;

/** How this runtime converts longer text. */
function findUtf8() {
  const { Buffer } = globalThis as { Buffer?: { prototype?: Partial<BufferText> } };
  const { utf8Write, utf8Slice } = Buffer?.prototype ?? {};
  return {
    utf8Write,
    utf8Slice,
    encoder: new TextEncoder(),
    decoder: new TextDecoder('utf-8', { ignoreBOM: true }),
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
  const { utf8Slice, decoder } = (found ??= findUtf8());
  return utf8Slice ? utf8Slice.call(bytes, start, end) : decoder.decode(bytes.subarray(start, end));
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
  const { utf8Write, encoder } = (found ??= findUtf8());
  const room = target.length - position;
  // A UTF-16 unit takes at most 3 bytes; only with that much room is it certain that `utf8Write` writes all of the text.
  if (utf8Write && room >= length * 3) return utf8Write.call(target, text, position, room);
  const { read, written } = encoder.encodeInto(text, target.subarray(position));
  return read === length ? written : -1;
}

/** The UUID of sixteen zero bytes: "no topic id" in Kafka. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** Decodes the 16 bytes from `position` on to the 22 characters that Kafka prints (URL-safe base64, no padding). */
export function decodeUuid(bytes: Uint8Array, position: number): string {
  let binary = '';
  for (let i = 0; i < 16; i++) binary += String.fromCharCode(bytes[position + i] as number);
  return btoa(binary).slice(0, 22).replaceAll('+', '-').replaceAll('/', '_');
}

/** Writes the UUID's 16 bytes at `position`; false if the text is not 22 such characters. */
export function writeUuid(text: string, target: Uint8Array, position: number): boolean {
  if (!/^[\w-]{22}$/.test(text)) return false;
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  for (let i = 0; i < 16; i++) target[position + i] = bytes.charCodeAt(i);
  return true;
}
