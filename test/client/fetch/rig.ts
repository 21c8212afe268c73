/** What the tests of fetching and reading share: a virtual world with an embedded cluster and readers in it. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { LogFields, Logger } from '../../../src/client/cluster/index.ts';
import { Reader, type ReaderOptions } from '../../../src/client/reader/index.ts';
import { virtualWorld, type VirtualWorld } from '../../../src/runtime/virtual.ts';
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../../src/testing/index.ts';

/** A world that is running. */
export interface Rig {
  readonly world: VirtualWorld;
  readonly cluster: EmbeddedCluster;
  /** What readers have logged at warn level. */
  readonly warnings: { message: string; fields: LogFields | undefined }[];
  /** A reader on the cluster that is closed at the end. */
  reader(options: Record<string, unknown>): Reader;
}

/** Runs `body` in a world with a cluster; `orders` has one partition unless topics are given. */
export async function withRig(
  body: (rig: Rig) => Promise<void>,
  options: EmbeddedClusterOptions = {},
  seed = 1,
): Promise<void> {
  const world = virtualWorld({
    seed,
    gzip: (bytes) => gzipSync(bytes),
    gunzip: (bytes, maxBytes) => gunzipSync(bytes, { maxOutputLength: maxBytes }),
  });
  await world.run(async () => {
    const { platform } = world;
    const topics = [{ name: 'orders', partitions: 1 }];
    const cluster = await EmbeddedCluster.start({ platform, topics, ...options });
    const readers: Reader[] = [];
    const warnings: Rig['warnings'] = [];
    const logger: Logger = { warn: (message, fields) => void warnings.push({ message, fields }) };
    const reader = (each: Record<string, unknown>): Reader => {
      const made = new Reader({ brokers: cluster.brokers, platform, logger, ...each } as ReaderOptions);
      readers.push(made);
      return made;
    };
    try {
      await body({ world, cluster, warnings, reader });
    } finally {
      await Promise.all(readers.map((each) => each.close()));
      await cluster.close();
    }
  });
}

/** The values of the next `count` messages. */
export async function read(reader: Reader, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) values.push((await reader.fetchMessage()).text() ?? 'null');
  return values;
}
