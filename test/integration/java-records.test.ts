/**
 * Java reads every record that our batch builder writes, in every compression and with every combination of flags; one
 * JVM reads them all. The other direction is in test/protocol/records/java.test.ts.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { allCodecs, type Codec } from '../../src/compression/index.ts';
import { run } from '../../tools/kafka/process.ts';
import type { JavaBatch } from '../protocol/records/fixtures.ts';
import { runtimes } from '../runtimes/install.ts';
import { runReference } from './support/java-reference.ts';
import { bundleProgram } from './support/program.ts';
import { runSeed } from './support/random.ts';
import { batchOf, expectedOf, recordCases, type RecordCase } from './support/record-cases.ts';
import { describeWith } from './support/tools.ts';

/** Batches of a few records for each codec and combination of flags. */
const PER_FLAGS = 4;

describeWith(['java', 'mvn'], 'Java, of the batches that our builder writes,', () => {
  test('reads every record in every compression and combination of flags', { timeout: 300_000 }, async () => {
    const seed = runSeed();
    const cases = recordCases(seed, PER_FLAGS);
    const counts: string[] = [];
    const folder = await mkdtemp(join(tmpdir(), 'kafka-wire-records-'));
    try {
      const written: string[] = [];
      for (const codec of [undefined, ...allCodecs])
        written.push(...(await base64Of(cases, codec, seed, folder)));
      const path = join(folder, 'batches');
      await writeFile(path, `${written.join('\n')}\n`);
      const lines = (await runReference('RecordReadBack', [path])).trimEnd().split('\n');
      expect(lines).toHaveLength(written.length);
      for (const [index, codec] of [undefined, ...allCodecs].entries()) {
        const codecId = codec?.id ?? 0;
        let records = 0;
        for (const [at, each] of cases.entries()) {
          const line = index * cases.length + at;
          const sizeInBytes = Buffer.byteLength(written[line] ?? '', 'base64');
          expect(readBatch(lines[line] ?? ''), `${codec?.name}, ${each.name}, seed ${seed}`).toEqual({
            ...expectedOf(each),
            codecId,
            sizeInBytes,
          });
          records += each.records.length;
        }
        counts.push(`${codec?.name ?? 'none'} ${records}`);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
    console.log(
      `Java read every record of ${cases.length} batches per codec, 32 combinations of flags: ` +
        `${counts.join(', ')}; 0 differences (seed ${seed})`,
    );
  });
});

/** Every case as a line of base64. On a runtime without zstd's compressor, one that has it writes those batches. */
async function base64Of(
  cases: readonly RecordCase[],
  codec: Codec | undefined,
  seed: number,
  folder: string,
): Promise<string[]> {
  if (codec?.name === 'zstd' && !('zstdCompressSync' in zlib)) {
    const node = (await runtimes()).find(({ name }) => name === 'Node 24');
    if (node === undefined) throw new Error('there is no Node 24 to write zstd with');
    const program = await bundleProgram('zstd-batches', folder);
    const { stdout } = await run(node.program, [program, String(seed), String(PER_FLAGS)]);
    return stdout.trimEnd().split('\n');
  }
  const batches = await Promise.all(cases.map((each) => batchOf(each, codec)));
  return batches.map((batch) => Buffer.from(batch).toString('base64'));
}

/** The one batch of a line of RecordReadBack, less what the cases say nothing of. */
function readBatch(line: string): unknown {
  const read = JSON.parse(line) as JavaBatch[] | string;
  const [batch] = read;
  if (typeof batch !== 'object' || read.length !== 1) return line;
  return { ...batch, checksum: undefined, controls: undefined };
}
