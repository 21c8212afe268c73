/** `npm run releases`: asks the jars of Kafka's releases anew and writes what follows from their answers.
 * `-- --pages` leaves the jars alone and only writes the pages, after a change of the overlay or of the client.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../kafka/cache.ts';
import { writeReleases } from './facts.ts';
import { pages } from './pages.ts';

const { values } = parseArgs({ options: { pages: { type: 'boolean', default: false } } });
if (!values.pages) await writeReleases();
for (const { path, text } of pages()) {
  const file = join(repositoryRoot(), path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
