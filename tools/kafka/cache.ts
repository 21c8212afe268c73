/**
 * The folder of everything made once and kept: jars, class-data archives, compiled Java programs.
 *
 * Invariant: what stands at its final path is complete. It is built beside that path and renamed; a lock file only
 * saves several processes from doing the same work.
 */
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isCode } from './process.ts';

const lockWaitMs = 300_000;

/** The repository's root: the nearest folder above this file (or above the bundle made of it) that holds tools/kafka. */
export function repositoryRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'tools/kafka/pom.xml'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no tools/kafka/pom.xml above ${start}`);
  }
}

/** A path in the cache: below KAFKA_WIRE_CACHE, default `.cache` in the repository. */
export function cachePath(...parts: string[]): string {
  return resolve(process.env['KAFKA_WIRE_CACHE'] ?? join(repositoryRoot(), '.cache'), ...parts);
}

/** Returns `path`, a file or a folder, after `build(draft)` has made it unless it was there. Safe across processes. */
export async function makeOnce(path: string, build: (draft: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const unlock = await lock(`${path}.lock`);
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    if (existsSync(path)) return path;
    await build(draft);
    await rename(draft, path);
    return path;
  } catch (error) {
    if (existsSync(path)) return path; // another process finished it; theirs is as good
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
    await unlock();
  }
}

/** A lock file holding its owner's pid; a dead owner's lock is broken. */
async function lock(path: string): Promise<() => Promise<void>> {
  const ticket = `${path}.${randomUUID()}`;
  await writeFile(ticket, String(process.pid));
  try {
    for (const giveUp = Date.now() + lockWaitMs; ;) {
      try {
        await link(ticket, path); // creates the lock with its content in one step, or fails
        return () => rm(path, { force: true });
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      }
      if (!(await ownerLives(path))) await rm(path, { force: true });
      else if (Date.now() > giveUp)
        throw new Error(`${path} is held for ${lockWaitMs} ms; delete it if nothing runs`);
      else await delay(100);
    }
  } finally {
    await rm(ticket, { force: true });
  }
}

async function ownerLives(path: string): Promise<boolean> {
  try {
    process.kill(Number(await readFile(path, 'utf8')), 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM') || isCode(error, 'ENOENT'); // ENOENT: released meanwhile, the next link tells
  }
}
