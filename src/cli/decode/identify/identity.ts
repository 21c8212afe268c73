/** What a frame may be, and what it is.
 * Not here: finding out (conversation.ts, trial.ts).
 */
import type { TracedApi } from 'kafka-wire/protocol';

/** Who sent a frame. */
export type Side = 'request' | 'response';

/** What bytes may be. */
export interface Candidate {
  readonly api: TracedApi<unknown, unknown>;
  readonly version: number;
  readonly side: Side;
  /** Of the header in front; undefined when the bytes begin with the body. */
  readonly headerVersion: number | undefined;
}

/** What a frame is. */
export type Identity =
  | (Candidate & {
      readonly kind: 'message';
      /** Whether a strict decoder takes all bytes. */
      readonly isExact?: boolean;
      /** What it says if not. */
      readonly error?: unknown;
      /** How it is known. */
      readonly by: 'options' | 'header' | 'request' | 'trial';
      /** What else the bytes may be, as people name it. */
      readonly alternatives: readonly string[];
    })
  | { readonly kind: 'token'; readonly side: Side | undefined }
  | {
      readonly kind: 'unknown';
      readonly reason: string;
      /** The field of the header that says so, and its distance from the header's first byte. */
      readonly field?: { readonly path: string; readonly offset: number };
    };
