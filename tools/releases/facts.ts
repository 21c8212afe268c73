/** What Kafka's releases say of their APIs and error codes, from the enums in their kafka-clients jars.
 * Not here: what is made of it (pages.ts).
 * Invariant: nothing is typed in by hand but the list of releases.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachePath, makeOnce, repositoryRoot } from '../kafka/cache.ts';
import { run } from '../kafka/process.ts';

/** The last patch of every minor release since 2.1, the oldest that current brokers and clients still talk to (KIP-896). */
const patches: readonly string[] = (
  '2.1.1 2.2.2 2.3.1 2.4.1 2.5.1 2.6.3 2.7.2 2.8.2 3.0.2 3.1.2 3.2.3 3.3.2 3.4.1 3.5.2 3.6.2 3.7.2 3.8.1 3.9.2 ' +
  '4.0.2 4.1.2 4.2.1 4.3.1 4.4.0'
).split(' ');

/** Versions of an API in one release: first, last, and the last unstable one where there is one; -1 is none. */
export type ApiSpan = readonly [min: number, max: number, unstable?: number];

/** One API over the releases. */
export interface ApiReleases {
  readonly key: number;
  /** As the last release that has it spells it. */
  readonly name: string;
  /** Aligned with `Releases.releases`; null where the release has no such API. */
  readonly versions: readonly (ApiSpan | null)[];
}

/** One error code over the releases. */
export interface ErrorReleases {
  readonly code: number;
  readonly name: string;
  /** The first release that has it. */
  readonly since: string;
}

/** The content of fixtures/releases.json. */
export interface Releases {
  readonly source: string;
  readonly releases: readonly string[];
  readonly apis: readonly ApiReleases[];
  readonly errors: readonly ErrorReleases[];
}

const file = (): string => join(repositoryRoot(), 'fixtures/releases.json');

/** The committed facts. */
export function readReleases(): Releases {
  return JSON.parse(readFileSync(file(), 'utf8')) as Releases;
}

/** Asks every release's jar and writes fixtures/releases.json. */
export async function writeReleases(): Promise<void> {
  const jars: string[] = [];
  for (const patch of patches) jars.push(`${patch}=${await clientsJar(patch)}`);
  const program = join(repositoryRoot(), 'tools/releases/ReleaseFacts.java');
  const { stdout } = await run('java', [program, ...jars], { timeoutMs: 120_000 });
  const facts = parseFacts(stdout);
  const line = (value: unknown): string => `    ${JSON.stringify(value)}`;
  const list = (values: readonly unknown[]): string => `[\n${values.map(line).join(',\n')}\n  ]`;
  const text = [
    `  "source": ${JSON.stringify(facts.source)}`,
    `  "releases": ${JSON.stringify(facts.releases)}`,
    `  "apis": ${list(facts.apis)}`,
    `  "errors": ${list(facts.errors)}`,
  ];
  writeFileSync(file(), `{\n${text.join(',\n')}\n}\n`);
}

/** The release's jars as a class path: kafka-clients, and slf4j, which its enums name. */
async function clientsJar(version: string): Promise<string> {
  const copied = async (artifact: string, name: string): Promise<string> => {
    const folder = await makeOnce(cachePath('releases', name), async (draft) => {
      const options = [`-Dartifact=${artifact}`, `-DoutputDirectory=${draft}`];
      await run('mvn', ['-q', '-B', 'dependency:copy', ...options], { timeoutMs: 120_000 });
    });
    const jar = join(folder, `${name}.jar`);
    if (!existsSync(jar)) throw new Error(`Maven brought no ${name}.jar for ${artifact}`);
    return jar;
  };
  const clients = await copied(`org.apache.kafka:kafka-clients:${version}`, `kafka-clients-${version}`);
  return `${clients}:${await copied('org.slf4j:slf4j-api:1.7.36', 'slf4j-api-1.7.36')}`;
}

/** The lines that ReleaseFacts.java prints, gathered by API and by error code. */
export function parseFacts(output: string): Releases {
  const releases: string[] = [];
  const apis = new Map<number, { key: number; name: string; versions: (ApiSpan | null)[] }>();
  const errors = new Map<number, { code: number; name: string; since: string }>();
  for (const line of output.split('\n')) {
    const [kind, patch = '', number, name = '', ...rest] = line.split('\t');
    if (kind !== 'api' && kind !== 'error') continue;
    const release = patch.split('.', 2).join('.');
    if (releases.at(-1) !== release) releases.push(release);
    const key = Number(number);
    if (kind === 'error') {
      errors.set(key, { code: key, name, since: errors.get(key)?.since ?? release });
      continue;
    }
    const [min = -1, max = -1, unstable = -1] = rest.map(Number);
    const api = apis.get(key) ?? { key, name, versions: [] };
    api.name = name;
    while (api.versions.length < releases.length - 1) api.versions.push(null);
    api.versions.push(unstable > max ? [min, max, unstable] : [min, max]);
    apis.set(key, api);
  }
  for (const { versions } of apis.values()) while (versions.length < releases.length) versions.push(null);
  return {
    source: `ApiKeys and Errors of org.apache.kafka:kafka-clients ${patches.join(', ')}, read by tools/releases/ReleaseFacts.java`,
    releases,
    apis: [...apis.values()].sort((a, b) => a.key - b.key),
    errors: [...errors.values()].sort((a, b) => a.code - b.code),
  };
}
