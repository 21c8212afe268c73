/** gzip as a codec, on the runtime's own inflate and deflate.
 * Not here: where the work runs (the platform decides by size).
 * Invariant: what fails, fails as a ProtocolError; the platform's own errors are its cause.
 * Source: RFC 1952; Kafka writes one member and reads several.
 */
import { ProtocolError, UsageError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { Codec } from './codec.ts';

/** zlib's and Java's words for a CRC-32 or a length that does not hold. */
const checksumWords = /incorrect (data|length) check/i;

function failure(cause: unknown, byteLength: number, maxBytes: number): ProtocolError {
  if (cause instanceof RangeError) {
    const what = `gzip: ${byteLength} bytes inflate beyond the limit of ${maxBytes} bytes`;
    return new ProtocolError(what, { cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = checksumWords.test(reason) ? 'CORRUPT' : 'MALFORMED';
  return new ProtocolError(`gzip: ${byteLength} bytes cannot be inflated: ${reason}`, { code, cause });
}

/** A gzip codec on the compressors of `port`: the platform's, or those of a virtual world. */
export function gzipCodec(port: Pick<Platform, 'gzip' | 'gunzip'>): Codec {
  return {
    id: 1,
    name: 'gzip',
    compress(bytes, level) {
      if (level !== undefined && !(Number.isInteger(level) && level >= 1 && level <= 9)) {
        throw new UsageError(`gzip: level must be an integer from 1 to 9, not ${level}`);
      }
      return port.gzip(bytes, level);
    },
    decompress(bytes, { maxBytes }) {
      const fail = (cause: unknown): never => {
        throw failure(cause, bytes.length, maxBytes);
      };
      try {
        const inflated = port.gunzip(bytes, maxBytes);
        return inflated instanceof Uint8Array ? inflated : inflated.catch(fail);
      } catch (cause) {
        return fail(cause);
      }
    },
  };
}
