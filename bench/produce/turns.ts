/** A contestant in its own process, asked to take turns. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cost, Work } from './contestant.ts';

/** The longest turn; a contestant that hangs ends the benchmark. */
const turnMs = 120_000;

/** How to start a contestant. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** A running contestant. */
export class Turns {
  /** Records it was asked to write so far. */
  records = 0;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #exit: Promise<unknown>;

  constructor({ command, args }: Program, work: Work) {
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const child = spawn(command, [...args, JSON.stringify(work)], { stdio: [...stdio] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
    this.#exit = once(child, 'exit');
    this.#exit.catch(() => undefined);
  }

  /** Has it write so many records; rejects when it fails, or hangs. */
  async take(records: number): Promise<Cost> {
    this.records += records;
    const signal = AbortSignal.timeout(turnMs);
    const answer = once(this.#lines, 'line', { signal });
    this.#child.stdin?.write(`${records}\n`);
    const ended = this.#exit.then(() => Promise.reject(new Error('a contestant ended in its turn')));
    const [line] = (await Promise.race([answer, ended])) as [string];
    return JSON.parse(line) as Cost;
  }

  /** Lets it end by itself; rejects when it fails, or hangs. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await Promise.race([this.#exit, delay(turnMs, undefined, { ref: false })]);
    if (this.#child.exitCode !== 0) throw new Error('a contestant did not end well');
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
