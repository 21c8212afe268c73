/** Captured packets to frames: connections, their two directions, who is the broker.
 * Not here: capture files (pcap.ts), segments in order (tcp-stream.ts), cutting (frame-cutter.ts), pairing (conversation.ts).
 * Invariants: a response comes out behind its request; all connections together hold at most `MAX_HELD_BYTES`.
 */
import { Conversation, type MessageOptions } from '../identify/conversation.ts';
import type { Side } from '../identify/identity.ts';
import type { Fault, Frame, Piece, Route } from '../piece.ts';
import { FrameCutter, type Cut, type FrameJudge } from './frame-cutter.ts';
import { linkTypes, tcpSegment, type TcpSegment } from './packet.ts';
import type { Packet } from './pcap.ts';
import { TcpStream } from './tcp-stream.ts';

/** Beyond it the connection that holds most gives up what it holds. */
const MAX_HELD_BYTES = 0x1800_0000;
const MAX_CONNECTIONS = 16_384;
/** Bytes of a server that wait for the client's first request. */
const MAX_EARLY_BYTES = 0x4000;

/** How captures are read. */
export interface CaptureOptions extends MessageOptions {
  /** The brokers' TCP port: nothing else is looked at, and it is not found by content. */
  readonly port?: number;
}

/** What was in a capture besides frames. */
export interface CaptureCounts {
  packets: number;
  connections: number;
  /** Connections in which a Kafka request was found. */
  kafkaConnections: number;
  /** Connections that begin as TLS does. */
  tlsConnections: number;
}

/** The frames of a capture in the order in which they were complete. */
export async function* captureFrames(
  packets: AsyncIterable<Packet | Fault>,
  options: CaptureOptions,
  counts: CaptureCounts,
): AsyncGenerator<Piece> {
  const connections = new Map<string, Connection>();
  const unknown = new Set<number>();
  let heldBytes = 0;
  for await (const packet of packets) {
    if (packet.kind === 'fault') {
      yield packet;
      continue;
    }
    counts.packets++;
    if (!linkTypes.has(packet.linkType) && !unknown.has(packet.linkType)) {
      unknown.add(packet.linkType);
      yield note(`packets of link type ${packet.linkType} are not understood`);
    }
    const segment = tcpSegment(packet.linkType, packet.bytes);
    if (segment === undefined || !isWanted(segment, options.port)) continue;
    const key = [segment.source, segment.destination].sort().join();
    let connection = connections.get(key);
    if (connection?.isReplacedBy(segment)) {
      heldBytes -= connection.heldBytes;
      yield* connection.finish();
      connection = undefined;
    }
    if (connection === undefined) {
      connection = new Connection(segment, options, counts);
      connections.delete(key);
      connections.set(key, connection);
    }
    heldBytes -= connection.heldBytes;
    yield* connection.take(segment, packet.timeUs);
    heldBytes += connection.heldBytes;
    if (connection.isClosed || connections.size > MAX_CONNECTIONS || heldBytes > MAX_HELD_BYTES) {
      const [ended, connectionKey] = connection.isClosed ? [connection, key] : mostExpendable(connections);
      connections.delete(connectionKey);
      heldBytes -= ended.heldBytes;
      yield* ended.finish();
    }
  }
  for (const connection of connections.values()) yield* connection.finish();
}

function isWanted({ sourcePort, destinationPort }: TcpSegment, port: number | undefined): boolean {
  return port === undefined || sourcePort === port || destinationPort === port;
}

/** The oldest of too many, or the one that holds most. */
function mostExpendable(connections: ReadonlyMap<string, Connection>): [Connection, string] {
  const all = [...connections].map(([key, connection]): [Connection, string] => [connection, key]);
  const [first, ...others] = all;
  if (first === undefined) throw new RangeError('there is no connection');
  if (connections.size > MAX_CONNECTIONS) return first;
  return others.reduce((most, each) => (each[0].heldBytes > most[0].heldBytes ? each : most), first);
}

/** A handshake record of TLS 1.x or SSL 3. */
function isTls(bytes: Uint8Array): boolean {
  return bytes[0] === 0x16 && bytes[1] === 3;
}

function note(what: string): Fault {
  return { kind: 'fault', at: 0, skipped: 0, what, isDamage: false };
}

/** One direction of a connection. */
interface Direction {
  readonly route: Route;
  readonly stream: TcpStream;
  readonly cutter: FrameCutter;
  isBegun: boolean;
  isEnded: boolean;
}

/** A TCP connection. The side whose bytes are requests is the client. */
class Connection {
  readonly #conversation: Conversation;
  readonly #counts: CaptureCounts;
  readonly #number: number;
  readonly #first: Direction;
  readonly #second: Direction;
  /** From SYN, the port, or the first request; until a request was found it is a guess. */
  #client: Direction | undefined;
  #isKafka = false;
  /** Whether the capture has seen the connection begin. */
  readonly #isWhole: boolean;

