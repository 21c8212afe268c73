/** Cuts the bytes of one direction into frames by their lengths, and finds the next frame where a length cannot be.
 * Not here: what a frame says; the judge knows how one may begin.
 * Invariants: every byte comes out once, in a frame or as skipped; memory grows with bytes, never with a length.
 */
import { MAX_FRAME_BYTES } from '../piece.ts';
import type { StreamPart } from './tcp-stream.ts';

/** Knows how frames look. */
export interface FrameJudge {
  /** Whether a frame may be this long, besides that it is at most `MAX_FRAME_BYTES`. */
  allowsLength(length: number): boolean;
  /** Whether a frame with its length in front begins at `at`; asked where none is known to begin. */
  beginsFrame(bytes: Uint8Array, at: number): boolean;
}

/** A frame, or what lies between frames. */
export type Cut =
  | {
      readonly kind: 'frame';
      /** With the length in front; a view until the next `next`. */
      readonly bytes: Uint8Array;
      /** Distance from the first byte of the direction. */
      readonly at: number;
      readonly timeUs: number | undefined;
      /** Bytes that should stand behind `bytes`. */
      readonly missing: number;
    }
  | { readonly kind: 'skipped'; readonly at: number; readonly count: number; readonly what: string };

const LENGTH_BYTES = 4;
/** Length, API key, version and correlation id, and what tells a client id. */
const JUDGED_BYTES = 48;
const AHEAD_BYTES = 0x1_0000;

/** Cuts one direction. */
export class FrameCutter {
  readonly #judge: FrameJudge;
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** Distance of `#start` from the first byte of the direction. */
  #at = 0;
  /** Bytes to pass over: the rest of a frame that has a gap. */
  #rest = 0;
  /** Bytes that are no frame so far, and where they begin; undefined while frames follow each other. */
  #lost: { at: number; count: number; what: string } | undefined;
  #timeUs: number | undefined;
  #cutTimeUs: number | undefined;
  /** Whether nothing comes any more. */
  #isEnded = false;

  /** `isAtFrame` says that the first byte begins a frame; else one is looked for. */
  constructor(judge: FrameJudge, isAtFrame: boolean, what = 'no frame begins here') {
    this.#judge = judge;
    if (!isAtFrame) this.#lost = { at: 0, count: 0, what };
  }

  /** Bytes held. */
  get heldBytes(): number {
    return this.#end - this.#start;
  }

  /** Takes in what comes next; a gap may end a frame at once. */
  *push(part: StreamPart): Generator<Cut> {
    if ('gap' in part) return yield* this.#jump(part.gap);
    const passed = this.#skipRest(part.bytes.length);
    if (passed < part.bytes.length) this.#append(part.bytes.subarray(passed), part.timeUs);
  }

