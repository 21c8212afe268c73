/** The public entry `kafka-wire/compression`: the codecs of this runtime.
 * Not here: when compressing pays (client/writer).
 * Invariant: a bundle holds the codecs that it names and no others.
 */
import { platform } from '#platform';
import type { Codec } from './codec.ts';
import { codecsOf } from './codecs.ts';
import { gzipCodec } from './gzip.ts';
import { zstdCodec } from './zstd.ts';

export { codecById, withLevel, type Codec, type DecompressOptions, type SyncCodec } from './codec.ts';
export { gzipCodec } from './gzip.ts';
export { inflateSync } from './inflate-sync.ts';
export { lz4 } from './lz4.ts';
export { snappy } from './snappy.ts';
export { zstdCodec } from './zstd.ts';

/** Kafka's codec 1. Levels 1-9, default 6 (`compression.gzip.level`); a runtime without levels ignores them. */
export const gzip: Codec = /* @__PURE__ */ gzipCodec(platform);

/** Kafka's codec 4. Levels -131072 to 22, default 3 (`compression.zstd.level`). Written where the runtime has zstd (Node
 * from 22.15 on, Bun, Deno), else a UsageError; read everywhere.
 */
export const zstd: Codec = /* @__PURE__ */ zstdCodec(platform);

/** gzip, snappy, lz4 and zstd: all that a batch may name. */
export const allCodecs: readonly Codec[] = /* @__PURE__ */ codecsOf(platform);
