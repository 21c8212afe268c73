/** README's promises: every TypeScript block compiles against the package's types and runs against an embedded broker,
 * and every shell block names commands that exist and that were run.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Writer } from 'kafka-wire';
import { EmbeddedCluster } from 'kafka-wire/testing';
import { CapturedConnection, pcapng } from './cli/support/captures.ts';
import { exchanges } from './cli/support/exchanges.ts';
import { kafkaWire } from './cli/support/run.ts';
import { fixture } from './protocol/records/fixtures.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}build/readme/`;

const readme = await readFile(`${root}README.md`, 'utf8');
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
  language: match[1] ?? '',
  code: match[2] ?? '',
}));
const programs = blocks.filter(({ language }) => language === 'ts').map(({ code }) => code);

/** What the application around a block has: a way to handle an order, after which the program may end. */
const surroundings = `
declare const process: { exit(code: number): never };
let billed = 0;
async function bill(order: unknown): Promise<void> {
  if (typeof order !== 'object') throw new Error('no order');
  if (++billed === 2) process.exit(0);
}
`;

let cluster: EmbeddedCluster;

beforeAll(async () => {
  cluster = await EmbeddedCluster.start({ topics: [{ name: 'orders', partitions: 3 }] });
  await using writer = new Writer({ brokers: cluster.brokers, topic: 'orders' });
  const orders = Array.from({ length: 12 }, (_, total) => ({
    partition: total % 3,
    value: JSON.stringify({ total }),
  }));
  await writer.writeMessages(orders);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all(
    programs.map((code, index) => {
      const prelude = code.includes('bill(') ? surroundings : '';
      return writeFile(`${folder}block-${index}.ts`, `${prelude}${code}`);
    }),
  );
});

afterAll(() => cluster.close());

test('README has TypeScript and shell blocks, and no others', () => {
  expect(programs.length).toBeGreaterThanOrEqual(4);
  expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(['ts', 'sh']));
});

test('every TypeScript block compiles', async () => {
  const config = { extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] };
  await writeFile(`${folder}tsconfig.json`, JSON.stringify(config));
  await run(`${root}node_modules/.bin/tsc`, ['-p', folder], { timeout: 60_000 });
});

describe('every TypeScript block runs to its end', () => {
  test.each(programs.map((code, index) => ({ index, first: code.split('\n').at(-2) ?? '' })))(
    'block $index: $first',
    async ({ index }) => {
      const code = (await readFile(`${folder}block-${index}.ts`, 'utf8')).replaceAll(
        "'localhost:9092'",
        JSON.stringify(cluster.brokers[0]),
      );
      await writeFile(`${folder}run-${index}.ts`, code);
      const bundle = await rolldown({
        input: `${folder}run-${index}.ts`,
        platform: 'node',
        external: /^node:/,
        transform: { target: 'es2022' },
        resolve: {
          alias: {
            '#platform': `${root}src/runtime/node.ts`,
            '#crc32c-wasm': `${root}src/protocol/crc32c-wasm.ts`,
            'kafka-wire/protocol': `${root}src/protocol/index.ts`,
            'kafka-wire/testing': `${root}src/testing/index.ts`,
            'kafka-wire': `${root}src/index.ts`,
          },
        },
      });
      await bundle.write({ file: `${folder}run-${index}.mjs`, format: 'esm', codeSplitting: false });
      const { stderr } = await run(process.execPath, [`${folder}run-${index}.mjs`], { timeout: 15_000 });
      expect(stderr).toBe('');
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
    const { stdout } = await run(process.execPath, [`${root}build/demo.js`], { timeout: 20_000 });
    expect(stdout).toContain('every order was handled exactly once, and the lag is 0');
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
