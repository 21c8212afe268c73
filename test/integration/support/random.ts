/** Reproducible random numbers for loads: a failing run is repeated with the seed that it printed. */

export { randomFrom } from '../../../tools/soak/random.ts';

/** The seed of this run: KAFKA_WIRE_SEED, else one of the clock. Print it with whatever it decides. */
export function runSeed(): number {
  return Number(process.env['KAFKA_WIRE_SEED'] ?? Date.now() % 2 ** 31);
}

/** The seeds of a test that runs many: from 1 on, as many as it wants; KAFKA_WIRE_SEED alone repeats one, KAFKA_WIRE_SEEDS
 * sets how many.
 */
export function runSeeds(count: number): number[] {
  const { KAFKA_WIRE_SEED: first, KAFKA_WIRE_SEEDS: many } = process.env;
  const length = Number(many ?? (first === undefined ? count : 1));
  return Array.from({ length }, (_, index) => Number(first ?? 1) + index);
}
