/** How large the package is in an application's bundle: minified and gzipped, `#platform` left out.
 * The limits are promises of the README; a higher one needs a decision note.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import process from 'node:process';
import { rolldown, type InputOptions, type Plugin } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { filesBelow, repositoryRoot } from './support/source-tree.ts';

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
      if (id === '#crc32c-wasm') {
        const suffix = platformFile?.endsWith('workers.ts') ? '-workers' : '';
        return `${repositoryRoot}src/protocol/crc32c-wasm${suffix}.ts`;
      }
      if (id !== '#platform') return undefined;
      return platformFile === undefined ? { id, external: true } : `${repositoryRoot}${platformFile}`;
    },
    load: (id) => (id === entry ? program : undefined),
  };
  const bundle = await rolldown({
    input: entry,
    cwd: repositoryRoot,
    platform: 'neutral',
    external: /^cloudflare:|\.wasm$/,
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

/** The size of what uses the names of one file, or of several, `names` by path. */
async function sizeOf(imports: Readonly<Record<string, string>>): Promise<Size> {
  const program = Object.entries(imports).map(
    ([path, names]) => `import { ${names} } from './src/${path}';\nglobalThis.used = [${names}];\n`,
  );
  const code = await bundleOf(program.join(''));
  return { raw: code.length, zipped: gzipSync(code, { level: 9 }).length };
}

const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;

/** The protocol's tables that src/client imports, as `sizeOf` takes them. */
function tablesOfClient(): Record<string, string> {
  const tables: Record<string, string> = {};
  const imports = /import \{([^}]*)\} from '[./]+\/protocol\/((?:api|embedded)\/[\w-]+\.ts)'/g;
  for (const file of filesBelow('src', ['.ts'])) {
    if (!file.startsWith('src/client/')) continue;
    const text = readFileSync(repositoryRoot + file, 'utf8');
    for (const [, names = '', path = ''] of text.matchAll(imports)) {
      const values = names.split(',').filter((name) => /^\s*\w+\s*$/.test(name));
      if (values.length === 0) continue;
      const known = tables[`protocol/${path}`]?.split(', ') ?? [];
      tables[`protocol/${path}`] = [...new Set([...known, ...values.map((name) => name.trim())])].join(', ');
    }
  }
  return tables;
}

describe('a bundle', () => {
  it.each([
    ['Writer', 'index.ts', 35],
    ['Writer, Reader', 'index.ts', 64],
    ['Client', 'index.ts', 20],
    ['produceApi', 'protocol/index.ts', 15],
    ['apis, embeddedMessages, internalTopics', 'protocol/api/registry.ts', 35],
    ['crc32c', 'protocol/index.ts', 1.5],
    ['gzip', 'compression/index.ts', 2],
    ['EmbeddedCluster', 'testing/index.ts', 45],
  ])('with %s of %s has at most %d KB', async (names, path, limit) => {
    const { zipped, raw } = await sizeOf({ [path]: names });
    process.stdout.write(
      `  size of ${names} from ${path}: ${kilobytes(zipped)} gzipped, ${kilobytes(raw)} minified\n`,
    );
    expect(zipped).toBeLessThanOrEqual(limit * 1024);
  });

  it('of the client has at most 12 KB of protocol tables', async () => {
    const core = await sizeOf({ 'protocol/schema.ts': 'defineApi, defineMessage' });
    const tables = tablesOfClient();
    const all = await sizeOf({ ...tables, 'protocol/schema.ts': 'defineApi, defineMessage' });
    const zipped = all.zipped - core.zipped;
    process.stdout.write(`  size of ${Object.keys(tables).length} tables: ${kilobytes(zipped)} gzipped\n`);
    expect(Object.keys(tables).length).toBeGreaterThan(12);
    expect(zipped).toBeLessThanOrEqual(12 * 1024);
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
    expect([...new Set(modules)].toSorted()).toEqual(['./src/protocol/crc32c.wasm', 'cloudflare:sockets']);
    expect(code).not.toMatch(/["'`]node:/);
    expect(code).not.toMatch(/\b(require|process|__dirname|Deno|Bun)\b[.(]/);
  });
});
