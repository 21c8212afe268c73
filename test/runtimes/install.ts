/** The runtimes of this folder's package.json: installs them on first use and tells where their programs are.
 * Not here: what is run on them.
 * Invariant: exactly what package-lock.json names is installed; a changed lock installs anew. No install script runs.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A program that runs JavaScript. */
export interface Runtime {
  readonly name: string;
  /** The file under src/runtime that the runtime's export condition selects. */
  readonly platform: 'node' | 'bun' | 'deno' | 'workers';
  readonly program: string;
  /** What comes before the file to run. */
  readonly args: readonly string[];
  /** As the runtime itself reports it. */
  readonly version: string;
}

const folder = new URL('./', import.meta.url);
const modules = new URL('node_modules/', folder);

function pinned(name: string): string {
  const { optionalDependencies } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  return (optionalDependencies[name] ?? '').replace(/^.*@/, '');
}

/** The program inside the one package of a scope that npm chose for this machine. */
function native(scope: string, prefix: string, path: string): string {
  const scoped = new URL(`${scope}/`, modules);
  const found = existsSync(scoped) ? readdirSync(scoped).find((name) => name.startsWith(prefix)) : undefined;
  return fileURLToPath(new URL(`${found ?? prefix}/${path}`, scoped));
}

async function install(): Promise<void> {
  const lock = createHash('sha256')
    .update(readFileSync(new URL('package-lock.json', folder)))
    .digest('hex');
  const stamp = new URL('.installed', modules);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(folder),
    timeout: 300_000,
  });
  writeFileSync(stamp, lock);
}

/** Every runtime there is for this machine, the Node that runs this first. npm leaves out what has no build for it. */
export async function runtimes(): Promise<readonly Runtime[]> {
  await install();
  const node = (major: number): Runtime => ({
    name: `Node ${major}`,
    platform: 'node',
    program: fileURLToPath(new URL(`node${major}/bin/node`, modules)),
    args: [],
    version: pinned(`node${major}`),
  });
  const { node: version } = process.versions;
  const here: Runtime = {
    name: `Node ${version}`,
    platform: 'node',
    program: process.execPath,
    args: [],
    version,
  };
  const all: readonly Runtime[] = [
    here,
    node(22),
    node(24),
    node(26),
    {
      name: 'Bun',
      platform: 'bun',
      program: native('@oven', 'bun-', 'bin/bun'),
      args: ['run'],
      version: pinned('bun'),
    },
    {
      name: 'Deno',
      platform: 'deno',
      program: native('@deno', '', 'deno'),
      args: ['run', '-A'],
      version: pinned('deno'),
    },
    {
      name: 'workerd',
      platform: 'workers',
      program: native('@cloudflare', 'workerd-', 'bin/workerd'),
      args: ['test'],
      version: pinned('workerd'),
    },
  ];
  return all.filter(({ program }) => existsSync(program));
}
