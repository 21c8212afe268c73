/** Random values of any message at any version, made from its plan: what the wire can carry, edges oftener than chance
 * would have them. Numbers stay within what their kinds allow; a failing run is repeated with its seed.
 */
import type { Plan } from '../../../src/protocol/plan.ts';
import { unknownTags } from '../../../src/protocol/schema.ts';
import { presentSteps } from '../api/java-values.ts';

/** Numbers in [0, 1). */
export type Random = () => number;

const INTEGERS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  int8: [-128, 127],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-2_147_483_648, 2_147_483_647],
  uint32: [0, 4_294_967_295],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};
const TEXTS = ['', '__proto__', 'constructor', 'a\0b', 'café', '東京', '🚀', '\u{10ffff}', 'text'];

/** A value of a plan, with the fields of its version only. */
export function randomValue(plan: Plan, random: Random, depth: number = 0): unknown {
  if (plan.nullable && random() < 0.2) return null;
  const span = INTEGERS[plan.kind];
  if (span) return randomInteger(span, random);
  switch (plan.kind) {
    case 'struct':
      return randomStruct(plan, random, depth);
    case 'array': {
      const { element } = plan;
      if (!element) throw new Error('an array without an element');
      const count = below(random, depth === 0 ? 4 : 3);
      return Array.from({ length: count }, () => randomValue(element, random, depth + 1));
    }
    case 'bool':
      return random() < 0.5;
    case 'bigint':
      return randomBigint(random);
    case 'float64':
      return pick([0, -0, 1.5, -1e300, Number.MIN_VALUE, Infinity, -Infinity, NaN, random()], random);
    case 'uuid':
      return Buffer.from(randomBytes(16, random)).toString('base64url');
    case 'string':
      return randomText(random);
    case 'bytes':
    case 'records':
      return randomBytes(pick([0, 1, 20, 127, 128, below(random, 300)], random), random);
    default:
      throw new Error(`nobody makes a random ${plan.kind}`);
  }
}

function randomStruct(plan: Plan, random: Random, depth: number): object {
  const steps = presentSteps(plan);
  const fields = Object.fromEntries(
    steps
      // An absent field is its default, which Java must then read.
      .filter((step) => (step.kind === 'records' && !step.nullable) || random() >= 0.1)
      .map((step) => [step.name, randomValue(step, random, depth)]),
  );
  if (!plan.compact || random() >= 0.15) return fields;
  // Java refuses a tag in a version that has not got it yet.
  const known = new Set(plan.steps?.map(({ tag }) => tag));
  const tags = [0, 1, 2, 3, 5, 127, 128, 70_000, 2_147_483_646].filter(
    (tag) => !known.has(tag) && random() < 0.3,
  );
  if (tags.length === 0) return fields;
  return {
    ...fields,
    [unknownTags]: tags.map((tag) => ({ tag, data: randomBytes(below(random, 150), random) })),
  };
}

function randomInteger([min, max]: readonly [number, number], random: Random): number {
  const chance = random();
  if (chance < 0.1) return min;
  if (chance < 0.2) return max;
  const near = Math.floor(random() * 200) - 100;
  if (chance < 0.6) return Math.max(min, near);
  return Math.min(max, min + Math.floor(random() * (max - min)));
}

function randomBigint(random: Random): bigint {
  const word = (): bigint => BigInt(Math.floor(random() * 2 ** 32));
  return BigInt.asIntN(
    64,
    pick([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, (word() << 32n) | word()], random),
  );
}

function randomText(random: Random): string {
  const text = pick(TEXTS, random);
  return random() < 0.1 ? text.repeat(1 + below(random, 80)) : text;
}

function randomBytes(length: number, random: Random): Uint8Array {
  return Uint8Array.from({ length }, () => below(random, 256));
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function pick<T>(choices: readonly T[], random: Random): T {
  const choice = choices[below(random, choices.length)];
  if (choice === undefined) throw new Error('nothing to pick from');
  return choice;
}
