/** Inflating at once, for what cannot wait: traces and the command line.
 * Not for clients: a large batch blocks the thread, which their codecs avoid where the runtime can.
 * Invariant: no more than the cap comes out.
 */
import { platform } from '#platform';
import type { Codec } from './codec.ts';
import { gzipCodec } from './gzip.ts';
import { lz4 } from './lz4.ts';
import { snappy } from './snappy.ts';
import { zstdCodec } from './zstd.ts';

/** What the codec with Kafka's id `codecId` makes of `bytes`; undefined for an unknown codec, and where the runtime can
 * only inflate in a promise. `magic` is the batch's format, default 2. Throws ProtocolError: `CORRUPT` for a checksum
 * that does not hold, else `MALFORMED`, also beyond `maxBytes` of output.
 */
export function inflateSync(
  codecId: number,
  bytes: Uint8Array,
  maxBytes: number,
  magic = 2,
): Uint8Array | undefined {
  const inflated = syncCodec(codecId)?.decompress(bytes, { maxBytes, magic });
  return inflated instanceof Uint8Array ? inflated : undefined;
}

function syncCodec(codecId: number): Codec | undefined {
  const { gzip, gunzipSync, zstd } = platform;
  switch (codecId) {
    case 1:
      return gunzipSync && gzipCodec({ gzip, gunzip: gunzipSync });
    case 2:
      return snappy;
    case 3:
      return lz4;
    case 4:
      return zstdCodec(zstd ? { zstd: { ...zstd, decompress: zstd.decompressSync } } : {});
    default:
      return undefined;
  }
}
