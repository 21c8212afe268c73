/** One proxied connection: requests one way, answers the other, each answer found again by its correlation id.
 * Not here: who connects where (fault-proxy.ts), how bytes leave (lane.ts).
 * Invariant: frames go on whole and in order unless a fault says otherwise, and both sides end together.
 */
import type { Platform, Transport } from '../../platform.ts';
import { FrameReader } from '../../protocol/frame.ts';
import { decodeRequestHeader, peekRequest, requestHeaderVersion } from '../../protocol/header.ts';
import { ByteReader } from '../../protocol/reader.ts';
import type { Readdress, Rewrite } from './endpoints.ts';
import { Lane } from './lane.ts';
import type { ExchangeFault, ProxyFaults, ProxyOrigin, ProxyOutcome, ProxyVerdict } from './proxy-faults.ts';

/** Requests of one connection whose answers can be told apart; Produce with acks 0 never has one. */
const mostAsked = 10_000;

/** What a connection belongs to. */
export interface ExchangeOwner {
  readonly platform: Platform;
  readonly faults: ProxyFaults;
  readonly maxFrameBytes: number;
  readonly rewrites: ReadonlyMap<number, Rewrite>;
  readonly readdress: Readdress;
  /** The broker's id as it is known now, -1 before. */
  readonly nodeId: () => number;
  /** Number of the connection. */
  readonly connection: number;
  readonly reportProblem: (text: string) => void;
}

/** A request that may still be answered. */
interface Asked {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  /** What is to happen to its answer. */
  readonly fault: ExchangeFault | undefined;
}

/** A connection between a client and a broker. */
export class ProxiedConnection {
  readonly #client: Transport;
  readonly #broker: Transport;
  readonly #owner: ExchangeOwner;
  readonly #ending = new AbortController();
  readonly #toBroker: Lane;
  readonly #toClient: Lane;
  #asked: Asked[] = [];
  /** After a silence: whatever either side says is dropped. */
  #isSilent = false;

