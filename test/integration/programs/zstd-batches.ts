/**
 * Writes the batches of support/record-cases.ts compressed with zstd, for a test on a runtime that cannot.
 * Arguments: seed, batches per combination of flags. A line of base64 on stdout for each.
 */
import { zstd } from '../../../src/compression/index.ts';
import { batchOf, recordCases } from '../support/record-cases.ts';

const [seed = 0, perFlags = 0] = process.argv.slice(2).map(Number);
const lines: string[] = [];
for (const each of recordCases(seed, perFlags)) {
  lines.push(Buffer.from(await batchOf(each, zstd)).toString('base64'));
}
process.stdout.write(`${lines.join('\n')}\n`);
