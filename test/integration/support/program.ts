/**
 * Programs of test/integration/programs as processes: bundled with the client's source by rolldown, since Node 20 cannot
 * run TypeScript, and tethered, so that none outlives the tests.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { killGroup, spawnTethered, tail } from '../../../tools/kafka/process.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Bundles a program into `folder`; the path of the file to run. */
export async function bundleProgram(name: string, folder: string): Promise<string> {
  const build = await rolldown({
    input: here(`../programs/${name}.ts`),
    external: /^node:/,
    platform: 'node',
    resolve: {
      alias: {
        '#platform': here('../../../src/runtime/node.ts'),
        'kafka-wire': here('../../../src/index.ts'),
      },
    },
  });
  const file = join(folder, `${name}.mjs`);
  await build.write({ format: 'esm', codeSplitting: false, file });
  await build.close();
  return file;
}

/** A running program. */
export class Program {
  /** The lines it wrote to stdout so far. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #errors = '';

  constructor(file: string, argument: unknown) {
    this.#child = spawnTethered(process.execPath, [file, JSON.stringify(argument)]);
    this.#ended = once(this.#child, 'close');
    if (this.#child.stdout !== null)
      createInterface(this.#child.stdout).on('line', (line) => this.lines.push(line));
    this.#child.stderr?.on('data', (chunk) => (this.#errors += String(chunk)));
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGSTOP and SIGCONT: it stands still and finds its sockets open afterwards. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** SIGKILL. Settles when it is gone. */
  async kill(): Promise<void> {
    killGroup(this.#child);
    await this.#ended;
  }

  /** SIGTERM. Settles with the exit code; rejects with its last words for another one than 0. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== 0)
      throw new Error(`the program ended with ${signalCode ?? exitCode}\n${tail(this.#errors)}`);
  }
}
