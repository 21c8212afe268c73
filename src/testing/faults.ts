/** Scripted misbehaviour, and the record of what was asked: what tests hold against a client.
 * Not here: where an error stands in an answer (each handler knows its own), sending (connection.ts).
 * Invariant: a fault meets exactly `times` requests, in the order the faults were injected; one request meets at most
 * one fault without a topic, and each fault with a topic once.
 * Source: the controls of franz-go's kfake and librdkafka's mock cluster.
 */
import { UsageError } from '../errors.ts';
import { ErrorCodes, type ErrorName } from '../protocol/error-codes.ts';
import type { Api, Input } from '../protocol/schema.ts';

/** What becomes of the answer: it is sent; it never comes, nor any later one on that connection, which stays open;
 * or the connection is closed instead.
 */
export type FaultOutcome = 'answer' | 'silence' | 'disconnect';

/** An API by its key: `produceApi`, or `{ key: 0 }`. */
export interface ApiKey {
  readonly key: number;
}

/** What to do to the next matching requests. */
export interface Fault {
  readonly api: ApiKey;
  /** Only requests to this broker. Default: any. */
  readonly nodeId?: number;
  /** Only requests that name this topic; `error` is answered for it alone. Default: any, and all of its partitions. */
  readonly topic?: string;
  /** Only this partition; with `topic`. Default: any. */
  readonly partition?: number;
  /** How many requests it meets, at least 1. Default 1. */
  readonly times?: number;
  /** Error code, or its name, where the API has its errors: per partition, per group or at the top. */
  readonly error?: ErrorName | number;
  /** Whether the request does what it asks for all the same. Default: no with an `error`, else yes. */
  readonly effect?: boolean;
  /** Milliseconds by which the answer comes later than the effect. Default 0. */
  readonly delayMs?: number;
  /** Throttle time in the answer; the connection is not read for as long (KIP-219). Default 0. */
  readonly throttleMs?: number;
  /** Default `answer`. */
  readonly outcome?: FaultOutcome;
}

/** A fault that was injected. */
export interface InjectedFault {
  /** Requests that it will still meet. */
  readonly remaining: number;
  /** Takes it back; idempotent. */
  remove(): void;
}

/** Where a request arrived and how it was sent. */
export interface RequestOrigin {
  /** The broker it was sent to. */
  readonly nodeId: number;
  readonly apiVersion: number;
  readonly clientId: string;
  readonly correlationId: number;
}

/** A request that a broker received. */
export interface RequestRecord<Request> extends RequestOrigin {
  readonly apiKey: number;
  /** When it was read, in milliseconds of the platform's clock. */
  readonly atMs: number;
  readonly request: Request;
}

/** Sees a request before its handler does. May answer in its place: with a body (absent fields take Kafka's defaults)
 * or an outcome other than `answer`; undefined leaves it to the handler. May take its time. A throw closes the connection.
 */
export type FaultHook<Request, Response> = (
  request: Request,
  origin: RequestOrigin,
) => Verdict<Response> | Promise<Verdict<Response>>;
/** What a hook says. */
export type Verdict<Response> = Input<Response> | 'silence' | 'disconnect' | undefined;

/** The test's side of the faults. */
export interface FaultControl {
  /** Arms a fault. Throws UsageError when it would do nothing or contradicts itself. */
  inject(fault: Fault): InjectedFault;
  /** Calls `hook` for every request of the API until the returned function is called. The first hook that answers wins. */
  on<Request, Response>(
    api: Api<Request, Response>,
    hook: FaultHook<NoInfer<Request>, NoInfer<Response>>,
  ): () => void;
  /** The requests of an API, oldest first; of the last 10,000 requests and 16 MiB of all APIs. */
  requests<Request, Response>(api: Api<Request, Response>): RequestRecord<Request>[];
  /** Takes back every fault and hook, and forgets the requests. */
  clear(): void;
}

const keptRequests = 10_000;
const keptBytes = 16_777_216;

class Armed implements InjectedFault {
  readonly fault: Fault;
  remaining: number;

  constructor(fault: Fault) {
    this.fault = fault;
    this.remaining = fault.times ?? 1;
  }

  get errorCode(): number | undefined {
    const { error } = this.fault;
    return typeof error === 'string' ? ErrorCodes[error] : error;
  }

  get hasEffect(): boolean {
    return this.fault.effect ?? this.fault.error === undefined;
  }

  matches(apiKey: number, nodeId: number): boolean {
    return this.remaining > 0 && this.fault.api.key === apiKey && (this.fault.nodeId ?? nodeId) === nodeId;
  }

  remove(): void {
    this.remaining = 0;
  }
}

interface Hook {
  readonly apiKey: number;
  // A method, so that a hook with a typed request may stand here: `apiKey` says which type it gets.
  run(request: unknown, origin: RequestOrigin): unknown;
}

