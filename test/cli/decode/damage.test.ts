/** Damaged frames through the command: it names the place, goes on with the next frame, and never breaks.
 * The rate over all tables is the library's test (test/protocol/trace-diagnosis.test.ts).
 */
import { expect, test } from 'vitest';
import { randomFrom } from '../../integration/support/random.ts';
import { joined } from '../support/captures.ts';
import { exchanges } from '../support/exchanges.ts';
import { pieces, type JsonNode, type JsonPiece } from '../support/run.ts';

const CORRUPTIONS = 500;
const SEED = Number(process.env['KAFKA_WIRE_SEED'] ?? 20_260_725);

function leavesOf(piece: JsonPiece | undefined): JsonNode[] {
  const leaves: JsonNode[] = [];
  const walk = (nodes: readonly JsonNode[]): void => {
    for (const node of nodes) {
      if (node.space !== 0) continue;
      if (node.children?.some(({ space }) => space === 0)) walk(node.children);
      else if (node.length > 0) leaves.push(node);
    }
  };
  walk(piece?.fields ?? []);
  return leaves;
}

const holds = ({ offset, length }: JsonNode, at: number): boolean => at >= offset && at < offset + length;

/** Whether a damage lies in the field that holds the byte, or in the first that is not where it was. */
function isPlace(clean: JsonPiece, damaged: JsonPiece, at: number): boolean {
  const before = leavesOf(clean);
  const holder = before.find((leaf) => holds(leaf, at));
  if (damaged.kind === 'fault') return holder !== undefined && holds(holder, damaged.at);
  const [damage] = damaged.damage ?? [];
  if (!damage) return false;
  const moved = leavesOf(damaged).find(
    ({ offset, length }, index) => before[index]?.offset !== offset || before[index]?.length !== length,
  );
  const said = damage.suspect?.offset ?? damage.offset;
  return [holder, moved].some((leaf) => leaf !== undefined && (holds(leaf, said) || leaf.offset === said));
}

test(`${CORRUPTIONS} frames with one wrong byte: the place is named, and the next frame explained`, async () => {
  const random = randomFrom(SEED);
  const below = (limit: number): number => Math.floor(random() * limit);
  const known = exchanges('sparse')
    .map(({ request }) => request)
    .filter(({ length }) => length < 4096);
  const missed: string[] = [];
  const lost: string[] = [];
  let detected = 0;
  for (let round = 0; round < CORRUPTIONS; round++) {
    const pick = (): Uint8Array => known[below(known.length)] ?? new Uint8Array(0);
    const [first, damaged, last] = [pick(), pick(), pick()];
    const at = first.length + below(damaged.length);
    const input = joined(first, damaged, last);
    const [, clean, next] = (await pieces(input)).pieces;
    if (!clean || !next) throw new Error('three frames are not three');
    input[at] = (input[at] ?? 0) ^ (1 + below(255));
    const { code, pieces: found } = await pieces(input);
    if (code === 0) continue;
    detected++;
    const name = `round ${round}: ${clean.api} v${clean.version}, byte ${at - first.length} of the frame`;
    if (!found.slice(1).some((piece) => isPlace(clean, piece, at))) missed.push(name);
    const isExplained = ({ at, api, damage }: JsonPiece): boolean =>
      at === next.at && api === next.api && damage === undefined;
    if (!found.some(isExplained)) lost.push(name);
  }
  const percent = (count: number): number => 100 - (100 * count) / detected;
  process.stdout.write(
    `  decode: seed ${SEED}, ${detected} of ${CORRUPTIONS} wrong bytes show: ` +
      `${percent(missed.length).toFixed(1)} % are named, behind ${percent(lost.length).toFixed(1)} % the next frame is explained\n`,
  );
  const about = `seed ${SEED}\n${missed.join('\n')}\nlost behind\n${lost.join('\n')}`;
  expect(detected, about).toBeGreaterThan(CORRUPTIONS / 8);
  expect(percent(missed.length), about).toBeGreaterThanOrEqual(95);
  expect(percent(lost.length), about).toBeGreaterThanOrEqual(95);
}, 120_000);
