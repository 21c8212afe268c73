/** The command as it is installed: a file that runs by itself, next to the package's own entries, without libraries. */
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { buildPackage, type BuiltPackage } from '../support/built-package.ts';

let built: BuiltPackage;
beforeAll(async () => {
  built = await buildPackage();
});
afterAll(() => built?.remove());

function start(
  args: readonly string[],
  input: string,
  firstBytes = Infinity,
): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(built.commandPath, args, { stdio: 'pipe', timeout: 20_000 });
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (text.length >= firstBytes) child.stdout.destroy();
    });
    child.stderr.on('data', (bytes: Buffer) => (text += bytes.toString()));
    child.stdin.on('error', () => undefined); // It may end before it has read everything.
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text }));
    child.stdin.end(input);
  });
}

const frame = '00000011001200000000000100076578616d706c65';

test('it runs by itself', async () => {
  expect(packageJson.bin).toEqual({ 'kafka-wire': './dist/cli/main.js' });
  expect(statSync(built.commandPath).mode & 0o111).toBe(0o111);
  expect(readFileSync(built.commandPath, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(await start(['--version'], '')).toEqual({ code: 0, text: `${packageJson.version}\n` });
  const { code, text } = await start(['decode'], frame);
  expect(text).toContain('ApiVersions request v0');
  expect(code).toBe(0);
});

test('it imports nothing but Node and the package', () => {
  const code = readFileSync(built.commandPath, 'utf8');
  const imported = [...code.matchAll(/^import .* from "([^"]+)";$/gm)].map((match) => match[1] ?? '');
  expect(imported.filter((name) => !/^(node:|kafka-wire(\/|$))/.test(name))).toEqual([]);
  expect(imported).toContain('kafka-wire/protocol/registry');
});

test('the licences of what is inside lie beside it', () => {
  const text = readFileSync(join(dirname(built.commandPath), 'licenses.txt'), 'utf8');
  for (const name of ['commander', 'picocolors']) expect(text).toMatch(new RegExp(`^${name}$`, 'm'));
  expect(text.match(/Copyright/g)?.length).toBeGreaterThanOrEqual(2);
});

test('its exit code says what was found', async () => {
  expect((await start(['decode'], frame.slice(0, -2))).code).toBe(1);
  expect((await start(['decode', '--nothing'], '')).code).toBe(2);
});

test('it ends in silence when its reader does', async () => {
  const { text } = await start(['decode'], `${frame}\n`.repeat(20_000), 2000);
  expect(text).not.toMatch(/EPIPE|Error/);
});
