/** The two bundles of the repository: the package (`dist/`, one file an entry and shared chunks) and the programs that
 * Node 20 cannot run as TypeScript (`build/`). Types come from tsc; nothing is minified, so stack traces stay readable.
 */
import { defineConfig } from 'rolldown';

const builtin = /^(node:|cloudflare:|#platform$)/;

export default defineConfig([
  {
    input: {
      index: 'src/index.ts',
      'protocol/index': 'src/protocol/index.ts',
      'protocol/api/registry': 'src/protocol/api/registry.ts',
      'compression/index': 'src/compression/index.ts',
      'testing/index': 'src/testing/index.ts',
      'runtime/node': 'src/runtime/node.ts',
      'runtime/bun': 'src/runtime/bun.ts',
      'runtime/deno': 'src/runtime/deno.ts',
      'runtime/workers': 'src/runtime/workers.ts',
    },
    external: builtin,
    platform: 'neutral',
    transform: { target: 'es2022' },
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true },
  },
  {
    input: { worker: 'bench/worker.ts' },
    external: [builtin, /^[a-z@]/],
    platform: 'node',
    transform: { target: 'node24' },
    output: { dir: 'bench/build', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true },
  },
  {
    input: {
      bench: 'bench/main.ts',
      demo: 'examples/demo.ts',
      kafka: 'tools/kafka/main.ts',
      'generate-api': 'tools/generate-api.ts',
    },
    external: [builtin, /^kafka-wire/, 'oxfmt', 'testcontainers'],
    platform: 'node',
    transform: { target: 'es2022' },
    output: { dir: 'build', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true },
  },
]);
