/** Frames: the int32 length, the header and the body of each request and response.
 * Knows no socket: it turns messages into parts to write, and chunks as they arrive into whole frames.
 * Invariant: a length is checked before memory is taken for it, and memory grows with the bytes that arrive.
 * Source: Kafka protocol guide, "Protocol Primitive Types" and "Requests".
 */
import { ProtocolError } from '../errors.ts';
import {
  encodeRequestHeader,
  encodeResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from './header.ts';
import type { Api, Input } from './schema.ts';
import { ByteWriter } from './writer.ts';

/** A request as parts ready to write: length, header and body, with `records` fields by reference between them. */
export function encodeRequest<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: Input<Request>,
): Uint8Array[] {
  const writer = openFrame();
  const header = { apiKey: api.key, apiVersion: version, correlationId, clientId };
  encodeRequestHeader(writer, header, requestHeaderVersion(api, version));
  api.request.encode(body, version, writer);
  return closeFrame(writer);
}

/** A response as parts ready to write; see `encodeRequest`. */
export function encodeResponse<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  body: Input<Response>,
): Uint8Array[] {
  const writer = openFrame();
  encodeResponseHeader(writer, { correlationId }, responseHeaderVersion(api, version));
  api.response.encode(body, version, writer);
  return closeFrame(writer);
}

function openFrame(): ByteWriter {
  const writer = new ByteWriter(256, true);
  writer.reserve(4);
  return writer;
}

function closeFrame(writer: ByteWriter): Uint8Array[] {
  const length = writer.position + writer.referencedBytes - 4;
  if (length > 0x7fff_ffff)
    throw new ProtocolError(`frame of ${length} bytes; the length is an int32`, { code: 'VALUE_RANGE' });
  writer.view.setInt32(0, length);
  return writer.parts();
}

/** Shortest frame: a response header v0. */
const LEAST_FRAME_BYTES = 4;
/** Memory taken for a frame when its first bytes arrive; beyond it, as much again as has arrived. */
const AHEAD_BYTES = 0x10_0000;
const NO_BYTES: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** Cuts a byte stream into frames. Each frame is memory of its own, so a chunk may be reused after `push`. */
export class FrameReader {
  readonly maxFrameBytes: number;
  /** Whole frames that were not taken yet. */
  readonly #frames: Uint8Array[] = [];
  /** Memory of the frame that is arriving: at first none, then perhaps less than was announced. */
  #frame: Uint8Array | undefined;
  /** The frame's length; while there is no frame, the length that is arriving. */
  #length = 0;
  /** Bytes that arrived of the frame, or of its length. */
  #arrived = 0;

  /** Frames longer than `maxFrameBytes` are refused. */
  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Bytes held: of the frame that is arriving, and of frames that were not taken yet. */
  get pendingBytes(): number {
    let bytes = this.#arrived;
    for (const frame of this.#frames) bytes += frame.length;
    return bytes;
  }

  /** Takes in a chunk by copying it. Throws a `ProtocolError` for a length that cannot be; the stream is useless then,
   * but the frames before it can still be taken.
   */
  push(chunk: Uint8Array): void {
    let position = 0;
    while (position < chunk.length) {
      if (this.#frame) position = this.#fill(this.#frame, chunk, position);
      else {
        this.#length = (this.#length << 8) | (chunk[position++] as number);
        if (++this.#arrived === 4) {
          checkLength(this.#length, this.maxFrameBytes);
          this.#frame = NO_BYTES;
          this.#arrived = 0;
        }
      }
    }
  }

  /** The next whole frame without its length, or undefined until more arrived. */
  next(): Uint8Array | undefined {
    return this.#frames.shift();
  }

  /** Copies what the frame still lacks, at most; returns where the chunk goes on. */
  #fill(frame: Uint8Array, chunk: Uint8Array, position: number): number {
    const count = Math.min(this.#length - this.#arrived, chunk.length - position);
    const needed = this.#arrived + count;
    let memory = frame;
    if (needed > frame.length) {
      memory = new Uint8Array(Math.min(this.#length, Math.max(AHEAD_BYTES, needed * 2)));
      memory.set(frame.subarray(0, this.#arrived));
    }
    memory.set(chunk.subarray(position, position + count), this.#arrived);
    const isWhole = needed === this.#length;
    if (isWhole) this.#frames.push(memory);
    this.#frame = isWhole ? undefined : memory;
    this.#arrived = isWhole ? 0 : needed;
    return position + count;
  }
}

/** Throws unless the length can be one. */
function checkLength(length: number, limit: number): void {
  if (length >= LEAST_FRAME_BYTES && length <= limit) return;
  const reason = length < LEAST_FRAME_BYTES ? `at least ${LEAST_FRAME_BYTES}` : `at most ${limit}`;
  throw new ProtocolError(`frame of ${length} bytes, must be ${reason}${hintOf(length)}`, { byteOffset: 0 });
}

/** What a length would be as the first bytes of another protocol. */
function hintOf(length: number): string {
  if (length === 0x4854_5450) return '; this reads "HTTP": is the port a web server?';
  const firstBytes = length >>> 16;
  // Content type 0x15 (alert) or 0x16 (handshake), then the major version 3.
  const isTls = firstBytes === 0x1503 || firstBytes === 0x1603;
  return isTls ? '; this is a TLS record: does the port want TLS?' : '';
}
