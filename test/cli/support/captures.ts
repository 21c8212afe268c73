/** Packets and capture files as tcpdump and Wireshark write them, made of TCP payloads: for tests of `decode`.
 * Not here: reading them. Checksums of IP and TCP are zero, as network cards that fill them in leave them.
 * Source: RFC 791, 8200, 9293; draft-ietf-opsawg-pcap and -pcapng; the tcpdump group's list of link types.
 */

/** One end of a connection. */
export interface End {
  /** IPv4 dotted, or IPv6 as eight groups with colons. */
  readonly address: string;
  readonly port: number;
}

/** A TCP segment to wrap. */
export interface Segment {
  readonly from: End;
  readonly to: End;
  readonly sequence: number;
  /** Undefined: no ACK. */
  readonly acknowledged?: number;
  readonly isSyn?: boolean;
  readonly isFin?: boolean;
  readonly payload?: Uint8Array;
  readonly timeUs?: number;
}

/** Link types by the names that tcpdump gives them. */
export const linkTypes = {
  null: 0,
  ethernet: 1,
  raw: 101,
  loop: 108,
  sll: 113,
  ipv4: 228,
  ipv6: 229,
  sll2: 276,
} as const;

/** Name of a link type. */
export type LinkName = keyof typeof linkTypes;

/** The bytes of all parts. */
export function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const big16 = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];
const big32 = (value: number): number[] => [...big16(value >>> 16), ...big16(value)];

/** A packet of a link type. */
export function packet(segment: Segment, link: LinkName = 'ethernet'): Uint8Array {
  const isIpv6 = segment.from.address.includes(':');
  const network = isIpv6 ? ipv6(segment) : ipv4(segment);
  return joined(linkHeader(link, isIpv6), network);
}

function linkHeader(link: LinkName, isIpv6: boolean): number[] {
  const etherType = big16(isIpv6 ? 0x86dd : 0x0800);
  const mac = [2, 0, 0, 0, 0, 1];
  switch (link) {
    case 'null':
      return [isIpv6 ? 30 : 2, 0, 0, 0];
    case 'loop':
      return [0, 0, 0, isIpv6 ? 24 : 2];
    case 'ethernet':
      return [...mac, ...mac, ...etherType];
    case 'sll':
      return [...big16(0), ...big16(1), ...big16(6), ...mac, 0, 0, ...etherType];
    case 'sll2':
      return [...etherType, 0, 0, ...big32(1), ...big16(1), 0, 6, ...mac, 0, 0];
    default:
      return [];
  }
}

function ipv4(segment: Segment): Uint8Array {
  const body = tcp(segment);
  const address = ({ address }: End): number[] => address.split('.').map(Number);
  const head = [0x45, 0, ...big16(20 + body.length), 0, 1, 0x40, 0, 64, 6, 0, 0];
  return joined(head, address(segment.from), address(segment.to), body);
}

function ipv6(segment: Segment): Uint8Array {
  const body = tcp(segment);
  const address = ({ address }: End): number[] =>
    address.split(':').flatMap((group) => big16(Number.parseInt(group, 16)));
  return joined(
    [0x60, 0, 0, 0, ...big16(body.length), 6, 64],
    address(segment.from),
    address(segment.to),
    body,
  );
}

function tcp({
  from,
  to,
  sequence,
  acknowledged,
  isSyn,
  isFin,
  payload = new Uint8Array(0),
}: Segment): Uint8Array {
  const flags = (acknowledged === undefined ? 0 : 0x10) | (isSyn ? 2 : 0) | (isFin ? 1 : 0);
  const head = [...big16(from.port), ...big16(to.port), ...big32(sequence), ...big32(acknowledged ?? 0)];
  return joined(head, [0x50, flags, 0xff, 0xff, 0, 0, 0, 0], payload);
}

/** A connection whose packets are gathered as both sides send. */
export class CapturedConnection {
  readonly segments: Segment[] = [];
  readonly #client: End;
  readonly #server: End;
  readonly #maxPayload: number;
  #sequences = { client: 0xffff_ff00, server: 7 };

  constructor(
    client: End = { address: '127.0.0.1', port: 50_000 },
    server: End = { address: '127.0.0.1', port: 9092 },
    maxPayload = 1448,
  ) {
    this.#client = client;
    this.#server = server;
    this.#maxPayload = maxPayload;
  }

  open(): this {
    const { client, server } = this.#sequences;
    this.#push('client', { sequence: client, isSyn: true });
    this.#sequences.client = (client + 1) >>> 0;
    this.#push('server', { sequence: server, isSyn: true, acknowledged: this.#sequences.client });
    this.#sequences.server = server + 1;
    return this;
  }

