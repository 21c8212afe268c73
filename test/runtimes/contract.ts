/** Runs the transport contract on the platform that the bundle was made for and prints the failures.
 * Not here: how a runtime starts it (contract-process.ts, contract-worker.ts).
 * Invariant: the last line tells the counts, so a run that ended early cannot pass.
 */
import { platform } from '#platform';
import type { ContractEnvironment } from './contract-kit.ts';
import { contractCases } from './transport-cases.ts';

/** Prints each failed case and `platform: N passed, N failed`; resolves to the number of failures. */
export async function runContract(environment: ContractEnvironment): Promise<number> {
  let failed = 0;
  for (const { name, run } of contractCases) {
    try {
      await run(platform, environment);
    } catch (error) {
      failed++;
      console.log(`not ok: ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  console.log(`${platform.name}: ${contractCases.length - failed} passed, ${failed} failed`);
  return failed;
}
