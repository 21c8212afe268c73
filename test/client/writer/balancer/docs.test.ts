/** The balancers of docs/balancers.md run as they stand there, against an embedded broker, and do what is said of them. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EmbeddedCluster } from '../../../../src/testing/index.ts';
import { GuideBlocks } from '../../../support/guide-blocks.ts';
import { repositoryRoot } from '../../../support/source-tree.ts';

const guide = await readFile(`${repositoryRoot}docs/balancers.md`, 'utf8');
const blocks = new GuideBlocks('balancers', guide);
const partitions = [0, 1, 2];

let cluster: EmbeddedCluster;
beforeAll(async () => {
  cluster = await EmbeddedCluster.start({ topics: [{ name: 'orders', partitions: partitions.length }] });
});
afterAll(() => cluster.close());

/** Runs a block; the values that it wrote to each partition. */
async function run(block: number): Promise<string[][]> {
  const before = partitions.map((partition) => cluster.partition('orders', partition).endOffset);
  expect(await blocks.run(block, cluster.brokers[0])).toBe('');
  const logs = await Promise.all(partitions.map((partition) => cluster.records('orders', partition)));
  return logs.map((log, partition) =>
    log.slice(before[partition]).map(({ value }) => new TextDecoder().decode(value ?? undefined)),
  );
}

test('they compile', () => blocks.compile());

test('the fast lane is for what is urgent', async () => {
  const [fast, ...others] = await run(0);
  expect(fast).toEqual(['flowers']);
  expect(others.flat()).toEqual(['parcel']);
});

test('the least waiting partition is another for each message of a call', async () => {
  expect((await run(1)).map(({ length }) => length)).toEqual([4, 4, 4]);
});
