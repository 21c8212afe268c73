/** Bundles a program for a runtime as a user's bundler would, runs it, and tells how it ended.
 * Not here: what the program does (contract.ts, smoke.ts) and what is expected of it.
 * Invariant: a run ends, by itself or at its time limit; nothing that it started outlives it.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown, type Plugin } from 'rolldown';
import type { Runtime } from './install.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const source = (path: string): string => here(`../../src/${path}`);

/** How a program ended. */
export interface Ending {
  /** Null when it was ended at the time limit. */
  readonly exitCode: number | null;
  /** Standard output and error in the order they came. */
  readonly output: string;
}

/** One file with everything but the runtime's own modules, `#platform` resolved as the runtime's condition does. */
export async function bundle(program: string, platform: Runtime['platform']): Promise<string> {
  const wasm: Plugin = {
    name: 'wasm',
    resolveId: (id) => (id === './crc32c.wasm' ? { id: 'crc32c.wasm', external: true } : undefined),
  };
  const build = await rolldown({
    input: here(program),
    external: /^(node|cloudflare):/,
    platform: 'neutral',
    plugins: [wasm],
    // Its `paths` name one platform for the type check.
    tsconfig: false,
    resolve: {
      alias: {
        '#platform': source(`runtime/${platform}.ts`),
        '#crc32c-wasm': source(`protocol/crc32c-wasm${platform === 'workers' ? '-workers' : ''}.ts`),
        'kafka-wire/protocol': source('protocol/index.ts'),
        'kafka-wire/compression': source('compression/index.ts'),
        'kafka-wire': source('index.ts'),
      },
    },
  });
  try {
    const { output } = await build.generate({ format: 'esm', codeSplitting: false });
    return output[0].code;
  } finally {
    await build.close();
  }
}

function capnp(file: string, given: string): string {
  const ca = readFileSync(here('certificates/ca.pem'), 'utf8');
  // JSON's escapes are among those of Cap'n Proto's text format.
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [
  (name = "main", worker = (
    modules = [
      (name = "main.mjs", esModule = "export { worker as default } from 'program.mjs';"),
      (name = "crc32c.wasm", wasm = embed "../../../src/protocol/crc32c.wasm"),
      (name = "program.mjs", esModule = embed "${file}")],
    compatibilityDate = "2026-11-17",
    compatibilityFlags = ["no_nodejs_compat", "no_nodejs_compat_v2"],
    bindings = [(name = "GIVEN", text = ${JSON.stringify(given)})],
    globalOutbound = "network")),
  (name = "network", network = (
    allow = ["local", "private"],
    tlsOptions = (trustedCertificates = [${JSON.stringify(ca)}])))]);
`;
}

/** Writes a file beside the bundles. */
export function place(name: string, content: string): string {
  mkdirSync(here('build/'), { recursive: true });
  const file = here(`build/${name}`);
  writeFileSync(file, content);
  return file;
}

/** Runs a bundled program. It finds `given` as JSON: in the variable `GIVEN`, or in workerd's binding of that name. */
export function launch(
  runtime: Runtime,
  name: string,
  code: string,
  { given, limitMs }: { readonly given: unknown; readonly limitMs: number },
): Promise<Ending> {
  const file = `${name}-${runtime.name.replace(' ', '-')}.mjs`.toLowerCase();
  const json = JSON.stringify(given);
  const module = place(file, code);
  const entry = runtime.platform === 'workers' ? place(`${file}.capnp`, capnp(file, json)) : module;
  const args = [...runtime.args, entry];
  const child = spawn(runtime.program, args, {
    env: { ...process.env, GIVEN: json },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(limit);
      resolve({ exitCode, output });
    });
  });
}
