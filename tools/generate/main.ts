/** Writes the tables of the protocol: src/protocol/api and src/protocol/embedded, from fixtures/definitions and the words in
 * overlay/. Usage: `npm run generate` writes, `-- --check` fails if a committed file differs, and `-- --kafka 4.x.y` takes
 * the definitions of another release first (it needs Maven and a JDK) and prints which words are still to be written.
 * Invariant: what is written depends on nothing but those two and src/protocol/index.ts.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../kafka/cache.ts';
import { apiFile, type ApiFile } from './api-files.ts';
import { readDefinitions, writeDefinitions } from './definitions.ts';
import { embeddedFiles } from './embedded-files.ts';
import { publicEntry, recordMessages, registry, tracedApis, tracedEmbedded } from './index-files.ts';
import { jarDefinitions } from './jars.ts';

const API = 'src/protocol/api';
const EMBEDDED = 'src/protocol/embedded';
const ENTRY = 'src/protocol/index.ts';

/** Files of the two folders that are written by hand. */
const HAND_WRITTEN = new Set(
  ['assignment.ts', 'subscription.ts', 'versioned.ts', 'record-types.ts'].map(
    (file) => `${EMBEDDED}/${file}`,
  ),
);

/** What `generate` makes. */
export interface Generated {
  /** By path from the repository's root. */
  readonly texts: ReadonlyMap<string, string>;
  /** What the overlay lacks, or has too much of: words to write by hand. */
  readonly remarks: readonly string[];
}

/** Every generated file. */
export async function generate(): Promise<Generated> {
  const definitions = readDefinitions();
  const apis: ApiFile[] = [];
  for (const [source, definition] of definitions)
    if (definition.request) apis.push(await apiFile(source, definition));
  const { files, messages } = await embeddedFiles(definitions.values());
  const entry = readFileSync(join(repositoryRoot(), ENTRY), 'utf8');
  const texts = new Map([
    ...apis.map(({ file, text }) => [`${API}/${file}`, text] as const),
    [`${API}/traced.ts`, await tracedApis(apis)],
    [`${API}/registry.ts`, await registry(apis, messages)],
    ...files.map(({ file, text }) => [`${EMBEDDED}/${file}`, text] as const),
    [`${EMBEDDED}/traced.ts`, await tracedEmbedded(messages)],
    [`${EMBEDDED}/records.ts`, await recordMessages(messages)],
    [ENTRY, await publicEntry(entry, apis, messages)],
  ]);
  return { texts, remarks: [...apis, ...files].flatMap((file) => file.remarks) };
}

/** Paths of files that are not committed as they were generated, or that nothing generates. */
export function outdated({ texts }: Generated): string[] {
  const root = repositoryRoot();
  const committed = [API, EMBEDDED].flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
  );
  const present = new Set([...committed, ENTRY]);
  const differing = [...texts].filter(
    ([path, text]) => !present.has(path) || readFileSync(join(root, path), 'utf8') !== text,
  );
  return [
    ...differing.map(([path]) => path),
    ...committed.filter((path) => !texts.has(path) && !HAND_WRITTEN.has(path)),
  ];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, kafka: { type: 'string' } } });
  const { check, kafka } = values;
  if (check && kafka !== undefined) throw new Error('--check writes nothing, --kafka does: name one of them');
  if (kafka !== undefined) {
    const { apis, unusedKeys, otherMessages } = writeDefinitions(await jarDefinitions(kafka));
    console.log(
      `Kafka ${kafka}: ${apis} APIs, ${otherMessages} other messages; keys ${unusedKeys.join(', ')} have no versions`,
    );
  }
  const generated = await generate();
  for (const remark of generated.remarks) console.log(remark);
  const paths = outdated(generated);
  if (check) {
    if (paths.length > 0) throw new Error(`outdated: ${paths.join(', ')}; run npm run generate`);
    return;
  }
  for (const path of paths) {
    const text = generated.texts.get(path);
    if (text === undefined) rmSync(join(repositoryRoot(), path));
    else writeFileSync(join(repositoryRoot(), path), text);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
