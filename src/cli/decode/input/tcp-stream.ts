/** One direction of a TCP connection: segments as captured, bytes as sent.
 * Not here: what the bytes are. Repeated bytes are dropped, early ones wait, and those that the capture never saw are a gap.
 * Invariant: bytes and gaps come out in order and once; what waits is bounded by `MAX_WAITING_BYTES`.
 * Source: RFC 9293.
 */

/** Bytes that wait for earlier ones; beyond it the earlier ones are given up. */
export const MAX_WAITING_BYTES = 0x80_0000;
/** Segments that wait, likewise. */
const MAX_WAITING_SEGMENTS = 16_384;
/** No window is larger (RFC 7323): what lies farther ahead is not of this connection. */
const MAX_WINDOW_BYTES = 0x4000_0000;

/** What comes next in the stream: bytes, or how many are missing. */
export type StreamPart =
  | { readonly bytes: Uint8Array; readonly timeUs: number | undefined }
  | { readonly gap: number };

interface Waiting {
  /** Distance from the stream's first byte. */
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly timeUs: number | undefined;
}

/** Puts segments in order. */
export class TcpStream {
  /** Distance of the next byte from the stream's first. */
  position = 0;
  /** Sequence number of the next byte; undefined before the first segment. */
  #sequence: number | undefined;
  /** By position. */
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  readonly #parts: StreamPart[] = [];

  /** Whether a segment has been seen. */
  get isOpen(): boolean {
    return this.#sequence !== undefined;
  }

  /** Bytes that `next` has to give out. */
  readyBytes = 0;

  /** Takes in a segment, whose bytes are copied. */
  push(sequence: number, payload: Uint8Array, isSyn: boolean, timeUs?: number): void {
    const first = isSyn ? (sequence + 1) >>> 0 : sequence;
    this.#sequence ??= first;
    if (payload.length === 0) return;
    const ahead = (first - this.#sequence) | 0;
    if (ahead > MAX_WINDOW_BYTES || ahead + payload.length <= 0) return;
    if (ahead <= 0) {
      this.#deliver(payload.slice(-ahead), timeUs);
      this.#deliverWaiting();
      return;
    }
    this.#wait({ position: this.position + ahead, bytes: payload.slice(), timeUs });
    if (this.#waitingBytes > MAX_WAITING_BYTES || this.#waiting.length > MAX_WAITING_SEGMENTS) this.#giveUp();
  }

  /** The peer has all bytes before this sequence number: those that wait there will not be captured any more. */
  acknowledge(sequence: number): void {
    while (this.#sequence !== undefined) {
      const [next] = this.#waiting;
      const ahead = (sequence - this.#sequence) | 0;
      if (next === undefined || ahead < next.position - this.position) return;
      this.#giveUp();
    }
  }

  /** Nothing will come any more: what waits is delivered behind gaps. */
  finish(): void {
    while (this.#waiting.length > 0) this.#giveUp();
  }

  /** The next bytes or gap. */
  next(): StreamPart | undefined {
    const part = this.#parts.shift();
    if (part && 'bytes' in part) this.readyBytes -= part.bytes.length;
    return part;
  }

  /** The bytes before the first that waits are missing. */
  #giveUp(): void {
    const [next] = this.#waiting;
    if (next === undefined) return;
    const gap = next.position - this.position;
    if (gap > 0) {
      this.#parts.push({ gap });
      this.#advance(gap);
    }
    this.#deliverWaiting();
  }

  #deliverWaiting(): void {
    for (let next = this.#waiting[0]; next && next.position <= this.position; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes.length;
      const fresh = next.bytes.subarray(this.position - next.position);
      if (fresh.length > 0) this.#deliver(fresh, next.timeUs);
    }
  }

  #deliver(bytes: Uint8Array, timeUs: number | undefined): void {
    this.#parts.push({ bytes, timeUs });
    this.readyBytes += bytes.length;
    this.#advance(bytes.length);
  }

  #advance(count: number): void {
    this.position += count;
    this.#sequence = ((this.#sequence ?? 0) + count) >>> 0;
  }

  #wait(segment: Waiting): void {
    let index = this.#waiting.length;
    while (index > 0 && (this.#waiting[index - 1]?.position ?? 0) > segment.position) index--;
    this.#waiting.splice(index, 0, segment);
    this.#waitingBytes += segment.bytes.length;
  }
}
