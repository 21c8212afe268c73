/** In what form the input is: told from its first bytes, and from its name where they are damaged.
 * Not here: reading a form.
 * Invariant: what is text is hex or base64; what begins like a capture or a record batch is one; the rest is frames.
 */
import { MAX_FRAME_BYTES } from '../piece.ts';
import { batchHead, holdsChecksum, isLikelyHeader } from './batch-head.ts';
import type { ByteSource } from './byte-source.ts';
import { captureForm } from './pcap.ts';
import { isHex, isText } from './text.ts';

/** The forms, as `--form` names them. */
export const forms = ['hex', 'base64', 'binary', 'pcap', 'pcapng', 'segment'] as const;

/** A form. */
export type Form = (typeof forms)[number];

const HEAD_BYTES = 0x1_0000;
const CAPTURE_HEAD_BYTES = 12;

/** The form of an input; undefined when it is empty. */
export async function detectForm(source: ByteSource, name: string | undefined): Promise<Form | undefined> {
  // A capture may come as it is taken: its first bytes say enough.
  await source.fill(CAPTURE_HEAD_BYTES);
  const capture = captureForm(source.peek());
  if (capture !== undefined) return capture;
  await source.fill(HEAD_BYTES);
  const head = source.peek(HEAD_BYTES);
  if (head.length === 0) return undefined;
  if (isText(head)) return isHex(wholeLines(head)) ? 'hex' : 'base64';
  const isNamedLog = name !== undefined && /\d{20}\.log$|\d{20}-\d{10}\.checkpoint$/.test(name);
  return isNamedLog || beginsLog(head, head.length < HEAD_BYTES) ? 'segment' : 'binary';
}

/** Whether bytes begin as a log does: with a batch whose checksum holds, or that another one follows, or else whose
 * fields are likely. A frame may look like a batch by chance; but a base offset below 2^32 is no frame's length.
 */
function beginsLog(head: Uint8Array, isAll: boolean): boolean {
  const { isSound, length, magic } = batchHead(head, 0);
  if (!isSound || length > MAX_FRAME_BYTES) return false;
  if (length <= head.length) {
    const next = batchHead(head, length);
    if (holdsChecksum(head, 0, length, magic) || (next.isSound && next.length <= MAX_FRAME_BYTES))
      return true;
    if (magic < 2) return isAll && length === head.length;
  }
  return head.subarray(0, 4).every((byte) => byte === 0) && isLikelyHeader(head, magic);
}

/** Text without a last line that may be cut off, nor a digit without its other half. */
function wholeLines(head: Uint8Array): string {
  const text = String.fromCharCode(...head.subarray(0, 8192));
  if (head.length <= 8192) return text;
  const end = text.lastIndexOf('\n');
  return end === -1 ? text : text.slice(0, end);
}
