/** The fixtures in this repository are what Java writes: the programs that wrote them are run again and compared. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../../tools/kafka/cache.ts';
import { runReference } from './support/java-reference.ts';
import { describeWith } from './support/tools.ts';

/** The texts of the files below a folder, by path; the bytes of gzip are zlib's business. */
async function textsBelow(folder: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  if (!existsSync(folder)) return texts;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    const text = entry.name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    texts.set(path.slice(folder.length), text.toString('utf8'));
  }
  return texts;
}

describeWith(['java', 'mvn'], 'the fixtures', () => {
  test.each([
    { program: 'ApiFixtures', target: '.', folders: ['api', 'embedded'] },
    { program: 'HashVectors', target: 'hashes', folders: ['hashes'] },
    { program: 'AssignorVectors', target: 'assignors', folders: ['assignors'] },
  ])(
    'of $program are those that it writes now',
    async ({ program, target, folders }) => {
      const scratch = await mkdtemp(join(tmpdir(), 'kafka-wire-fixtures-'));
      try {
        await mkdir(join(scratch, target), { recursive: true });
        await runReference(program, [join(scratch, target)]);
        for (const folder of folders) {
          const written = await textsBelow(join(scratch, folder));
          const kept = await textsBelow(join(repositoryRoot(), 'fixtures', folder));
          expect(written.size).toBeGreaterThan(0);
          // RangeVectors wrote this one.
          if (folder === 'assignors') kept.delete('/range.json');
          expect([...kept.keys()].sort()).toEqual([...written.keys()].sort());
          for (const [path, text] of written) expect(kept.get(path) === text, `${folder}${path}`).toBe(true);
        }
      } finally {
        await rm(scratch, { recursive: true });
      }
    },
    300_000,
  );
});