  constructor(segment: TcpSegment, options: CaptureOptions, counts: CaptureCounts) {
    this.#number = ++counts.connections;
    this.#counts = counts;
    this.#conversation = new Conversation(options);
    this.#isWhole = segment.isSyn;
    this.#first = this.#direction(segment.source, segment.destination);
    this.#second = this.#direction(segment.destination, segment.source);
    const isAnswer = segment.acknowledged !== undefined;
    if (segment.isSyn) this.#client = isAnswer ? this.#second : this.#first;
    if (options.port !== undefined)
      this.#client = segment.destinationPort === options.port ? this.#first : this.#second;
  }

  get heldBytes(): number {
    return [this.#first, this.#second].reduce(
      (sum, { cutter, stream }) => sum + cutter.heldBytes + stream.readyBytes,
      0,
    );
  }

  get isClosed(): boolean {
    return this.#first.isEnded && this.#second.isEnded;
  }

  /** Whether the segment opens another connection between the same ports. */
  isReplacedBy({ isSyn, acknowledged, source }: TcpSegment): boolean {
    return isSyn && acknowledged === undefined && this.#of(source).stream.position > 0;
  }

  /** Frames that are complete with this segment. */
  *take(segment: TcpSegment, timeUs: number | undefined): Generator<Piece> {
    const from = this.#of(segment.source);
    const to = from === this.#first ? this.#second : this.#first;
    if (segment.acknowledged !== undefined) to.stream.acknowledge(segment.acknowledged);
    from.stream.push(segment.sequence, segment.payload, segment.isSyn, timeUs);
    for (const direction of [to, from]) if (!this.#mustWait(direction)) yield* this.#advance(direction);
    from.isEnded ||= segment.isLast;
  }

  /** Frames that are not whole, when nothing comes any more. */
  *finish(): Generator<Piece> {
    const client = this.#client ?? this.#first;
    const server = client === this.#first ? this.#second : this.#first;
    for (const direction of [client, server]) {
      direction.stream.finish();
      yield* this.#advance(direction);
      for (const cut of direction.cutter.finish()) yield* this.#pieces(cut, direction);
    }
  }

  #direction(source: string, destination: string): Direction {
    const stream = new TcpStream();
    const route = { connection: this.#number, source, destination };
    const cutter = new FrameCutter(this.#judge(route), false);
    return { route, stream, cutter, isBegun: false, isEnded: false };
  }

  #judge(route: Route): FrameJudge {
    return {
      allowsLength: (length) => this.#conversation.allowsLength(length),
      beginsFrame: (bytes, at) => {
        const direction = this.#of(route.source);
        const side = this.#sideOf(direction) ?? 'request';
        if (!this.#conversation.beginsFrame(bytes, at, side)) return false;
        this.#found(direction, side);
        return true;
      },
    };
  }

  #found(direction: Direction, side: Side): void {
    if (side === 'request') this.#client = direction;
    if (!this.#isKafka) this.#counts.kafkaConnections++;
    this.#isKafka = true;
  }

  #of(source: string): Direction {
    return source === this.#first.route.source ? this.#first : this.#second;
  }

  #sideOf(direction: Direction): Side | undefined {
    if (this.#client === undefined) return undefined;
    return direction === this.#client ? 'request' : 'response';
  }

  /** A capture may have the first response before its request, which says what it is. */
  #mustWait(direction: Direction): boolean {
    const isServer = this.#isWhole && direction !== this.#client;
    return isServer && !this.#conversation.hasRequest && direction.stream.readyBytes < MAX_EARLY_BYTES;
  }

  *#advance(direction: Direction): Generator<Piece> {
    for (let part = direction.stream.next(); part; part = direction.stream.next()) {
      if (!direction.isBegun && direction === this.#client && 'bytes' in part && isTls(part.bytes))
        this.#counts.tlsConnections++;
      direction.isBegun = true;
      for (const cut of direction.cutter.push(part)) yield* this.#pieces(cut, direction);
      for (let cut = direction.cutter.next(); cut; cut = direction.cutter.next())
        yield* this.#pieces(cut, direction);
    }
  }

  *#pieces(cut: Cut, { route, cutter }: Direction): Generator<Frame | Fault> {
    if (!this.#isKafka) return;
    if (cut.kind === 'skipped') {
      const isDamage = this.#isWhole || cut.at > 0;
      const what = isDamage ? cut.what : 'the capture begins within the connection';
      yield { kind: 'fault', at: cut.at, skipped: cut.count, what, isDamage, route };
      return;
    }
    const { bytes, at, timeUs, missing } = cut;
    yield {
      kind: 'frame',
      bytes,
      start: Math.min(4, bytes.length),
      at,
      conversation: this.#conversation,
      side: this.#sideOf(this.#of(route.source)) ?? 'request',
      route,
      giveBack: (count) => cutter.giveBack(count),
      ...(timeUs !== undefined && { timeUs }),
      ...(missing > 0 && { missing }),
    };
  }
}
