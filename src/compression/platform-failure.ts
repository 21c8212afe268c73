/** What the runtime's own decompressors throw, in our terms.
 * Invariant: a `RangeError` of the platform is the cap, and nothing else.
 */
import { ProtocolError } from '../errors.ts';
import { beyondLimit } from './words.ts';

/** The words of zlib, Java and zstd for a checksum or a length that does not hold. */
const checksumWords = /incorrect (data|length) check|match checksum/i;

/** Runs `work`; what it throws or rejects with becomes a ProtocolError that has it as its cause. */
export function classified<T extends Uint8Array | Promise<Uint8Array>>(
  codec: string,
  byteLength: number,
  maxBytes: number,
  work: () => T,
): T | Promise<Uint8Array> {
  const fail = (cause: unknown): never => {
    throw failure(codec, byteLength, maxBytes, cause);
  };
  try {
    const result = work();
    return result instanceof Uint8Array ? result : result.catch(fail);
  } catch (cause) {
    return fail(cause);
  }
}

function failure(codec: string, byteLength: number, maxBytes: number, cause: unknown): ProtocolError {
  if (cause instanceof RangeError) return beyondLimit(codec, byteLength, maxBytes, cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = checksumWords.test(reason) ? 'CORRUPT' : 'MALFORMED';
  return new ProtocolError(`${codec}: ${byteLength} bytes cannot be inflated: ${reason}`, { code, cause });
}
