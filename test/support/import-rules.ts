/** Who may import whom: the rooms of DESIGN.md as a table, and the search for cycles.
 * A room not in the table may import nothing; type imports count as imports.
 */
import type { ImportUse, Source } from './source-tree.ts';

/** What a room may import besides itself: other rooms; `types:` in front allows only types. */
const table: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  platform: [],
  index: [
    'errors',
    'types:platform',
    'compression',
    'client/writer',
    'client/reader',
    'client/group',
    'client/share',
    'client/admin',
    'client/cluster',
  ],
  protocol: ['errors'],
  'protocol/registry': ['errors', 'protocol'],
  compression: ['errors', 'types:platform'],
  'compression/index': ['#platform'],
  runtime: ['types:platform'],
  'client/default-platform': ['#platform'],
  'client/hooks': ['errors', 'types:platform', 'protocol'],
  'client/stats': ['errors', 'types:platform', 'protocol'],
  'client/connection': [],
  'client/cluster': ['client/connection', 'client/default-platform'],
  'client/writer': ['client/cluster', 'compression'],
  'client/fetch': ['client/cluster', 'compression'],
  'client/group': ['client/cluster'],
  'client/reader': ['client/fetch', 'client/group', 'client/cluster', 'compression'],
  'client/share': ['client/cluster', 'client/fetch', 'compression'],
  'client/admin': ['client/cluster'],
  testing: ['errors', 'platform', 'protocol', 'protocol/registry', 'compression', 'runtime/virtual'],
  'testing/default-platform': ['#platform'],
  handler: ['entry'],
  serde: ['entry'],
  observe: ['entry'],
  cli: ['entry', 'runtime', 'external'],
  tools: ['entry', 'external'],
  bench: ['entry', 'external', 'tools'],
  examples: ['entry', 'external', 'tools'],
};

/** What every room of the client may import. */
const clientBase = ['errors', 'types:platform', 'protocol', 'client/hooks', 'client/stats'];

/** Files that are a room of their own. */
const single = new Map<string, string>([
  ['src/index.ts', 'index'],
  ['src/errors.ts', 'errors'],
  ['src/platform.ts', 'platform'],
  ['src/protocol/api/registry.ts', 'protocol/registry'],
  ['src/compression/index.ts', 'compression/index'],
  ['src/compression/inflate-sync.ts', 'compression/index'],
  ['src/runtime/virtual.ts', 'runtime/virtual'],
  ['src/client/default-platform.ts', 'client/default-platform'],
  ['src/client/hooks.ts', 'client/hooks'],
  ['src/client/stats.ts', 'client/stats'],
  ['src/testing/default-platform.ts', 'testing/default-platform'],
]);

/** The one file of protocol that may name the compiled checksum. */
const crc32cWasm = { path: 'src/protocol/crc32c.ts', specifier: '#crc32c-wasm' };

/** The room of a path from the repository's root; undefined for what no rule speaks of. */
export function roomOf(path: string): string | undefined {
  const alone = single.get(path);
  if (alone !== undefined) return alone;
  const [top, room, second] = path.split('/');
  if (top !== 'src') return top !== undefined && top in table ? top : undefined;
  return room === 'client' ? `client/${second}` : room;
}

/** Rooms that a file belongs to besides its own, so that it may import them and be imported as part of them. */
function parentRoom(room: string): string {
  if (room === 'runtime/virtual') return 'runtime';
  if (room === 'testing/default-platform') return 'testing';
  return room === 'compression/index' ? 'compression' : room;
}

function targetRoom({ specifier, target }: ImportUse): string | undefined {
  if (specifier.startsWith('.')) return roomOf(target);
  if (specifier.startsWith('#')) return specifier;
  return /^kafka-wire(\/|$)/.test(specifier) ? 'entry' : 'external';
}

function mayImport(room: string, target: string, isType: boolean): boolean {
  const home = parentRoom(room);
  if (parentRoom(target) === home || target === room) return true;
  const base = room.startsWith('client/') ? clientBase : [];
  const allowed = new Set([...(table[room] ?? []), ...(table[home] ?? []), ...base]);
  const names = [target, parentRoom(target)].filter((name) => name !== 'runtime' || room === 'cli');
  return names.some((name) => allowed.has(name) || (isType && allowed.has(`types:${name}`)));
}

/** Imports that the table does not allow, as sentences. */
export function forbiddenImports({ path, imports }: Source): string[] {
  const room = roomOf(path);
  if (room === undefined) return [];
  const found: string[] = [];
  for (const use of imports) {
    const target = targetRoom(use);
    if (path === crc32cWasm.path && use.specifier === crc32cWasm.specifier) continue;
    if (target !== undefined && mayImport(room, target, use.isType)) continue;
    if (target === 'external' && /^(runtime|cli)$/.test(parentRoom(room)) && runtimeModule(use.specifier))
      continue;
    const kind = use.isType ? 'the type of ' : '';
    found.push(`${path}:${use.line} ${room} must not import ${kind}${use.specifier}`);
  }
  return found;
}

/** Modules that a runtime brings along. */
export function runtimeModule(specifier: string): boolean {
  return /^(node|cloudflare|bun):/.test(specifier) || specifier === 'bun';
}

/** Groups of files that import each other in a circle, type imports included, each as one sentence. */
export function importCycles(sources: readonly Source[]): string[] {
  const edges = new Map(sources.map(({ path, imports }) => [path, imports.map(({ target }) => target)]));
  const indexes = new Map<string, number>();
  const lows = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[] = [];
  const enter = (path: string): number => {
    const index = indexes.size;
    indexes.set(path, index);
    lows.set(path, index);
    stack.push(path);
    for (const target of edges.get(path) ?? []) {
      if (!edges.has(target)) continue;
      const known = indexes.get(target);
      if (known === undefined) lows.set(path, Math.min(lows.get(path) ?? 0, enter(target)));
      else if (stack.includes(target)) lows.set(path, Math.min(lows.get(path) ?? 0, known));
    }
    if (lows.get(path) === index) {
      const group = stack.splice(stack.indexOf(path));
      if (group.length > 1 || edges.get(path)?.includes(path))
        cycles.push(`circle of ${group.sort().join(', ')}`);
    }
    return lows.get(path) ?? index;
  };
  for (const path of edges.keys()) if (!indexes.has(path)) enter(path);
  return cycles;
}
