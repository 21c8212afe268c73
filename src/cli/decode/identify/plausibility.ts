/** How much a decoded value looks like what clients and brokers say, to choose among tables that all fit the bytes.
 * Not here: which tables fit (trial.ts).
 * Invariant: the sum only ranks; nothing is refused by it.
 */
import { errorCode, leavesOf, type Message, type Trace } from 'kafka-wire/protocol';

/** Fields that look is not taken beyond: long arrays say the same again and again. */
const MAX_FIELDS = 500;

const ERROR = /(^e|E)rrorCode$/;
const PORT = /(^p|P)ort$/;
const THROTTLE = /^throttleTimeMs$/;
/** Numbers whose bits say something, or that may be anything. */
const FREE = /(attributes|operations|hash|timestamp|crc|salt)$/i;
const HOUR_MS = 3_600_000;

/** How a value stands on the wire. */
export type Plan = ReturnType<Message<unknown>['plan']>;

/** Points for a value: the more the better, below 0 for one that is unlikely. Fields that a version lacks count nothing. */
export function plausibility(plan: Plan, value: unknown): number {
  const state = { points: 0, fields: 0 };
  judge(plan, '', value, state);
  return state.points;
}

/** Points for the leaves of a tree, as far as it goes. */
export function plausibilityOf(tree: Trace): number {
  let points = 0;
  for (const { path, kind, value } of leavesOf(tree)) {
    const name = path.slice(path.lastIndexOf('.') + 1);
    if (typeof value === 'number') points += numberPoints(name, value);
    else if (typeof value === 'string' && kind !== 'uuid') points += stringPoints(name, value);
  }
  return points;
}

function judge(plan: Plan, name: string, value: unknown, state: { points: number; fields: number }): void {
  if (value === null || value === undefined || ++state.fields > MAX_FIELDS) return;
  const { element, steps } = plan;
  if (element && Array.isArray(value)) for (const each of value) judge(element, name, each, state);
  else if (steps) judgeFields(steps, value, state);
  else if (typeof value === 'number') state.points += numberPoints(name, value);
  else if (typeof value === 'bigint') state.points += value < -2n ? -1 : 0;
  else if (typeof value === 'string') state.points += plan.kind === 'uuid' ? 0 : stringPoints(name, value);
  else if (value instanceof Uint8Array) state.points += plan.kind === 'records' ? recordsPoints(value) : 0;
}

function judgeFields(
  steps: NonNullable<Plan['steps']>,
  value: object,
  state: { points: number; fields: number },
): void {
  const struct = value as Record<string | symbol, unknown>;
  for (const step of steps) if (step.present) judge(step, step.name, struct[step.name], state);
  // Unknown tags are allowed and hardly ever sent.
  for (const symbol of Object.getOwnPropertySymbols(struct)) {
    const tags = struct[symbol];
    state.points -= Array.isArray(tags) ? 5 * tags.length : 0;
  }
}

function numberPoints(name: string, value: number): number {
  if (ERROR.test(name)) return value === 0 ? 3 : isErrorCode(value) ? 1 : -20;
  if (PORT.test(name)) return value > 0 && value < 65_536 ? 3 : value === -1 ? 0 : -10;
  if (THROTTLE.test(name)) return value === 0 ? 3 : value > 0 && value < HOUR_MS ? 1 : -10;
  if (FREE.test(name)) return 0;
  // -1 says "none" all over the protocol, and -2 and below little.
  if (value < -2) return -3;
  return Number.isInteger(value) && Math.abs(value) < 0x100_0000 ? 0.25 : 0;
}

function isErrorCode(value: number): boolean {
  return (
    errorCode(value).name !== errorCode(0x7fff).name && !/^UNKNOWN_ERROR|^\d+$/.test(errorCode(value).name)
  );
}

function stringPoints(name: string, text: string): number {
  if (text.length === 0) return 0;
  // Control characters, and what replaces bytes that are no UTF-8.
  const strange = text.match(/[\p{Cc}\uFFFD]/gu)?.length ?? 0;
  if (strange > 0) return -5 * strange;
  const isAddress = /host$/i.test(name) && /^[\w.:-]+$/.test(text);
  return Math.min(text.length, 16) / 4 + (isAddress ? 2 : 0);
}

/** Record batches say their format in byte 16, and their length before. */
function recordsPoints(bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  if (bytes.length < 61) return -2;
  return (bytes[16] ?? 255) <= 2 ? 10 : -10;
}
