/** One generation of the group as this member lives it, from the answer to its JoinGroup to its end.
 * Says when and why it ends; what follows is the session's.
 * Invariant: it ends once, and everything that belongs to it alone stops with `over`.
 */
import { KafkaError } from '../../errors.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { brokerError } from '../cluster/index.ts';

/** Why a generation ended.
 * - `rebalance`: the group forms anew; what is owned is given up in order, with commits.
 * - `closed`: the same, but for good.
 * - `lost`: the coordinator no longer counts this member, or could not be reached for a session; nothing is owned.
 * - `failed`: as lost, but joining again would not help.
 */
export type Ending =
  | { readonly kind: 'rebalance'; readonly reason: string }
  | { readonly kind: 'closed' }
  | { readonly kind: 'lost' | 'failed'; readonly error: KafkaError };

/** Ends a generation, unless another one has followed it. */
export type EndGeneration = (generation: Generation, ending: Ending) => void;

/** A generation and its end. */
export class Generation {
  readonly id: number;
  readonly memberId: string;
  /** When the coordinator last counted this member as alive, on `platform.monotonicNow()`. */
  aliveMs: number;
  /** When it last said that no rebalance is under way; a member has `rebalanceTimeoutMs` from then, if it hears or not. */
  calmMs: number;
  /** Whether the assignment has come; before that some brokers call the ordinary wait for it a rebalance. */
  stable = false;
  /** Resolves at the end, with the first reason. */
  readonly ended: Promise<Ending>;
  readonly #settle: (ending: Ending) => void;
  readonly #ending = new AbortController();
  readonly #over = new AbortController();

  constructor(id: number, memberId: string, aliveMs: number) {
    this.id = id;
    this.memberId = memberId;
    this.aliveMs = aliveMs;
    this.calmMs = aliveMs;
    let settle: (ending: Ending) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = settle;
  }

  /** Aborts at the end; what is owned may still be given up in order. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Aborts when the generation is over: once its partitions were given up, or at once when they were lost. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Only the first ending counts. */
  end(ending: Ending): void {
    this.#settle(ending);
    this.#ending.abort(generationOver(this.id));
  }

  /** Stops heartbeats and whatever else lives as long as the generation. Idempotent. */
  finish(): void {
    this.end({ kind: 'closed' });
    this.#over.abort(generationOver(this.id));
  }
}

/** What a call gets whose answer would belong to a generation that has ended. */
export function generationOver(id: number): KafkaError {
  const text = `Generation ${id} ended before the answer came; the next assignment brings another`;
  return new KafkaError(text, { code: 'FENCED', retriable: true });
}

/** What the error code of a Heartbeat or OffsetCommit says about the generation; undefined if nothing. */
export function endingOf(errorCode: number, what: string): Ending | undefined {
  switch (errorCode) {
    case ErrorCodes.REBALANCE_IN_PROGRESS:
      return { kind: 'rebalance', reason: `${what}: REBALANCE_IN_PROGRESS` };
    case ErrorCodes.UNKNOWN_MEMBER_ID:
    case ErrorCodes.ILLEGAL_GENERATION:
      return { kind: 'lost', error: brokerError(errorCode, what) };
    default:
      return undefined;
  }
}
