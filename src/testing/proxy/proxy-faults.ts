/** What a fault proxy is told to do, as data: to single exchanges, or to a broker's connections as long as it lasts.
 * Not here: doing it (exchange.ts, lane.ts, fault-proxy.ts).
 * Invariant: as with the embedded broker's faults, one request meets at most one exchange fault, in the order in which
 * they were injected, and an exchange fault meets exactly `times` requests.
 */
import { UsageError } from '../../errors.ts';
import type { Api } from '../../protocol/schema.ts';
import type { ApiKey, FaultOutcome, InjectedFault, RequestOrigin } from '../faults.ts';
import type { Watched } from '../wait.ts';

/** `FaultOutcome`, or the connection is reset (RST) instead of closed. */
export type ProxyOutcome = FaultOutcome | 'reset';

/** What happens to the next matching requests or to their answers. Positions count bytes of the frame as it travels,
 * from 0, its four length bytes included.
 */
export interface ExchangeFault {
  /** Only requests of this API. Default: any. */
  readonly api?: ApiKey;
  /** Only at this broker, once a Metadata answer has named it. Default: any. */
  readonly nodeId?: number;
  /** How many requests it meets, at least 1; Infinity until it is removed. Default 1. */
  readonly times?: number;
  /** Whether the request reaches the broker. Default true; false needs an outcome other than `answer`. */
  readonly effect?: boolean;
  /** Which of the two `delayMs`, `flipByte` and `afterBytes` are about. Default `answer`; `request` without effect. */
  readonly frame?: 'request' | 'answer';
  /** Milliseconds by which the frame, and what follows it on its connection, goes on later. Default 0. */
  readonly delayMs?: number;
  /** Position of a byte whose lowest bit is turned over; a frame without it goes on as it is. */
  readonly flipByte?: number;
  /** How many bytes of the frame go on before an outcome that is not `answer`, at least 0. Default 0. */
  readonly afterBytes?: number;
  /** What becomes of the answer and its connection. Default `answer`. */
  readonly outcome?: ProxyOutcome;
}

/** How connections are until the fault is removed. Of several that match, the last injected decides each field. */
export interface LinkFault {
  /** Only connections to this broker, once a Metadata answer has named it. Default: any. */
  readonly nodeId?: number;
  /** Only what travels this way. Default: both. */
  readonly direction?: 'to-broker' | 'to-client';
  /** Milliseconds by which everything travels later, 0 or more. */
  readonly latencyMs?: number;
  /** At most so many milliseconds more, at random; nothing overtakes. */
  readonly jitterMs?: number;
  /** More than 0. */
  readonly bytesPerSecond?: number;
  /** Milliseconds for which bytes are held back, to go on in one piece. */
  readonly coalesceMs?: number;
  /** Each byte is written alone. */
  readonly chunking?: 'one-byte';
  /** `refused`: nobody listens; open connections stay. `frozen`: bytes and connections are accepted, and nothing goes
   * on before the fault is removed. With `frozen`, `direction` counts; with `refused` it does not. */
  readonly connections?: 'refused' | 'frozen';
}

/** A fault of a proxy. */
export type ProxyFault = ExchangeFault | LinkFault;

/** Sees a request before it goes on, and may say what becomes of it; undefined lets it pass. May take its time. */
export type ProxyHook<Request> = (
  request: Request,
  origin: ProxyOrigin,
) => ProxyVerdict | Promise<ProxyVerdict>;
/** What a hook says: an outcome means that the request does not reach the broker. */
export type ProxyVerdict = Exclude<ProxyOutcome, 'answer'> | undefined;

/** Where a request was sent; `nodeId` is -1 until a Metadata answer has named the broker. */
export interface ProxyOrigin extends RequestOrigin {
  /** Of the connection, counted from 0. */
  readonly connection: number;
}

/** The test's side of a proxy's faults. */
export interface ProxyFaultControl {
  /** Arms a fault. Throws UsageError when it would do nothing or contradicts itself. */
  inject(fault: ProxyFault): InjectedFault;
  /** Calls `hook` for every request of the API until the returned function is called. */
  on<Request>(api: Api<Request, unknown>, hook: ProxyHook<NoInfer<Request>>): () => void;
  /** Takes back every fault and hook. */
  clear(): void;
}

const exchangeFields: readonly string[] = [
  'api',
  'effect',
  'frame',
  'delayMs',
  'flipByte',
  'afterBytes',
  'outcome',
  'times',
];
const linkFields: readonly string[] = [
  'direction',
  'latencyMs',
  'jitterMs',
  'bytesPerSecond',
  'coalesceMs',
  'chunking',
  'connections',
];

class Armed<Fault extends ProxyFault> implements InjectedFault {
  readonly fault: Fault;
  remaining: number;
  readonly #onRemove: () => void;

  constructor(fault: Fault, times: number, onRemove: () => void) {
    this.fault = fault;
    this.remaining = times;
    this.#onRemove = onRemove;
  }

  matches(nodeId: number): boolean {
    return this.remaining > 0 && (this.fault.nodeId ?? nodeId) === nodeId;
  }

  remove(): void {
    if (this.remaining === 0) return;
    this.remaining = 0;
    this.#onRemove();
  }
}

interface Hook {
  readonly api: Api<unknown, unknown>;
  // A method, so that a hook with a typed request may stand here: `api` says which type it gets.
  run(request: unknown, origin: ProxyOrigin): ProxyVerdict | Promise<ProxyVerdict>;
}

