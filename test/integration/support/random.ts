/** Reproducible random numbers for loads: a failing run is repeated with the seed that it printed. */

/** Numbers in [0, 1) from a 32-bit seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of this run: KAFKA_WIRE_SEED, else one of the clock. Print it with whatever it decides. */
export function runSeed(): number {
  return Number(process.env['KAFKA_WIRE_SEED'] ?? Date.now() % 2 ** 31);
}
