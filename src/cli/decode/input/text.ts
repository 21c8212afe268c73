/** Bytes written as text: hexadecimal in any layout, dumps with offsets and a column of characters, base64.
 * Not here: what the bytes are. Dumps are those of xxd, hexdump -C, od -t x1, tcpdump -x and Wireshark.
 * Invariant: what is not wholly understood is refused, with the line; nothing is skipped in silence.
 */
import { UsageError } from 'kafka-wire';

/** Text beyond this is refused: it is held in memory. */
export const MAX_TEXT_BYTES = 0x800_0000;

/** Whether bytes are text: what can be typed, and line breaks. */
export function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d));
}

/** Whether text is hexadecimal, bare or in a dump; else it can only be base64. */
export function isHex(text: string): boolean {
  return hexParagraphs(text) !== undefined;
}

/** Bytes of hexadecimal text, one array for each paragraph: a blank line ends a frame. Throws UsageError. */
export function bytesOfHex(text: string): Uint8Array[] {
  const found = hexParagraphs(text);
  if (found !== undefined) return found;
  const lines = text.split('\n');
  const wrong = lines.findIndex((line) => /[^0-9a-f]/i.test(bare(line)));
  const where =
    wrong === -1 ? 'an odd number of digits' : `line ${wrong + 1}: ${shortened(lines[wrong] ?? '')}`;
  throw new UsageError(`this is no hexadecimal text: ${where}`);
}

/** Bytes of base64 text, of the standard alphabet or that for URLs. Throws UsageError. */
export function bytesOfBase64(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '').replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  const wrong = /[^A-Za-z0-9+/]/.exec(digits)?.[0];
  if (wrong !== undefined) throw new UsageError(`this is no base64 text: it holds ${JSON.stringify(wrong)}`);
  if (digits.length % 4 === 1) throw new UsageError('this is no base64 text: it ends within a byte');
  const binary = atob(digits);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function hexParagraphs(text: string): Uint8Array[] | undefined {
  const lines = text.split(/\r?\n/);
  const dump = bytesOfDump(lines);
  if (dump) return [dump];
  const paragraphs = lines
    .map((line) => bare(line) || '\n')
    .join('')
    .split(/\n+/);
  const digits = paragraphs.filter((paragraph) => paragraph !== '');
  if (digits.length === 0) return undefined;
  if (digits.every(isWhole)) return digits.map(bytesOfDigits);
  // A blank line within a byte is layout.
  const joined = digits.join('');
  return isWhole(joined) ? [bytesOfDigits(joined)] : undefined;
}

function isWhole(digits: string): boolean {
  return digits.length % 2 === 0 && /^[0-9a-f]*$/i.test(digits);
}

/** A line without what stands between digits: `0x`, `\x`, commas, brackets, `<Buffer ...>`, `h'...'`. */
function bare(line: string): string {
  return line.replaceAll(/0x|\\x|<Buffer|[\s,:;<>{}[\]()"']/gi, '');
}

/** An offset and what stands behind a colon or a gap; behind a single space only what od writes; or a star alone. */
const dumpLine =
  /^\s*(?:(?:0x)?(?<offset>[0-9a-f]{4,16})(?:(?::|\s(?=\s)|(?<=[0-9a-f]{6})(?=\s[0-9a-f]{2}(?:\s|$)))(?<rest>\s.*)?)?|(?<star>\*))\s*$/i;

/** Bytes of a dump: each line an offset, digits and perhaps the characters. Undefined when the lines are none. */
function bytesOfDump(lines: readonly string[]): Uint8Array | undefined {
  const rows = lines.filter((line) => line.trim() !== '').map((line) => dumpLine.exec(line));
  if (rows.length === 0 || !rows.every((row) => row !== null)) return undefined;
  // od counts in octal unless told otherwise.
  return bytesOfRows(rows, 16) ?? bytesOfRows(rows, 8);
}

function bytesOfRows(rows: readonly RegExpExecArray[], radix: number): Uint8Array | undefined {
  const offsets = rows.map(({ groups }) => Number.parseInt(groups?.['offset'] ?? '', radix));
  const [first = Number.NaN] = offsets;
  const found: Uint8Array[] = [];
  let length = 0;
  for (const [index, { groups }] of rows.entries()) {
    const offset = offsets[index] ?? Number.NaN;
    const row = found.at(-1);
    if (groups?.['star'] !== undefined) {
      // The row before is repeated up to the offset behind.
      const end = (offsets[index + 1] ?? Number.NaN) - first;
      if (row === undefined || !(end <= MAX_TEXT_BYTES)) return undefined;
      for (; length < end; length += row.length) found.push(row);
      continue;
    }
    if (offset !== first + length) return undefined;
    const next = (offsets[index + 1] ?? Number.NaN) - offset;
    const bytes = bytesOfRow(groups?.['rest'] ?? '', next);
    // Lines of digits alone are no offsets.
    if (bytes === undefined || (index === 0 && bytes.length === 0)) return undefined;
    found.push(bytes);
    length += bytes.length;
  }
  return concat(found);
}

/** Bytes of what stands behind an offset: `count` of them, if that is known. The characters begin behind a gap. */
function bytesOfRow(text: string, count: number): Uint8Array | undefined {
  const trimmed = text.trimStart();
  for (const gap of trimmed.matchAll(/\s{2,}|\s*$/g)) {
    const digits = trimmed.slice(0, gap.index).replaceAll(/\s/g, '');
    if (!isWhole(digits)) return undefined;
    const length = digits.length / 2;
    const shown = trimmed.slice(gap.index + gap[0].length);
    const isShown = shown === '' || /^\|.*\|$/.test(shown) || Math.abs(shown.length - length) <= 1;
    if (Number.isNaN(count) ? isShown : length === count) return bytesOfDigits(digits);
  }
  return undefined;
}

function bytesOfDigits(digits: string): Uint8Array {
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** The bytes of several arrays as one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const part of parts) {
    all.set(part, position);
    position += part.length;
  }
  return all;
}

function shortened(line: string): string {
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}
