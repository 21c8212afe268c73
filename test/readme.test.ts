/** README's promises: every TypeScript block compiles against the package's types and runs against an embedded broker,
 * and every shell block names commands that exist and that were run.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Writer } from 'kafka-wire';
import { EmbeddedCluster } from 'kafka-wire/testing';
import { CapturedConnection, pcapng } from './cli/support/captures.ts';
import { exchanges } from './cli/support/exchanges.ts';
import { kafkaWire } from './cli/support/run.ts';
import { fixture } from './protocol/records/fixtures.ts';
import { GuideBlocks } from './support/guide-blocks.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}build/readme/`;

const readme = await readFile(`${root}README.md`, 'utf8');
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
  language: match[1] ?? '',
  code: match[2] ?? '',
}));

/** What the application around a block has: a way to handle an order, after which the program may end. */
const surroundings = `
declare const process: { exit(code: number): never };
let billed = 0;
async function bill(order: unknown): Promise<void> {
  if (typeof order !== 'object') throw new Error('no order');
  if (++billed === 2) process.exit(0);
}
`;

const programs = new GuideBlocks('readme', readme, (code) => (code.includes('bill(') ? surroundings : ''));

let cluster: EmbeddedCluster;

beforeAll(async () => {
  cluster = await EmbeddedCluster.start({ topics: [{ name: 'orders', partitions: 3 }] });
  await using writer = new Writer({ brokers: cluster.brokers, topic: 'orders' });
  const orders = Array.from({ length: 12 }, (_, total) => ({
    partition: total % 3,
    value: JSON.stringify({ total }),
  }));
  await writer.writeMessages(orders);
  await mkdir(folder, { recursive: true });
});

afterAll(() => cluster.close());

test('README has TypeScript and shell blocks, and no others', () => {
  expect(programs.codes.length).toBeGreaterThanOrEqual(4);
  expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(['ts', 'sh']));
});

test('every TypeScript block compiles', () => programs.compile());

describe('every TypeScript block runs to its end', () => {
  test.each(programs.codes.map((code, index) => ({ index, first: code.split('\n').at(-2) ?? '' })))(
    'block $index: $first',
    async ({ index }) => {
      expect(await programs.run(index, cluster.brokers[0])).toBe('');
    },
  );
});

describe('shell blocks', () => {
  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.split('\n'))
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');

  const ours = commands.filter((command) => command.startsWith('npx kafka-wire '));

  test('are the two commands and those of the command line, and CI runs the second', async () => {
    expect(commands).toEqual(['npm ci && npm run demo', 'npm ci && npm test', ...ours]);
    const ci = await readFile(`${root}.ci/run`, 'utf8');
    expect(ci).toContain('npm ci\nnpm test\n');
  });

  test.each(ours.map((command) => [command]))('%s', async (command) => {
    const [exchange] = exchanges('nested');
    if (exchange === undefined) throw new Error('there is no exchange');
    const { request, response } = exchange;
    const connection = new CapturedConnection()
      .open()
      .send('client', request)
      .send('server', response)
      .close();
    await writeFile(`${folder}capture.pcapng`, pcapng(connection.packets()));
    await writeFile(`${folder}00000000000000000000.log`, fixture('several').bytes);
    const [name, ...rest] = command.split(' ').slice(2);
    const args = rest.map((each) => (/\.(pcapng|log)$/.test(each) ? folder + each : each));
    const { code, out, err } = await kafkaWire([name ?? '', ...args]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(name === 'decode' ? /@\d+ +\+\d+ / : /retriable/i);
  });

  test('the demo ends with every order handled once and no lag', async () => {
    const began = performance.now();
    const { stdout } = await run(process.execPath, [`${root}build/examples/demo.js`], { timeout: 20_000 });
    expect(stdout).toContain('every order was handled exactly once, and the lag is 0');
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
