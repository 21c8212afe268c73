/** How much a tree leaves to be explained, in bits: small numbers, text and what is empty cost little, noise costs much.
 * Of several ways to read the same bytes, the one that costs least is most likely the one that was meant.
 * Invariant: the same tree has the same cost; nothing is compared but sums.
 */
import { leavesOf, type Trace } from './trace.ts';

const UNKNOWN_TAG_BITS = 24;
const STRANGE_CHARACTER_BITS = 16;

/** The sum over all leaves. */
export function costOf(trace: Trace): number {
  let bits = 0;
  for (const { path, value, length } of leavesOf(trace)) {
    if (/tags\[\d+\]\.tag$/.test(path)) bits += UNKNOWN_TAG_BITS;
    bits += 1 + costOfValue(value, length);
  }
  return bits;
}

function costOfValue(value: unknown, length: number): number {
  if (value === null || value === undefined || typeof value === 'boolean') return 1;
  if (typeof value === 'number' || typeof value === 'bigint') {
    const number = Number(value);
    return Math.log2(Math.abs(number) + 1) + (number < -1 ? 8 : 0);
  }
  if (typeof value === 'string') return costOfText(value);
  return 8 * length;
}

function costOfText(text: string): number {
  let bits = 0;
  for (const character of text) {
    if (/[\w.:/ -]/.test(character)) bits += 6;
    else
      bits +=
        /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) && character !== '\ufffd' ? 12 : STRANGE_CHARACTER_BITS;
  }
  return bits;
}
