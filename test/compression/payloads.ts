/** Bytes as brokers see them, for tests of codecs: the sizes where blocks end, compressible and not. */
import * as fc from 'fast-check';

/** Sizes at which codecs change their mind: nothing, a block of snappy (32 KiB) and lz4 (64 KiB), several. */
export const edgeSizes: readonly number[] = [
  0, 1, 4, 12, 13, 16, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 131_072, 1_048_576,
];

/** A generator of numbers below 2^32 that depends on the seed alone. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
}

/** Text of orders, which becomes about a third. */
export function orders(byteLength: number, seed = 1): Uint8Array {
  const next = numbers(seed);
  let text = '';
  while (text.length < byteLength) {
    text += `{"orderId":${next()},"customer":"c-${next() >>> 16}","status":"${['paid', 'shipped'][next() >>> 31]}"}`;
  }
  return new TextEncoder().encode(text.slice(0, byteLength));
}

/** Bytes that do not compress. */
export function noise(byteLength: number, seed = 1): Uint8Array {
  const next = numbers(seed);
  return Uint8Array.from({ length: byteLength }, () => next() >>> 24);
}

/** A pattern of `period` bytes over and over. */
export function repetitive(byteLength: number, period = 1): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, index) => 7 * (index % period));
}

/** Every kind at every edge. */
export function edgePayloads(): { readonly name: string; readonly bytes: Uint8Array }[] {
  return edgeSizes.flatMap((size) => [
    { name: `${size} bytes of orders`, bytes: orders(size) },
    { name: `${size} bytes of noise`, bytes: noise(size) },
    { name: `${size} bytes of one value`, bytes: repetitive(size) },
    { name: `${size} bytes of period 3`, bytes: repetitive(size, 3) },
    { name: `${size} bytes of period 1,000`, bytes: repetitive(size, 1_000) },
  ]);
}

/** Any of these, of up to some blocks, and pieces of them one after another. */
export function payload(): fc.Arbitrary<Uint8Array> {
  const size = fc.oneof(fc.nat(300), fc.nat(70_000), fc.constantFrom(...edgeSizes.slice(0, -1)));
  const seed = fc.nat(1_000_000);
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.tuple(size, seed).map(([length, start]) => orders(length, start)),
    fc.tuple(size, seed).map(([length, start]) => noise(length, start)),
    fc.tuple(size, fc.integer({ min: 1, max: 40 })).map(([length, period]) => repetitive(length, period)),
  );
  return fc.array(piece, { maxLength: 4 }).map((pieces) => new Uint8Array(Buffer.concat(pieces)));
}

/** A view in the middle of a larger buffer, between bytes that belong to others. */
export function amidst(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 40).fill(0xa5);
  larger.set(bytes, 13);
  return larger.subarray(13, 13 + bytes.length);
}

/** Whether two byte strings are the same; much faster than a matcher on megabytes. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
