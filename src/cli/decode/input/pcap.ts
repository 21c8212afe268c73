/** Capture files, pcap and pcapng, as packets. Not here: what a packet holds (packet.ts).
 * Invariant: a length that lies is a fault, never memory: at most `MAX_PACKET_BYTES` are waited for.
 * Source: draft-ietf-opsawg-pcap and -pcapng.
 */
import type { Fault } from '../piece.ts';
import type { ByteSource } from './byte-source.ts';

/** A captured packet; `bytes` is a view until the next one is asked for. */
export interface Packet {
  readonly kind: 'packet';
  readonly linkType: number;
  readonly bytes: Uint8Array;
  /** Microseconds since 1970; undefined where the file has no time. */
  readonly timeUs: number | undefined;
}

/** A longer packet is none: four times the largest of IP. */
const MAX_PACKET_BYTES = 0x4_0000;
/** Names, statistics and secrets may be longer. */
const MAX_BLOCK_BYTES = 0x400_0000;

const MICROSECONDS = 0xa1b2_c3d4;
const NANOSECONDS = 0xa1b2_3c4d;
const SECTION = 0x0a0d_0d0a;
const BYTE_ORDER = 0x1a2b_3c4d;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const TIME_RESOLUTION = 9;
const TIME_OFFSET = 14;

/** Which capture file begins so; undefined for none. */
export function captureForm(head: Uint8Array): 'pcap' | 'pcapng' | undefined {
  if (head.length < 12) return undefined;
  const view = viewOf(head);
  if (view.getUint32(0) === SECTION)
    return isByteOrder(view.getUint32(8)) || isByteOrder(view.getUint32(8, true)) ? 'pcapng' : undefined;
  return [false, true].some((little) => isPcap(view.getUint32(0, little))) ? 'pcap' : undefined;
}

function isByteOrder(value: number): boolean {
  return value === BYTE_ORDER;
}

function isPcap(magic: number): boolean {
  return magic === MICROSECONDS || magic === NANOSECONDS;
}

/** The packets of a pcap file. */
export async function* pcapPackets(source: ByteSource): AsyncGenerator<Packet | Fault> {
  if (!(await source.fill(24)))
    return yield fault(source, source.available, 'the file ends within its header');
  const header = viewOf(source.take(24));
  const little = isPcap(header.getUint32(0, true));
  const ticksPerUs = header.getUint32(0, little) === NANOSECONDS ? 1000 : 1;
  const linkType = header.getUint32(20, little) & 0x0fff_ffff;
  while (await source.fill(16)) {
    const record = viewOf(source.peek(16));
    const length = record.getUint32(8, little);
    const timeUs = record.getUint32(0, little) * 1e6 + record.getUint32(4, little) / ticksPerUs;
    if (length > MAX_PACKET_BYTES)
      return yield fault(
        source,
        0,
        `a packet of ${length} bytes, where at most ${MAX_PACKET_BYTES} can be`,
        8,
      );
    source.take(16);
    if (!(await source.fill(length)))
      return yield fault(source, source.available, `the file ends within a packet of ${length} bytes`);
    yield { kind: 'packet', linkType, bytes: source.take(length), timeUs };
  }
  if (source.available > 0)
    yield fault(source, source.available, 'the file ends within the header of a packet');
}

interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly ticksPerUs: number;
  readonly offsetUs: number;
}

/** The packets of a pcapng file. Blocks of other kinds are passed over. */
export async function* pcapngPackets(source: ByteSource): AsyncGenerator<Packet | Fault> {
  let little = false;
  let interfaces: Interface[] = [];
  while (await source.fill(12)) {
    const head = viewOf(source.peek(12));
    const isSection = head.getUint32(0) === SECTION;
    if (isSection) {
      little = isByteOrder(head.getUint32(8, true));
      interfaces = [];
    }
    const type = head.getUint32(0, little);
    const length = head.getUint32(4, little);
    const limit = isPacketBlock(type) ? 2 * MAX_PACKET_BYTES : MAX_BLOCK_BYTES;
    if (length < 12 || length % 4 !== 0 || length > limit)
      return yield fault(
        source,
        0,
        `a block of ${length} bytes, where 12 to ${limit} can be, in steps of 4`,
        4,
      );
    if (!(await source.fill(length)))
      return yield fault(source, source.available, `the file ends within a block of ${length} bytes`);
    const at = source.position;
    const block = source.take(length);
    const body = viewOf(block.subarray(8, length - 4));
    if (type === INTERFACE && body.byteLength >= 8) interfaces.push(interfaceOf(body, little));
    else if (isPacketBlock(type)) yield packetOf(type, body, little, interfaces) ?? badPacket(at);
  }
  if (source.available > 0) yield fault(source, source.available, 'the file ends within the head of a block');
}

function isPacketBlock(type: number): boolean {
  return type === ENHANCED_PACKET || type === OLD_PACKET || type === SIMPLE_PACKET;
}

function interfaceOf(body: DataView, little: boolean): Interface {
  let ticksPerUs = 1;
  let offsetUs = 0;
  for (let at = 8; at + 4 <= body.byteLength;) {
    const code = body.getUint16(at, little);
    const length = body.getUint16(at + 2, little);
    if (at + 4 + length > body.byteLength || code === 0) break;
    if (code === TIME_RESOLUTION && length === 1) {
      const exponent = body.getUint8(at + 4);
      const ticksPerSecond = exponent & 0x80 ? 2 ** (exponent & 0x7f) : 10 ** exponent;
      ticksPerUs = ticksPerSecond / 1e6;
    }
    if (code === TIME_OFFSET && length === 8) offsetUs = Number(body.getBigInt64(at + 4, little)) * 1e6;
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  const linkType = body.getUint16(0, little);
  return { linkType, snapLength: body.getUint32(4, little) || MAX_PACKET_BYTES, ticksPerUs, offsetUs };
}

function packetOf(
  type: number,
  body: DataView,
  little: boolean,
  interfaces: readonly Interface[],
): Packet | undefined {
  const isSimple = type === SIMPLE_PACKET;
  const start = isSimple ? 4 : 20;
  if (body.byteLength < start) return undefined;
  const index = isSimple ? 0 : type === OLD_PACKET ? body.getUint16(0, little) : body.getUint32(0, little);
  const from = interfaces[index];
  if (from === undefined) return undefined;
  const captured = isSimple
    ? Math.min(body.getUint32(0, little), from.snapLength)
    : body.getUint32(12, little);
  if (captured > body.byteLength - start) return undefined;
  const ticks = isSimple ? undefined : body.getUint32(4, little) * 2 ** 32 + body.getUint32(8, little);
  return {
    kind: 'packet',
    linkType: from.linkType,
    bytes: new Uint8Array(body.buffer, body.byteOffset + start, captured),
    timeUs: ticks === undefined ? undefined : ticks / from.ticksPerUs + from.offsetUs,
  };
}

function badPacket(at: number): Fault {
  const what = 'a packet whose length or interface is not in the file';
  return { kind: 'fault', at, skipped: 0, what, isDamage: true };
}

/** A fault `ahead` bytes behind the next one. */
function fault(source: ByteSource, skipped: number, what: string, ahead = 0): Fault {
  return { kind: 'fault', at: source.position + ahead, skipped, what, isDamage: true };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
