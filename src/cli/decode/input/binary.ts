/** Frames from bytes that are nothing but frames: with their lengths in front one after another, or one without.
 * Not here: captures and segments; what a frame says.
 */
import { Conversation, isRequestHead, type MessageOptions } from '../identify/conversation.ts';
import { tryAll } from '../identify/trial.ts';
import { MAX_FRAME_BYTES, type Fault, type Frame } from '../piece.ts';
import type { ByteSource } from './byte-source.ts';
import { FrameCutter, type Cut } from './frame-cutter.ts';

const CHUNK_BYTES = 0x4_0000;

/** The frames of a source. `at` is where it begins, if it is a part of the input. */
export async function* binaryFrames(
  source: ByteSource,
  options: MessageOptions,
  conversation: Conversation = new Conversation(options),
): AsyncGenerator<Frame | Fault> {
  await source.fill(CHUNK_BYTES);
  const head = source.peek(CHUNK_BYTES);
  if (!hasLength(head, head.length < CHUNK_BYTES, options, conversation)) {
    const at = source.position;
    const bytes = await source.rest(MAX_FRAME_BYTES);
    if (bytes) yield { kind: 'frame', bytes, start: 0, at, conversation };
    else yield { kind: 'fault', at, skipped: 0, what: 'no frame is so long', isDamage: true };
    return;
  }
  const cutter = new FrameCutter(conversation, true);
  const base = source.position;
  while (await source.fill(1)) {
    for (const cut of cutter.push({ bytes: source.take(CHUNK_BYTES), timeUs: undefined }))
      yield pieceOf(cut, base, conversation, cutter);
    for (let cut = cutter.next(); cut; cut = cutter.next()) yield pieceOf(cut, base, conversation, cutter);
  }
  for (const cut of cutter.finish()) yield pieceOf(cut, base, conversation, cutter);
}

function pieceOf(cut: Cut, base: number, conversation: Conversation, cutter: FrameCutter): Frame | Fault {
  const at = base + cut.at;
  if (cut.kind === 'skipped')
    return { kind: 'fault', at, skipped: cut.count, what: cut.what, isDamage: true };
  const { bytes, missing } = cut;
  return {
    kind: 'frame',
    bytes,
    start: Math.min(4, bytes.length),
    at,
    conversation,
    giveBack: (count) => cutter.giveBack(count),
    ...(missing > 0 && { missing }),
  };
}

/** Whether the bytes begin with a frame's length; `isAll` when they are the whole input. */
function hasLength(
  bytes: Uint8Array,
  isAll: boolean,
  options: MessageOptions,
  conversation: Conversation,
): boolean {
  if (bytes.length < 8 || options.hasHeader === false) return isAll && chainEnds(bytes);
  if (conversation.beginsFrame(bytes, 0, 'request') || (isAll && chainEnds(bytes))) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isRequestHead(view, 4, bytes.length - 4)) return true;
  if (isRequestHead(view, 0, bytes.length)) return false;
  const length = view.getInt32(0);
  if (length < 4 || length > MAX_FRAME_BYTES) return false;
  if (!isAll) return true;
  if (length + 4 > bytes.length) return false;
  return tryAll(options, bytes.subarray(0, 4 + length), 4)[0]?.isExact === true;
}

/** Whether lengths lead from frame to frame right to the end. */
function chainEnds(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = view.getInt32(at);
    if (length < 4) return false;
    at += 4 + length;
  }
  return at === bytes.length && at > 0;
}
