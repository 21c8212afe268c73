/** The balancers of docs/balancers.md run as they stand there, against an embedded broker, and do what is said of them. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EmbeddedCluster } from '../../../../src/testing/index.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const guide = await readFile(`${root}docs/balancers.md`, 'utf8');
const blocks = Array.from(guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code = '']) => code);
const partitions = [0, 1, 2];

let cluster: EmbeddedCluster;
beforeAll(async () => {
  cluster = await EmbeddedCluster.start({ topics: [{ name: 'orders', partitions: partitions.length }] });
});
afterAll(() => cluster.close());

/** Runs a block; the values that it wrote to each partition. */
async function run(block: number): Promise<string[][]> {
  const code = blocks[block] ?? '';
  const before = partitions.map((partition) => cluster.partition('orders', partition).endOffset);
  const entry = `${root}build/balancers-${block}.ts`;
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    external: /^node:/,
    transform: { target: 'es2022' },
    resolve: { alias: { '#platform': `${root}src/runtime/node.ts`, 'kafka-wire': `${root}src/index.ts` } },
    plugins: [
      {
        name: 'block',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) =>
          id === entry
            ? code.replaceAll("'localhost:9092'", JSON.stringify(cluster.brokers[0])).concat('export {};\n')
            : undefined,
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  await bundle.close();
  const url = `data:text/javascript,${encodeURIComponent(output[0].code)}`;
  await import(/* @vite-ignore */ url);
  const logs = await Promise.all(partitions.map((partition) => cluster.records('orders', partition)));
  return logs.map((log, partition) =>
    log.slice(before[partition]).map(({ value }) => new TextDecoder().decode(value ?? undefined)),
  );
}

test('the fast lane is for what is urgent', async () => {
  const [fast, ...others] = await run(0);
  expect(fast).toEqual(['flowers']);
  expect(others.flat()).toEqual(['parcel']);
});

test('the least waiting partition is another for each message of a call', async () => {
  expect((await run(1)).map(({ length }) => length)).toEqual([4, 4, 4]);
});
