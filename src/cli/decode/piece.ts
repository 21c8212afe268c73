/** What the input forms turn bytes into, and what the rest of `decode` works on: frames, record batches, and faults.
 * Not here: how a form is read (input/), what a frame says (identify/, explanation.ts).
 * Invariant: pieces come in the order of the input; a piece's bytes are valid until the next one is asked for.
 */
import type { Identity, Side } from './identify/identity.ts';

/** One direction of a TCP connection. */
export interface Route {
  /** Counted from 1 in the order of appearance. */
  readonly connection: number;
  /** `address:port`. */
  readonly source: string;
  readonly destination: string;
}

/** Knows what the frames of one connection are, from those before. */
export interface Identifier {
  /** What the frame is; remembers requests for their responses. */
  identify(frame: Frame): Identity;
  /** Whether a frame of a side begins at `at`, its length in front. */
  beginsFrame(bytes: Uint8Array, at: number, side?: Side): boolean;
}

/** One request, response or opaque token. */
export interface Frame {
  readonly kind: 'frame';
  /** The frame with its length in front, if it has one. */
  readonly bytes: Uint8Array;
  /** Where the header begins: 4 behind a length, else 0. */
  readonly start: number;
  /** Where `bytes` begins in the input, or in its direction of the connection. */
  readonly at: number;
  /** Counted by whom: the frames before it, for pairing. */
  readonly conversation: Identifier;
  /** Known when the connection tells. */
  readonly side?: Side;
  readonly route?: Route;
  /** When the first byte was captured, in microseconds since 1970. */
  readonly timeUs?: number;
  /** Bytes that belong to the frame and are not there, behind `bytes`. */
  readonly missing?: number;
  /** Says that the last `count` bytes are none of this frame: its length is wrong. Until the next piece is asked for. */
  readonly giveBack?: (count: number) => void;
}

/** One record batch of a log, or one message of a log in format v0 or v1. */
export interface LogBatch {
  readonly kind: 'batch';
  readonly bytes: Uint8Array;
  readonly at: number;
  /** Whose records these are, if known. */
  readonly topic?: string;
}

/** Bytes that are no piece. */
export interface Fault {
  readonly kind: 'fault';
  /** First byte that is wrong, in the input or the direction of the connection. */
  readonly at: number;
  /** Bytes that were left out. */
  readonly skipped: number;
  /** What was found and what was expected. */
  readonly what: string;
  /** False for what is not in the input for a good reason, such as a connection that began before the capture. */
  readonly isDamage: boolean;
  readonly route?: Route;
}

/** What a form yields. */
export type Piece = Frame | LogBatch | Fault;

/** Largest frame or batch that is waited for, in bytes: more than any broker takes by default. */
export const MAX_FRAME_BYTES = 0x1000_0000;
