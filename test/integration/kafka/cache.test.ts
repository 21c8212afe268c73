/** The cache of the rig: whatever stands in it is complete, however many ask for it at once. Source: tools/kafka/cache.ts. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeOnce } from '../../../tools/kafka/cache.ts';
import { run } from '../../../tools/kafka/process.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-wire-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('many ask at once: it is built once and all get it', async () => {
  let built = 0;
  const path = join(folder, 'deep', 'jars');
  const build = async (draft: string): Promise<void> => {
    built++;
    await mkdir(draft);
    await turn();
    await writeFile(join(draft, 'a.jar'), 'a');
  };
  expect(await Promise.all(Array.from({ length: 5 }, () => makeOnce(path, build)))).toEqual(
    Array(5).fill(path),
  );
  expect(built).toBe(1);
  expect(readdirSync(join(folder, 'deep'))).toEqual(['jars']);
  expect(readdirSync(path)).toEqual(['a.jar']);
});

test('a build that fails leaves nothing, and the next one may succeed', async () => {
  const path = join(folder, 'archive');
  const failing = makeOnce(path, async (draft) => {
    await writeFile(draft, 'half');
    throw new Error('disk full');
  });
  await expect(failing).rejects.toThrow('disk full');
  expect(readdirSync(folder)).toEqual([]);
  await makeOnce(path, (draft) => writeFile(draft, 'whole'));
  expect(readdirSync(folder)).toEqual(['archive']);
});

test('the lock of a process that died is broken', async () => {
  const { stdout: deadPid } = await run('sh', ['-c', 'echo $$']);
  writeFileSync(join(folder, 'archive.lock'), deadPid);
  await makeOnce(join(folder, 'archive'), (draft) => writeFile(draft, 'whole'));
  expect(readdirSync(folder)).toEqual(['archive']);
});

test('what another process finished meanwhile is taken', async () => {
  const path = join(folder, 'jars');
  const build = async (draft: string): Promise<void> => {
    await mkdir(join(draft, 'mine'), { recursive: true });
    await mkdir(join(path, 'theirs'), { recursive: true });
  };
  expect(await makeOnce(path, build)).toBe(path);
  expect(existsSync(join(path, 'theirs'))).toBe(true);
  expect(readdirSync(folder)).toEqual(['jars']);
});
