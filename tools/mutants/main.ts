/** `npm run mutants [-- B1 B7]`: puts known bugs back, one at a time, in a copy of the tree, and demands that the test that
 * is there for each turns red, and is green without. Exit code 1 when one survives.
 */
import { repositoryRoot } from '../kafka/cache.ts';
import { mutantsFolder, readMutants } from './mutant.ts';
import { TrialTree } from './trial.ts';

async function main(): Promise<void> {
  const root = repositoryRoot();
  const mutants = readMutants(root, process.argv.slice(2));
  if (mutants.length === 0) throw new Error(`there is no mutant in ${mutantsFolder}`);
  const tree = await TrialTree.of(root);
  let caught = 0;
  try {
    for (const mutant of mutants) {
      const { name, testPath, testName = '' } = mutant;
      const startedMs = Date.now();
      const verdict = await tree.judge(mutant);
      if (verdict === 'caught') caught++;
      const took = `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
      const columns = [name.padEnd(8), verdict.padEnd(22), took.padStart(7), ` ${testPath} ${testName}`];
      process.stdout.write(`${columns.join(' ').trimEnd()}\n`);
    }
  } finally {
    tree.remove();
  }
  process.stdout.write(`${caught} of ${mutants.length} mutants caught\n`);
  if (caught < mutants.length) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
