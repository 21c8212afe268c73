/** Text to write and to compress: order events as JSON, as many topics hold them; they shrink to about a third.
 * Invariant: the same seed gives the same bytes.
 */

/** A seeded random number from 0 up to 2^32. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
}

/** So many bytes of events, one a line, the last one cut. */
export function events(seed: number, bytes: number): Buffer {
  const next = random(seed);
  let text = '';
  while (text.length < bytes) {
    text += `${JSON.stringify({
      orderId: `order-${next() % 1_000_000}`,
      customer: {
        id: next() % 50_000,
        name: `customer-${next() % 5_000}`,
        country: ['DE', 'FR', 'US'][next() % 3],
      },
      items: Array.from({ length: 1 + (next() % 4) }, () => ({
        sku: `sku-${next() % 9_999}`,
        quantity: next() % 9,
      })),
      total: (next() % 1_000_000) / 100,
      status: ['created', 'paid', 'shipped', 'delivered'][next() % 4],
      timestamp: 1_760_000_000_000 + (next() % 1_000_000),
    })}\n`;
  }
  return Buffer.from(text.slice(0, bytes));
}
