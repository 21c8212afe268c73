/** The package as `npm run build` makes it, in a directory of its own, so that a test never waits for or disturbs `dist/`.
 * Child processes import it by name, through the `exports` and `imports` of package.json.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { rolldown } from 'rolldown';
import packageJson from '../../package.json' with { type: 'json' };
import configs from '../../rolldown.config.ts';
import { repositoryRoot } from './source-tree.ts';

/** How a child process ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child process that runs. */
export interface Child {
  /** Resolves when it has ended; after `limitMs` it is killed, and `code` is null. */
  readonly ended: Promise<ChildEnd>;
  /** Resolves when its standard output has held `text`; rejects when it ends before. */
  printed(text: string): Promise<void>;
  readonly running: boolean;
}

/** The built package and a place for programs that use it. */
export interface BuiltPackage {
  /** Starts Node with a program in an ES module. */
  start(
    program: string,
    options?: { readonly nodeOptions?: readonly string[]; readonly limitMs?: number },
  ): Child;
  /** Path of the command line. */
  readonly commandPath: string;
  /** Path of a file next to the programs. */
  write(name: string, text: string): string;
  remove(): void;
}

/** Builds the package. */
export async function buildPackage(): Promise<BuiltPackage> {
  const directory = mkdtempSync(join(tmpdir(), 'kafka-wire-'));
  const home = join(directory, 'node_modules', 'kafka-wire');
  mkdirSync(home, { recursive: true });
  cpSync(join(repositoryRoot, 'package.json'), join(home, 'package.json'));
  for (const config of configs) {
    const { output } = config;
    if (output === undefined || Array.isArray(output) || !output.dir?.startsWith('dist')) continue;
    const bundle = await rolldown({ ...config, cwd: repositoryRoot });
    await bundle.write({ ...output, dir: join(home, output.dir) });
    await bundle.close();
  }
  let programs = 0;
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  return {
    commandPath: join(home, packageJson.bin['kafka-wire']),
    write,
    start(program, { nodeOptions = [], limitMs = 30_000 } = {}) {
      return run([...nodeOptions, write(`program-${programs++}.mjs`, program)], limitMs);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function run(args: readonly string[], limitMs: number): Child {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let running = true;
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<ChildEnd>((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      running = false;
      resolve({ code, stdout, stderr });
    });
  });
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stdout.includes(text)) resolve();
      };
      child.stdout.on('data', look);
      void ended.then((end) => {
        look();
        reject(
          new Error(
            `the program ended with ${end.code} and has not printed ${text}: ${end.stdout}${end.stderr}`,
          ),
        );
      });
      look();
    });
  return {
    ended,
    printed,
    get running() {
      return running;
    },
  };
}