/** The faults of one cluster, as its brokers use them. */
export class Faults implements FaultControl {
  #armed: Armed[] = [];
  #hooks: Hook[] = [];
  #records: { readonly record: RequestRecord<unknown>; readonly byteLength: number }[] = [];
  #recordedBytes = 0;

  inject(fault: Fault): InjectedFault {
    checkFault(fault);
    const armed = new Armed({ ...fault });
    this.#armed = this.#armed.filter(({ remaining }) => remaining > 0);
    this.#armed.push(armed);
    return armed;
  }

  on<Request, Response>(
    api: Api<Request, Response>,
    hook: FaultHook<NoInfer<Request>, NoInfer<Response>>,
  ): () => void {
    const added: Hook = { apiKey: api.key, run: hook };
    this.#hooks.push(added);
    return () => {
      this.#hooks = this.#hooks.filter((other) => other !== added);
    };
  }

  requests<Request, Response>(api: Api<Request, Response>): RequestRecord<Request>[] {
    const records = this.#records.map(({ record }) => record).filter(({ apiKey }) => apiKey === api.key);
    return records as RequestRecord<Request>[];
  }

  clear(): void {
    for (const armed of this.#armed) armed.remove();
    this.#hooks = [];
    this.#records = [];
    this.#recordedBytes = 0;
  }

  /** Keeps a request of `byteLength` bytes in the record, and drops the oldest beyond the bounds. */
  record(record: RequestRecord<unknown>, byteLength: number): void {
    this.#records.push({ record, byteLength });
    this.#recordedBytes += byteLength;
    while (this.#records.length > keptRequests || this.#recordedBytes > keptBytes) {
      this.#recordedBytes -= this.#records.shift()?.byteLength ?? 0;
    }
  }

  /** What the first hook with an answer says; undefined when none has one. */
  async intercept(apiKey: number, request: unknown, origin: RequestOrigin): Promise<unknown> {
    for (const hook of this.#hooks) {
      if (hook.apiKey !== apiKey) continue;
      const verdict = await hook.run(request, origin);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  /** The faults that one request meets. */
  meet(apiKey: number, nodeId: number): RequestFaults {
    return new RequestFaults(this.#armed.filter((armed) => armed.matches(apiKey, nodeId)));
  }
}

/** The faults that meet one request: those with a topic only once the handler comes to it. */
export class RequestFaults {
  readonly #met = new Set<Armed>();
  readonly #byTopic: readonly Armed[];

  constructor(candidates: readonly Armed[]) {
    this.#byTopic = candidates.filter(({ fault }) => fault.topic !== undefined);
    const general = candidates.find(({ fault }) => fault.topic === undefined);
    if (general !== undefined) this.#meet(general);
  }

  /** Whether the handler is not to run: no effect, and no error to answer. */
  get preventsAll(): boolean {
    return [...this.#met].some((armed) => !armed.hasEffect && armed.errorCode === undefined);
  }

  get delayMs(): number {
    return this.#longest((fault) => fault.delayMs);
  }

  get throttleMs(): number {
    return this.#longest((fault) => fault.throttleMs);
  }

  get outcome(): FaultOutcome {
    const outcomes = [...this.#met].map(({ fault }) => fault.outcome ?? 'answer');
    return outcomes.find((outcome) => outcome !== 'answer') ?? 'answer';
  }

  /** What is to happen to one part of the request; undefined when nothing special is. */
  at(
    topic?: string,
    partition?: number,
  ): { readonly errorCode: number | undefined; readonly hasEffect: boolean } | undefined {
    for (const armed of this.#byTopic) {
      const { fault } = armed;
      const here = fault.topic === topic && (fault.partition ?? partition) === partition;
      if (!here || !(this.#met.has(armed) || armed.remaining > 0)) continue;
      this.#meet(armed);
      return armed;
    }
    return [...this.#met].find(({ fault }) => fault.topic === undefined);
  }

  #meet(armed: Armed): void {
    if (!this.#met.has(armed)) armed.remaining--;
    this.#met.add(armed);
  }

  #longest(ms: (fault: Fault) => number | undefined): number {
    return Math.max(0, ...Array.from(this.#met, ({ fault }) => ms(fault) ?? 0));
  }
}

function checkFault(fault: Fault): void {
  const { error, effect, delayMs = 0, throttleMs = 0, outcome = 'answer', times = 1 } = fault;
  const mistake = (text: string): UsageError => new UsageError(`Fault for API ${fault.api.key} ${text}`);
  if (!Number.isInteger(times) || times < 1) throw mistake('must meet at least 1 request (times)');
  if (fault.partition !== undefined && fault.topic === undefined)
    throw mistake('names a partition without a topic');
  if (error !== undefined && outcome !== 'answer')
    throw mistake(`cannot answer an error and end in ${outcome}`);
  if (error !== undefined || outcome !== 'answer') return;
  if (effect === false) throw mistake('without effect needs an error or an outcome');
  if (delayMs === 0 && throttleMs === 0)
    throw mistake('does nothing: give error, delayMs, throttleMs or outcome');
}
