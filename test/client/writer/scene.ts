/** A virtual world with an embedded cluster in it, for tests of the whole Writer: no real time, the same run each time.
 * Invariant: when `play` resolves, nothing of the Writers is left in the world.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { WriterSettings } from '../../../src/client/writer/options.ts';
import { Writer } from '../../../src/client/writer/writer.ts';
import type { ClientOptions } from '../../../src/client/cluster/index.ts';
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../../src/testing/index.ts';
import { virtualWorld, type VirtualChunking, type VirtualWorld } from '../../../src/runtime/virtual.ts';

/** What a test plays with. */
export interface Scene {
  readonly world: VirtualWorld;
  readonly cluster: EmbeddedCluster;
  /** A Writer to topic `t`, closed at the end. */
  writer(settings?: WriterSettings & Partial<ClientOptions>): Writer;
  /** The values in a partition of `t`, in the order of the log. */
  values(partition?: number): Promise<string[]>;
  /** The values in all partitions of `t`. */
  allValues(): Promise<string[]>;
}

/** How a scene is set. */
export interface SceneOptions extends Omit<EmbeddedClusterOptions, 'platform'> {
  readonly seed?: number;
  readonly chunking?: VirtualChunking;
  readonly partitions?: number;
  readonly limitMs?: number;
  /** Settings of topic `t`. */
  readonly config?: Readonly<Record<string, string>>;
}

const text = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? new Uint8Array(0));

/** Runs a test in a world of its own. */
export async function play(options: SceneOptions, act: (scene: Scene) => Promise<void>): Promise<void> {
  const {
    seed = 1,
    chunking = 'whole',
    partitions = 1,
    limitMs = 600_000,
    config = {},
    ...cluster
  } = options;
  const world = virtualWorld({
    seed,
    chunking,
    gzip: (bytes) => new Uint8Array(gzipSync(bytes)),
    gunzip: (bytes, maxBytes) => new Uint8Array(gunzipSync(bytes, { maxOutputLength: maxBytes })),
  });
  const { platform } = world;
  await world.run(
    async () => {
      const topics = [{ name: 't', partitions, config }];
      const embedded = await EmbeddedCluster.start({ brokers: 1, topics, ...cluster, platform });
      const writers: Writer[] = [];
      const values = async (partition = 0): Promise<string[]> =>
        (await embedded.records('t', partition)).map(({ value }) => text(value));
      try {
        await act({
          world,
          cluster: embedded,
          values,
          allValues: async () =>
            (await Promise.all(Array.from({ length: partitions }, (_, p) => values(p)))).flat(),
          writer(settings = {}) {
            const topic = 'topic' in settings ? {} : { topic: 't' };
            const writer = new Writer({ brokers: embedded.brokers, platform, ...topic, ...settings });
            writers.push(writer);
            return writer;
          },
        });
      } finally {
        await Promise.all(writers.map((writer) => writer.close()));
        await embedded.close();
      }
    },
    { limitMs },
  );
  expect(world.openHolds()).toBe(0);
}

/** `count` values that tell their place. */
export function numbered(count: number, prefix = 'm'): { readonly value: string }[] {
  return Array.from({ length: count }, (_, index) => ({ value: `${prefix}${index}` }));
}

/** Text that a codec makes hardly smaller. */
export function noise(length: number, seed: number): string {
  let state = seed + 1;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return String.fromCharCode(33 + ((state >>> 16) % 94));
  }).join('');
}

/** The error a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it resolved');
}
