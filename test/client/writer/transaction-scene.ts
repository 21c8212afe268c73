/** A scene for tests of transactions: readers beside the Writers, and what read_committed shows of topic `t`.
 * Invariant: what is committed is read from the log and its markers, not by the client under test.
 */
import { decodeControlRecord } from '../../../src/protocol/index.ts';
import { Reader, type ReaderOptions } from '../../../src/client/reader/index.ts';
import type { EmbeddedCluster } from '../../../src/testing/index.ts';
import { numbered, play, type Scene, type SceneOptions } from './scene.ts';

/** A scene with readers. */
export interface TransactionScene extends Scene {
  /** A reader on the cluster that is closed at the end. */
  reader(options: Record<string, unknown>): Reader;
  /** What read_committed shows of a partition of a topic, `t` by default, in the order of the log. */
  committed(partition?: number, topic?: string): Promise<string[]>;
}

/** `count` values that tell their place, in turn over partitions. */
export function spread(
  count: number,
  partitions: number,
): { readonly value: string; readonly partition: number }[] {
  return numbered(count).map(({ value }, index) => ({ value, partition: index % partitions }));
}

/** Runs a test in a world of its own. */
export function playTransactions(
  options: SceneOptions,
  act: (scene: TransactionScene) => Promise<void>,
): Promise<void> {
  return play(options, async (scene) => {
    const readers: Reader[] = [];
    const { platform } = scene.world;
    try {
      await act({
        ...scene,
        committed: (partition = 0, topic = 't') => committedValues(scene.cluster, topic, partition),
        reader(each) {
          const made = new Reader({ brokers: scene.cluster.brokers, platform, ...each } as ReaderOptions);
          readers.push(made);
          return made;
        },
      });
    } finally {
      await Promise.all(readers.map((each) => each.close()));
    }
  });
}

/** The values whose transactions were committed, and those without one. */
async function committedValues(
  cluster: EmbeddedCluster,
  topic: string,
  partition: number,
): Promise<string[]> {
  const open = new Map<bigint, { offset: number; value: string }[]>();
  const seen: { offset: number; value: string }[] = [];
  for (const batch of await cluster.batches(topic, partition)) {
    const values = batch.records.map(({ offset, value }) => ({
      offset,
      value: new TextDecoder().decode(value ?? new Uint8Array(0)),
    }));
    if (!batch.isTransactional) seen.push(...values);
    else if (!batch.isControl) open.set(batch.producerId, [...(open.get(batch.producerId) ?? []), ...values]);
    else {
      const [marker] = batch.records;
      if (marker !== undefined && decodeControlRecord(marker).type === 'commit')
        seen.push(...(open.get(batch.producerId) ?? []));
      open.delete(batch.producerId);
    }
  }
  return seen.sort((a, b) => a.offset - b.offset).map(({ value }) => value);
}
