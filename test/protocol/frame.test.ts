/** Frames: what is written in front of a body, and how a byte stream is cut. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { produceApi } from '../../src/protocol/api/00-produce.ts';
import { apiVersionsApi } from '../../src/protocol/api/18-api-versions.ts';
import { heartbeatApi } from '../../src/protocol/api/12-heartbeat.ts';
import { encodeRequest, encodeResponse, FrameReader } from '../../src/protocol/frame.ts';
import { decodeRequestHeader, peekRequest, requestHeaderVersion } from '../../src/protocol/header.ts';
import { ByteReader } from '../../src/protocol/reader.ts';
import { fromHex, hex, toHex } from './api/java-fixtures.ts';

const joined = (parts: readonly Uint8Array[]): Uint8Array => fromHex(parts.map(toHex).join(''));

describe('a request', () => {
  test('ApiVersions v0 is length, header v1 and nothing', () => {
    const parts = encodeRequest(apiVersionsApi, 0, 1, 'kafka-wire', {});
    expect(parts.map(toHex)).toEqual([hex('00000014 0012 0000 00000001 000a 6b61666b612d77697265')]);
  });

  test('ApiVersions v3 has header v2, whose client id is not compact, and a compact body', () => {
    const body = { clientSoftwareName: 'kafka-wire', clientSoftwareVersion: '0.1.0' };
    const header = '0012 0003 00000002 0002 6d65 00';
    const fields = '0b 6b61666b612d77697265 06 302e312e30 00';
    expect(toHex(joined(encodeRequest(apiVersionsApi, 3, 2, 'me', body)))).toBe(
      hex(`0000001f${header}${fields}`),
    );
  });

  test('without a client id has a null there', () => {
    const parts = encodeRequest(heartbeatApi, 0, -1, null, {});
    expect(toHex(joined(parts))).toBe(hex('00000012 000c 0000 ffffffff ffff 0000 00000000 0000'));
  });

  test('counts records in its length and carries them by reference', () => {
    const records = new Uint8Array(1000).fill(7);
    const body = { acks: -1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] };
    const parts = encodeRequest(produceApi, 9, 5, 'me', body);
    expect(parts[1]).toBe(records);
    const bytes = joined(parts);
    expect(new DataView(bytes.buffer).getInt32(0)).toBe(bytes.length - 4);
    const reader = new ByteReader(bytes, 4);
    expect(peekRequest(bytes.subarray(4))).toEqual({ apiKey: 0, apiVersion: 9, correlationId: 5 });
    expect(decodeRequestHeader(reader, requestHeaderVersion(produceApi, 9))).toEqual({
      apiKey: 0,
      apiVersion: 9,
      correlationId: 5,
      clientId: 'me',
    });
    expect(
      produceApi.request.decode(reader, 9, { strict: true }).topicData[0]?.partitionData[0]?.records,
    ).toEqual(records);
  });
});

describe('a response', () => {
  test('of a flexible version has header v1', () => {
    expect(toHex(joined(encodeResponse(heartbeatApi, 4, 9, { errorCode: 27 })))).toBe(
      hex('0000000c 00000009 00 00000000 001b 00'),
    );
  });

  test('to ApiVersions always has header v0, though its body is flexible', () => {
    const body = { apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }] };
    const keys = '02 0012 0000 0003 00';
    expect(toHex(joined(encodeResponse(apiVersionsApi, 3, 9, body)))).toBe(
      hex(`00000013${'00000009'}0000${keys}0000000000`),
    );
  });
});

describe('the frame reader', () => {
  const stream = (frames: readonly Uint8Array[]): Uint8Array =>
    joined(frames.flatMap((frame) => [fromHex(frame.length.toString(16).padStart(8, '0')), frame]));

  function all(reader: FrameReader): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let frame = reader.next(); frame; frame = reader.next()) frames.push(frame);
    return frames;
  }

  test('finds the same frames however the stream is cut', () => {
    const frame = fc.uint8Array({ minLength: 4, maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.nat(30), { minLength: 1 }),
        (frames, sizes) => {
          const bytes = stream(frames);
          const reader = new FrameReader(40);
          const found: Uint8Array[] = [];
          for (let position = 0, turn = 0; position < bytes.length; turn++) {
            const size = 1 + (sizes[turn % sizes.length] ?? 0);
            // The chunk is overwritten afterwards, as a socket's buffer is.
            const chunk = bytes.slice(position, position + size);
            reader.push(chunk);
            chunk.fill(0xee);
            position += size;
            if (turn % 3 === 0) found.push(...all(reader));
          }
          found.push(...all(reader));
          expect(found.map(toHex)).toEqual(frames.map(toHex));
          expect(reader.pendingBytes).toBe(0);
        },
      ),
    );
  });

  test('copies out of a Buffer too, whose slice is no copy', () => {
    const chunk = Buffer.from('00000004aabbccdd', 'hex');
    const reader = new FrameReader(100);
    reader.push(chunk);
    chunk.fill(0);
    expect(all(reader).map(toHex)).toEqual(['aabbccdd']);
  });

  test('counts what it holds', () => {
    const reader = new FrameReader(100);
    reader.push(fromHex('0000'));
    expect(reader.pendingBytes).toBe(2);
    reader.push(fromHex('0005 0102030405 00000006 010203'));
    expect(reader.pendingBytes).toBe(8);
    expect(reader.next()).toHaveLength(5);
    expect(reader.pendingBytes).toBe(3);
    expect(reader.next()).toBeUndefined();
  });

  test.each([
    ['negative', 'ffffffff', 'frame of -1 bytes, must be at least 4'],
    ['the most negative', '80000000', 'frame of -2147483648 bytes, must be at least 4'],
    ['0', '00000000', 'frame of 0 bytes, must be at least 4'],
    ['3', '00000003', 'frame of 3 bytes, must be at least 4'],
    ['over the limit', '00000401', 'frame of 1025 bytes, must be at most 1024'],
    [
      'an HTTP answer',
      '485454502f312e31',
      'frame of 1213486160 bytes, must be at most 1024; this reads "HTTP"',
    ],
    ['a TLS alert', '15030300020250', 'this is a TLS record'],
    ['a TLS handshake', '1603030050', 'this is a TLS record'],
  ])('refuses a length that is %s, after the frames before it', (_, hex, text) => {
    const reader = new FrameReader(1024);
    expect(() => reader.push(fromHex(`00000004aabbccdd${hex}`))).toThrow(
      expect.objectContaining({
        name: 'ProtocolError',
        code: 'MALFORMED',
        message: expect.stringContaining(text) as string,
      }),
    );
    expect(all(reader).map(toHex)).toEqual(['aabbccdd']);
  });

  test('takes a frame at the limit', () => {
    const reader = new FrameReader(1024);
    reader.push(stream([new Uint8Array(1024)]));
    expect(reader.next()).toHaveLength(1024);
  });

  test('takes no memory for a length alone, and never more than twice what arrived, plus a megabyte', () => {
    const limit = 100 * 0x10_0000;
    const readers = Array.from({ length: 20 }, () => new FrameReader(limit));
    const before = process.memoryUsage().arrayBuffers;
    for (const reader of readers) reader.push(fromHex('06400000 00'));
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(grown).toBeLessThan(20 * 1.5 * 0x10_0000);
    expect(readers.map((reader) => reader.pendingBytes)).toEqual(readers.map(() => 1));
  });

  test('puts a large frame together whole', () => {
    const frame = new Uint8Array(5 * 0x10_0000);
    for (let index = 0; index < frame.length; index += 999) frame[index] = index;
    const bytes = Buffer.concat([fromHex('00500000'), frame, fromHex('0000000401020304')]);
    const reader = new FrameReader(bytes.length);
    for (let position = 0; position < bytes.length; position += 65_536) {
      reader.push(bytes.subarray(position, position + 65_536));
    }
    expect(Buffer.compare(reader.next() ?? new Uint8Array(0), frame)).toBe(0);
    expect(toHex(reader.next() ?? new Uint8Array(0))).toBe('01020304');
  });
});
