/** One captured packet down to its TCP segment: link layer, IPv4 or IPv6, TCP.
 * Not here: capture files (pcap.ts), putting segments in order (tcp-stream.ts). Fragments and tunnels are not followed.
 * Invariant: every length is checked against the bytes at hand; what is no TCP is undefined and never an error.
 * Source: RFC 791, 8200, 9293; the tcpdump group's list of link types.
 */

/** A TCP segment. */
export interface TcpSegment {
  /** `address:port`, IPv6 addresses in brackets. */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Sequence number of the first byte, or of SYN; uint32. */
  readonly sequence: number;
  /** What the sender has got of the other direction; uint32, undefined without ACK. */
  readonly acknowledged: number | undefined;
  readonly isSyn: boolean;
  /** FIN or RST: the sender says no more. */
  readonly isLast: boolean;
  /** Fewer bytes than were sent when the capture cut them off; a view. */
  readonly payload: Uint8Array;
}

const TCP = 6;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** 802.1Q, 802.1ad and an older number for the latter: four bytes more. */
const vlanTags: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);
/** Hop-by-hop options, routing, destination options. */
const ipv6Extensions: ReadonlySet<number> = new Set([0, 43, 60]);

/** The TCP segment in a packet of a link type; undefined for anything else. */
export function tcpSegment(linkType: number, packet: Uint8Array): TcpSegment | undefined {
  const start = networkStart(linkType, packet);
  if (start === undefined || start >= packet.length) return undefined;
  const version = (packet[start] ?? 0) >> 4;
  const network = packet.subarray(start);
  if (version === 4) return inIpv4(network);
  return version === 6 ? inIpv6(network) : undefined;
}

/** Link types that are understood: see `networkStart`. */
export const linkTypes: ReadonlySet<number> = new Set([0, 1, 12, 14, 101, 108, 113, 228, 229, 276]);

/** Where the IP header begins; undefined when the link carries something else. */
function networkStart(linkType: number, packet: Uint8Array): number | undefined {
  const view = viewOf(packet);
  switch (linkType) {
    case 0: // BSD loopback: the address family in the capturing host's order
    case 108: // OpenBSD loopback
      return 4;
    case 1:
      return behindEtherType(view, 12);
    case 12: // raw IP, as some systems number it
    case 14:
    case 101:
    case 228:
    case 229:
      return 0;
    case 113: // Linux "any"
      return behindEtherType(view, 14);
    case 276: // Linux "any", version 2: the protocol comes first
      return isIp(etherTypeAt(view, 0)) ? 20 : undefined;
    default:
      return undefined;
  }
}

function behindEtherType(view: DataView, position: number): number | undefined {
  let at = position;
  while (vlanTags.has(etherTypeAt(view, at))) at += 4;
  return isIp(etherTypeAt(view, at)) ? at + 2 : undefined;
}

function etherTypeAt(view: DataView, position: number): number {
  return position + 2 <= view.byteLength ? view.getUint16(position) : 0;
}

function isIp(etherType: number): boolean {
  return etherType === ETHERTYPE_IPV4 || etherType === ETHERTYPE_IPV6;
}

function inIpv4(bytes: Uint8Array): TcpSegment | undefined {
  const headerLength = ((bytes[0] ?? 0) & 0x0f) * 4;
  if (headerLength < 20 || bytes.length < headerLength || bytes[9] !== TCP) return undefined;
  const view = viewOf(bytes);
  // More fragments, or not the first.
  if ((view.getUint16(6) & 0x3fff) !== 0) return undefined;
  // 0 where the network card splits what the kernel sent: as long as the packet.
  const totalLength = view.getUint16(2) || bytes.length;
  if (totalLength < headerLength) return undefined;
  const address = (at: number): string => bytes.subarray(at, at + 4).join('.');
  return inTcp(bytes.subarray(headerLength, totalLength), address(12), address(16));
}

function inIpv6(bytes: Uint8Array): TcpSegment | undefined {
  if (bytes.length < 40) return undefined;
  const view = viewOf(bytes);
  let next = view.getUint8(6);
  const end = view.getUint16(4) === 0 ? bytes.length : 40 + view.getUint16(4);
  let at = 40;
  while (ipv6Extensions.has(next) && at + 2 <= bytes.length) {
    next = view.getUint8(at);
    at += 8 + view.getUint8(at + 1) * 8;
  }
  if (next !== TCP || at > end) return undefined;
  return inTcp(bytes.subarray(at, end), ipv6Address(view, 8), ipv6Address(view, 24));
}

function ipv6Address(view: DataView, position: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(position + 2 * i).toString(16)).join(':');
  return `[${groups.replace(/(?:^|:)0(?::0)+(?::|$)/, '::')}]`;
}

function inTcp(bytes: Uint8Array, sourceAddress: string, destinationAddress: string): TcpSegment | undefined {
  if (bytes.length < 20) return undefined;
  const view = viewOf(bytes);
  const headerLength = (view.getUint8(12) >> 4) * 4;
  if (headerLength < 20) return undefined;
  const flags = view.getUint8(13);
  const [sourcePort, destinationPort] = [view.getUint16(0), view.getUint16(2)];
  return {
    source: `${sourceAddress}:${sourcePort}`,
    destination: `${destinationAddress}:${destinationPort}`,
    sourcePort,
    destinationPort,
    sequence: view.getUint32(4),
    acknowledged: (flags & 0x10) === 0 ? undefined : view.getUint32(8),
    isSyn: (flags & 0x02) !== 0,
    isLast: (flags & 0x05) !== 0,
    payload: bytes.subarray(headerLength),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
