/** What a compression codec is, and how one is found by the id in a record batch.
 * Not here: the codecs themselves, and when compressing pays (client/writer).
 * Invariant: no output grows beyond the cap that the caller gives, whatever the input claims.
 * Source: Kafka's CompressionType; the id is the low three bits of a batch's attributes.
 */
import { ProtocolError, UsageError } from '../errors.ts';

/** How much a decompressor may give out. */
export interface DecompressOptions {
  /** Most bytes of output, at least 1; input that inflates further fails. */
  readonly maxBytes: number;
  /** Format of the batch, default 2. In 0, lz4 frames have a wrong checksum of their header, which is not looked at. */
  readonly magic?: number;
}

/** Compresses and decompresses the records of a batch. Bytes or a promise of them: await only a promise. */
export interface Codec {
  /** Kafka's id: 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly id: number;
  /** Kafka's name, such as `gzip` (`compression.type`). */
  readonly name: string;
  /** The lowest and the highest level; absent where there are none. */
  readonly levels?: readonly [lowest: number, highest: number];
  /** Why `compress` fails in this runtime, and where it would not; absent if it does not. */
  readonly cannotCompress?: string;
  /** `level` is the codec's own scale (`compression.gzip.level` and the like); a codec without levels ignores it.
   * Throws a UsageError for a level outside the scale.
   */
  compress(bytes: Uint8Array, level?: number): Uint8Array | Promise<Uint8Array>;
  /** Throws or rejects with a ProtocolError: `CORRUPT` when a checksum does not hold, else `MALFORMED`, also for
   * output beyond `maxBytes`.
   */
  decompress(bytes: Uint8Array, options: DecompressOptions): Uint8Array | Promise<Uint8Array>;
}

/** A codec that never takes a promise. */
export interface SyncCodec extends Codec {
  compress(bytes: Uint8Array, level?: number): Uint8Array;
  decompress(bytes: Uint8Array, options: DecompressOptions): Uint8Array;
}

/** `codec` with a level of its own scale for whoever names none, such as `withLevel(gzip, 9)` for a Writer
 * (`compression.gzip.level`, `compression.zstd.level`). Throws a UsageError for a level outside the scale, and for a
 * codec that has no levels.
 */
export function withLevel(codec: Codec, level: number): Codec {
  checkLevel(codec, level);
  return { ...codec, compress: (bytes, other = level) => codec.compress(bytes, other) };
}

/** Throws a UsageError for a level outside the codec's scale. */
export function checkLevel({ name, levels }: Codec, level: number): void {
  if (levels === undefined) throw new UsageError(`${name} has no levels`);
  const [lowest, highest] = levels;
  if (Number.isInteger(level) && level >= lowest && level <= highest) return;
  throw new UsageError(`${name}: level must be an integer from ${lowest} to ${highest}, not ${level}`);
}

const names: readonly string[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** The codec of `codecs` with Kafka's id `id`.
 * Throws a ProtocolError `UNSUPPORTED_VERSION` that names the codec when it is not among them.
 */
export function codecById(codecs: readonly Codec[], id: number): Codec {
  const codec = codecs.find((candidate) => candidate.id === id);
  if (codec !== undefined) return codec;
  const known = codecs.map(({ name }) => name).join(', ') || 'none';
  throw new ProtocolError(
    `no codec for compression ${id} (${names[id] ?? 'unknown'}); there is: ${known}. Add one to \`codecs\``,
    { code: 'UNSUPPORTED_VERSION' },
  );
}
