/** Runs the programs of tools/java-reference against the release whose definitions this repository holds: its jars come
 * from Maven, once, and what is compiled against them is kept beside them until a source changes.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, makeOnce, repositoryRoot } from '../../../tools/kafka/cache.ts';
import { kafkaClassPath, runKafkaClass } from '../../../tools/kafka/distribution.ts';
import { run } from '../../../tools/kafka/process.ts';

const referencePath = join(repositoryRoot(), 'tools/java-reference');

/** The release that decides, such as `4.4.0`: that of tools/java-reference/pom.xml. */
export function referenceVersion(): string {
  const pom = readFileSync(join(referencePath, 'pom.xml'), 'utf8');
  const version = /<kafka\.version>(.+)<\/kafka\.version>/.exec(pom)?.[1];
  if (version === undefined) throw new Error('tools/java-reference/pom.xml names no kafka.version');
  return version;
}

/** Runs a program of tools/java-reference, such as `ReadBack`; its stdout. */
export async function runReference(program: string, args: readonly string[] = []): Promise<string> {
  const version = referenceVersion();
  const classes = await compiled(version, program);
  const { stdout } = await runKafkaClass(version, program, args, { classes, heapMb: 1024 });
  return stdout;
}

async function compiled(version: string, program: string): Promise<string> {
  const folder = join(referencePath, 'src/main/java');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.java')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const digest = createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 12);
  return makeOnce(cachePath('kafka', version, `reference-${program}-${digest}`), async (draft) => {
    const classPath = await kafkaClassPath(version);
    const options = ['-nowarn', '-proc:none', '-encoding', 'UTF-8', '-cp', classPath, '-sourcepath', folder];
    await run('javac', [...options, '-d', draft, join(folder, `${program}.java`)]);
  });
}
