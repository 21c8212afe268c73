/** Which single byte is wrong, told from a checksum that does not hold. A CRC is linear: the difference between the
 * stored and the computed one is that of the wrong bits alone, carried to the end of the bytes.
 * Not here: computing checksums (crc32c.ts, records/crc32.ts).
 * Invariant: every byte that may be it is found. A chance hit among n bytes has a probability of n / 2^24.
 */

/** A byte that may be wrong, and what it should be. */
export interface Repair {
  /** Position in the bytes. */
  readonly offset: number;
  readonly expected: number;
}

/** CRC-32C, of record batches, and CRC-32, of messages of v0 and v1; highest power in the lowest bit. */
export type Polynomial = 0x82f63b78 | 0xedb88320;

/** The bytes from `start` to `end`, and of the checksum at `crcAt`, that alone may be wrong. `stored` is the checksum
 * there, `computed` that of the bytes.
 */
export function singleByteRepairs(
  bytes: Uint8Array,
  area: { readonly start: number; readonly end: number; readonly crcAt: number },
  stored: number,
  computed: number,
  polynomial: Polynomial,
): Repair[] {
  const syndrome = stored ^ computed;
  const repairs: Repair[] = [];
  for (let byte = 0; byte < 4; byte++) {
    const shift = 24 - 8 * byte;
    const offset = area.crcAt + byte;
    if ((syndrome & ~(0xff << shift)) === 0) repairs.push({ offset, expected: (computed >>> shift) & 0xff });
  }
  const { table, indexOfHigh } = tablesOf(polynomial);
  let crc = syndrome;
  for (let offset = area.end - 1; offset >= area.start; offset--) {
    // The last step went through this entry: its high byte is the only one that the step did not mix.
    const index = indexOfHigh[crc >>> 24] ?? 0;
    const before = crc ^ (table[index] ?? 0);
    if (before === 0) repairs.push({ offset, expected: (bytes[offset] ?? 0) ^ index });
    crc = (before << 8) | index;
  }
  return repairs;
}

function tablesOf(polynomial: Polynomial): { table: Int32Array; indexOfHigh: Uint8Array } {
  const indexOfHigh = new Uint8Array(256);
  const table = Int32Array.from({ length: 256 }, (_, index) => {
    let entry = index;
    for (let bit = 0; bit < 8; bit++) entry = (entry >>> 1) ^ (polynomial & -(entry & 1));
    indexOfHigh[entry >>> 24] = index;
    return entry;
  });
  return { table, indexOfHigh };
}
