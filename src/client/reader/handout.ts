/** Hands records to the calls that wait for them, in the order of the calls.
 * Not here: fetching (client/fetch), commits (commits.ts).
 * Invariant: a record that was taken is given to exactly one call, or is put back; when nothing is buffered, or
 * something stands in the way, every waiting call stays pending, or is rejected, and none is forgotten.
 */
import type { Platform } from '../../platform.ts';
import { MessageBatch, type AssignedPartition, type FetchSet } from '../fetch/index.ts';
import type { Message, RecordRun, RecordSlice } from '../fetch/index.ts';

/** How a batch is gathered. */
export interface BatchLimits {
  /** At least 1. */
  readonly maxRecords: number;
  /** Milliseconds from the call in which more than the first records are waited for. */
  readonly maxWaitMs: number;
}

/** What the handout needs to know. */
export interface HandoutContext {
  readonly platform: Platform;
  readonly fetches: FetchSet;
  /** What stops all reading. */
  failure(): unknown;
  /** Everything that was there is handed out, and a call waits. */
  onDrained(): void;
}

/** Milliseconds after which calls that need not wait do so for once, lest timers and sockets starve. */
const turnMs = 10;

/** A call that waits. */
interface Waiter {
  /** Takes what there is: true when the call is settled, a promise while bytes are being inflated. */
  take(): boolean | Promise<void>;
  reject(error: unknown): void;
  /** Lets go of what it has taken of a partition. */
  drop?(owner: AssignedPartition): void;
}

/** The queue of waiting calls of one reader. */
export class Handout {
  /** Messages that were handed out. */
  messages = 0;
  readonly #context: HandoutContext;
  readonly #waiters: Waiter[] = [];
  #run: RecordRun | undefined;
  #serving = false;
  #refusing = false;
  #turnBeganMs = 0;
  #release: (() => void) | undefined;
  #closed: Error | undefined;

  constructor(context: HandoutContext) {
    this.#context = context;
  }

