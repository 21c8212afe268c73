/** The mutants of test/mutants: each names a test that is there and fits the tree. That the test catches it, `npm run mutants`
 * decides, which runs it with and without the patch.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMutant, readMutants } from '../tools/mutants/mutant.ts';
import { verdictOf } from '../tools/mutants/trial.ts';
import { repositoryRoot } from './support/source-tree.ts';

const diff = '--- a/x.ts\n+++ b/x.ts\n@@ -1 +1 @@\n-a\n+b\n';

describe('a mutant', () => {
  it.each(readMutants(repositoryRoot))('$name names a test and fits the tree', (mutant) => {
    expect(existsSync(join(repositoryRoot, mutant.testPath)), mutant.testPath).toBe(true);
    execFileSync('git', ['apply', '--check', '-'], { cwd: repositoryRoot, input: mutant.diff });
  });

  it('is read from its first lines and its diff', () => {
    const named = parseMutant('B1', `# test: test/a.test.ts -t a name: with "words"\n# why\n${diff}`);
    expect(named).toEqual({
      name: 'B1',
      testPath: 'test/a.test.ts',
      testName: 'a name: with "words"',
      diff,
    });
    expect(parseMutant('B1', `# test: test/a.test.ts -t 'quoted'\n${diff}`).testName).toBe('quoted');
    expect(parseMutant('B1', `# why\n# test: test/a.test.ts\n${diff}`).testName).toBeUndefined();
    expect(() => parseMutant('B1', diff)).toThrow('no line "# test');
    expect(() => parseMutant('B1', '# test: test/a.test.ts\n')).toThrow('no unified diff');
  });

  it('is caught only by a test that runs, is green without it and red with it', () => {
    const green = { passed: 2, failed: 0 };
    const red = { passed: 1, failed: 1 };
    expect(verdictOf(green, red)).toBe('caught');
    expect(verdictOf(green, green)).toBe('survived');
    expect(verdictOf(red, red)).toBe('red without the patch');
    expect(verdictOf({ passed: 0, failed: 0 }, red)).toBe('no such test');
    expect(verdictOf(green, { passed: 0, failed: 0 })).toBe('does not run');
  });
});
