/** How large the package is in an application's bundle: minified and gzipped, `#platform` left out.
 * The limits are promises of the README; a higher one needs a decision note.
 */
import { gzipSync } from 'node:zlib';
import process from 'node:process';
import { rolldown, type InputOptions, type Plugin } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './support/source-tree.ts';

const entry = `${repositoryRoot}size-entry.ts`;

interface BundleOptions {
  /** What `#platform` is; default: left out. */
  readonly platformFile?: string;
  readonly treeshake?: InputOptions['treeshake'];
}

/** Bundles a program as if it stood in the repository's root. */
async function bundleOf(program: string, { platformFile, treeshake }: BundleOptions = {}): Promise<string> {
  const entryPlugin: Plugin = {
    name: 'entry',
    resolveId(id) {
      if (id === entry) return entry;
      if (id !== '#platform') return undefined;
      return platformFile === undefined ? { id, external: true } : `${repositoryRoot}${platformFile}`;
    },
    load: (id) => (id === entry ? program : undefined),
  };
  const bundle = await rolldown({
    input: entry,
    cwd: repositoryRoot,
    platform: 'neutral',
    external: /^cloudflare:/,
    treeshake: treeshake ?? true,
    plugins: [entryPlugin],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false });
  await bundle.close();
  return output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('');
}

interface Size {
  readonly raw: number;
  readonly zipped: number;
}

async function sizeOf(names: string, path: string): Promise<Size> {
  const program = `import { ${names} } from './src/${path}';\nglobalThis.used = [${names}];\n`;
  const code = await bundleOf(program);
  const size = { raw: code.length, zipped: gzipSync(code, { level: 9 }).length };
  const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;
  process.stdout.write(
    `  size of ${names} from ${path}: ${kilobytes(size.zipped)} gzipped, ${kilobytes(size.raw)} minified\n`,
  );
  return size;
}

describe('a bundle', () => {
  it.each([
    ['Writer', 'index.ts', 25],
    ['Writer, Reader', 'index.ts', 45],
    ['Client', 'index.ts', 20],
    ['produceApi', 'protocol/index.ts', 8],
    ['crc32c', 'protocol/index.ts', 1],
    ['gzip', 'compression/index.ts', 2],
    ['EmbeddedCluster', 'testing/index.ts', 45],
  ])('with %s of %s has at most %i KB', async (names, path, limit) => {
    const { zipped } = await sizeOf(names, path);
    expect(zipped).toBeLessThanOrEqual(limit * 1024);
  });

  it('holds nothing of what it does not name', async () => {
    // Even where a bundler does not know that the package is free of side effects.
    const treeshake = { moduleSideEffects: true };
    const code = await bundleOf("import './src/index.ts';\nimport './src/protocol/index.ts';\n", {
      treeshake,
    });
    expect(code.trim()).toBe('');
  });

  it('for Workers names no module of another runtime', async () => {
    const entries = ['index', 'protocol/index', 'compression/index'].map(
      (path) => `export * from './src/${path}.ts';`,
    );
    const code = await bundleOf(entries.join('\n'), { platformFile: 'src/runtime/workers.ts' });
    const modules = [...code.matchAll(/(?:from|import)\s*\(?\s*["'`]([^"'`]+)["'`]/g)].map(
      ([, name]) => name,
    );
    expect([...new Set(modules)]).toEqual(['cloudflare:sockets']);
    expect(code).not.toMatch(/["'`]node:/);
    expect(code).not.toMatch(/\b(require|process|__dirname|Deno|Bun)\b[.(]/);
  });
});