  /** The next message if it is at hand and nobody waits; undefined otherwise. Throws what damaged bytes deserve. */
  immediate(): Message | undefined {
    const run = this.#run;
    if (run === undefined || this.#waiters.length > 0) return undefined;
    if ((this.messages & 63) === 63 && this.#isTurnOver()) return undefined;
    return this.#nextOf(run);
  }

  /** The next message. Rejects with what stands in the way, or with the signal's reason. */
  message(signal: AbortSignal | undefined): Promise<Message> {
    return this.#wait(signal, (resolve) => ({
      take: () => {
        const message = this.#takeMessage();
        if (message === undefined || message instanceof Promise) return message ?? false;
        resolve(message);
        return true;
      },
      putBack: () => undefined,
    }));
  }

  /** The next messages of one partition. Rejects as `message`. */
  batch(limits: BatchLimits, signal: AbortSignal | undefined): Promise<MessageBatch> {
    return this.#wait(signal, (resolve) => {
      const draft = new Draft(limits.maxRecords);
      let gathers = limits.maxWaitMs > 0;
      const { platform } = this.#context;
      const stop = (): void => {
        gathers = false;
        this.wake();
      };
      const timer = gathers ? platform.setTimer(limits.maxWaitMs, stop) : undefined;
      return {
        take: () => {
          const pending = this.#fill(draft);
          if (pending !== undefined) return pending;
          const batch = gathers && !draft.isFull ? undefined : draft.finish();
          if (batch === undefined) return false;
          timer?.cancel();
          this.messages += batch.length;
          resolve(batch);
          return true;
        },
        drop: (owner) => {
          if (draft.owner === owner) draft.clear();
        },
        putBack: () => {
          timer?.cancel();
          if (draft.owner !== undefined) this.#rewind(draft.owner, draft.firstOffset);
        },
      };
    });
  }

  /** Makes a message the next one of its partition again. */
  putBack(message: Message): void {
    const { owner } = message.source;
    const { offset } = message;
    // One that was not handed out since the partition went back needs no putting back.
    if (!owner.assigned || offset >= owner.position) return;
    if (this.#run?.owner === owner && this.#run.stepBack(offset)) owner.standAt(offset);
    else this.#rewind(owner, offset);
  }

  /** Nothing of the partition comes out until `rewind`. */
  hold(owner: AssignedPartition): void {
    if (this.#run?.owner === owner) this.#run = undefined;
    owner.standAt(owner.began);
    this.#context.fetches.hold(owner);
    for (const waiter of this.#waiters) waiter.drop?.(owner);
  }

  /** The record at `offset` is the next one of its partition. */
  rewind(owner: AssignedPartition, offset: number): void {
    if (owner.assigned) this.#rewind(owner, offset);
  }

  /** Partitions were removed: nothing of them may come out. */
  drop(): void {
    if (this.#run?.owner.assigned === false) this.#run = undefined;
  }

  /** There may be something to hand out, or to reject with. */
  wake(): void {
    this.#turnBeganMs = this.#context.platform.monotonicNow();
    this.#serve();
  }

  /** Rejects every waiting and later call. */
  close(error: Error): void {
    this.#closed ??= error;
    this.#run = undefined;
    this.#rejectAll(this.#closed);
  }

  #isTurnOver(): boolean {
    return this.#context.platform.monotonicNow() - this.#turnBeganMs > turnMs;
  }

  #wait<T>(
    signal: AbortSignal | undefined,
    make: (resolve: (value: T) => void) => Pick<Waiter, 'take' | 'drop'> & { putBack(): void },
  ): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise<T>((resolve, reject) => {
      const done = (): void => signal?.removeEventListener('abort', abort);
      const { take, drop, putBack } = make((value) => {
        done();
        resolve(value);
      });
      const waiter: Waiter = {
        take,
        ...(drop && { drop }),
        reject: (error) => {
          done();
          putBack();
          reject(error);
        },
      };
      const abort = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        waiter.reject(signal?.reason);
        this.#serve();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.push(waiter);
      if (this.#isTurnOver()) this.#context.platform.defer(() => this.wake());
      else this.#serve();
      this.#hold();
    });
  }

  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    for (let waiter = this.#waiters[0]; waiter !== undefined; waiter = this.#waiters[0]) {
      let taken: boolean | Promise<void>;
      try {
        taken = waiter.take();
      } catch (error) {
        // The damage stays with the partition: whoever waits or calls next gets it too.
        this.#waiters.shift();
        waiter.reject(error);
        continue;
      }
      if (taken instanceof Promise) {
        const resume = (): void => {
          this.#serving = false;
          this.#serve();
        };
        taken.then(resume, resume);
        return;
      }
      if (!taken) {
        this.#starve();
        break;
      }
      this.#waiters.shift();
    }
    this.#serving = false;
    this.#hold();
  }

  /** Nothing is at hand for the call at the head. */
  #starve(): void {
    this.#context.onDrained();
    if (this.#refusing || this.#failure() === undefined) return;
    this.#refusing = true;
    // In a turn of its own, so that an application that calls again at once does not starve what would heal it.
    this.#context.platform.defer(() => {
      this.#refusing = false;
      const failure = this.#failure();
      if (failure !== undefined) this.#rejectAll(failure);
      else this.wake();
    });
  }

  #failure(): unknown {
    return this.#context.failure() ?? this.#context.fetches.failure();
  }

  #rejectAll(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    this.#hold();
  }

  /** A waiting call keeps the process alive (C4). */
  #hold(): void {
    if (this.#waiters.length > 0) this.#release ??= this.#context.platform.holdOpen();
    else {
      this.#release?.();
      this.#release = undefined;
    }
  }

  #takeMessage(): Message | Promise<void> | undefined {
    for (;;) {
      const message = this.#run && this.#nextOf(this.#run);
      if (message !== undefined) return message;
      const open = this.#open(this.#context.fetches.next());
      if (open !== true) return open;
    }
  }

  /** Fills a draft with what is at hand; a promise while bytes are being inflated. */
  #fill(draft: Draft): Promise<void> | undefined {
    const { fetches } = this.#context;
    if (draft.owner?.assigned === false) draft.clear();
    try {
      while (!draft.isFull) {
        const slice = this.#run && this.#sliceOf(this.#run, draft.room);
        if (slice !== undefined) {
          draft.add(slice);
          continue;
        }
        const open = this.#open(draft.owner === undefined ? fetches.next() : fetches.nextOf(draft.owner));
        if (open !== true) return open;
      }
    } catch (error) {
      // What came before the damage is handed out first.
      if (draft.owner === undefined) throw error;
      draft.seal();
    }
    return undefined;
  }

  /** Makes the next batch of records the one that is read; true when it is at hand. */
  #open(run: RecordRun | Promise<RecordRun | undefined> | undefined): true | Promise<void> | undefined {
    if (run === undefined) return undefined;
    if (run instanceof Promise) {
      return run.then((inflated) => {
        if (inflated?.owner.assigned) this.#run = inflated;
      });
    }
    this.#run = run;
    return true;
  }

  #nextOf(run: RecordRun): Message | undefined {
    const { owner } = run;
    let message: Message | undefined;
    try {
      message = run.next();
    } catch (error) {
      throw this.#damaged(run, error);
    }
    if (message === undefined) this.#finish(run);
    else {
      owner.position = owner.handedOut = message.offset + 1;
      this.messages++;
    }
    return message;
  }

  #sliceOf(run: RecordRun, maxRecords: number): RecordSlice | undefined {
    const { owner } = run;
    let slice: RecordSlice | undefined;
    try {
      slice = run.slice(maxRecords);
    } catch (error) {
      throw this.#damaged(run, error);
    }
    if (slice === undefined) this.#finish(run);
    else owner.position = owner.handedOut = slice.lastOffset + 1;
    return slice;
  }

  #finish(run: RecordRun): void {
    run.owner.position = Math.max(run.owner.position, run.endOffset);
    run.owner.epoch = run.source.leaderEpoch;
    this.#run = undefined;
  }

  #damaged(run: RecordRun, error: unknown): unknown {
    this.#run = undefined;
    return this.#context.fetches.damaged(run, error);
  }

  #rewind(owner: AssignedPartition, offset: number): void {
    if (this.#run?.owner === owner) this.#run = undefined;
    owner.standAt(offset);
    this.#context.fetches.rewind(owner, offset);
  }
}

/** A batch that is being gathered. */
class Draft {
  owner: AssignedPartition | undefined;
  #maxRecords: number;
  #length = 0;
  #slices: RecordSlice[] = [];

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords;
  }

  get room(): number {
    return this.#maxRecords - this.#length;
  }

  get isFull(): boolean {
    return this.room <= 0;
  }

  get firstOffset(): number {
    return this.#slices[0]?.firstOffset ?? 0;
  }

  add(slice: RecordSlice): void {
    this.owner = slice.source.owner;
    this.#length += slice.length;
    this.#slices.push(slice);
  }

  /** Takes no more. */
  seal(): void {
    this.#maxRecords = this.#length;
  }

  clear(): void {
    this.owner = undefined;
    this.#length = 0;
    this.#slices = [];
  }

  /** The batch; undefined while there is nothing in it. */
  finish(): MessageBatch | undefined {
    const [first, ...others] = this.#slices;
    return this.owner && first && new MessageBatch(this.owner, [first, ...others]);
  }
}
