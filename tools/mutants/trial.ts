/** A copy of the tree in which patches are tried, and the test runs that judge them.
 * Invariant: the working tree is only read; the copy is gone after `remove`, and before each trial it is as it was.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cachePath } from '../kafka/cache.ts';
import { run } from '../kafka/process.ts';
import type { Mutant } from './mutant.ts';

const testLimitMs = 300_000;

/** How the tests of a run ended. */
export interface TestRun {
  readonly passed: number;
  readonly failed: number;
}

/** What became of a mutant. */
export type Verdict =
  | 'caught'
  | 'survived'
  | 'red without the patch'
  | 'no such test'
  | 'does not apply'
  | 'does not run';

/** What two runs say: without the patch and with it. */
export function verdictOf(clean: TestRun, mutated: TestRun): Verdict {
  if (clean.failed > 0) return 'red without the patch';
  if (clean.passed === 0) return 'no such test';
  if (mutated.failed > 0) return 'caught';
  return mutated.passed > 0 ? 'survived' : 'does not run';
}

/** The copy. */
export class TrialTree {
  readonly #folder: string;
  readonly #cleanRuns = new Map<string, Promise<TestRun>>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Copies what git knows or would add of a tree, and links its node_modules. */
  static async of(root: string): Promise<TrialTree> {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-wire-mutants-'));
    const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const { stdout } = await run('git', list, { cwd: root });
    for (const path of stdout.split('\0')) {
      // Git may know of files that are deleted by now.
      if (path === '' || !existsSync(join(root, path))) continue;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      cpSync(join(root, path), join(folder, path));
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    return new TrialTree(folder);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Whether a mutant's test is green without its patch and red with it. */
  async judge(mutant: Mutant): Promise<Verdict> {
    const { testPath, testName, diff } = mutant;
    const key = `${testPath}\0${testName}`;
    const clean = this.#cleanRuns.get(key) ?? this.#test(testPath, testName);
    this.#cleanRuns.set(key, clean);
    const cleanRun = await clean;
    try {
      await this.#patch(diff, []);
    } catch {
      return 'does not apply';
    }
    const mutated = await this.#test(testPath, testName);
    await this.#patch(diff, ['--reverse']);
    return verdictOf(cleanRun, mutated);
  }

  #patch(diff: string, flags: readonly string[]): Promise<unknown> {
    return run('git', ['apply', '--whitespace=nowarn', ...flags, '-'], { cwd: this.#folder, input: diff });
  }

  async #test(path: string, name: string | undefined): Promise<TestRun> {
    const report = join(this.#folder, 'mutant-report.json');
    rmSync(report, { force: true });
    const args = ['node_modules/vitest/vitest.mjs', 'run', path, '--reporter=json', `--outputFile=${report}`];
    if (name !== undefined) args.push('-t', name);
    const env = { ...process.env, KAFKA_WIRE_CACHE: cachePath() };
    let failure: unknown;
    // A red run ends with code 1; the report says what was red.
    await run(process.execPath, args, { cwd: this.#folder, env, timeoutMs: testLimitMs }).catch(
      (error: unknown) => (failure = error),
    );
    try {
      const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as {
        numPassedTests: number;
        numFailedTests: number;
      };
      return { passed: numPassedTests, failed: numFailedTests };
    } catch {
      throw new Error(`${path} could not be run: ${String(failure)}`);
    }
  }
}
