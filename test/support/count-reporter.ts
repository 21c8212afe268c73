/** The last line of a test run, `N passed, N failed`, for people and for CI.
 * With CI=true a skipped test is a failure: there every toolchain is at hand, so a skip hides something.
 */
import process from 'node:process';
import type { Reporter, TestModule } from 'vitest/node';

/** Counts tests when the run has ended; errors outside of tests and files that did not load count as failures. */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        counts[state === 'pending' ? 'skipped' : state]++;
      }
    }
    if (process.env['CI'] === 'true' && counts.skipped > 0) {
      process.stdout.write(`\n${counts.skipped} skipped tests count as failed: CI has every toolchain\n`);
      counts.failed += counts.skipped;
      counts.skipped = 0;
    }
    if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  }
}
