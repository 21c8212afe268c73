/** Frames that Kafka's own classes wrote are recognized: requests by their header, responses by their request, and
 * anything by trial when nothing else is known.
 */
import { expect, test } from 'vitest';
import { joined } from '../support/captures.ts';
import { exchanges } from '../support/exchanges.ts';
import { pieces } from '../support/run.ts';

test('every request is known by its header, and every response behind it by its correlation id', async () => {
  let count = 0;
  for (const wanted of ['full', 'nested', 'null', 'tags', 'empty', 'text', 'default', 'sparse']) {
    const cases = exchanges(wanted);
    expect(cases.length, wanted).toBeGreaterThan(20);
    const input = joined(...cases.flatMap(({ request, response }) => [request, response]));
    const { code, pieces: found } = await pieces(input);
    const said = found.map(({ side, api, version, by, damage }) => ({ side, api, version, by, damage }));
    const expected = cases.flatMap(({ name: api, version }) => [
      { side: 'request', api, version, by: 'header', damage: undefined },
      { side: 'response', api, version, by: 'request', damage: undefined },
    ]);
    expect(said, wanted).toEqual(expected);
    expect(code).toBe(0);
    count += said.length;
  }
  process.stdout.write(`  decode: ${count} frames that Java wrote explained, none left\n`);
}, 60_000);

test('a response alone is known by trial: the right API comes first, or is named beside those as likely', async () => {
  const newest = new Map(exchanges('full').map((each) => [each.name, each]));
  let first = 0;
  let named = 0;
  for (const { name, response } of newest.values()) {
    const [piece] = (await pieces(response)).pieces;
    if (piece?.api === name) first++;
    else if (piece?.alternatives?.some((each) => each.startsWith(`${name} response`))) named++;
  }
  process.stdout.write(
    `  decode: of ${newest.size} responses alone ${first} first by trial, ${named} named\n`,
  );
  expect(first + named).toBeGreaterThanOrEqual(0.95 * newest.size);
  expect(first).toBeGreaterThanOrEqual(0.4 * newest.size);
});
