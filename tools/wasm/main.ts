/** Compiles crc32c.wat, the source of the one WebAssembly module: to a file, which Workers import, and to a list of bytes
 * for everything else. Usage: `npm run wasm` writes both, `-- --check` fails if a committed one differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import wabt from 'wabt';
import { repositoryRoot } from '../kafka/cache.ts';

const SOURCE = 'tools/wasm/crc32c.wat';
const MODULE = 'src/protocol/crc32c.wasm';
const LIST = 'src/protocol/crc32c-wasm.ts';

/** The module. */
async function compile(): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const features = { simd: true, bulk_memory: true };
  const parsed = parseWat(SOURCE, readFileSync(join(repositoryRoot(), SOURCE), 'utf8'), features);
  try {
    parsed.validate();
    return parsed.toBinary({}).buffer;
  } finally {
    parsed.destroy();
  }
}

/** A module of TypeScript that holds the bytes, as the formatter leaves it. */
function listed(bytes: Uint8Array): string {
  const lines: string[] = [];
  let line = '   ';
  for (const byte of bytes) {
    if (line.length + ` ${byte},`.length > 110) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${byte},`;
  }
  return `/** The folding of CRC-32C, compiled by \`npm run wasm\` from ${SOURCE}: do not edit.
 * Where modules are imported as files, package.json names crc32c-wasm-workers.ts instead.
 */
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };

/** Compiles the module. Throws where that is not allowed. */
export function crc32cModule(): object {
  const bytes = [
${[...lines, line].join('\n')}
  ];
  return new WebAssembly.Module(new Uint8Array(bytes));
}
`;
}

/** Paths from the repository's root whose committed bytes are not those of the source, with what they should be. */
export async function outdatedModules(): Promise<Map<string, Uint8Array>> {
  const module = await compile();
  const wanted = new Map([
    [MODULE, module],
    [LIST, new TextEncoder().encode(listed(module))],
  ]);
  for (const [path, bytes] of wanted) {
    if (readFileSync(join(repositoryRoot(), path)).equals(bytes)) wanted.delete(path);
  }
  return wanted;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: 'boolean' } } });
  const outdated = await outdatedModules();
  if (!values.check) {
    for (const [path, bytes] of outdated) writeFileSync(join(repositoryRoot(), path), bytes);
  } else if (outdated.size > 0) {
    throw new Error(`outdated: ${[...outdated.keys()].join(', ')}; run npm run wasm`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
