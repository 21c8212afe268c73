/** What `for await (const message of reader)` runs on.
 * Invariants: a message is done when the next one is asked for; leaving the loop by `break` or `throw` leaves the last
 * one not done, and the next call hands it out again (R1). The loop ends when the reader is closed.
 */
import { KafkaError } from '../../errors.ts';
import type { Message } from '../fetch/index.ts';
import type { Commits } from './commits.ts';
import type { Handout } from './handout.ts';

/** One loop over a reader; several may run, each message goes to one of them. */
export class MessageLoop implements AsyncIterableIterator<Message, undefined> {
  readonly #handout: Handout;
  readonly #commits: Commits | undefined;
  #last: Message | undefined;

  constructor(handout: Handout, commits: Commits | undefined) {
    this.#handout = handout;
    this.#commits = commits;
  }

  /** The next message. Rejects as `fetchMessage`, and with what keeps the last message from being committed. */
  next(): Promise<IteratorResult<Message, undefined>> {
    const last = this.#last;
    this.#last = undefined;
    try {
      const committing = last && this.#commits?.loopDone(last);
      if (committing !== undefined) return this.#after(committing);
      const value = this.#handout.immediate();
      if (value === undefined) return this.#after(undefined);
      this.#last = value;
      return Promise.resolve({ done: false, value });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The loop was left. */
  return(): Promise<IteratorResult<Message, undefined>> {
    const last = this.#last;
    this.#last = undefined;
    if (last !== undefined && this.#commits !== undefined) {
      if (last.source.owner.done <= last.offset) this.#handout.putBack(last);
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #after(committing: Promise<unknown> | undefined): Promise<IteratorResult<Message, undefined>> {
    try {
      if (committing !== undefined) await committing;
      const value = await this.#handout.message(undefined);
      this.#last = value;
      return { done: false, value };
    } catch (error) {
      if (error instanceof KafkaError && error.code === 'CLOSED') return { done: true, value: undefined };
      throw error;
    }
  }
}
