/** The examples: each runs to its end by `npm run example`, and checks what it says by itself. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Client } from 'kafka-wire';
import { metadataApi } from 'kafka-wire/protocol';
import { EmbeddedCluster } from 'kafka-wire/testing';
import { filesBelow, repositoryRoot } from './support/source-tree.ts';

const run = promisify(execFile);
const names = filesBelow('examples', ['.ts'])
  .map((path) => path.slice('examples/'.length, -'.ts'.length))
  .filter((name) => name !== 'index' && !name.includes('/'));

/** The command of package.json, after the build. */
async function example(...args: readonly string[]): Promise<string> {
  const program = `${repositoryRoot}build/examples/index.js`;
  const { stdout, stderr } = await run(process.execPath, [program, ...args], { timeout: 15_000 });
  expect(stderr).toBe('');
  return stdout;
}

describe('npm run example', () => {
  it('without a name lists all of them', async () => {
    expect(await example()).toContain(`where <name> is ${names.toSorted().join(', ')}\n`);
  });

  it('refuses a name that is none', async () => {
    await expect(example('../demo')).rejects.toMatchObject({ code: 2 });
  });

  // The demo has its own test with the README.
  it.concurrent.each(names.filter((name) => name !== 'demo'))('-- %s runs to its end', async (name) => {
    expect((await example(name)).split('\n').length).toBeGreaterThan(2);
  });

  it('-- --brokers runs on another cluster, and leaves no topic behind', async () => {
    await using cluster = await EmbeddedCluster.start({ brokers: 3 });
    await example('idempotent', '--brokers', cluster.brokers.join(','));
    await example('custom-balancer', '--brokers', cluster.brokers[0] ?? '');
    await using client = new Client({ brokers: cluster.brokers });
    expect((await client.request(metadataApi, { topics: null })).topics).toEqual([]);
  });
});