  /** The next whole frame, or bytes that are none; undefined until more comes. */
  next(): Cut | undefined {
    if (this.#lost) return this.#search(this.#lost);
    if (this.heldBytes < LENGTH_BYTES) return undefined;
    const length = this.#lengthAt(this.#start);
    if (length < 0 || length > MAX_FRAME_BYTES || !this.#judge.allowsLength(length)) {
      this.#lost = { at: this.#at, count: 0, what: `a length of ${length}, which no frame has` };
      this.#pass(1);
      return this.#search(this.#lost);
    }
    return this.heldBytes < LENGTH_BYTES + length ? undefined : this.#cut(LENGTH_BYTES + length, 0);
  }

  /** The last `count` bytes of the frame that was cut last are none of it. */
  giveBack(count: number): void {
    this.#start -= count;
    this.#at -= count;
  }

  /** What is left when nothing comes any more. */
  *finish(): Generator<Cut> {
    this.#isEnded = true;
    do {
      for (let cut = this.next(); cut; cut = this.next()) yield cut;
      // What the taker of a torn frame gives back may hold whole ones.
      if (!this.#lost && this.heldBytes > 0) yield this.#torn();
    } while (!this.#lost && this.heldBytes > 0);
    this.#pass(this.heldBytes);
    if (this.#lost && this.#lost.count > 0) yield skipped(this.#lost);
    this.#lost = undefined;
  }

  /** Bytes that are not there. A frame's own gap ends it; a larger one hides where the next begins. */
  *#jump(gap: number): Generator<Cut> {
    for (let cut = this.next(); cut; cut = this.next()) yield cut;
    let beyond = gap - this.#skipRest(gap);
    if (beyond > 0 && !this.#lost && this.heldBytes > 0) {
      const isMeasured = this.heldBytes >= LENGTH_BYTES;
      const torn = this.#torn();
      yield torn;
      if (isMeasured) {
        this.#rest = torn.missing;
        beyond -= this.#skipRest(beyond);
      }
    }
    if (beyond === 0) return;
    this.#lost ??= { at: this.#at, count: 0, what: `${gap} bytes are not in the capture` };
    this.#pass(this.heldBytes);
    this.#lost.count += beyond;
    this.#at += beyond;
  }

  /** Passes over what a torn frame lacks, at most `count` bytes; says how many. */
  #skipRest(count: number): number {
    const passed = Math.min(this.#rest, count);
    this.#rest -= passed;
    this.#at += passed;
    return passed;
  }

  /** The frame that is not whole. */
  #torn(): Extract<Cut, { kind: 'frame' }> {
    const held = this.heldBytes;
    const length = held < LENGTH_BYTES ? 0 : this.#lengthAt(this.#start);
    return this.#cut(held, LENGTH_BYTES + length - held);
  }

  #search(lost: { at: number; count: number; what: string }): Cut | undefined {
    while (this.heldBytes >= LENGTH_BYTES) {
      const length = this.#lengthAt(this.#start);
      const canBe = length >= 0 && length <= MAX_FRAME_BYTES && this.#judge.allowsLength(length);
      const isJudged = this.#isEnded || this.heldBytes >= Math.min(JUDGED_BYTES, LENGTH_BYTES + length);
      if (canBe && !isJudged) return undefined;
      if (canBe && this.#judge.beginsFrame(this.#buffer.subarray(0, this.#end), this.#start)) {
        this.#lost = undefined;
        return lost.count > 0 ? skipped(lost) : this.next();
      }
      this.#pass(1);
    }
    return undefined;
  }

  #cut(count: number, missing: number): Extract<Cut, { kind: 'frame' }> {
    const bytes = this.#buffer.subarray(this.#start, this.#start + count);
    const at = this.#at;
    this.#start += count;
    this.#at += count;
    const timeUs = this.#cutTimeUs ?? this.#timeUs;
    this.#cutTimeUs = this.heldBytes > 0 ? this.#timeUs : undefined;
    return { kind: 'frame', bytes, at, timeUs, missing };
  }

  #pass(count: number): void {
    this.#start += count;
    this.#at += count;
    if (this.#lost) this.#lost.count += count;
  }

  #append(bytes: Uint8Array, timeUs: number | undefined): void {
    if (this.heldBytes === 0) this.#cutTimeUs = timeUs;
    this.#timeUs = timeUs;
    if (this.#end + bytes.length > this.#buffer.length) {
      const held = this.#buffer.subarray(this.#start, this.#end);
      const needed = held.length + bytes.length;
      const room = needed > this.#buffer.length / 2 ? Math.max(AHEAD_BYTES, 2 * needed) : this.#buffer.length;
      const buffer = new Uint8Array(room);
      buffer.set(held);
      this.#buffer = buffer;
      this.#end = held.length;
      this.#start = 0;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #lengthAt(index: number): number {
    const buffer = this.#buffer;
    return new DataView(buffer.buffer, buffer.byteOffset, buffer.length).getInt32(index);
  }
}

function skipped({ at, count, what }: { at: number; count: number; what: string }): Cut {
  return { kind: 'skipped', at, count, what };
}
