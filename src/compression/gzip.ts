/** gzip as a codec, on the runtime's own inflate and deflate.
 * Not here: where the work runs (the platform decides by size).
 * Invariant: what fails, fails as a ProtocolError; the platform's own errors are its cause.
 * Source: RFC 1952; Kafka writes one member and reads several.
 */
import type { Platform } from '../platform.ts';
import { checkLevel, type Codec } from './codec.ts';
import { classified } from './platform-failure.ts';

/** A gzip codec on the compressors of `port`: the platform's, or those of a virtual world. */
export function gzipCodec(port: Pick<Platform, 'gzip' | 'gunzip'>): Codec {
  const codec: Codec = {
    id: 1,
    name: 'gzip',
    levels: [1, 9],
    compress(bytes, level) {
      if (level !== undefined) checkLevel(codec, level);
      return port.gzip(bytes, level);
    },
    decompress: (bytes, { maxBytes }) =>
      classified('gzip', bytes.length, maxBytes, () => port.gunzip(bytes, maxBytes)),
  };
  return codec;
}
