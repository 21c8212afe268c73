/** The bundles of the repository: the package (`dist/`, one file an entry and shared chunks), its command line, and the
 * programs that Node 20 cannot run as TypeScript (`build/`). Types come from tsc; nothing is minified, so stack traces
 * stay readable.
 */
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

/** Makes the command executable, as package managers do with a `bin` when they install it, and puts the licences of the
 * libraries in it beside it.
 */
const command: Plugin = {
  name: 'command',
  generateBundle() {
    const texts = ['commander', 'picocolors'].map(
      (name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8')}`,
    );
    this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: texts.join('\n') });
  },
  writeBundle({ dir = '' }) {
    chmodSync(join(dir, 'main.js'), 0o755);
  },
};

const builtin = /^(node:|cloudflare:|#platform$|#crc32c-wasm$)/;

/** Every example is a program of its own. */
const examples = Object.fromEntries(
  readdirSync('examples')
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [`examples/${file.slice(0, -'.ts'.length)}`, `examples/${file}`]),
);

/** Puts the WebAssembly module beside the file that imports it on Workers. */
const wasmFile: Plugin = {
  name: 'wasm-file',
  generateBundle() {
    const path = 'protocol/crc32c.wasm';
    this.emitFile({ type: 'asset', fileName: path, source: readFileSync(`src/${path}`) });
  },
};

export default defineConfig([
  {
    input: {
      index: 'src/index.ts',
      'protocol/index': 'src/protocol/index.ts',
      'protocol/api/registry': 'src/protocol/api/registry.ts',
      'protocol/crc32c-wasm': 'src/protocol/crc32c-wasm.ts',
      'protocol/crc32c-wasm-workers': 'src/protocol/crc32c-wasm-workers.ts',
      'compression/index': 'src/compression/index.ts',
      'testing/index': 'src/testing/index.ts',
      'runtime/node': 'src/runtime/node.ts',
      'runtime/bun': 'src/runtime/bun.ts',
      'runtime/deno': 'src/runtime/deno.ts',
      'runtime/workers': 'src/runtime/workers.ts',
    },
    external: [builtin, /\.wasm$/],
    plugins: [wasmFile],
    platform: 'neutral',
    transform: { target: 'es2022' },
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true },
  },
  {
    // The command line shares the package's own entries and brings its libraries along: there are no dependencies.
    input: { main: 'src/cli/main.ts' },
    external: [builtin, /^kafka-wire/],
    platform: 'node',
    transform: { target: 'es2022' },
    output: { dir: 'dist/cli', format: 'esm', cleanDir: true },
    plugins: [command],
  },
  {
    input: {
      produce: 'bench/produce/worker.ts',
      consume: 'bench/consume/worker.ts',
      codec: 'bench/codec/worker.ts',
    },
    // All packages, but not what `await using` becomes.
    external: [builtin, /^(?!@oxc-project)[a-z@]/],
    platform: 'node',
    transform: { target: 'es2022' },
    output: { dir: 'bench/build', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true },
  },
  {
    input: {
      bench: 'bench/main.ts',
      ...examples,
      kafka: 'tools/kafka/main.ts',
      mutants: 'tools/mutants/main.ts',
      soak: 'tools/soak/main.ts',
      generate: 'tools/generate/main.ts',
      releases: 'tools/releases/main.ts',
      wasm: 'tools/wasm/main.ts',
    },
    external: [builtin, /^kafka-wire/, 'oxfmt', 'testcontainers', 'wabt'],
    platform: 'node',
    transform: { target: 'es2022' },
    output: { dir: 'build', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true },
  },
]);
