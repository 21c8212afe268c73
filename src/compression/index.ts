/** The public entry `kafka-wire/compression`: the codecs of this runtime.
 * Not here: snappy, lz4 and zstd, which a batch may name and `codecById` refuses by name.
 * Invariant: a bundle holds the codecs that it names and no others.
 */
import { platform } from '#platform';
import type { Codec } from './codec.ts';
import { gzipCodec } from './gzip.ts';

export { codecById, type Codec, type DecompressOptions } from './codec.ts';
export { gzipCodec } from './gzip.ts';

/** Kafka's codec 1. Levels 1-9, default 6 (`compression.gzip.level`); a runtime without levels ignores them. */
export const gzip: Codec = /* @__PURE__ */ gzipCodec(platform);
