/**
 * A Kafka release on this machine: its jars (fetched once by Maven), a formatted data directory to copy, the Java test
 * programs compiled against it, and the command line that runs any class of it. Everything lives in the cache.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, makeOnce, repositoryRoot } from './cache.ts';
import { run, type Output, type RunOptions } from './process.ts';
import { propertiesText, type Properties } from './properties.ts';

/** The release used when none is named. */
export const defaultKafkaVersion = '4.3.1';

/** How a class of the release is run. */
export interface JavaOptions {
  /** Heap limit, MiB; default 256. */
  readonly heapMb?: number;
  /** Log level of Java's clients and tools on stderr; default warn. */
  readonly logLevel?: 'info' | 'warn';
  /** A folder of classes behind the jars. */
  readonly classes?: string;
  /** More options of the JVM; later ones win, so `-XX:TieredStopAtLevel=4` gives the full compiler. */
  readonly jvm?: readonly string[];
}

/** The release's jars as a class path. The first call fetches them with Maven: some seconds and about 55 MB. */
export async function kafkaClassPath(version: string): Promise<string> {
  const folder = await makeOnce(cachePath('kafka', version, 'libs'), async (draft) => {
    const pom = join(repositoryRoot(), 'tools/kafka/pom.xml');
    const properties = [`-Dkafka.version=${version}`, `-DoutputDirectory=${draft}`];
    await run('mvn', ['-q', '-B', '-f', pom, ...properties, 'dependency:copy-dependencies'], {
      timeoutMs: 300_000,
    });
  });
  const jars = (await readdir(folder)).filter((name) => name.endsWith('.jar')).sort();
  return jars.map((name) => join(folder, name)).join(':');
}

/** Arguments of `java` that run a class of the release. Uses the class-data archive when there is one. */
export async function javaArguments(
  version: string,
  className: string,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<string[]> {
  const { heapMb = 256, logLevel = 'warn', classes, jvm = [] } = options;
  const classPath = await kafkaClassPath(version);
  const archive = await archivePath(version);
  return [
    `-Xmx${heapMb}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []),
    '-Dfile.encoding=UTF-8',
    '-Xlog:disable', // the JVM's own warnings go to stdout, where tools write data
    `-Dorg.slf4j.simpleLogger.defaultLogLevel=${logLevel}`,
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
    ...jvm,
    '-cp',
    classes === undefined ? classPath : `${classPath}:${classes}`,
    className,
    ...args,
  ];
}

/** Runs a class of the release to its end; rejects when it fails (see `run`). */
export async function runKafkaClass(
  version: string,
  className: string,
  args: readonly string[],
  options: JavaOptions & RunOptions = {},
): Promise<Output> {
  return run('java', await javaArguments(version, className, args, options), options);
}

/** Where the class-data archive of this release for this JVM stands, made or not. */
export async function archivePath(version: string): Promise<string> {
  return cachePath('kafka', version, `classes-${await javaIdentity()}.jsa`);
}

let identity: Promise<string> | undefined;

/** A short name for the installed JVM: an archive is bound to the JVM that wrote it. */
function javaIdentity(): Promise<string> {
  identity ??= run('java', ['-version']).then(({ stdout, stderr }) => digest(stdout + stderr));
  return identity;
}

/** The folder of the classes compiled from tools/java-clients against this release. */
export async function javaPrograms(version: string): Promise<string> {
  const sourceFolder = join(repositoryRoot(), 'tools/java-clients');
  const names = (await readdir(sourceFolder)).filter((name) => name.endsWith('.java')).sort();
  const sources = names.map((name) => join(sourceFolder, name));
  const texts = await Promise.all(sources.map((source) => readFile(source, 'utf8')));
  const folder = cachePath('kafka', version, `programs-${digest(texts.join('\0'))}`);
  return makeOnce(folder, async (draft) => {
    const classPath = await kafkaClassPath(version);
    await run('javac', [
      '-nowarn',
      '-proc:none',
      '-encoding',
      'UTF-8',
      '-cp',
      classPath,
      '-d',
      draft,
      ...sources,
    ]);
  });
}

/**
 * Formats data directories for the nodes of a new cluster. Kafka's StorageTool runs once and its directory is copied
 * with each node's id, since a JVM per node costs half a second; without `flags` the copied one is kept in the cache.
 * `flags` are StorageTool's, such as `--feature`, `transaction.version=1`.
 */
export async function formatDirectories(
  version: string,
  directories: ReadonlyMap<number, string>,
  properties: Properties,
  flags: readonly string[],
): Promise<void> {
  const [first] = directories.values();
  if (first === undefined) return;
  const template =
    flags.length === 0
      ? await makeOnce(cachePath('kafka', version, 'formatted'), (draft) =>
          format(version, draft, properties, []),
        )
      : `${first}.formatted`;
  if (flags.length > 0) await format(version, template, properties, flags);
  const meta = await readFile(join(template, 'meta.properties'), 'utf8');
  const clusterId = randomId();
  for (const [nodeId, directory] of directories) {
    await cp(template, directory, { recursive: true });
    const own = meta
      .replace(/^node\.id=.*$/m, `node.id=${nodeId}`)
      .replace(/^cluster\.id=.*$/m, `cluster.id=${clusterId}`)
      .replace(/^directory\.id=.*$/m, `directory.id=${randomId()}`);
    await writeFile(join(directory, 'meta.properties'), own);
  }
  if (flags.length > 0) await rm(template, { recursive: true });
}

async function format(
  version: string,
  directory: string,
  properties: Properties,
  flags: readonly string[],
): Promise<void> {
  const file = `${directory}.properties`;
  await mkdir(directory, { recursive: true });
  await writeFile(file, propertiesText({ ...properties, 'log.dirs': directory }));
  await runKafkaClass(version, 'kafka.tools.StorageTool', ['format', '-t', randomId(), '-c', file, ...flags]);
  await rm(file);
}

/** 16 random bytes as Kafka writes ids: URL-safe base64 without padding. Begins with 'k': a leading '-' reads as a flag. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `k${Buffer.from(bytes).toString('base64url').slice(1)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
