/** zstd as a codec: the runtime's where it has one, else only reading, in TypeScript; so are several frames.
 * Not here: where the work runs (the platform decides by size), the format (zstd-frame.ts).
 * Invariant: what fails, fails as a ProtocolError, whichever of the two reads.
 * Source: RFC 8878; KIP-110. Node has zstd from 22.15 on.
 */
import { UsageError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { checkLevel, type Codec } from './codec.ts';
import { classified } from './platform-failure.ts';
import { inflateFrames, isOneFrame } from './zstd-frame.ts';

const cannotCompress =
  'zstd: this runtime cannot write it; Node 22.15 and later, Bun and Deno can. Use one of them, or another codec';

/** A zstd codec on `port`. Without zstd there, `compress` throws a UsageError and `decompress` is pure TypeScript. */
export function zstdCodec({ zstd }: Pick<Platform, 'zstd'>): Codec {
  const codec: Codec = {
    id: 4,
    name: 'zstd',
    levels: [-131_072, 22],
    ...(zstd === undefined && { cannotCompress }),
    compress(bytes, level) {
      if (zstd === undefined) throw new UsageError(cannotCompress, { code: 'UNSUPPORTED_VERSION' });
      if (level !== undefined) checkLevel(codec, level);
      return zstd.compress(bytes, level);
    },
    decompress(bytes, { maxBytes }) {
      if (zstd === undefined || !isOneFrame(bytes, maxBytes)) return inflateFrames(bytes, maxBytes);
      return classified('zstd', bytes.length, maxBytes, () => zstd.decompress(bytes, maxBytes));
    },
  };
  return codec;
}
