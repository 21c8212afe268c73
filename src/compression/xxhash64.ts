/** xxHash64, whose lower half is the checksum of zstd frames.
 * Only for frames that carry one, which those of Kafka's clients do not: BigInt is good enough.
 * Invariant: every step is cut to 64 bits.
 * Source: the xxHash specification, section XXH64.
 */
import { viewOf } from './words.ts';

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

function product(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(64, a * b);
}

function rotated(value: bigint, bits: bigint): bigint {
  return BigInt.asUintN(64, (value << bits) | (value >> (64n - bits)));
}

function round(lane: bigint, word: bigint): bigint {
  return product(rotated(BigInt.asUintN(64, lane + product(word, PRIME_2)), 31n), PRIME_1);
}

/** xxHash64 of `bytes`. `seed`: any 64-bit integer, default 0. */
export function xxhash64(bytes: Uint8Array, seed = 0n): bigint {
  const { length } = bytes;
  const view = viewOf(bytes);
  let position = 0;
  let hash = seed + PRIME_5;
  if (length >= 32) {
    const lanes = [seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1].map((lane) =>
      BigInt.asUintN(64, lane),
    );
    let [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint];
    for (; position + 32 <= length; position += 32) {
      a = round(a, view.getBigUint64(position, true));
      b = round(b, view.getBigUint64(position + 8, true));
      c = round(c, view.getBigUint64(position + 16, true));
      d = round(d, view.getBigUint64(position + 24, true));
    }
    hash = rotated(a, 1n) + rotated(b, 7n) + rotated(c, 12n) + rotated(d, 18n);
    for (const lane of [a, b, c, d]) hash = product(hash ^ round(0n, lane), PRIME_1) + PRIME_4;
  }
  hash = BigInt.asUintN(64, hash + BigInt(length));
  for (; position + 8 <= length; position += 8) {
    hash = product(rotated(hash ^ round(0n, view.getBigUint64(position, true)), 27n), PRIME_1) + PRIME_4;
    hash = BigInt.asUintN(64, hash);
  }
  if (position + 4 <= length) {
    hash =
      product(rotated(hash ^ product(BigInt(view.getUint32(position, true)), PRIME_1), 23n), PRIME_2) +
      PRIME_3;
    hash = BigInt.asUintN(64, hash);
    position += 4;
  }
  for (; position < length; position++) {
    hash = product(rotated(hash ^ product(BigInt(bytes[position] as number), PRIME_5), 11n), PRIME_1);
  }
  hash = product(hash ^ (hash >> 33n), PRIME_2);
  hash = product(hash ^ (hash >> 29n), PRIME_3);
  return hash ^ (hash >> 32n);
}