/** The faults of one proxy, as its connections use them; watched by what waits for a link fault to end. */
export class ProxyFaults implements ProxyFaultControl, Watched {
  readonly watchers: Set<() => void> = new Set();
  /** Called after link faults have changed. */
  onLinkChange: () => void = () => undefined;
  #exchanges: Armed<ExchangeFault>[] = [];
  #links: Armed<LinkFault>[] = [];
  #hooks: Hook[] = [];

  inject(fault: ProxyFault): InjectedFault {
    if (isLinkFault(fault)) {
      checkLinkFault(fault);
      const armed = new Armed({ ...fault }, Infinity, () => this.#linksChanged());
      this.#links.push(armed);
      this.#linksChanged();
      return armed;
    }
    checkExchangeFault(fault);
    const armed = new Armed({ ...fault }, fault.times ?? 1, () => undefined);
    this.#exchanges = this.#exchanges.filter(({ remaining }) => remaining > 0);
    this.#exchanges.push(armed);
    return armed;
  }

  on<Request>(api: Api<Request, unknown>, hook: ProxyHook<NoInfer<Request>>): () => void {
    const added: Hook = { api, run: hook };
    this.#hooks.push(added);
    return () => {
      this.#hooks = this.#hooks.filter((other) => other !== added);
    };
  }

  clear(): void {
    this.#hooks = [];
    this.#exchanges = [];
    for (const armed of this.#links) armed.remove();
  }

  /** The fault that one request meets. */
  meet(apiKey: number, nodeId: number): ExchangeFault | undefined {
    const met = this.#exchanges.find(
      (armed) => armed.matches(nodeId) && (armed.fault.api?.key ?? apiKey) === apiKey,
    );
    if (met === undefined) return undefined;
    met.remaining--;
    return met.fault;
  }

  /** The hooks of an API. */
  hooks(apiKey: number): readonly Hook[] {
    return this.#hooks.filter(({ api }) => api.key === apiKey);
  }

  /** How a link is now, one way. */
  link(nodeId: number, direction: 'to-broker' | 'to-client'): LinkFault {
    const found = this.#links.filter(
      (armed) => armed.matches(nodeId) && (armed.fault.direction ?? direction) === direction,
    );
    return found.length === 0 ? noFault : Object.assign({}, ...found.map(({ fault }) => fault));
  }

  /** Whether nobody listens for a broker. */
  isRefused(nodeId: number): boolean {
    return this.#links.some((armed) => armed.matches(nodeId) && armed.fault.connections === 'refused');
  }

  #linksChanged(): void {
    this.#links = this.#links.filter(({ remaining }) => remaining > 0);
    this.onLinkChange();
    for (const watcher of this.watchers) watcher();
  }
}

const noFault: LinkFault = {};

function isLinkFault(fault: ProxyFault): fault is LinkFault {
  const names = Object.keys(fault);
  const unknown = names.find((name) => ![...exchangeFields, ...linkFields, 'nodeId'].includes(name));
  if (unknown !== undefined) throw new UsageError(`A proxy's fault has no field ${unknown}`);
  const ofLink = names.find((name) => linkFields.includes(name));
  const ofExchange = names.find((name) => exchangeFields.includes(name));
  if (ofLink !== undefined && ofExchange !== undefined)
    throw new UsageError(`Fault mixes ${ofExchange}, of exchanges, with ${ofLink}, of links: inject two`);
  return ofLink !== undefined;
}

function mistake(text: string): UsageError {
  return new UsageError(`Fault of a proxy ${text}`);
}

function checkNumbers(fault: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  for (const name of names) {
    const value = fault[name];
    if (value === undefined || (typeof value === 'number' && value >= 0)) continue;
    throw mistake(`needs a number from 0 on as ${name}; got ${String(value)}`);
  }
}

function checkLinkFault(fault: LinkFault): void {
  checkNumbers({ ...fault }, ['latencyMs', 'jitterMs', 'bytesPerSecond', 'coalesceMs']);
  if (fault.bytesPerSecond === 0)
    throw mistake("needs bytesPerSecond above 0; 'frozen' lets nothing through");
  const { nodeId: _, direction: __, ...doing } = fault;
  if (Object.values(doing).every((value) => value === undefined)) throw mistake('does nothing to its links');
}

function checkExchangeFault(fault: ExchangeFault): void {
  const { effect = true, outcome = 'answer', times = 1, delayMs = 0, afterBytes, flipByte, frame } = fault;
  checkNumbers({ ...fault }, ['delayMs', 'flipByte', 'afterBytes']);
  if (!(times >= 1) || !(Number.isInteger(times) || times === Infinity))
    throw mistake('must meet at least 1 request (times)');
  if (!effect && outcome === 'answer') throw mistake('without effect needs an outcome');
  if (!effect && frame === 'answer') throw mistake('without effect has no answer (frame)');
  if (effect && frame === 'request' && outcome !== 'answer')
    throw mistake(`that ends in ${outcome} at the request has no effect: say effect: false`);
  if (afterBytes !== undefined && outcome === 'answer') throw mistake('with afterBytes needs an outcome');
  if (outcome === 'answer' && delayMs === 0 && flipByte === undefined)
    throw mistake('does nothing: give delayMs, flipByte or outcome');
}