  constructor(client: Transport, broker: Transport, owner: ExchangeOwner) {
    this.#client = client;
    this.#broker = broker;
    this.#owner = owner;
    const { platform, faults, nodeId } = owner;
    const setting = { platform, faults, nodeId, signal: this.#ending.signal };
    this.#toBroker = new Lane({ ...setting, direction: 'to-broker' });
    this.#toClient = new Lane({ ...setting, direction: 'to-client' });
  }

  /** Serves until either side or a fault ends the connection; never rejects. */
  async run(): Promise<void> {
    await Promise.all([
      this.#toBroker.run(this.#broker).catch(() => this.#gone(this.#broker, 'reset')),
      this.#toClient.run(this.#client).catch(() => this.#gone(this.#client, 'reset')),
      this.#forward(this.#client, (frame) => this.#request(frame)),
      this.#forward(this.#broker, (frame) => this.#answer(frame)),
    ]);
  }

  /** Ends both sides: after what was written, or at once. */
  end(how: 'disconnect' | 'reset'): void {
    if (this.#ending.signal.aborted) return;
    for (const transport of [this.#client, this.#broker]) {
      if (how === 'disconnect') transport.close();
      else transport.abort();
    }
    this.#ending.abort();
  }

  /** Reads frames from one side until it ends. */
  async #forward(from: Transport, take: (frame: Uint8Array) => Promise<void>): Promise<void> {
    const { maxFrameBytes, reportProblem } = this.#owner;
    const frames = new FrameReader(maxFrameBytes);
    try {
      for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) {
        if (this.#isSilent && from === this.#broker) continue;
        frames.push(chunk);
        for (let frame = frames.next(); frame !== undefined; frame = frames.next()) await take(frame);
        await this.#laneFrom(from).room();
      }
      this.#gone(from, 'disconnect');
    } catch (error) {
      // A peer that is gone is no problem of the proxy's; bytes that are no frames are.
      if (isOfProtocol(error)) {
        reportProblem(`${this.#where()}: ${error.message}`);
        this.end('reset');
      } else this.#gone(from, 'reset');
    }
  }

  /** One side has ended: so does the other, behind what is on its way to it. */
  #gone(side: Transport, how: 'disconnect' | 'reset'): void {
    if (!this.#isSilent) this.#laneFrom(side).push(() => this.end(how));
    // A silent connection stays open until the client goes.
    else if (side === this.#client) this.end(how);
  }

  #laneFrom(side: Transport): Lane {
    return side === this.#client ? this.#toBroker : this.#toClient;
  }

  async #request(frame: Uint8Array): Promise<void> {
    const { faults, nodeId } = this.#owner;
    const { apiKey, apiVersion, correlationId } = peekRequest(frame);
    // Hooks see what the client says even if nobody heeds it.
    const verdict = await this.#verdict(frame, apiKey, apiVersion);
    if (this.#isSilent) return;
    const fault: ExchangeFault | undefined =
      verdict === undefined ? faults.meet(apiKey, nodeId()) : { outcome: verdict, effect: false };
    const isHere = fault?.effect === false || fault?.frame === 'request';
    if (this.#asked.length === mostAsked) this.#asked.shift();
    this.#asked.push({ apiKey, apiVersion, correlationId, fault: isHere ? undefined : fault });
    this.#pass(this.#toBroker, framed(frame), isHere ? fault : undefined);
  }

  async #answer(frame: Uint8Array): Promise<void> {
    const { rewrites, readdress, reportProblem } = this.#owner;
    const correlationId = new ByteReader(frame).int32();
    const index = this.#asked.findIndex((asked) => asked.correlationId === correlationId);
    const asked = this.#asked[index];
    // Brokers answer in order: what was asked before this one (Produce with acks 0) gets no answer.
    this.#asked = this.#asked.slice(index + 1);
    let bytes: Uint8Array | undefined;
    try {
      if (asked !== undefined) bytes = await rewrites.get(asked.apiKey)?.(frame, asked.apiVersion, readdress);
    } catch (error) {
      reportProblem(`${this.#where()}: the answer of API ${asked?.apiKey} goes on unread: ${String(error)}`);
    }
    if (!this.#isSilent) this.#pass(this.#toClient, bytes ?? framed(frame), asked?.fault);
  }

  /** Lets a frame go on, with what its fault does to it. */
  #pass(lane: Lane, bytes: Uint8Array, fault: ExchangeFault | undefined): void {
    const { delayMs = 0, flipByte = bytes.length, afterBytes = 0, outcome = 'answer' } = fault ?? {};
    if (flipByte < bytes.length) bytes[flipByte] = (bytes[flipByte] ?? 0) ^ 1;
    lane.push(outcome === 'answer' ? bytes : bytes.subarray(0, afterBytes), delayMs);
    if (outcome !== 'answer') lane.push(() => this.#conclude(outcome));
    // At once: what was read already must not go on behind it.
    if (outcome !== 'answer') this.#isSilent = true;
  }

  #conclude(outcome: Exclude<ProxyOutcome, 'answer'>): void {
    if (outcome !== 'silence') this.end(outcome);
  }

  /** What the hooks of the request's API say. */
  async #verdict(frame: Uint8Array, apiKey: number, apiVersion: number): Promise<ProxyVerdict> {
    const { faults, nodeId, connection, reportProblem } = this.#owner;
    for (const { api, run } of faults.hooks(apiKey)) {
      try {
        const reader = new ByteReader(frame);
        const { clientId, correlationId } = decodeRequestHeader(
          reader,
          requestHeaderVersion(api, apiVersion),
        );
        const origin: ProxyOrigin = {
          nodeId: nodeId(),
          apiVersion,
          correlationId,
          clientId: clientId ?? '',
          connection,
        };
        const verdict = await run(api.request.decode(reader, apiVersion), origin);
        if (verdict !== undefined) return verdict;
      } catch (error) {
        reportProblem(`${this.#where()}: a hook of API ${apiKey} failed: ${String(error)}`);
      }
    }
    return undefined;
  }

  #where(): string {
    return `connection ${this.#owner.connection} to broker ${this.#owner.nodeId()}`;
  }
}

function isOfProtocol(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ProtocolError';
}

/** A frame with its length in front, in memory of its own. */
function framed(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frame.length + 4);
  new DataView(bytes.buffer).setInt32(0, frame.length);
  bytes.set(frame, 4);
  return bytes;
}
