/** Every runtime that the package names, from the npm registry alone: the platform that it selects, the transport
 * contract, and the client.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { EmbeddedCluster } from '../../src/testing/index.ts';
import { runtimes, type Runtime } from '../runtimes/install.ts';
import { bundle, launch, place } from '../runtimes/launch.ts';
import { startPeer } from '../runtimes/peer.ts';
import { contractCases } from '../runtimes/transport-cases.ts';

const names = [`Node ${process.versions.node}`, 'Node 22', 'Node 24', 'Node 26', 'Bun', 'Deno', 'workerd'];
const limitMs = 20_000;
const timeout = limitMs + 5_000;

let installed: readonly Runtime[];
let peer: Awaited<ReturnType<typeof startPeer>>;
let cluster: EmbeddedCluster;

beforeAll(async () => {
  const topics = names.map((name) => ({ name: topicOf(name), partitions: 2 }));
  installed = await runtimes();
  peer = await startPeer();
  cluster = await EmbeddedCluster.start({ brokers: 2, topics });
}, 300_000);

afterAll(() => Promise.all([peer.close(), cluster.close()]));

function topicOf(name: string): string {
  return `smoke-${name.replace(' ', '-')}`;
}

/** The runtime, or the end of the test where this machine has none: a skip, and in CI a failure. */
function runtimeOf(name: string, { skip }: TestContext): Runtime {
  const runtime = installed.find((candidate) => candidate.name === name);
  if (runtime !== undefined) return runtime;
  if (process.env['CI'] !== undefined) throw new Error(`${name} is not installed here`);
  return skip(`${name} has no build for this machine`);
}

describe.each(names)('%s', (name) => {
  test('keeps the transport contract, and an idle process ends by itself', { timeout }, async (context) => {
    const runtime = runtimeOf(name, context);
    const isWorkers = runtime.platform === 'workers';
    const code = await bundle(isWorkers ? 'contract-worker.ts' : 'contract-process.ts', runtime.platform);
    if (isWorkers) expect(code).not.toMatch(/["']node:/);
    const ending = await launch(runtime, 'contract', code, { given: peer.environment, limitMs });
    expect(ending.output).toContain(`${runtime.platform}: ${contractCases.length} passed, 0 failed`);
    if (!isWorkers) expect(ending.output).toContain(`version ${runtime.version}`);
    expect(ending.exitCode, ending.output).toBe(0);
  });

  test('writes, reads and shares a group, and the process ends by itself', { timeout }, async (context) => {
    const runtime = runtimeOf(name, context);
    const isWorkers = runtime.platform === 'workers';
    const code = await bundle(isWorkers ? 'smoke-worker.ts' : 'smoke-process.ts', runtime.platform);
    if (isWorkers) expect(code).not.toMatch(/["']node:/);
    const given = { brokers: cluster.brokers, topic: topicOf(name), groupId: topicOf(name) };
    const ending = await launch(runtime, 'smoke', code, { given, limitMs });
    expect(ending.output).toContain('the smoke has passed');
    expect(ending.exitCode, ending.output).toBe(0);
  });

  // workerd has bundlers for that.
  if (name === 'workerd') return;
  test('selects its platform by the conditions of package.json', { timeout }, async (context) => {
    const runtime = runtimeOf(name, context);
    const { imports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      imports: { '#platform': Record<string, string> };
    };
    const conditions = Object.entries(imports['#platform']).map(([condition, file]) => {
      const platform = file.replace(/^.*\/|\.js$/g, '');
      place(`platform-${platform}.mjs`, `export const name = '${platform}';`);
      return [condition, `./platform-${platform}.mjs`];
    });
    const selecting = { type: 'module', imports: { '#platform': Object.fromEntries(conditions) as unknown } };
    place('package.json', JSON.stringify(selecting));
    // Bun would take the `paths` of the one above.
    place('tsconfig.json', '{}');
    const program = `import { name } from '#platform'; console.log('selected', name);`;
    const ending = await launch(runtime, 'conditions', program, { given: null, limitMs });
    expect(ending.output).toContain(`selected ${runtime.platform}`);
  });
});
