/** Reads Kafka's message definitions out of the jars of a release, which Maven brings (tools/kafka/distribution.ts).
 * Knows where they lie, not what they say.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { kafkaClassPath } from '../kafka/distribution.ts';
import { run } from '../kafka/process.ts';

/** One definition as it lies in a jar. */
export interface JarDefinition {
  /** Such as `org.apache.kafka:kafka-clients:4.4.0`. */
  readonly source: string;
  readonly text: string;
}

/** The artifacts that hold definitions. */
const ARTIFACTS = [
  'kafka-clients',
  'kafka-group-coordinator',
  'kafka-transaction-coordinator',
  'kafka-share-coordinator',
  'kafka-metadata',
  'kafka-storage',
  'kafka-raft',
];
/** The folders in a jar that hold nothing else. */
const FOLDERS = ['common/message', 'common/metadata', 'message'];

/** Every definition of a release such as `4.4.0`. The first call for a release fetches about 55 MB. */
export async function jarDefinitions(version: string): Promise<JarDefinition[]> {
  const classPath = (await kafkaClassPath(version)).split(':');
  const scratch = await mkdtemp(join(tmpdir(), 'kafka-wire-definitions-'));
  try {
    const definitions: JarDefinition[] = [];
    for (const artifact of ARTIFACTS) {
      const jar = classPath.find((path) => basename(path) === `${artifact}-${version}.jar`);
      if (!jar) throw new Error(`Kafka ${version} has no ${artifact}`);
      const folder = await mkdtemp(join(scratch, 'jar-'));
      await run('jar', ['xf', jar, ...FOLDERS], { cwd: folder });
      const texts = await definitionTexts(folder);
      definitions.push(...texts.map((text) => ({ source: `org.apache.kafka:${artifact}:${version}`, text })));
    }
    return definitions;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function definitionTexts(folder: string): Promise<string[]> {
  const texts: string[] = [];
  for (const part of FOLDERS) {
    if (!existsSync(join(folder, part))) continue;
    const names = (await readdir(join(folder, part))).filter((name) => name.endsWith('.json')).sort();
    for (const name of names) texts.push(await readFile(join(folder, part, name), 'utf8'));
  }
  return texts;
}
