/** The codecs of Kafka together, for those who must read whatever a topic holds.
 * Not for a Writer: it takes the one codec that it names.
 */
import type { Platform } from '../platform.ts';
import type { Codec } from './codec.ts';
import { gzipCodec } from './gzip.ts';
import { lz4 } from './lz4.ts';
import { snappy } from './snappy.ts';
import { zstdCodec } from './zstd.ts';

/** gzip, snappy, lz4 and zstd on the compressors of `port`. */
export function codecsOf(port: Pick<Platform, 'gzip' | 'gunzip' | 'zstd'>): readonly Codec[] {
  return [gzipCodec(port), snappy, lz4, zstdCodec(port)];
}
