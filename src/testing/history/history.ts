/** An append-only record of what clients did and saw, for the checker to judge afterwards.
 * Not here: judging (checker.ts). It knows no client: whoever drives one says what happened.
 * Invariant: the order of the events is an order of things that happened; what follows from something is recorded after
 * it. A value is unique in its topic.
 * Source: Jepsen's Kafka workload.
 */
import { UsageError } from '../../errors.ts';

/** What a failed or settled write says of a record; as a client's errors do. */
export type StoredWord = 'yes' | 'no' | 'maybe';

interface Common {
  /** Who: one producer or consumer, whose own order counts. */
  readonly actor: string;
  /** Milliseconds of any one clock. */
  readonly atMs: number;
}

interface At {
  readonly topic: string;
  readonly partition: number;
}

/** Values were handed to a producer in one call, in this order. */
export interface SendEvent extends Common {
  readonly kind: 'send';
  /** Number of the call, from `History.nextCall`. */
  readonly call: number;
  readonly topic: string;
  readonly values: readonly string[];
  /** The transaction they belong to, if any. */
  readonly transaction?: string;
}

/** What became of one value. */
export interface SendResult {
  readonly stored: StoredWord;
  /** -1 when it is not known. */
  readonly partition: number;
  /** Undefined when it is not known. */
  readonly offset?: number | undefined;
}

/** A call settled; one result for each of its values. */
export interface SettledEvent extends Common {
  readonly kind: 'settled';
  readonly call: number;
  readonly results: readonly SendResult[];
}

/** A producer's callback named values of one partition, in this order. */
export interface CallbackEvent extends Common, At {
  readonly kind: 'callback';
  readonly values: readonly string[];
}

/** A transaction went on. `committing` stands before the commit is asked for; the end is `unknown` after an indefinite error. */
export interface TransactionEvent extends Common {
  readonly kind: 'transaction';
  readonly transaction: string;
  readonly state: 'committing' | 'committed' | 'aborted' | 'unknown';
}

/** A consumer was given records. */
export interface PollEvent extends Common, At {
  readonly kind: 'poll';
  readonly records: readonly (readonly [offset: number, value: string])[];
  /** Default `read_committed`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted';
}

/** A consumer's position was set: by assignment, by seeking, or by a group. */
export interface AssignEvent extends Common, At {
  readonly kind: 'assign';
  /** Generation or member epoch, when a group gave it. */
  readonly epoch?: number;
}

/** A consumer lost a partition. */
export interface RevokeEvent extends Common, At {
  readonly kind: 'revoke';
}

/** The application is done with the record at an offset. */
export interface ProcessedEvent extends Common, At {
  readonly kind: 'processed';
  readonly offset: number;
}

/** The group's offset was committed: the next one to read. */
export interface CommitEvent extends Common, At {
  readonly kind: 'commit';
  readonly offset: number;
}

/** A batch of an idempotent producer was seen on its way to a broker, as a proxy's hook sees it. */
export interface BatchEvent extends Common, At {
  readonly kind: 'batch';
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  /** Records in it. */
  readonly count: number;
}

/** Something that happened. */
export type HistoryEvent =
  | SendEvent
  | SettledEvent
  | CallbackEvent
  | TransactionEvent
  | PollEvent
  | AssignEvent
  | RevokeEvent
  | ProcessedEvent
  | CommitEvent
  | BatchEvent;

/** An event before it has its time. */
export type NewEvent = HistoryEvent extends infer Event
  ? Event extends HistoryEvent
    ? Omit<Event, 'atMs'>
    : never
  : never;

/** How to begin a history. */
export interface HistoryOptions {
  /** The clock, in milliseconds: `platform.monotonicNow`, or that of a virtual world. */
  readonly now: () => number;
  /** What the run was made from, kept with it. Default: none. */
  readonly seed?: number;
}

/** A history that grows. */
export class History {
  readonly seed: number | undefined;
  readonly events: HistoryEvent[] = [];
  readonly #now: () => number;
  #calls = 0;

  constructor({ now, seed }: HistoryOptions) {
    this.#now = now;
    this.seed = seed;
  }

  /** A number for a `send` event and the `settled` one that belongs to it. */
  nextCall(): number {
    return this.#calls++;
  }

  /** Appends an event; it happened now. */
  add(event: NewEvent): void {
    this.events.push({ ...event, atMs: this.#now() });
  }

  /** The history as lines of JSON: first its seed, then the events. */
  toText(): string {
    const lines: unknown[] = [{ seed: this.seed }, ...this.events];
    return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  }

  /** The history that `toText` wrote; it can be checked, and does not grow by time. Throws UsageError for another text. */
  static fromText(text: string): History {
    const [head, ...lines] = text.split('\n').filter((line) => line !== '');
    try {
      const { seed } = JSON.parse(head ?? '') as { seed?: number };
      const history = new History({ now: () => NaN, ...(seed !== undefined && { seed }) });
      for (const line of lines) history.events.push(JSON.parse(line) as HistoryEvent);
      return history;
    } catch (cause) {
      throw new UsageError('This is no history: lines of JSON, the first with its seed', { cause });
    }
  }
}
