/**
 * A reproducible set of records: number `index` of a seed is the same here and in tools/java-clients/SampleRecord.java,
 * so that what Java writes can be checked without a file between. A change here is a change there.
 * Text has no tab, comma, colon or line break, so console tools print it unambiguously.
 */

/** A record as text; it travels as UTF-8. */
export interface SampleRecord {
  readonly key: string;
  /** null: a tombstone, every 1009th. */
  readonly value: string | null;
  /** Milliseconds; not in order. */
  readonly timestamp: number;
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
}

/** Record `index` of `seed`, both 32-bit integers. */
export function sampleRecord(seed: number, index: number): SampleRecord {
  const mixed = mix(seed, index);
  const headers: { key: string; value: string | null }[] = [];
  if (mixed % 3 >= 1) headers.push({ key: 'index', value: index % 97 === 96 ? null : String(index) });
  if (mixed % 3 >= 2) headers.push({ key: 'tracé', value: `é${mixed.toString(16)}` });
  const letter = String.fromCharCode(97 + (mixed % 26));
  return {
    key: `${mixed % 7 === 0 ? 'clé' : 'key'}-${mixed % 5000}`,
    value: index % 1009 === 1008 ? null : `value-${index}-${letter.repeat((mixed >>> 8) % 100)}`,
    timestamp: 1_700_000_000_000 + index * 7 + (mixed % 1000),
    headers,
  };
}

function mix(seed: number, index: number): number {
  let h = seed ^ Math.imul(index, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
