/** How the tests run: the source by path, the package's own entries by alias, one worker per core. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { CountReporter } from './test/support/count-reporter.ts';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: '#platform', replacement: source('runtime/node.ts') },
      { find: '#crc32c-wasm', replacement: source('protocol/crc32c-wasm.ts') },
      { find: /^kafka-wire$/, replacement: source('index.ts') },
      { find: 'kafka-wire/protocol/registry', replacement: source('protocol/api/registry.ts') },
      { find: 'kafka-wire/protocol', replacement: source('protocol/index.ts') },
      { find: 'kafka-wire/compression', replacement: source('compression/index.ts') },
      { find: 'kafka-wire/testing', replacement: source('testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', new CountReporter()],
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 120_000,
  },
});
