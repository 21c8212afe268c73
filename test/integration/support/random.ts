/** Reproducible random numbers for loads: a failing run is repeated with the seed that it printed. */

export { randomFrom } from '../../../tools/soak/random.ts';

/** The seed of this run: KAFKA_WIRE_SEED, else one of the clock. Print it with whatever it decides. */
export function runSeed(): number {
  return Number(process.env['KAFKA_WIRE_SEED'] ?? Date.now() % 2 ** 31);
}