  /** Bytes of one side, cut into segments. */
  send(side: 'client' | 'server', bytes: Uint8Array, timeUs?: number): this {
    for (let at = 0; at < bytes.length; at += this.#maxPayload) {
      const payload = bytes.slice(at, at + this.#maxPayload);
      const other = side === 'client' ? 'server' : 'client';
      const place = { sequence: this.#sequences[side], acknowledged: this.#sequences[other] };
      this.#push(side, { ...place, payload, ...(timeUs !== undefined && { timeUs }) });
      this.#sequences[side] = (this.#sequences[side] + payload.length) >>> 0;
    }
    return this;
  }

  close(): this {
    const { client, server } = this.#sequences;
    this.#push('client', { sequence: client, acknowledged: server, isFin: true });
    this.#push('server', { sequence: server, acknowledged: (client + 1) >>> 0, isFin: true });
    return this;
  }

  packets(link: LinkName = 'ethernet'): Uint8Array[] {
    return this.segments.map((segment) => packet(segment, link));
  }

  #push(side: 'client' | 'server', segment: Omit<Segment, 'from' | 'to'>): void {
    const [from, to] = side === 'client' ? [this.#client, this.#server] : [this.#server, this.#client];
    this.segments.push({ ...segment, from, to });
  }
}

/** How a capture file is written. */
export interface CaptureStyle {
  readonly link?: LinkName;
  readonly isBigEndian?: boolean;
  /** Nanoseconds instead of microseconds. */
  readonly isNano?: boolean;
  readonly timesUs?: readonly number[];
}

const START_US = 1_700_000_000_000_000;

/** A pcap file. */
export function pcap(packets: readonly Uint8Array[], style: CaptureStyle = {}): Uint8Array {
  const { link = 'ethernet', isBigEndian = false, isNano = false, timesUs = [] } = style;
  const size = packets.reduce((sum, { length }) => sum + 16 + length, 24);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const little = !isBigEndian;
  view.setUint32(0, isNano ? 0xa1b2_3c4d : 0xa1b2_c3d4, little);
  view.setUint16(4, 2, little);
  view.setUint16(6, 4, little);
  view.setUint32(16, 0x4_0000, little);
  view.setUint32(20, linkTypes[link], little);
  let at = 24;
  for (const [index, each] of packets.entries()) {
    const timeUs = timesUs[index] ?? START_US + index;
    view.setUint32(at, Math.floor(timeUs / 1e6), little);
    view.setUint32(at + 4, (timeUs % 1e6) * (isNano ? 1000 : 1), little);
    view.setUint32(at + 8, each.length, little);
    view.setUint32(at + 12, each.length, little);
    bytes.set(each, at + 16);
    at += 16 + each.length;
  }
  return bytes;
}

/** A block of a pcapng file: its length stands in front and behind. */
export function pcapngBlock(type: number, body: Uint8Array, isBigEndian = false): Uint8Array {
  const padded = Math.ceil(body.length / 4) * 4;
  const bytes = new Uint8Array(padded + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, !isBigEndian);
  view.setUint32(4, bytes.length, !isBigEndian);
  bytes.set(body, 8);
  view.setUint32(bytes.length - 4, bytes.length, !isBigEndian);
  return bytes;
}

/** A pcapng file with one interface; `isNano` sets its resolution by an option. */
export function pcapng(packets: readonly Uint8Array[], style: CaptureStyle = {}): Uint8Array {
  const { link = 'ethernet', isBigEndian = false, isNano = false, timesUs = [] } = style;
  const little = !isBigEndian;
  const words = (count: number, set: (view: DataView) => void): Uint8Array => {
    const bytes = new Uint8Array(4 * count);
    set(new DataView(bytes.buffer));
    return bytes;
  };
  const section = words(4, (view) => {
    view.setUint32(0, 0x1a2b_3c4d, little);
    view.setUint16(4, 1, little);
    view.setBigInt64(8, -1n, little);
  });
  const described = words(4, (view) => {
    view.setUint16(0, linkTypes[link], little);
    view.setUint16(8, 9, little);
    view.setUint16(10, 1, little);
    view.setUint8(12, isNano ? 9 : 6);
  });
  const blocks = packets.map((each, index) => {
    const ticks = BigInt(timesUs[index] ?? START_US + index) * (isNano ? 1000n : 1n);
    const head = words(5, (view) => {
      view.setUint32(4, Number(ticks >> 32n), little);
      view.setUint32(8, Number(ticks & 0xffff_ffffn), little);
      view.setUint32(12, each.length, little);
      view.setUint32(16, each.length, little);
    });
    return pcapngBlock(6, joined(head, each), isBigEndian);
  });
  return joined(
    pcapngBlock(0x0a0d_0d0a, section, isBigEndian),
    pcapngBlock(1, described, isBigEndian),
    ...blocks,
  );
}
