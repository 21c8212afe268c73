/** A mutant: a known bug as a patch, and the test that must catch it. Read from its file; nothing is run here.
 * Its first lines say `# test: <path> [-t <name>]`; other lines with `#` are remarks; then a unified diff follows.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** One mutant. */
export interface Mutant {
  /** Such as `B1`. */
  readonly name: string;
  /** Path of the test file from the repository's root. */
  readonly testPath: string;
  /** Part of the test's name, if only that one is meant. */
  readonly testName: string | undefined;
  /** The unified diff. */
  readonly diff: string;
}

/** Where mutants are, from the repository's root. */
export const mutantsFolder = 'test/mutants';

/** The mutant that a text describes. Throws when it names no test or holds no diff. */
export function parseMutant(name: string, text: string): Mutant {
  const lines = text.split('\n');
  const head = lines.slice(
    0,
    Math.max(
      0,
      lines.findIndex((line) => !line.startsWith('#')),
    ),
  );
  const [, testPath, testName] = /^# test: (\S+)(?: -t (.+))?$/m.exec(head.join('\n')) ?? [];
  if (testPath === undefined)
    throw new Error(`${name}: no line "# test: <path> [-t <name>]" at the beginning`);
  const diff = lines.slice(head.length).join('\n');
  if (!/^\+\+\+ /m.test(diff)) throw new Error(`${name}: no unified diff`);
  return { name, testPath, testName: testName?.trim().replace(/^(["'])(.*)\1$/, '$2'), diff };
}

/** All mutants below a root, by name; of the names that are wanted, if any are. Throws for a name that is none. */
export function readMutants(root: string, wanted: readonly string[] = []): Mutant[] {
  const folder = join(root, mutantsFolder);
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.patch'))
    .map((file) => basename(file, '.patch'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`no mutant ${unknown}: there are ${names.join(', ')}`);
  return names
    .filter((name) => wanted.length === 0 || wanted.includes(name))
    .map((name) => parseMutant(name, readFileSync(join(folder, `${name}.patch`), 'utf8')));
}
