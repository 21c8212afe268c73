/** The package as npm would publish it: no dependencies, entries that resolve with their types, a small install. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const tool = (name: string): string => `${root}node_modules/.bin/${name}`;

test('there are no dependencies at run time, and every development dependency is pinned', () => {
  expect(packageJson.dependencies).toEqual({});
  for (const version of Object.values(packageJson.devDependencies))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test('the lock files name no registry', async () => {
  for (const folder of ['', 'bench/', 'test/runtimes/', 'test/integration/peers/kafkajs/']) {
    const lock = JSON.parse(await readFile(`${root}${folder}package-lock.json`, 'utf8')) as {
      packages: Record<string, { resolved?: string }>;
    };
    const resolved = Object.values(lock.packages).flatMap((entry) => entry.resolved ?? []);
    expect(resolved.filter((address) => address.includes(':'))).toEqual([]);
  }
});

test('the root install stays under 250 MB', async () => {
  const { stdout } = await run('du', ['-sm', `${root}node_modules`]);
  expect(Number.parseInt(stdout, 10)).toBeLessThan(250);
});

test('publint finds nothing', async () => {
  const { stdout } = await run(tool('publint'), ['run', '--strict', root], { timeout: 60_000 });
  expect(stdout).toContain('All good!');
});

test('every entry resolves with its types for ES modules and bundlers', async () => {
  const { stdout } = await run(tool('attw'), ['--pack', root, '--profile', 'esm-only', '--format', 'json'], {
    timeout: 60_000,
    maxBuffer: 64 * 2 ** 20,
  });
  const { analysis } = JSON.parse(stdout) as { analysis: { problems: { resolutionKind?: string }[] } };
  const ours = analysis.problems.filter(
    ({ resolutionKind }) => !['node10', 'node16-cjs'].includes(resolutionKind ?? ''),
  );
  expect(ours).toEqual([]);
}, 90_000);

test('what is published is the build, the licence and the papers', async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json'], { cwd: root, timeout: 60_000 });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { files: { path: string }[] }>);
  const outside = packed?.files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'));
  expect(outside?.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
});
