/** CRC-32 (IEEE 802.3, that of zlib and gzip): the checksum of messages of v0 and v1.
 * Not here: CRC-32C, which record batches carry (crc32c.ts). One small table: old segments are rare.
 * Invariant: the table is filled by the first call, so importing does nothing.
 */

let table: Int32Array | undefined;

/** CRC-32 of `bytes`, unsigned. */
export function crc32(bytes: Uint8Array): number {
  table ??= Int32Array.from({ length: 256 }, (_, entry) => {
    for (let bit = 0; bit < 8; bit++) entry = (entry >>> 1) ^ (0xedb88320 & -(entry & 1));
    return entry;
  });
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) {
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}
